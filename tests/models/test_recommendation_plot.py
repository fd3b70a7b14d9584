"""The picture of a recommendation: a row for each network, the budget, and the sentence that reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from striate.errors import UsageError
from striate.models.budget import Cost
from striate.models.recommendation import Recommendation
from striate.models.recommendation_plot import plot_recommendations, reading

BEST = Recommendation(
    name="best_network",
    input_size=224,
    weights="imagenet",
    accuracy=0.777,
    measured_on="ImageNet",
    source="paper",
    freeze=None,
    cost=Cost(multiply_adds=401_408_000, parameters=5_000_000, memory=110_000_000),
    latency=None,
    reasons=(),
)


def test_the_reading_says_how_accurate_the_first_is_and_what_it_costs_of_what_is_worth_it() -> None:
    """2,000 images of 224 x 224 are worth 20 multiply-adds for each of their pixels: 2.007 G."""
    assert reading(BEST, 2000) == (
        "best_network is the most accurate that fits, with 77.7% at 224 px, and starts from its weights 'imagenet'; an "
        "image costs it 401 M multiply-adds, 20% of the 2.01 G that so many images are worth."
    )
    assert "by rank, and starts from random weights;" in reading(replace(BEST, accuracy=None, weights=None), 2000)


def test_each_network_has_a_row_and_the_budget_a_line(laid_out: list[Any]) -> None:
    others = [replace(BEST, name=f"inception_resnet_v{number}_released", latency=20.0 + number) for number in range(39)]
    found = [replace(BEST, latency=12.3), replace(BEST, name="second", accuracy=None, latency=15.0), *others[:38]]
    limits = {"parameters": 6e6, "latency": 30.0}
    plot_recommendations(found, "x.svg", images=2000, size=224, limits=limits)
    (paper,) = laid_out
    assert paper.flaws == []
    axes = [axis for part in paper.figure.subfigs for axis in part.axes]
    assert [axis.get_title(loc="left") for axis in axes] == [
        *("top-1 (%)", "multiply-adds", "parameters", "memory (bytes)", "latency (ms)"),
    ]
    assert [label.get_text() for label in axes[0].get_yticklabels()[:2]] == ["best_network, 224 px", "second, 224 px"]
    assert [patch.get_width() for patch in axes[0].patches[:2]] == [pytest.approx(77.7), 0]
    assert [patch.get_width() for patch in axes[4].patches[:2]] == [12.3, 15.0]
    assert [[float(line.get_xdata()[0]) for line in axis.lines] for axis in axes] == [[], [], [6e6], [], [30.0]]
    assert paper.texts[0] == "Networks for 2,000 images of 224×224"
    assert "Published top-1 on ImageNet" in paper.texts[1]


def test_without_a_budget_no_line_is_spoken_of(drawn: list[Any]) -> None:
    plot_recommendations([BEST], "x.svg", images=2000, size=96, limits={})
    assert "dashed" not in " ".join(text.get_text() for text in drawn[0].subfigs[0].texts)
    for count in (0, 41):
        with pytest.raises(UsageError, match=f"{count} networks to draw; a page has room for 1 to 40"):
            plot_recommendations([BEST] * count, "x.svg", images=1, size=1, limits={})
