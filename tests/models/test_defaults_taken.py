"""What is said of a network that is not as on its card, where nobody asked for that."""

import pytest
import torch
from safetensors.torch import save_file

from striate.models import create_model, list_models
from striate.models.defaults_taken import defaults_taken


def told(name, asked=(), **arguments):
    with torch.device("meta"):
        return defaults_taken(create_model(name, **arguments), asked)


def test_as_on_its_card_nothing_is_said():
    """Of any network but those whose auxiliary heads are left out."""
    names = ["resnet18", "lenet5", "vgg11", "mobilenet_v2", "nin_cifar", "alexnet", "densenet40_k12_cifar"]
    assert {name: told(name) for name in names} == {name: [] for name in names}
    assert told("nin_cifar", input_size=32) == []  # which is made for small images
    assert set(names[4:6]) <= set(list_models())


def test_the_stem_for_small_images_is_said_unless_it_was_asked_for():
    (line,) = told("resnet18", input_size=64)
    assert line.startswith("resnet18 has its stem for small images (64 pixels or less)")
    assert line.endswith("; stem='paper' gives it the paper's")
    assert told("resnet18", input_size=65) == []
    assert told("resnet18", ["stem"], input_size=64, stem="small") == []


def test_dense_layers_for_another_size_are_said():
    assert told("vgg16", input_size=64) == [
        "the dense layers of vgg_d are built for images of 64x64; those of the paper are for 224x224"
    ]
    assert told("vgg16", input_size=224) == []
    assert told("vgg16", input_size=(224, 192))[0].startswith(
        "the dense layers of vgg_d are built for images of 224x192"
    )


def test_auxiliary_heads_that_are_left_out_are_said():
    (line,) = told("googlenet")
    assert line == (
        "googlenet is built without its auxiliary heads, which only training uses; auxiliary=True adds them"
    )
    assert told("googlenet", ["auxiliary"]) == []
    assert told("googlenet", auxiliary=True) == []


@pytest.mark.parametrize(("arguments", "count"), [({}, 0), ({"num_classes": 5}, 1), ({"in_channels": 1}, 1)])
def test_what_weights_bring_and_leave_is_said(shared_weights, arguments, count):
    file = shared_weights / "mobilenet_v2_imagenet.safetensors"
    first, *others = defaults_taken(create_model("mobilenet_v2", weights=file, **arguments))
    needed = "stem=paper, padding=tensorflow, norm_eps=0.001"
    assert first == f"the weights bring options of mobilenet_v2 that they need: {needed}"
    assert len(others) == count
    if "num_classes" in arguments:
        assert others == ["the weights are for 1000 classes: for 5 head.classifier is new"]
    if "in_channels" in arguments:
        assert others[0] == f"the first convolution of '{file}' is for 3 channels: its filters are summed for 1"
    asked = defaults_taken(create_model("mobilenet_v2", weights=file, norm_eps=0.001), ["norm_eps"])
    assert asked == [f"the weights bring options of mobilenet_v2 that they need: {needed[:-16]}"]


def test_filters_for_more_channels_are_repeated_and_said_to_be(tmp_path):
    save_file(create_model("resnet20_cifar").state_dict(), tmp_path / "a.safetensors")
    model = create_model("resnet20_cifar", weights=tmp_path / "a.safetensors", in_channels=5)
    said = "is for 3 channels: its filters are repeated in turn and scaled by 3/5 for 5"
    assert f"the first convolution of '{tmp_path / 'a.safetensors'}' {said}" in defaults_taken(model)
