"""Which network a file of weights belongs to."""

import json

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from striate.errors import StriateError, UsageError
from striate.models import create_model, get_card
from striate.models.recognition import belongs_elsewhere, fitting_networks, network_of, spec_in


def written(path, model, **metadata):
    state = {key: value.clone() for key, value in model.state_dict().items()}
    save_file(state, path, metadata=metadata or None)
    return path


@pytest.mark.parametrize("name", ["mobilenet_v2", "squeezenet1_1", "resnet18"])
def test_torchvisions_weights_find_their_network(tmp_path, name):
    path = written(tmp_path / "theirs.safetensors", getattr(torchvision.models, name)())
    assert network_of(path).name == name
    assert network_of(path).arguments == {}


@pytest.mark.parametrize("name", ["lenet5", "mobilenet_v1_0.25"])
def test_ours_under_our_names_do_too(tmp_path, name):
    assert network_of(written(tmp_path / "ours.safetensors", create_model(name))).name == name


def test_networks_with_the_same_tensors_are_all_named(tmp_path):
    path = written(tmp_path / "both.safetensors", create_model("plain20_cifar"))
    assert fitting_networks(path) == ["resnet20_cifar", "plain20_cifar"]
    with pytest.raises(UsageError, match="fit resnet20_cifar and plain20_cifar alike; name the network: model=NAME"):
        network_of(path)


@pytest.mark.parametrize("spoilt", ["another", "missing", "shape", "classes"])
def test_tensors_that_do_not_all_fit_are_nobodys(tmp_path, spoilt):
    state = dict(create_model("lenet5").state_dict())
    first = next(iter(state))
    if spoilt == "another":
        state["more.running_mean"] = torch.zeros(1)  # which is no parameter
    elif spoilt == "missing":
        state["renamed"] = state.pop(first)
    elif spoilt == "shape":
        state[first] = state[first].movedim(0, -1).contiguous()
    else:
        state = create_model("lenet5", num_classes=7).state_dict()
    save_file(state, tmp_path / "x.safetensors")
    assert fitting_networks(tmp_path / "x.safetensors") == []
    with pytest.raises(UsageError, match="does not say whose weights these are, nor do its tensors; name the network"):
        network_of(tmp_path / "x.safetensors")


def test_weights_that_are_known_by_their_content_are_one_networks(shared_weights):
    found = {path.stem: fitting_networks(path) for path in shared_weights.glob("*.safetensors")}
    assert found["resnet20_cifar10"] == ["resnet20_cifar"]
    assert found["resnet56_cifar10"] == ["resnet56_cifar"]
    assert found["mobilenet_v2_imagenet"] == ["mobilenet_v2"]
    assert found["mobilenet_v1_0.5_160_imagenet"] == ["mobilenet_v1_0.5"]
    assert found["efficientnet_lite0_imagenet"] == ["efficientnet_lite0"]
    assert found["efficientnet_lite2_imagenet"] == ["efficientnet_lite2"]


def test_a_run_and_its_file_say_their_network(trained):
    for place in (trained, trained / "model.safetensors", str(trained)):
        spec = network_of(place)
        assert (spec.name, spec.arguments["num_classes"]) == ("lenet5", 3)
    assert belongs_elsewhere(get_card("resnet18"), trained) == "lenet5"
    assert belongs_elsewhere(get_card("lenet5"), trained) == ""


def test_a_file_may_say_only_its_network(tmp_path):
    spec = {"name": "resnet18", "arguments": {"num_classes": 4}}
    path = written(tmp_path / "said.safetensors", create_model("lenet5"), spec=json.dumps(spec))
    assert network_of(path).name == "resnet18"
    assert belongs_elsewhere(get_card("lenet5"), path) == "resnet18"


def test_somebodys_code_has_to_be_named(tmp_path):
    spec = {"name": "net.py:build", "arguments": {}, "origin": {"kind": "file", "place": "/net.py", "name": "build"}}
    path = written(tmp_path / "own.safetensors", create_model("lenet5"), spec=json.dumps(spec))
    with pytest.raises(UsageError, match=r"the weights of net\.py:build, code that is run only where you name it"):
        network_of(path)
    spec["origin"]["kind"] = "timm"
    assert network_of(written(path, create_model("lenet5"), spec=json.dumps(spec))).origin["kind"] == "timm"


@pytest.mark.parametrize("text", ["{", "[]", '{"name": "x"}'])
def test_words_that_cannot_be_understood_are_told(tmp_path, text):
    path = written(tmp_path / "x.safetensors", create_model("lenet5"), spec=text)
    with pytest.raises(StriateError, match="its metadata cannot be understood"):
        spec_in(path)


def test_weights_of_another_network_are_told_by_its_name(trained, tmp_path):
    line = r"weights of lenet5, which do not fit resnet18; take lenet5 as the network, or other weights\."
    with pytest.raises(UsageError, match=line):
        create_model("resnet18", weights=trained)
    # most of a larger network's tensors are there
    state = create_model("resnet34").state_dict()
    save_file(state, tmp_path / "x.safetensors")
    with pytest.raises(UsageError, match="weights of resnet34, which do not fit resnet18"):
        create_model("resnet18", weights=tmp_path / "x.safetensors")
    # what is wrong of a network's own weights is told as before
    state["head.classifier.bias"] = torch.zeros(1)
    save_file(state, tmp_path / "y.safetensors")
    with pytest.raises(StriateError, match="misshapen"):
        create_model("resnet34", weights=tmp_path / "y.safetensors")


def test_what_a_networks_own_weights_need_is_told_as_before(trained):
    with pytest.raises(UsageError, match="of lenet5 need activation="):
        create_model("lenet5", weights=trained, in_channels=3, activation="relu")


def test_a_run_gives_its_weights_and_other_classes_a_fresh_head(trained):
    model = create_model("lenet5", weights=trained, in_channels=3)
    assert model.num_classes == 3
    assert model.fresh == ()
    again = create_model("lenet5", weights=str(trained), in_channels=3, num_classes=7)
    assert (again.num_classes, bool(again.fresh)) == (7, True)
    mine, theirs = model.state_dict(), again.state_dict()
    assert all(torch.equal(mine[key], theirs[key]) for key in mine if not key.startswith("head.classifier"))
