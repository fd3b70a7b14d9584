"""The picture of a network scaled to a budget: its rows, the budget, and the sentence that reads it."""

from __future__ import annotations

from typing import Any

import pytest

from striate.models import get_card
from striate.models.budget import Cost, cost_of
from striate.models.card import ModelSpec
from striate.models.forms import Coefficients, Forms
from striate.models.scaling import Scaled
from striate.models.scaling_plot import plot_form, reading

LIMITS = {"multiply_adds": 2e8, "parameters": 3e6}
SCALED = Scaled(
    spec=ModelSpec("mobilenet_v2", {"input_size": [192, 192], "width": 0.9}),
    phi=-0.5,
    factors={"width": 0.95, "resolution": 0.93},
    input_size=192,
    cost=Cost(multiply_adds=190_000_000, parameters=2_400_000, memory=50_000_000),
    latency=None,
    limits=LIMITS,
    forms=Forms(get_card("mobilenet_v2"), Coefficients(), ("width", "resolution")),
)


def axes_of(figure: Any) -> list[Any]:
    return [axis for part in figure.subfigs for axis in part.axes]


def test_the_reading_says_which_coefficients_fit_and_what_they_cost_of_the_budget() -> None:
    assert reading(SCALED) == (
        "The largest form that fits has phi -0.50: width ×0.950 and resolution ×0.930; it costs 190 M multiply-adds "
        "(95% of the 200 M allowed) and 2.40 M parameters (80% of the 3 M allowed)."
    )
    timed = Scaled(**{**vars(SCALED), "latency": 15.0, "limits": {"memory": 1e8, "latency": 20.0}})
    assert reading(timed).endswith(
        "it costs 50.0 MB memory of weights and activations (50% of the 100 MB allowed) and 15.0 ms latency (75% of "
        "the 20 ms allowed)."
    )


def test_the_form_that_fits_stands_among_those_around_it_below_the_budget(laid_out: list[Any]) -> None:
    SCALED.plot("x.svg")
    (paper,) = laid_out
    assert paper.flaws == []
    assert paper.texts[0] == "mobilenet_v2 scaled to a budget: images of 192×192"
    assert "A step of phi: width ×1.1 and resolution ×1.15." in " ".join(paper.texts)
    multiply_adds, parameters, memory = axes_of(paper.figure)
    assert [label.get_text() for label in multiply_adds.get_yticklabels()] == [
        "phi -2: width ×0.83, 168 px",
        "phi -1: width ×0.91, 192 px",
        "phi -0.50: width ×0.95, 192 px",
        "phi 0: width ×1.00, 224 px",
        "phi 1: width ×1.10, 256 px",
    ]
    at = [
        cost_of("mobilenet_v2", (side, side), width=width, stem="paper") for side, width in ((168, 0.8264), (224, 1.0))
    ]
    lengths = [patch.get_width() for patch in multiply_adds.patches]
    assert [lengths[0], lengths[2], lengths[3]] == [at[0].multiply_adds, 190_000_000, at[1].multiply_adds]
    assert [patch.get_alpha() for patch in memory.patches] == [0.35, 0.35, 1, 0.35, 0.35]
    assert [[float(line.get_xdata()[0]) for line in axis.lines] for axis in (multiply_adds, parameters, memory)] == [
        [2e8],
        [3e6],
        [],
    ]


def test_a_form_alone_and_one_whose_time_was_asked_for(drawn: list[Any]) -> None:
    plot_form(Scaled(**{**vars(SCALED), "forms": None, "latency": 12.34, "limits": {"latency": 20.0}}), "x.svg")
    axes = axes_of(drawn[0])
    assert [axis.get_title(loc="left") for axis in axes] == [
        "multiply-adds",
        "parameters",
        "memory (bytes)",
        "latency (ms)",
    ]
    assert [text.get_text() for axis in axes for text in axis.texts] == ["190 M", "2.40 M", "50.0 MB", "12.3 ms"]


def test_forms_that_cannot_be_built_are_left_out(drawn: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from striate.errors import StriateError

    def cost(self: Forms, phi: float) -> Cost:
        if phi < 0:
            raise StriateError("no such width")
        return SCALED.cost

    monkeypatch.setattr(Forms, "cost", cost)
    SCALED.plot("x.svg")
    assert [label.get_text()[:9] for label in axes_of(drawn[0])[0].get_yticklabels()] == [
        "phi -0.50",
        "phi 0: wi",
        "phi 1: wi",
    ]
