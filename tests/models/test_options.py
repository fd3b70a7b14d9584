"""The options of a network: their names, and the kind of value each takes."""

import inspect
import re
from collections import Counter

import numpy as np
import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.layers.activation import ACTIVATIONS
from striate.layers.conv import SameConv2d
from striate.models import create_model, get_card
from striate.models.catalogue import families
from striate.models.options import KINDS, options_of

pytestmark = pytest.mark.sampled


def test_unknown_option_offers_the_nearest():
    with pytest.raises(UsageError, match=r"unknown option of resnet50 'strid_in'.*stride_in"):
        create_model("resnet50", strid_in="3x3")


@pytest.mark.parametrize(
    ("network", "option", "value", "words"),
    [
        ("googlenet", "auxiliary", "maybe", "true or false"),
        ("googlenet", "auxiliary", 1, "true or false"),
        ("mobilenet_v2", "width", "wide", "a number"),
        ("alexnet", "dropout", True, "a number"),
        ("alexnet", "dropout", None, "a number"),
        ("shufflenet_v1", "groups", 2.0, "a whole number"),
        ("resnet18", "shortcut", 1, "a word"),
        ("resnet18", "activation", None, "a word"),
        ("vit_b_16", "patch_size", "16", "a whole number"),
    ],
)
def test_a_value_of_another_kind_than_the_option_takes(network, option, value, words):
    with pytest.raises(UsageError, match=rf"^{option} of {network} is {re.escape(repr(value))}; it must be {words}$"):
        create_model(network, **{option: value})


def test_what_an_option_takes():
    for network, option, value in [
        ("mobilenet_v2", "width", 1),  # a whole number is a number
        ("vit_b_16", "patch_size", None),
        ("densenet121", "memory_efficient", True),
        ("nin", "dropout", np.float64(0.25)),
    ]:
        with torch.device("meta"):
            assert create_model(network, **{option: value}).spec.arguments[option] == value
    for name, family in families().items():
        for parameter in inspect.signature(family.build).parameters.values():
            if parameter.name in options_of(family):
                assert parameter.annotation.split(" | ")[0] in KINDS, f"{parameter.name} of {name}"


def test_patches_of_no_pixels():
    with pytest.raises(UsageError, match="patch_size is 0"):
        create_model("vit_b_16", patch_size=0)


#: What all activation functions are made of but the identity, which stands for none.
ACTIVATION = tuple({type(make()) for make in ACTIVATIONS.values()} - {nn.Identity})
#: The smallest network of each family: its activation functions, those of them that are gates and stay sigmoids; its
#: layers of dropout that follow `dropout`, and those with rates of their own; the side of its last map from 96 pixels
#: behind the small stem.
LAYERS = {
    "lenet": (4, 0, None, [], None),
    "lenet5_1998": (6, 0, None, [], None),
    "mcdnn": (3, 0, None, [], None),
    "keras_examples": (4, 0, 1, [], None),
    "cifar100_course": (18, 0, 1, [], None),
    "small": (5, 0, None, [], None),
    "alexnet": (7, 0, 2, [], 11),
    "zfnet": (7, 0, 2, [], 12),
    "nin": (9, 0, 2, [], 24),
    "vgg": (10, 0, 2, [], None),
    "all_cnn": (7, 0, 2, [0.2], None),
    "resnet": (17, 0, None, [], 12),
    "resnet_cifar": (19, 0, None, [], None),
    "resnet_v2": (49, 0, None, [], 12),
    "resnext": (49, 0, None, [], 12),
    "wide_resnet": (49, 0, None, [], 12),
    "densenet": (99, 0, 48, [], 24),
    "highway": (17, 8, None, [0.2, 0.3, 0.4, 0.5], None),
    "mobilenet_v1": (27, 0, 1, [], 12),
    "mobilenet_v2": (35, 0, 1, [], 12),
    "efficientnet": (65, 16, 1, [], 12),
    "efficientnet_lite": (33, 0, 1, [], 12),
    "mixnet": (None, None, 1, [], 12),
    "shufflenet_v1": (33, 0, None, [], 12),
    "shufflenet_v2": (37, 0, None, [], 12),
    "googlenet": (57 + 4, 0, 1, [0.7, 0.7], 24),
    "bn_inception": (69, 0, 1, [], 24),
    "inception_v3": (94 + 2, 0, 1, [], 21),
    "inception_v4": (149, 0, 1, [], 20),
    "inception_resnet": (127, 0, 1, [], 21),
    "xception": (35, 0, 1, [], 12),
    "nasnet": (183 + 3, 0, 1, [], 24),
    "vit": (12, 0, 37, [], None),
    "squeezenet": (18, 0, 1, [], 12),
}


@pytest.mark.parametrize("family", families())
def test_options_reach_every_layer_that_they_are_about(family):
    """All of them asked for at once, with values that no network has by itself."""
    card = min(families()[family].cards, key=lambda card: card.parameters)
    known = options_of(families()[family])
    asked = {
        "activation": "elu",
        "norm_eps": 0.0123,
        "dropout": 0.123,
        "stem": "small",
        "auxiliary": True,
        "padding": "tensorflow",
    }
    options = {option: value for option, value in asked.items() if option in known and family != "highway"}
    options = options or {"activation": "elu"}
    with torch.device("meta"):
        model = create_model(card.name, input_size=None if "stem" not in options else 96, **options).eval()
    assert options.items() <= dict(model.spec.arguments).items()
    activations, gates, dropped, own, last = LAYERS[family]
    found = Counter(type(layer) for layer in model.modules() if isinstance(layer, ACTIVATION))
    if activations is not None:
        assert found == Counter({nn.ELU: activations - gates, nn.Sigmoid: gates})
    norms = {m.eps for m in model.modules() if isinstance(m, nn.BatchNorm2d | nn.LayerNorm)}
    if "norm_eps" in options:
        assert norms == {0.0123}
    rates = sorted(m.p for m in model.modules() if isinstance(m, nn.Dropout | nn.Dropout2d))
    assert rates == [*[0.123] * (dropped or 0), *own]
    assert ("dropout" in options) == (dropped is not None)
    if "stem" in options and last is not None:
        assert model.features(torch.empty(1, model.in_channels, 96, 96, device="meta")).shape[2:] == (last, last)
    if "padding" in options:  # the first convolution of Xception has no padding in either form
        strided = [k for k, m in model.named_modules() if isinstance(m, nn.Conv2d) and m.stride != (1, 1)]
        same = [k for k, m in model.named_modules() if isinstance(m, SameConv2d)]
        assert set(strided) - set(same) == set()
        assert same


#: Each other option with a value that the networks in the other column do not have by themselves: the smallest of its
#: family where none is named.
OTHERS = {
    "norm": {"cifar100_course": False, "vgg": "batch"},
    "subsampling": {"cifar100_course": "max"},
    "pool": {"alexnet": 2, "vgg": 3},
    "dropout_on": {"alexnet": "inputs"},
    "init": {"alexnet": "gaussian", "zfnet": "gaussian", "vgg": "gaussian"},
    "dropout_image": {"all_cnn": 0.3},
    "shortcut": {"resnet": "C", "resnet_cifar": "C", "resnext": "C", "wide_resnet": "C"},
    "stride_in": {"resnet": "3x3", "resnext": "1x1", "wide_resnet": "1x1"},
    "zero_init_residual": dict.fromkeys(("resnet", "resnet_cifar", "resnext", "wide_resnet"), True),
    "conv_bias": {"resnet": True},
    "placement": {"resnet_cifar": "full_preactivation"},
    "gate_bias": {"resnet_cifar": -3.0, "highway": -3.0},
    "form": {"resnet_v2": "keras", "googlenet": "torchvision", "inception_resnet": "released"},
    "memory_efficient": {"densenet": True},
    "width": dict.fromkeys(
        ("mobilenet_v1", "mobilenet_v2", "efficientnet", "efficientnet_lite", "mixnet", "shufflenet_v1", "vgg"), 0.5
    ),
    "full": {"mobilenet_v1": True},
    "depth": {"efficientnet": 2.0, "efficientnet_lite": 2.0},
    "norm_momentum": {"efficientnet": 0.2, "efficientnet_lite": 0.2},
    "drop_path": {"efficientnet": 0.3, "efficientnet_lite": 0.3},
    "groups": {"shufflenet_v1": 1},
    "count_padding": {"inception_v3": True},
    "pool_padding": {"nasnet": "averaged"},
    "patch_size": {"vit": 8},
}
NAMED = {"resnet": "resnet50", "inception_resnet": "inception_resnet_v2", "shufflenet_v1": "shufflenet_v1"}
#: Without these beside them the option has nothing to act on.
BESIDE = {("resnet_cifar", "gate_bias"): {"shortcut": "shortcut_gate"}}


def settings_of(model):
    attributes = ("memory_efficient", "count_include_pad")
    return [(k, repr(m), *(getattr(m, attribute, None) for attribute in attributes)) for k, m in model.named_modules()]


def first_weights(model):
    return {k: v.double().sum().item() for k, v in model.state_dict().items()}


def test_no_option_is_left_out():
    shared = {"activation", "norm_eps", "dropout", "stem", "auxiliary", "padding"}
    taken = {(name, option) for name, family in families().items() for option in options_of(family)}
    listed = {(family, option) for option, rows in OTHERS.items() for family in rows}
    assert listed == {(family, option) for family, option in taken if option not in shared}


@pytest.mark.parametrize(("option", "family"), [(option, family) for option, rows in OTHERS.items() for family in rows])
def test_no_option_is_without_effect(option, family):
    name = NAMED.get(family) or min(families()[family].cards, key=lambda card: card.parameters).name
    beside = BESIDE.get((family, option), {})
    starts_otherwise = option in ("init", "zero_init_residual", "gate_bias")
    found = []
    for options in (beside, beside | {option: OTHERS[option][family]}):
        torch.manual_seed(0)
        with torch.device("cpu" if starts_otherwise else "meta"):
            model = create_model(name, input_size=64 if option == "init" else None, **options)
        found.append(first_weights(model) if starts_otherwise else settings_of(model))
    assert found[0] != found[1]


@pytest.mark.parametrize("name", ["nin", "zfnet", "squeezenet1_0", "resnet18", "shufflenet_v2_x0_5", "googlenet"])
def test_a_stem_that_is_asked_for_comes_before_the_size(name):
    """Small images with the paper's stem are halved as often as large ones."""
    with torch.device("meta"):
        model = create_model(name, stem="paper", input_size=64).eval()
        small = create_model(name, input_size=64).eval()
        x = torch.empty(1, 3, 64, 64)
        assert 2 * model.features(x).shape[2] < small.features(x).shape[2]
    assert (model.spec.arguments["stem"], small.spec.arguments["stem"]) == ("paper", "small")


@pytest.mark.parametrize(
    ("name", "options", "rates"),
    [
        ("all_cnn_c", {"dropout_image": 0.3}, [0.3, 0.5, 0.5]),
        ("densenet_bc100_k12_cifar", {"dropout": 0.0}, []),
        ("keras_mnist", {"dropout": 0.0}, [0.0]),
        ("vit_ti_16", {"dropout": 0.0}, []),
        ("highway10_w16_mnist", {"dropout": False}, []),
        ("nasnet_mobile", {"dropout": 0.0}, []),
    ],
)
def test_dropout_of_its_own(name, options, rates):
    with torch.device("meta"):
        model = create_model(name, **options)
    assert sorted(m.p for m in model.modules() if isinstance(m, nn.Dropout | nn.Dropout2d)) == rates


#: One network of each form that its family's smallest, looked at above, does not have.
FORMS = (
    *("alexnet_one_column", "vgg_a_lrn", "vgg16_bn", "vgg16_cats_dogs", "keras_cats_dogs", "nin", "squeezenet1_0"),
    *("striate_l", "resnet50", "plain18", "resnet20_cifar", "resnet164_cifar", "resnet110_v2_cifar"),
    *("resnet164_v2_cifar", "resnet50_v2_keras", "densenet121", "mobilenet_v1_full", "googlenet", "googlenet_d2l"),
    *("inception_v2", "inception_resnet_v2_released", "nasnet_cifar", "vit_b_32", "highway19_cifar"),
)


@pytest.mark.parametrize("name", FORMS)
def test_activation_and_epsilon_reach_every_layer_of_every_form(name):
    known = options_of(families()[get_card(name).family])
    asked = {option: value for option, value in (("norm_eps", 0.0123), ("auxiliary", True)) if option in known}
    with torch.device("meta"):
        model = create_model(name, activation="elu", **asked)
    kinds = {type(layer) for layer in model.modules() if isinstance(layer, ACTIVATION)}
    assert kinds - {nn.Sigmoid} == {nn.ELU}
    assert nn.Sigmoid not in kinds or name.startswith("highway")
    if "auxiliary" in asked:
        assert model.auxiliary
        assert any(isinstance(layer, nn.ELU) for layer in model.auxiliary.modules())
    if "norm_eps" in asked:
        assert {m.eps for m in model.modules() if isinstance(m, nn.BatchNorm2d | nn.LayerNorm)} == {0.0123}


def takes_a_rate(family: str) -> bool:
    dropout = inspect.signature(families()[family].build).parameters.get("dropout")
    return dropout is not None and dropout.annotation.startswith("float")


@pytest.mark.parametrize("family", filter(takes_a_rate, families()))
def test_a_dropout_is_a_fraction_from_zero_up_to_one(family):
    card = min(families()[family].cards, key=lambda card: card.parameters)
    with torch.device("meta"):
        for allowed in (0.0, 0.999):
            model = create_model(card.name, dropout=allowed)
            rates = {m.p for m in model.modules() if isinstance(m, nn.Dropout | nn.Dropout2d)}
            assert rates <= {allowed, *LAYERS[family][3]}
        for refused in (1.0, -0.001):
            with pytest.raises(UsageError, match=f"dropout is {refused}; a fraction from 0 up to 1 is needed"):
                create_model(card.name, dropout=refused)


@pytest.mark.parametrize("family", [name for name, row in OTHERS["width"].items() if row])
def test_a_width_is_a_multiplier_up_to_eight(family):
    card = min(families()[family].cards, key=lambda card: card.parameters)
    with torch.device("meta"):
        for refused in (0, -1.0, 8.01):
            with pytest.raises(UsageError, match=f"width is {refused}; a multiplier above 0 and up to 8 is needed"):
                create_model(card.name, width=refused)


#: What an option is where a builder does not say otherwise, and what the builders say that no card need repeat.
USUAL = {
    "stem": None,
    "activation": "relu",
    "norm_eps": 1e-05,
    "dropout": 0.0,
    "auxiliary": False,
    "padding": "symmetric",
    "init": "he",
    "zero_init_residual": False,
    "form": "paper",
    "width": 1.0,
}
OF_BUILDERS = {
    "lenet": {"activation": "tanh"},
    "lenet5_1998": {"activation": "scaled_tanh"},
    "mcdnn": {"activation": "scaled_tanh"},
    "keras_examples": {"dropout": None},
    "cifar100_course": {"norm": True, "subsampling": "sub", "dropout": None},
    "alexnet": {"pool": None, "dropout": 0.5, "dropout_on": "outputs"},
    "zfnet": {"dropout": 0.5},
    "nin": {"dropout": 0.5},
    "vgg": {"pool": None, "norm": None, "dropout": 0.5},
    "all_cnn": {"dropout": 0.5, "dropout_image": 0.2},
    "resnet": {"shortcut": "B", "stride_in": None, "conv_bias": False},
    "resnet_cifar": {"shortcut": "A", "placement": "original", "gate_bias": -6.0},
    "resnext": {"shortcut": "B", "stride_in": "3x3"},
    "wide_resnet": {"shortcut": "B", "stride_in": "3x3"},
    "densenet": {"memory_efficient": False},
    "highway": {"gate_bias": None, "dropout": True},
    "mobilenet_v1": {"full": False, "dropout": 0.001},
    "mobilenet_v2": {"dropout": 0.2, "activation": "relu6"},
    "efficientnet": {"depth": 1.0, "norm_momentum": 0.1, "dropout": 0.2, "drop_path": 0.2, "activation": "silu"},
    "efficientnet_lite": {
        "depth": 1.0,
        "padding": "tensorflow",
        "norm_eps": 0.001,
        "norm_momentum": 0.01,
        "dropout": 0.2,
        "drop_path": 0.2,
        "activation": "relu6",
    },
    "mixnet": {"dropout": 0.25},
    "shufflenet_v1": {"groups": 3},
    "googlenet": {"dropout": 0.4},
    "inception_v3": {"count_padding": False, "dropout": 0.2},
    "inception_v4": {"dropout": 0.2},
    "inception_resnet": {"dropout": 0.2},
    "xception": {"dropout": 0.5},
    "nasnet": {"pool_padding": "ignored", "norm_eps": 0.001, "dropout": 0.5},
    "vit": {"patch_size": None, "norm_eps": 1e-06, "activation": "gelu"},
    "squeezenet": {"dropout": 0.5},
}


@pytest.mark.parametrize("family", families())
def test_a_builder_that_is_told_nothing_builds_the_base_network(family):
    """Cards of scaled networks overrule these."""
    build = families()[family].build
    found = {name: inspect.signature(build).parameters[name].default for name in options_of(families()[family])}
    assert found == {name: OF_BUILDERS.get(family, {}).get(name, USUAL.get(name, "not written")) for name in found}
