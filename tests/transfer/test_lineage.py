"""What a network grows into, and what options the deep one inherits."""

import pytest

from striate.errors import UsageError
from striate.models import ModelSpec, create_model
from striate.transfer import check_growth, grows_into, options_from


def spec(name, **options):
    return create_model(name, **{"num_classes": 5, "input_size": 32, **options}).spec


def test_the_deep_network_has_the_shallow_ones_options_but_for_its_cards_own_and_those_asked_for():
    shallow = spec("vgg_a", width=0.1, dropout=0.2)
    assert options_from(shallow, "vgg_d")["width"] == 0.1
    assert options_from(shallow, "vgg_d", {"dropout": 0.4})["dropout"] == 0.4
    assert options_from(spec("vgg11_bn", width=0.1), "vgg16_bn")["width"] == 0.1
    assert "norm" not in options_from(shallow, "vgg16_bn")  # its card says it
    assert set(options_from(shallow, "vgg_d")).isdisjoint({"num_classes", "in_channels", "input_size"})
    grown = check_growth(shallow, "vgg_d").network
    assert (grown.spec.arguments["width"], grown.num_classes, grown.fixed_size) == (0.1, 5, (32, 32))
    assert next(grown.parameters()).is_meta
    assert check_growth(ModelSpec("efficientnet_b0"), "efficientnet_b1").network.spec.arguments["depth"] == 1.1


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("shallow", "deeper"),
    [
        (ModelSpec("vgg_a"), ["vgg_b", "vgg_c", "vgg_d", "vgg_e"]),
        (ModelSpec("vgg11_bn"), ["vgg13_bn", "vgg16_bn", "vgg19_bn"]),
        (ModelSpec("vgg_e"), []),
        (ModelSpec("resnet50"), ["resnet101", "resnet152"]),
        (ModelSpec("plain18"), ["plain34"]),
        pytest.param(ModelSpec("efficientnet_b0"), ["efficientnet_b1"], marks=pytest.mark.slow),
        (ModelSpec("densenet121"), []),
    ],
)
def test_the_members_of_a_family_that_a_network_grows_into(shallow, deeper):
    assert grows_into(shallow) == deeper


@pytest.mark.parametrize(
    ("shallow", "deep", "line"),
    [
        ("vgg_a", "resnet18", "resnet18 is of another family than vgg_a; vgg_a grows into vgg_b, vgg_c, vgg_d, vgg_e."),
        (
            "vgg_d",
            "vgg_a",
            "vgg_a is not vgg_d made deeper: it has no stem.conv2; vgg_d grows into vgg_e.",
        ),
        ("vgg_d", None, "which network is to grow? Give model: vgg_d grows into vgg_e."),
        ("vgg_a", "torchvision:vgg16", "torchvision:vgg16 is not of the catalogue, so which layers"),
        ("densenet121", "densenet169", "no network of its family is densenet121 made deeper."),
    ],
)
def test_what_cannot_grow_says_what_can(shallow, deep, line):
    with pytest.raises(UsageError) as raised:
        check_growth(ModelSpec(shallow), deep)
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


def test_other_widths_than_the_shallow_ones_are_refused():
    with pytest.raises(UsageError, match=r"stem.conv1 is Conv2d\(3, 6, .* in vgg_a and Conv2d\(3, 13, .* in vgg_d"):
        check_growth(spec("vgg_a", width=0.1), "vgg_d", {"width": 0.2})


def test_what_cannot_begin_as_identity_is_seen_before_a_weight_is_made():
    tanh = spec("vgg_a", width=0.1, activation="tanh")
    with pytest.raises(UsageError, match="cannot begin as identity"):
        check_growth(tanh, "vgg_d")
    assert check_growth(tanh, "vgg_d", rule="random").rule == "random"


def test_somebody_elses_network_does_not_grow():
    with pytest.raises(UsageError, match=r"mine\.py:net is not of the catalogue"):
        check_growth(ModelSpec("mine.py:net", {}, {"kind": "file"}), "vgg_d")
