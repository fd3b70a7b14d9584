"""The options of a network: their names, and the kind of value each takes."""

import inspect
import re

import numpy as np
import pytest
import torch

from striate.errors import UsageError
from striate.models import create_model
from striate.models.catalogue import families
from striate.models.options import KINDS, options_of


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
