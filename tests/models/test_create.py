"""create_model: from arguments, cards and weights to a network, argument by argument."""

import pytest
import torch
from safetensors.torch import save_file

from striate.errors import StriateError, UsageError
from striate.models import InputError, create_model, get_card


def built(name, **arguments):
    with torch.device("meta"):
        return create_model(name, **arguments)


def test_a_network_is_built_as_its_card_has_it():
    model = built("resnet20_cifar")
    assert dict(model.spec.arguments) == {
        "num_classes": 10,
        "in_channels": 3,
        "input_size": None,
        "shortcut": "A",
        "placement": "original",
        "gate_bias": -6.0,
        "zero_init_residual": False,
        "activation": "relu",
    }
    assert (model.spec.name, model.input_size, model.fixed_size) == ("resnet20_cifar", (32, 32), None)
    assert model.weights_source is None


def test_what_is_asked_for_comes_before_the_card():
    model = built("ResNet-18", num_classes=3, in_channels=2, input_size=(70, 90), shortcut="C")
    wanted = {"num_classes": 3, "in_channels": 2, "input_size": [70, 90], "shortcut": "C", "stem": "paper"}
    assert wanted.items() <= dict(model.spec.arguments).items()
    assert (model.spec.name, model.input_size, model.num_classes, model.in_channels) == ("resnet18", (70, 90), 3, 2)


@pytest.mark.parametrize(("given", "size"), [(40, [40, 40]), ((40, 50), [40, 50]), ([50, 40], [50, 40]), (None, None)])
def test_a_size_is_a_side_or_height_and_width(given, size):
    assert built("resnet20_cifar", input_size=given).spec.arguments["input_size"] == size


@pytest.mark.parametrize("size", [0, -3, (32,), (32, 32, 32), (32, 0), (32.0, 32), ("32", "32"), (32, None)])
def test_an_impossible_size_is_shown(size):
    with pytest.raises(UsageError, match=r"input_size is .*; it must be a side in pixels or"):
        built("resnet20_cifar", input_size=size)


@pytest.mark.parametrize("argument", ["num_classes", "in_channels"])
@pytest.mark.parametrize("value", [0, -1, 2.0, "3", True, [3]])
def test_a_number_that_is_none_is_shown(argument, value):
    with pytest.raises(UsageError) as raised:
        built("lenet5", **{argument: value})
    assert str(raised.value) == f"{argument} is {value!r}; it must be a whole number of at least 1"


def test_one_is_enough():
    model = built("resnet20_cifar", num_classes=1, in_channels=1, input_size=1)
    assert (model.num_classes, model.in_channels, model.input_size) == (1, 1, (1, 1))


def test_images_too_small_for_the_stem_they_get():
    """ZFNet's small stem takes 8 pixels, the paper's 47; the shorter side decides."""
    assert built("zfnet", input_size=(8, 100)).spec.arguments["stem"] == "small"
    with pytest.raises(InputError) as raised:
        built("zfnet", input_size=(100, 7))
    assert str(raised.value) == "zfnet cannot work on images of 100x7 pixels; the smallest it takes is 8x8"
    with pytest.raises(InputError, match="of 46x60 pixels; the smallest it takes is 47x47"):
        built("zfnet", input_size=(46, 60), stem="paper")
    assert built("zfnet", input_size=47, stem="paper").min_size == 47


@pytest.fixture
def file(tmp_path):
    """LeNet for images of 32x32 and four classes, with its description of itself."""
    torch.manual_seed(0)
    path = tmp_path / "lenet.safetensors"
    save_file(create_model("lenet5", num_classes=4, input_size=32).state_dict(), path, metadata={"input_size": "32"})
    return path


def test_weights_bring_their_classes_and_their_size(file):
    model = create_model("lenet5", weights=file)
    assert (model.num_classes, model.fixed_size, model.input_size) == (4, (32, 32), (32, 32))
    assert model.spec.arguments["input_size"] == [32, 32]
    assert model.weights_source.name == str(file)
    with pytest.raises(StriateError):  # its dense layer is of another size
        create_model("lenet5", weights=file, input_size=40)
    other = create_model("lenet5", weights=file, num_classes=9)
    assert other.num_classes == 9
    assert torch.equal(other.stem.conv.weight, model.stem.conv.weight)
    assert create_model("lenet5", weights=str(file), in_channels=2).in_channels == 2


def test_weights_of_other_sizes_tie_only_networks_of_one_size(tmp_path):
    path = tmp_path / "resnet.safetensors"
    save_file(create_model("resnet20_cifar").state_dict(), path, metadata={"input_size": "48"})
    model = create_model("resnet20_cifar", weights=path)
    assert model.spec.arguments["input_size"] is None
    assert model.input_size == (32, 32)


def test_a_network_is_made_fully_convolutional_when_asked(file):
    model = create_model("lenet5", weights=file, fully_convolutional="map").eval()
    assert model(torch.zeros(1, 1, 40, 36)).shape == (1, 4, 3, 2)
    average = create_model("lenet5", weights=file, fully_convolutional="average").eval()
    assert average(torch.zeros(1, 1, 40, 36)).shape == (1, 4)
    assert create_model("lenet5", weights=file).fixed_size == (32, 32)


def test_options_go_into_the_spec_in_order_of_their_weight():
    """The card's come before the builder's, those asked for before both."""
    card = get_card("mobilenet_v1_0.5")
    assert card.options["width"] == 0.5
    assert built("mobilenet_v1_0.5").spec.arguments["width"] == 0.5
    assert built("mobilenet_v1_0.5", width=0.25).spec.arguments["width"] == 0.25
    with pytest.raises(UsageError, match="unknown option of lenet5 'width'"):
        built("lenet5", width=1.0)
