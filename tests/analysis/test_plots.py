"""Bars of what networks cost: which layers are shown, under which title, and the sentence that reads them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from striate.analysis import Comparison, Entry, Summary, plots, summary
from striate.analysis.bars import MOST_ROWS, Bars
from striate.errors import UsageError
from striate.models import create_model


def network(width: int) -> Summary:
    """Two convolutions: 9 and 9 width^2 weights, on 8 x 8 pixels."""
    layers = nn.Sequential(nn.Conv2d(1, width, 3, 1, 1, bias=False), nn.Conv2d(width, width, 3, 1, 1, bias=False))
    return summary(layers, (1, 8, 8))


def blocks(count: int, length: int) -> Summary:
    """So many blocks of so many dense layers, an activation behind each."""
    pairs = [
        nn.Sequential(*(part for _ in range(length) for part in (nn.Linear(2, 2), nn.ReLU()))) for _ in range(count)
    ]
    return summary(nn.Sequential(*pairs), (2,))


def columns(figure: Any) -> list[list[Any]]:
    """The axes of each block: memory, parameters, multiply-adds."""
    axes = [axis for part in figure.subfigs for axis in part.axes]
    return [axes[i : i + 3] for i in range(0, len(axes), 3)]


def bars(axis: Any) -> list[float]:
    return [patch.get_width() for patch in axis.patches]


def words_of(figure: Any) -> list[str]:
    """The lines above the picture."""
    return [text.get_text() for text in figure.subfigs[0].texts]


def test_bars_are_the_costs_layer_by_layer_on_one_scale_for_all(drawn: list[Any]) -> None:
    entries = (Entry("narrow", network(2)), Entry("wide", network(6)))
    Comparison(entries).plot("x.svg")
    found = columns(drawn[0])
    assert len(found) == 2
    for (memory, parameters, multiply_adds), entry in zip(found, entries, strict=True):
        rows = entry.summary.rows
        assert bars(memory) == [row.activation_bytes for row in rows]
        assert bars(parameters) == [row.parameters for row in rows]
        assert bars(multiply_adds) == [row.multiply_adds for row in rows]
        assert [label.get_text() for label in memory.get_yticklabels()] == ["0", "1"]
        assert any(text.get_text() == f"{entry.name} on 1×1×8×8" for text in memory.texts)
    for left, right in zip(*found, strict=True):
        assert left.get_xlim() == right.get_xlim()
    titles = [axis.get_title(loc="left") for axis in found[0]]
    assert titles == ["memory (bytes)", "parameters", "multiply-adds"]
    assert [text.get_text() for text in found[1][1].texts] == ["54", "324"]
    assert words_of(drawn[0])[0] == "narrow and wide: costs by layer"


def test_the_title_names_the_network_and_its_input_and_what_of_its_weights(drawn: list[Any]) -> None:
    network(2).plot("x.svg")
    plots.plot_summaries([network(2)], "x.svg", names=["a/folder/" + "x" * 60 + "/net.py:signal"])
    first, second = map(words_of, drawn)
    assert first[0] == "Sequential on an input of 1×1×8×8"
    assert "random and trained ones cost the same" in " ".join(first)
    assert second[0].startswith("a/folder/xxx")
    assert "xx/net.py:signal" in second[0]


def test_layers_that_cost_nothing_are_told(drawn: list[Any]) -> None:
    summary(nn.Sequential(nn.Linear(4, 2), nn.Flatten(), nn.Flatten()), (4,)).plot("x.svg")
    assert bars(columns(drawn[0])[0][1]) == [10]
    assert "Rows that cost none of the three are left out (2)." in " ".join(words_of(drawn[0]))


@pytest.mark.parametrize(
    ("count", "length", "depth", "shown"),
    [
        (4, 5, None, 40),  # all of them fit
        (2, 20, None, 40),  # two blocks would say too little: the costliest layers and the sum of the others
        (12, 4, None, 12),  # blocks are enough
        (12, 4, 2, 40),  # as deep as was asked for
        (12, 4, 1, 12),
        (3, 2, 0, 1),
    ],
)
def test_as_many_rows_as_can_be_read(count: int, length: int, depth: int | None, shown: int) -> None:
    many = blocks(count, length)
    rows, free = plots._shown(many, depth, 40)
    assert (len(rows), free) == (shown, 0)
    assert rows[-1].folded == (shown == 40 and 2 * count * length > 40)
    totals = (many.activation_bytes, many.parameters, many.multiply_adds)
    assert tuple(sum(row.values[kind] or 0 for row in rows) for kind in range(3)) == totals


class Staged(nn.Module):
    """A stem, stages and a head, as our networks have them."""

    def __init__(self, stages: int, head: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 3))
        self.stages = nn.Sequential(*(nn.Sequential(nn.Linear(3, 50), nn.Linear(50, 3)) for _ in range(stages)))
        self.head = nn.Sequential(*(nn.Linear(3, 3) for _ in range(head)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.head(self.stages(self.stem(x)))
        return result


@pytest.mark.parametrize(
    ("stages", "most", "names"),
    [
        (3, 12, ["stem.0", "stem.1", "stages.0", "stages.1", "stages.2", *(f"head.{n}" for n in range(6))]),
        (3, 10, ["stem", "stages.0", "stages.1", "stages.2", *(f"head.{n}" for n in range(6))]),
        (3, 8, ["stem", "stages.0", "stages.1", "stages.2", "head"]),  # no part in more detail than a costlier one
        (9, 6, ["stages.0", "stages.1", "stages.2", "stages.3", "stages.4", "and 12 others"]),
    ],
)
def test_a_long_network_is_folded_by_stage(stages: int, most: int, names: list[str]) -> None:
    rows, _ = plots._shown(summary(Staged(stages, 6), (2,)), None, most)
    assert [row.name for row in rows] == names


def test_stages_are_opened_before_a_head_with_most_parameters() -> None:
    with torch.device("meta"):
        model = create_model("alexnet")
    rows, _ = plots._shown(summary(model, (3, 227, 227)), None, 8)
    assert [row.name for row in rows] == ["stem", *(f"stages.stage{number}" for number in range(2, 6)), "head"]


def test_several_networks_share_the_rows_of_a_page(drawn: list[Any]) -> None:
    plots.plot_summaries([blocks(2, 10)] * 6, "x.svg")
    assert [len(memory.get_yticklabels()) for memory, _, _ in columns(drawn[0])] == [6] * 6


def test_the_reading_names_the_rows_with_most_of_each_cost() -> None:
    rows = [
        Bars("stem", (60, 1, 0)),
        Bars("body", (30, 1, 50)),
        Bars("tail", (0, 2, 50)),
        Bars("and 9 others", (10, 96, 50), folded=True),
    ]
    assert plots.where_most_lies(rows) == (
        "Most memory in stem (60%), parameters in tail (2%) and multiply-adds in body and 1 more (33% each)."
    )
    assert plots.where_most_lies([Bars("pool", (8, 0, 0))]) == "Most memory in pool (100%)."
    assert plots.where_most_lies([]) == "Nothing in it costs memory, parameters or multiply-adds."


def test_the_reading_of_several_says_who_costs_most_and_how_many_times_the_cheapest() -> None:
    networks = [
        Bars("vgg", (3072, 138_000_000, 500)),
        Bars("mobile", (2048, 3_500_000, 500)),
        Bars("net", (4096, 0, 500)),
    ]
    assert plots.who_costs_most(networks) == (
        "Most memory: net (4 KiB, 2.00 times mobile); most parameters: vgg (138.0 M, none in net); "
        "multiply-adds: the same in all (500)."
    )
    assert "most multiply-adds: a (1.00 M, 1,000 times b)" in plots.who_costs_most(
        [Bars("a", (1, 1, 1_000_000)), Bars("b", (1, 1, 1000))]
    )


def test_more_networks_than_can_be_shown_by_layer_have_a_row_each(drawn: list[Any]) -> None:
    some = [network(width) for width in range(1, 8)]
    plots.plot_summaries(some, "x.svg", names=[f"n{number}" for number in range(7)])
    ((memory, parameters, _),) = columns(drawn[0])
    assert [label.get_text() for label in memory.get_yticklabels()] == [f"n{number}" for number in range(7)]
    assert bars(parameters) == [one.parameters for one in some]
    assert words_of(drawn[0])[0] == "Costs of 7 networks"
    assert "Each on an input of 1×1×8×8." in " ".join(words_of(drawn[0]))
    plots.plot_summaries([*some, summary(nn.Linear(2, 2), (2,))], "x.svg")
    assert "Each on an input of its own size." in " ".join(words_of(drawn[1]))
    plots.plot_summaries(some[:6], "x.svg", 1)
    assert len(columns(drawn[2])) == 6
    with pytest.raises(UsageError, match="7 networks to draw to a depth of 1; bars by layer are readable for 1 to 6"):
        plots.plot_summaries(some, "x.svg", 1)
    for count in (0, MOST_ROWS + 1):
        with pytest.raises(UsageError, match=f"{count} networks to draw; a page has room for 1 to {MOST_ROWS}"):
            plots.plot_summaries(some[:1] * count, "x.svg")
    assert len(drawn) == 3


#: A short network, a long one, and three of several kinds with each other.
ON_PAPER = {
    "lenet5": [("lenet5", 28, 1)],
    "resnet152": [("resnet152", 64, 3)],
    "three": [("vit_ti_16", 224, 3), ("alexnet", 227, 3), ("densenet121", 32, 3)],
}


@pytest.mark.sampled
@pytest.mark.parametrize("names", ON_PAPER)
def test_a_picture_fits_on_a_page_and_can_be_read(names: str, laid_out: list[Any]) -> None:
    measured = []
    for name, side, channels in ON_PAPER[names]:
        with torch.device("meta"):
            measured.append(summary(create_model(name), (channels, side, side)))
    plots.plot_summaries(measured, "x.svg")
    if names == "resnet152":
        measured[0].plot("x.svg", 9)  # every layer
        assert "and 475 others" in laid_out[1].texts
    for paper in laid_out:
        assert paper.flaws == []
        assert paper.texts[0].startswith(measured[0].name)
