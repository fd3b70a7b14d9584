"""Networks with first weights of their own, or none; and what building and summing them up must not bring along."""

import subprocess
import sys

import pytest
import torch

from striate.models import InputError, create_model, get_card
from striate.models.building import build, weightless

CODE = """
import sys, torch
from striate.analysis import summary
from striate.models import create_model, get_card
others = ("highway10_w16_mnist", "mobilenet_v2_0.35", "nasnet_cifar", "vit_ti_16")
for name in ("lenet5", "lenet5_1998", "vgg11_bn", *others):
    create_model(name)
    assert "torch._dynamo" not in sys.modules, f"{name}, built"
    card = get_card(name)
    with torch.device("meta"):
        model = create_model(name)
    assert "torch._dynamo" not in sys.modules, f"{name}, built without weights"
    summary(model, (card.in_channels, card.input_size, card.input_size))
    assert "torch._dynamo" not in sys.modules, f"{name}, summed up"
"""


def test_pytorchs_compiler_stays_out():
    """Its import takes seconds and 150 MB, and some operations on weightless tensors would bring it in."""
    process = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=120)
    assert process.returncode == 0, process.stderr


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "vgg11"])
def test_a_weightless_network_has_the_names_and_shapes_of_a_real_one_and_no_values(name):
    model, real = weightless(name), create_model(name)
    assert {key: value.shape for key, value in model.state_dict().items()} == {
        key: value.shape for key, value in real.state_dict().items()
    }
    assert all(value.is_meta for value in model.state_dict().values())
    assert model.spec == real.spec


def test_what_is_not_asked_for_is_as_on_the_card():
    card = get_card("resnet18")
    with torch.device("meta"):
        usual = build(card, {})
        other = build(card, {"shortcut": "C"}, num_classes=7, in_channels=1, size=(48, 60))
    assert (usual.num_classes, usual.in_channels, usual.input_size) == (card.num_classes, card.in_channels, (224, 224))
    assert (other.num_classes, other.in_channels, other.input_size) == (7, 1, (48, 60))
    assert (usual.spec.arguments["stem"], other.spec.arguments["stem"]) == ("paper", "small")
    assert (usual.spec.arguments["shortcut"], other.spec.arguments["shortcut"]) == ("B", "C")


def test_a_size_below_what_the_network_works_on_is_refused():
    with pytest.raises(InputError, match=r"^vgg_d cannot work on images of 31x99 pixels; the smallest .* is 32x32$"):
        build(get_card("vgg16"), {}, size=(31, 99))
