"""The picture of gradients by layer, and the sentence on whether they vanish, explode or stay level."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from striate.analysis.gradient_plot import factor_text, plot_gradients, reading, towards_input, verdict
from striate.analysis.gradients import Gradients, LayerGradient
from striate.errors import UsageError


def run(
    label: str, *sizes: float, weights: str = "random weights, seed 0", images: str = "8 images of noise"
) -> Gradients:
    """A network whose layers have four weights each, and gradients of these root mean squares."""
    layers = [LayerGradient(f"conv{number}", "Conv2d", 4, 1.0, 2 * size) for number, size in enumerate(sizes)]
    return Gradients(label, 1.0, tuple(layers), weights, images)


def words_of(figure: Any) -> str:
    return " ".join(text.get_text() for text in figure.subfigs[0].texts)


def key_of(figure: Any) -> list[str]:
    return [text.get_text() for legend in figure.subfigs[1].legends for text in legend.get_texts()]


@pytest.mark.parametrize(
    ("sizes", "factor"),
    [
        ((3.0,), 1),
        ((1.0, 8.0, 2.0), 0.5),  # one layer at each end
        ((1.0, 3.0, 9, 9, 9, 9, 8.0, 8.0), 0.25),  # medians of two
        ((2.0, 2.0, 100.0, *[7.0] * 6, 4.0, 4.0, 1e9), 0.5),  # a layer that stands out changes nothing
        ((0.0, 1.0), 0),
    ],
)
def test_the_ends_are_compared_by_the_medians_of_a_quarter_of_the_layers(
    sizes: tuple[float, ...], factor: float
) -> None:
    assert towards_input(run("", *sizes)) == pytest.approx(factor)


def test_without_a_gradient_at_the_output_nothing_is_compared() -> None:
    assert math.isnan(towards_input(run("", 1.0, 0.0)))


@pytest.mark.parametrize(
    ("factor", "word", "text"),
    [
        (0.0, "vanishes", "×0"),
        (1.9e-8, "vanishes", "1/5.3e+07"),
        (1 / 40_027, "vanishes", "1/40,000"),
        (0.0099, "vanishes", "1/100"),
        (0.01, "shrinks", "×0.01"),
        (0.099, "shrinks", "×0.099"),
        (0.1, "stays level", "×0.1"),
        (1.0, "stays level", "×1"),
        (10.0, "stays level", "×10"),
        (10.1, "grows", "×10"),
        (100.0, "grows", "×100"),
        (2832.0, "explodes", "×2,800"),
        (math.nan, "cannot be told", "no gradient at the output"),
    ],
)
def test_what_a_gradient_does_in_a_word_and_a_factor(factor: float, word: str, text: str) -> None:
    assert (verdict(factor), factor_text(factor)) == (word, text)


def test_the_reading_says_what_the_gradient_does_in_which_network() -> None:
    way = "From the output to the input (last quarter of the layers to the first, medians) the gradient"
    assert reading([run("plain", 1e-4, 1.0)]) == f"{way} vanishes: 1/10,000."
    assert reading([run("plain", 0.5, 1.0)]) == f"{way} stays level: ×0.5."
    runs = [run("a", 1e-3, 1.0), run("b", 2.0, 1.0), run("c", 3.0, 1.0), run("d", 4.0, 1.0), run("e", 500.0, 1.0)]
    assert reading(runs) == f"{way} vanishes in a (1/1,000), stays level in 3 of 5 networks and explodes in e (×500)."
    assert reading(runs[1:3]) == f"{way} stays level in b (×2) and c (×3)."


def test_lines_run_from_the_input_on_a_logarithmic_axis(drawn: list[Any]) -> None:
    plot_gradients([run("plain", 4.0, 0.0, 1.0), run("residual", 3.0)], "x.svg")
    (axis,) = drawn[0].subfigs[1].axes
    plain, residual = axis.lines
    assert list(plain.get_xdata()) == [1, 2, 3]
    np.testing.assert_equal(plain.get_ydata(), [4.0, math.nan, 1.0])
    assert list(residual.get_ydata()) == [3.0]
    assert axis.get_yscale() == "log"
    assert key_of(drawn[0]) == ["plain: stays level, ×4", "residual: stays level, ×1"]
    assert axis.get_xlabel() == "layer with weights, numbered from the input to the output"
    assert axis.get_ylabel() == "gradient, root mean square"
    assert "not drawn: 1 layer whose gradient is 0" in words_of(drawn[0])


def test_the_words_name_the_network_its_weights_and_the_images(drawn: list[Any]) -> None:
    plot_gradients([run("resnet152", 4.0, 1.0)], "x.svg")
    assert words_of(drawn[0]).startswith(
        "Gradient by layer of resnet152 Root mean square of the loss's gradient with respect to the weights, one "
        "backward pass; random weights, seed 0; 8 images of noise. From"
    )
    assert key_of(drawn[0]) == []
    plot_gradients([run("one", 4.0), run("two", 1.0, weights="its trained weights", images="other")], "x.svg")
    assert "Gradient by layer in 2 networks" in words_of(drawn[1])
    assert "weights as the key says; each network on images of its own." in words_of(drawn[1])
    assert key_of(drawn[1])[1] == "two, its trained weights: stays level, ×1"


@pytest.mark.parametrize("count", [0, 1, 12, 13])
def test_up_to_twelve_lines_can_be_told_apart(count: int, laid_out: list[Any]) -> None:
    runs = [
        run(f"network {number} {'with a long name' * 4}", *np.geomspace(1, 10.0**number, 40)) for number in range(count)
    ]
    if not 1 <= count <= 12:
        with pytest.raises(UsageError, match=f"^{count} networks to draw; lines are readable for 1 to 12$"):
            plot_gradients(runs, "lines.svg")
        return
    plot_gradients(runs, "lines.svg")
    assert laid_out[0].flaws == []
    (axis,) = laid_out[0].figure.subfigs[1].axes
    assert [line.get_linestyle() for line in axis.lines] == ["-"] * min(count, 6) + ["--"] * (count - 6)
    assert len({(line.get_linestyle(), line.get_color()) for line in axis.lines}) == count
    assert {line.get_marker() for line in axis.lines} == {"o"}
    assert all(place == round(place) for place in axis.get_xticks())


def test_few_layers_have_whole_numbers_below(laid_out: list[Any]) -> None:
    plot_gradients([run("net", 0.012, 0.015, 0.018)], "x.svg")
    assert laid_out[0].flaws == []
    assert [text for text in laid_out[0].texts if text.isdigit()] == ["1", "2", "3"]
    assert "0.014" in laid_out[0].texts
