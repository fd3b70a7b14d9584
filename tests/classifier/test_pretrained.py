"""Published weights used as they are: classes, preprocessing, and what cannot be used so."""

import socket

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import striate
from striate.classifier import Classifier
from striate.classifier.pretrained import is_pretrained_name
from striate.data import ArrayImages, Dataset, Split
from striate.errors import StriateError, UsageError
from striate.models import create_model, imagenet_ids, imagenet_names
from striate.models.libraries import preprocessing_of
from striate.models.references import reference_to

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Random weights of a small network with ImageNet's number of classes, in torchvision's names."""
    import torchvision

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "shufflenet.safetensors"
    save_file(torchvision.models.shufflenet_v2_x0_5().state_dict(), path)
    return path


def test_a_network_of_the_catalogue_names_imagenets_classes(weights):
    import torchvision

    found = Classifier.pretrained("shufflenet_v2_x0_5", weights)
    assert found.classes == imagenet_names()
    look = found.description.preprocessing
    assert (look.size, look.crop_fraction, look.interpolation, look.resize) == ((224, 224), 1.0, "bilinear", "crop")
    theirs = torchvision.models.shufflenet_v2_x0_5()
    theirs.load_state_dict(found_state(weights))
    image = look.normalise(torch.from_numpy(look(PICTURE)).permute(2, 0, 1)[None])
    expected = theirs.eval()(image).softmax(1)[0].detach().numpy()
    np.testing.assert_allclose(found.predict_proba([PICTURE])[0], expected, atol=1e-5)
    assert found.predict(PICTURE).label == imagenet_names()[int(expected.argmax())]


def found_state(path):
    from safetensors.torch import load_file

    return load_file(path)


def test_a_librarys_network_with_a_file_is_fed_as_the_library_feeds_it(weights, tmp_path):
    found = Classifier.pretrained("torchvision:shufflenet_v2_x0_5", weights)
    look = found.description.preprocessing
    assert (look.size, look.crop_fraction) == ((224, 224), 224 / 256)
    assert (look.mean, look.std) == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    again = striate.load(found.save(tmp_path / "kept.safetensors"))
    np.testing.assert_array_equal(again.predict_proba([PICTURE]), found.predict_proba([PICTURE]))
    with pytest.raises(UsageError, match="no such file; leave them out for the library's own"):
        Classifier.pretrained("timm:resnet18", "nowhere.safetensors")


@pytest.mark.parametrize("name", ["resnet18", "mobilenetv3_small_050", "vit_tiny_patch16_224", "tf_efficientnet_lite0"])
def test_timms_preprocessing_is_timms(name):
    import timm

    network = timm.create_model(name)
    fields = preprocessing_of(reference_to(f"timm:{name}"), network)
    settings = timm.data.resolve_model_data_config(network)
    assert fields["size"] == settings["input_size"][1:]
    assert (fields["mean"], fields["std"]) == (settings["mean"], settings["std"])
    assert (fields["crop_fraction"], fields["interpolation"]) == (settings["crop_pct"], settings["interpolation"])


def test_images_whose_classes_go_by_wordnet_ids_are_measured(weights):
    found = Classifier.pretrained("shufflenet_v2_x0_5", weights)
    labels = np.array([0, 1, 1, 2])
    images = ArrayImages(np.stack([PICTURE] * 4), list("abcd"))
    names = (imagenet_ids()[7], "crane (n03126707)", "tabby cat")
    dataset = Dataset("there", names, 3, Split("train", images, labels), None, None, (), (), "")
    evaluation = found.evaluate(dataset)
    expected = [7, imagenet_names().index("crane"), imagenet_names().index("tabby")]
    assert evaluation.labels.tolist() == [expected[label] for label in labels]


def test_cifars_classes_are_cifars(shared_weights):
    found = Classifier.pretrained("resnet20_cifar", shared_weights / "resnet20_cifar10.safetensors")
    assert found.classes[:3] == ("airplane", "automobile", "bird")
    assert found.description.preprocessing.size == (32, 32)


def test_outputs_without_names_are_asked_for(tmp_path):
    save_file(create_model("lenet5", num_classes=3).state_dict(), tmp_path / "three.safetensors")
    with pytest.raises(UsageError, match=r"lenet5: its 3 outputs are not ImageNet's 1,000 classes.*give classes="):
        Classifier.pretrained("lenet5", tmp_path / "three.safetensors")
    found = Classifier.pretrained("lenet5", tmp_path / "three.safetensors", classes=("a", "b", "c"))
    assert found.classes == ("a", "b", "c")
    for wrong in (("a", "b"), ("a", "b", "b")):
        with pytest.raises(UsageError, match="lenet5 has 3 outputs"):
            Classifier.pretrained("lenet5", tmp_path / "three.safetensors", classes=wrong)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("lenet5", r"lenet5 has no published weights; give a file of them: --weights FILE"),
        ("net.py:build", r"net\.py:build: a network of your own has no published weights; load the run"),
        ("resnet_18x", "unknown network 'resnet_18x'"),
    ],
)
def test_what_has_no_weights_says_so(model, said):
    with pytest.raises(UsageError, match=said):
        Classifier.pretrained(model)


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """No address can be resolved, and nothing is kept on this machine."""

    def refuse(*given, **more):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("resnet18", "put the file resnet18-f37072fd.pth"),
        ("torchvision:resnet18", "the weights of torchvision:resnet18 are not on this machine and cannot be fetched"),
        ("timm:resnet18", "the weights of timm:resnet18 are not on this machine and cannot be fetched"),
    ],
)
def test_without_a_network_the_line_says_what_to_do(name, said, offline):
    with pytest.raises(StriateError, match=said):
        striate.load(name)


def test_a_name_is_a_pretrained_network_where_nothing_of_it_lies_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("resnet50", "ResNet-50", "vgg16", "timm:resnet18", "torchvision:nonet"):
        assert is_pretrained_name(name)
    for name in ("runs/resnet50", "net.py:build", "resnet_50x", tmp_path / "resnet50"):
        assert not is_pretrained_name(name)
    (tmp_path / "resnet50").mkdir()
    assert not is_pretrained_name("resnet50")


def test_a_run_of_the_network_brings_its_classes(trained, colours):
    picture = colours / "green" / "4.png"
    expected = striate.load(trained).predict(picture)
    for weights in (trained, str(trained / "model.safetensors")):
        assert Classifier.pretrained("LeNet-5", weights).predict(picture) == expected
    called = Classifier.pretrained("lenet5", trained, classes=("a", "b", "c"))
    assert called.predict(picture).label == "b"
    with pytest.raises(UsageError, match="weights of lenet5, not of resnet18; load it by itself"):
        Classifier.pretrained("resnet18", trained)


def test_a_file_of_somebodys_weights_finds_its_network(shared_weights, tmp_path):
    classifier = striate.load(shared_weights / "resnet20_cifar10.safetensors")
    assert classifier.description.network["name"] == "resnet20_cifar"
    assert classifier.classes[3] == "cat"
    save_file({"a": torch.zeros(1)}, tmp_path / "w.safetensors")
    with pytest.raises(StriateError, match="do not say what network, classes and preprocessing they belong to"):
        striate.load(tmp_path / "w.safetensors")
