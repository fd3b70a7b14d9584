"""The options of a budget: each quantity under its own name, in its own unit."""

import itertools

import pytest

from striate.cli.budgets import limits_of
from striate.errors import UsageError

GIVEN = {
    "multiply_adds": ("300M", 3e8),
    "parameters": ("5e6", 5e6),
    "memory": ("50MB", 5e7),
    "latency": ("0.02s", 20.0),
}


@pytest.mark.parametrize("said", itertools.product([False, True], repeat=4))
def test_what_is_given_is_limited_and_nothing_else(said):
    words = [text if given else None for given, (text, _) in zip(said, GIVEN.values(), strict=True)]
    assert limits_of(*words) == {
        kind: value for given, (kind, (_, value)) in zip(said, GIVEN.items(), strict=True) if given
    }


@pytest.mark.parametrize("place", range(4))
def test_an_empty_word_is_no_quantity(place):
    with pytest.raises(UsageError, match="'' is no"):
        limits_of(*("" if number == place else None for number in range(4)))


@pytest.mark.parametrize("command", [("scale", "mobilenet_v1"), ("recommend", "--images", 300)])
@pytest.mark.parametrize(
    ("flag", "kind", "example"),
    [
        ("--macs", "multiply-adds", "300M"),
        ("--params", "parameters", "300M"),
        ("--memory", "memory of weights and activations", "50MB"),
        ("--latency", "latency", "20ms"),
    ],
)
def test_a_word_that_is_no_quantity_is_told_how_to_write_it(command, flag, kind, example, cli):
    outcome = cli(*command, flag, "much")
    assert outcome.code == 2
    assert outcome.line() == f"striate: 'much' is no {kind}; write it like {example}"
