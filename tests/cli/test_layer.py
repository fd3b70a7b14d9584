"""striate layer: tables letter by letter, chains, and what fits two shapes."""

import json
from dataclasses import replace

import pytest

from striate.cli.layer import _table
from striate.models.by_numbers import by_numbers


def test_a_layer_and_its_arithmetic(cli):
    outcome = cli("layer", "32x32x3", "conv 10 5x5 pad 2")
    assert outcome.code == 0
    assert outcome.out == (
        "layer                output  parameters  mult-adds  memory  field  stride\n"
        "input               32x32x3                         12 KiB\n"
        "conv 10 5x5 pad 2  32x32x10         760    768.0 k  40 KiB      5       1\n"
        "\n"
        "conv 10 5x5 pad 2\n"
        "  side        (32 + 2*2 - 5) + 1 = 32\n"
        "  parameters  (5*5*3 + 1) * 10 = 760\n"
        "  mult-adds   32*32*10 outputs * 5*5*3 = 768,000\n"
    )


def test_a_chain_is_summed_up(cli):
    lines = cli("layer", "32×30x3", "conv 10 5x5", "relu", "pool max 2x2", "dense 10").out.splitlines()
    assert [line.split() for line in lines[1:7]] == [
        ["input", "32x30x3", "11", "KiB"],
        ["conv", "10", "5x5", "28x26x10", "760", "546.0", "k", "28", "KiB", "5", "1"],
        ["relu", "28x26x10", "28", "KiB", "5", "1"],
        ["pool", "max", "2x2", "14x13x10", "7", "KiB", "6", "2"],
        ["dense", "10", "10", "18,210", "18.2", "k", "40", "B", "all"],
        ["together", "18,970", "564.2", "k"],
    ]
    assert "relu" not in lines[7:]
    assert lines[lines.index("pool max 2x2") :][:3] == [
        "pool max 2x2",
        "  height      (28 - 2) / 2 + 1 = 14",
        "  width       (26 - 2) / 2 + 1 = 13",
    ]


def test_a_field_that_differs_from_unit_to_unit_is_not_all():
    (step,) = by_numbers((3, 9, 9), "conv 4 3x3")
    for sees_all, shown in ((False, "?"), (True, "all")):
        unknown = replace(step, receptive_field=None, stride=None, sees_all=sees_all)
        assert _table((3, 9, 9), [unknown]).text().splitlines()[-2].split()[-1] == shown


def test_json_says_the_same(cli):
    said = json.loads(cli("layer", "32x30x3", "conv 10 5x5", "relu", "--json").out)
    assert said.keys() == {"input", "layers"}
    assert said["input"] == [3, 32, 30]
    assert said["layers"][0] == {
        "words": "conv 10 5x5",
        "input_shape": [3, 32, 30],
        "output_shape": [10, 28, 26],
        "parameters": 760,
        "multiply_adds": 546_000,
        "output_bytes": 29_120,
        "receptive_field": [5, 5],
        "stride": [1, 1],
        "sees_all": False,
        "arithmetic": [
            ["height", "(32 - 5) + 1 = 28"],
            ["width", "(30 - 5) + 1 = 26"],
            ["parameters", "(5*5*3 + 1) * 10 = 760"],
            ["mult-adds", "28*26*10 outputs * 5*5*3 = 546,000"],
        ],
    }
    assert [layer["words"] for layer in said["layers"]] == ["conv 10 5x5", "relu"]


def test_layers_between_two_shapes(cli):
    lines = cli("layer", "227x227x3", "conv 96", "--solve", "55x55").out.splitlines()
    assert lines[0] == "conv 96 11x11 stride 4        (227 - 11) / 4 + 1 = 55"
    assert len(lines) == 11
    assert lines[-1] == "and 4 less usual ones (--json)"
    said = json.loads(cli("layer", "227x227x3", "conv 96", "--solve", "55x55", "--json").out)
    assert (said["input"], said["output"], len(said["layers"])) == ([227, 227], [55, 55], 14)
    assert said["layers"][0] == {
        "words": "conv 96 11x11 stride 4", "kernel": [11, 11], "stride": [4, 4], "padding": [0, 0]
    }  # fmt: skip
    lines = cli("layer", "28x30x1", "pool 2x2", "--solve", "14x15").out.splitlines()
    assert lines == ["pool 2x2  (28 - 2) / 2 + 1 = 14", "          (30 - 2) / 2 + 1 = 15"]


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["32x32", "relu"], 2, "'32x32' is no shape: height x width x channels, such as 32x32x3"),
        (["32x0x3", "relu"], 2, "'32x0x3' is no shape: height x width x channels, such as 32x32x3"),
        (["32x-1x3", "relu"], 2, "'32x-1x3' is no shape: height x width x channels, such as 32x32x3"),
        (["8x8x3", "cnv 3"], 2, "unknown layer 'cnv'. Did you mean 'conv' or 'deconv'?"),
        (["8x8x3", "conv 3 9x9"], 2, "'conv 3 9x9' does not fit: a kernel that spans 9 values, on a height of 8"),
        (["8x8x3", "conv 3", "relu", "--solve", "4x4"], 2,
         "--solve is for one layer; the shape is of what comes before it"),
        (["8x8x3", "conv 3", "--solve", "4"], 2, "'4' is no shape: --solve takes rows x columns, such as 55x55"),
        (["8x8x3", "conv 3", "--solve", "40x40"], 1,
         "'conv 3': nothing turns 8x8 into 40x40 with a kernel of up to 15, a stride no longer than it and the same "
         "numbers along height and width"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(arguments, code, line, cli):
    outcome = cli("layer", *arguments)
    assert outcome.code == code
    assert outcome.line() == f"striate: {line}"
