"""Tables of gradients to the letter: columns, rules, numbers in place of long names."""

import pytest

from striate.analysis.gradient_tables import MEANING, aligned, as_csv, markdown, text
from striate.analysis.gradients import Gradients, LayerGradient


def run(label: str, loss: float = 1.5, **norms: float) -> Gradients:
    """A network with layers of four weights, whose root mean square is half the norm."""
    layers = (LayerGradient(name, "Conv2d", 4, 3.0, norm) for name, norm in norms.items())
    return Gradients(label, loss, tuple(layers))


RUNS = [run("plain", 0.123456, stem=8.0, mid=0.02, head=2.0), run("a|b", 12345.6, stem=1.0, extra=6.0, head=1e-12)]


def test_text_has_a_column_for_each_network_and_totals_under_a_rule() -> None:
    rule = "─" * len("first / last  4.00e+00   1.00e+12")
    assert text(RUNS).splitlines() == [
        MEANING,
        rule,
        "layer            plain        a|b",
        rule,
        "stem          4.00e+00   5.00e-01",
        "extra                    3.00e+00",
        "mid           1.00e-02",
        "head          1.00e+00   5.00e-13",
        rule,
        "first / last  4.00e+00   1.00e+12",
        "loss            0.1235  1.235e+04",
    ]


def test_markdown_has_the_same_cells() -> None:
    assert markdown(RUNS).split("\n") == [
        "| layer | plain | a\\|b |",
        "|---|---:|---:|",
        "| stem | 4.00e+00 | 5.00e-01 |",
        "| extra |  | 3.00e+00 |",
        "| mid | 1.00e-02 |  |",
        "| head | 1.00e+00 | 5.00e-13 |",
        "| first / last | 4.00e+00 | 1.00e+12 |",
        "| loss | 0.1235 | 1.235e+04 |",
        "",
        MEANING,
        "",
    ]


def test_csv_has_a_line_for_each_layer_of_each_network() -> None:
    assert as_csv(RUNS).split("\n") == [
        "network,layer,type,weights,weight_norm,gradient_norm,gradient_rms",
        "plain,stem,Conv2d,4,3.0,8.0,4.0",
        "plain,mid,Conv2d,4,3.0,0.02,0.01",
        "plain,head,Conv2d,4,3.0,2.0,1.0",
        "a|b,stem,Conv2d,4,3.0,1.0,0.5",
        "a|b,extra,Conv2d,4,3.0,6.0,3.0",
        "a|b,head,Conv2d,4,3.0,1e-12,5e-13",
        "",
    ]


def layers_of(*names: str) -> Gradients:
    return run(names[0], **dict.fromkeys(names, 1.0))


@pytest.mark.parametrize(
    ("networks", "expected"),
    [
        (("abd", "abcd"), "abcd"),
        (("abd", "xad", "aye"), "xayebd"),
        (("ab", "cd"), "cdab"),
        (("abc", "cx", "ay"), "aybcx"),
        (("abc",), "abc"),
    ],
)
def test_a_layer_that_others_lack_stands_after_the_one_before_it(networks: tuple[str, ...], expected: str) -> None:
    runs = [layers_of(*names) for names in networks]
    found = aligned(runs)
    assert "".join(name for name, _ in found) == expected
    for name, layers in found:
        assert [None if layer is None else layer.name for layer in layers] == [
            name if name in names else None for names in networks
        ]
        assert all(layer is None or layer in one.layers for layer, one in zip(layers, runs, strict=True))


@pytest.mark.parametrize(("extra", "fits"), [(0, True), (1, False)])
def test_names_that_would_take_more_than_132_columns_become_numbers(extra: int, fits: bool) -> None:
    names = ["n" * 58, "m" * (58 + extra)]
    lines = text([run(name, a=1.0) for name in names]).splitlines()
    if fits:
        assert max(map(len, lines)) == 132
        assert lines[2].split() == ["layer", *names]
        assert lines[-1].split() == ["loss", "1.5", "1.5"]
    else:
        assert lines[2].split() == ["layer", "(1)", "(2)"]
        assert lines[-2:] == [f"(1) {names[0]}", f"(2) {names[1]}"]
        assert lines[-3].split() == ["loss", "1.5", "1.5"]
        assert len(lines[1]) == len("first / last  5.00e-01  5.00e-01")


def test_more_networks_than_there_is_room_for_stand_below_each_other() -> None:
    runs = [run("a network", a=number, b=1.0) for number in range(1, 8)]
    lines = text(runs, 80).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[:2] == ["Root mean square of the loss's gradient with respect to each layer's weights,", MEANING[78:]]
    assert [line.split() for line in lines if line.startswith("layer")] == [
        ["layer", "(1)", "(2)", "(3)", "(4)", "(5)"],
        ["layer", "(6)", "(7)"],
    ]
    assert [line.split()[1:] for line in lines if line.startswith("a ")] == [
        ["5.00e-01", "1.00e+00", "1.50e+00", "2.00e+00", "2.50e+00"],
        ["3.00e+00", "3.50e+00"],
    ]
    assert lines[-7:] == [f"({number}) a network" for number in range(1, 8)]
    assert [line.split() for line in text(runs).splitlines() if line.startswith("layer")] == [
        ["layer", *["a", "network"] * 7]
    ]


def test_long_layers_are_shortened_before_networks_lose_their_names() -> None:
    name = "stages.stage1.0.residual.convolution"
    lines = text([run(f"network{number}", **{name: 1.0}) for number in range(4)], 72).splitlines()
    assert max(map(len, lines)) <= 72
    assert lines[3].split() == ["layer", "network0", "network1", "network2", "network3"]
    assert lines[5].startswith("s.stage1.0.residual.convolution   5.00e-01  ")
    assert lines[-1].startswith("left out  parts of layer; 76 columns or a")
