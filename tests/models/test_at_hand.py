"""What lies on this machine: found by published name, by content, by what files say, and used as found."""

import hashlib
import json
import shutil
from dataclasses import replace

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from striate.errors import StriateError
from striate.models import create_model, get_card
from striate.models.at_hand import weights_at_hand
from striate.models.catalogue import cards
from striate.weights import remembered


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A folder that STRIATE_WEIGHTS names, and the cache; the Hub's cache is empty."""
    given, cache = tmp_path / "given", tmp_path / "cache"
    for folder in (given, cache):
        folder.mkdir()
    monkeypatch.setenv("STRIATE_WEIGHTS", str(given))
    monkeypatch.setenv("STRIATE_CACHE", str(cache))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return given, cache


@pytest.fixture
def publish(monkeypatch):
    """Puts a network's file of torchvision's format somewhere, published with its checksum on these networks' cards."""

    def put(path, *names, spelled="squeezenet1_1"):
        torch.manual_seed(0)
        torch.save(torchvision.models.get_model(spelled).state_dict(), path)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        for name in names:
            card = get_card(name)
            record = replace(card.weights[0], file=path.name, sha256=digest[:8])
            monkeypatch.setitem(cards(), name, replace(card, weights=(record, *card.weights[1:])))
        return path

    return put


def test_all_that_is_shared_is_found_and_used(shared_weights, places, monkeypatch):
    monkeypatch.setenv("STRIATE_WEIGHTS", str(shared_weights))
    found = weights_at_hand()
    assert {at_hand.path.name: at_hand.network for at_hand in found} == {
        "efficientnet_lite0_imagenet.safetensors": "efficientnet_lite0",
        "efficientnet_lite2_imagenet.safetensors": "efficientnet_lite2",
        "mobilenet_v1_0.25_128_imagenet.safetensors": "mobilenet_v1_0.25",
        "mobilenet_v1_0.5_160_imagenet.safetensors": "mobilenet_v1_0.5",
        "mobilenet_v1_0.75_192_imagenet.safetensors": "mobilenet_v1_0.75",
        "mobilenet_v1_1.0_224_imagenet.safetensors": "mobilenet_v1",
        "mobilenet_v2_imagenet.safetensors": "mobilenet_v2",
        "resnet20_cifar10.safetensors": "resnet20_cifar",
        "resnet32_cifar10.safetensors": "resnet32_cifar",
        "resnet44_cifar10.safetensors": "resnet44_cifar",
        "resnet56_cifar10.safetensors": "resnet56_cifar",
    }
    for at_hand in found:
        model = create_model(at_hand.network, weights=at_hand.path, **at_hand.options)
        assert model.weights_source == replace(at_hand.source, options=model.weights_source.options)
        assert at_hand.source.options.items() <= model.weights_source.options.items()
        assert model.num_classes == at_hand.source.num_classes
    monkeypatch.setattr(remembered, "digest_of", lambda *_: pytest.fail("a file was read again"))
    assert weights_at_hand() == found


def test_a_file_of_another_publisher_stands_for_the_usual_weights(shared_weights, places, monkeypatch):
    given, cache = places
    with pytest.raises(StriateError, match=r"put the file mobilenet_v2-b0353104\.pth"):
        create_model("mobilenet_v2", weights="imagenet")
    shutil.copy(shared_weights / "mobilenet_v2_imagenet.safetensors", given / "any.safetensors")
    model = create_model("mobilenet_v2", weights="imagenet")
    assert model.weights_source.name == str(given / "any.safetensors")
    assert model.weights_source.mean == (128 / 255,) * 3
    assert model.spec.arguments["padding"] == "tensorflow"
    for named in ("imagenet_v2", "timm"):  # these are what they are
        with pytest.raises(StriateError, match="put the file mobilenet"):
            create_model("mobilenet_v2", weights=named)
    shutil.move(given / "any.safetensors", cache / "any.safetensors")
    with pytest.raises(StriateError, match="put the file mobilenet"):
        create_model("mobilenet_v2", weights="imagenet")


def test_the_published_file_itself_comes_first_wherever_it_lies_among_the_given(places, publish):
    given, cache = places
    publish(given / "squeezenet1_1-x.pth", "squeezenet1_1")
    other = create_model("squeezenet1_1")
    save_file(other.state_dict(), given / "a.safetensors", metadata={"spec": json.dumps(other.spec.to_dict())})
    assert [at_hand.path.name for at_hand in weights_at_hand()] == ["a.safetensors", "squeezenet1_1-x.pth"]
    assert create_model("squeezenet1_1", weights="imagenet").weights_source.name == "imagenet"
    shutil.move(given / "squeezenet1_1-x.pth", cache)
    assert create_model("squeezenet1_1", weights="imagenet").weights_source.name == str(given / "a.safetensors")


def test_a_published_file_is_known_by_its_name_and_its_checksum(places, publish):
    _, cache = places
    path = publish(cache / "file.pth", "squeezenet1_1")
    (at_hand,) = weights_at_hand()
    assert (at_hand.network, at_hand.source.name, at_hand.path) == ("squeezenet1_1", "imagenet", path)
    record = create_model("squeezenet1_1", weights=path).weights_source
    assert record == replace(at_hand.source, name=str(path), options=record.options)
    path.write_bytes(path.read_bytes()[:-1])
    assert weights_at_hand() == []


def test_of_networks_that_share_a_file_the_one_in_its_form_is_named(places, publish):
    given, _ = places
    publish(given / "file.pth", "resnet50", "resnet50_v1_5", spelled="resnet50")
    (at_hand,) = weights_at_hand()
    assert at_hand.network == "resnet50_v1_5"


def test_a_model_that_was_trained_here_says_what_it_is_but_stands_for_nothing(places, trained):
    given, _ = places
    shutil.copy(trained / "model.safetensors", given / "mine.safetensors")
    (at_hand,) = weights_at_hand()
    assert (at_hand.network, at_hand.source.classes) == ("lenet5", ("blue", "green", "red"))
    assert (at_hand.source.num_classes, at_hand.source.origin) == (3, "trained here")
    assert at_hand.options == {"in_channels": 3}
    model = create_model(at_hand.network, weights=at_hand.path, **at_hand.options)
    assert (model.num_classes, model.in_channels) == (3, 3)


def test_a_model_for_other_classes_never_stands_for_the_usual_weights(places):
    given, _ = places
    for count, taken in ((5, False), (1000, True)):
        model = create_model("squeezenet1_1", num_classes=count)
        said = {"spec": json.dumps(model.spec.to_dict())}
        save_file(model.state_dict(), given / "a.safetensors", metadata=said)
        if taken:
            assert create_model("squeezenet1_1", weights="imagenet").weights_source.file == "a.safetensors"
        else:
            with pytest.raises(StriateError, match="put the file"):
                create_model("squeezenet1_1", weights="imagenet")


def test_what_cannot_be_read_is_left_out(places, monkeypatch, tmp_path):
    given, _ = places
    (given / "a.safetensors").write_bytes(b"half")
    (given / "b.pth").write_bytes(b"half")
    (given / "c.h5").write_bytes(b"half")
    (given / "notes.txt").write_text("no weights", encoding="utf-8")
    (given / "folder.safetensors").mkdir()
    save_file({"a": torch.zeros(1)}, given / "d.safetensors", metadata={"spec": '{"name": "nonet", "arguments": {}}'})
    save_file({"a": torch.zeros(1)}, given / "e.safetensors", metadata={"spec": "{"})
    assert weights_at_hand() == []
    monkeypatch.setenv("STRIATE_WEIGHTS", str(tmp_path / "nowhere"))
    assert weights_at_hand() == []


def test_files_of_the_hub_are_found_in_a_folder_and_in_its_cache(places, tmp_path):
    given, _ = places
    folder = given / "timm" / "inception_v4.tf_in1k"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    (at_hand,) = weights_at_hand()
    assert (at_hand.network, at_hand.path) == ("inception_v4", folder / "model.safetensors")
    shutil.rmtree(given / "timm")
    kept = tmp_path / "hub" / "models--timm--inception_v4.tf_in1k"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("abc", encoding="utf-8")
    (kept / "snapshots" / "abc").mkdir(parents=True)
    (kept / "snapshots" / "abc" / "model.safetensors").write_bytes(b"weights")
    (at_hand,) = weights_at_hand()
    assert at_hand.path == kept / "snapshots" / "abc" / "model.safetensors"


def test_only_the_usual_weights_are_stood_for(places):
    """What was asked for by its publisher's name is that, or nothing."""
    given, _ = places
    model = create_model("efficientnet_b0")
    save_file(model.state_dict(), given / "a.safetensors", metadata={"spec": json.dumps(model.spec.to_dict())})
    assert create_model("efficientnet_b0", weights="imagenet").weights_source.name == str(given / "a.safetensors")
    with pytest.raises(StriateError, match=r"put the file efficientnet_b0_ra-3dd342df\.pth"):
        create_model("efficientnet_b0", weights="timm")
