"""Layers by numbers: figures of the literature, and arithmetic that comes to what is measured."""

import re

import pytest

from striate.models.by_numbers import by_numbers


def test_the_lectures_example():
    """CS231n, "Convolutional Networks": 32x32x3, ten 5x5 filters, stride 1, pad 2: 32x32x10 and 760 parameters."""
    (step,) = by_numbers((3, 32, 32), "conv 10 5x5 pad 2")
    assert (step.words, step.input_shape, step.output_shape) == ("conv 10 5x5 pad 2", (3, 32, 32), (10, 32, 32))
    assert (step.parameters, step.multiply_adds, step.output_bytes) == (760, 768_000, 40_960)
    assert (step.receptive_field, step.stride) == ((5, 5), (1, 1))
    assert step.arithmetic == (
        ("side", "(32 + 2*2 - 5) + 1 = 32"),
        ("parameters", "(5*5*3 + 1) * 10 = 760"),
        ("mult-adds", "32*32*10 outputs * 5*5*3 = 768,000"),
    )


def test_alexnets_first_layers():
    steps = by_numbers(
        (3, 227, 227), "conv 96 11x11 stride 4", "relu", "pool max 3x3 stride 2", "conv 256 5x5 pad 2 groups 2"
    )
    assert [step.output_shape for step in steps] == [(96, 55, 55), (96, 55, 55), (96, 27, 27), (256, 27, 27)]
    assert [step.input_shape for step in steps] == [(3, 227, 227), (96, 55, 55), (96, 55, 55), (96, 27, 27)]
    assert [step.parameters for step in steps] == [34_944, 0, 0, 307_456]
    assert [step.multiply_adds for step in steps] == [105_415_200, 0, 0, 223_948_800]
    assert [step.receptive_field for step in steps] == [(11, 11), (11, 11), (19, 19), (51, 51)]
    assert [step.stride for step in steps] == [(4, 4), (4, 4), (8, 8), (8, 8)]
    assert steps[1].arithmetic == ()


@pytest.mark.parametrize(
    "words",
    [
        "conv 6 3x2 stride 2x1 pad 1x0",
        "conv 6 3x3 groups 2 no bias",
        "conv 6 3x3 stride 2 same",
        "depthwise 8 3x3",
        "transposed 6 2x3 stride 2",
        "transposed 6 2x2 no bias",
        "local 6 3x2 stride 2 pad 1",
        "local 2 3x3 no bias",
        "dense 7",
        "dense 7 no bias",
        "pool 2x3",
    ],
)
def test_the_arithmetic_comes_to_what_is_measured(words):
    (step,) = by_numbers((4, 9, 8), words)
    lines = dict(step.arithmetic)
    measured = {"parameters": step.parameters, "mult-adds": step.multiply_adds}
    for name, text in lines.items():
        left, right = text.split(",")[0].split(" = ") if name not in measured else text.split(" = ")
        computed = eval(re.sub("outputs|places", "", left))
        expected = int(right.replace(",", ""))
        assert int(computed) == expected, name
        if name in measured:
            assert expected == measured[name]
    assert ("parameters" in lines) == ("mult-adds" in lines) == (step.parameters > 0)
    if words.startswith(("conv", "local", "depthwise", "pool")) and "same" not in words:
        sides = [lines["side"]] * 2 if "side" in lines else [lines["height"], lines["width"]]
        assert [int(side.split(" = ")[1].split(",")[0]) for side in sides] == list(step.output_shape[1:])


def test_a_unit_behind_the_whole_map_sees_all():
    steps = by_numbers((2, 8, 8), "conv 4 3x3", "global average", "dense 3")
    assert [step.receptive_field for step in steps] == [(3, 3), None, None]
    assert [step.stride for step in steps] == [(1, 1), None, None]
    assert [step.sees_all for step in steps] == [False, True, True]
    assert [step.output_shape for step in steps] == [(4, 6, 6), (4, 1, 1), (3,)]


def test_weights_are_counted_and_not_made():
    (step,) = by_numbers((512, 1000, 1000), "dense 4096")
    assert step.parameters == (512 * 1000 * 1000 + 1) * 4096  # eight terabytes
