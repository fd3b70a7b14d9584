"""The picture of an effective field: squares and stretches, what its words say, and the sentence that reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from torch import nn

from striate.analysis import effective_receptive_field
from striate.analysis.effective import EffectiveField
from striate.analysis.effective_plot import plot_field, reading
from striate.errors import UsageError

FIELD = EffectiveField(
    layer="stage2",
    unit=(3, 4),
    map=torch.outer(torch.tensor([0.0, 1, 2, 1, 0, 0]), torch.tensor([0.0, 0, 0, 2, 8, 2, 0])).double() / 48,
    theoretical=(3, 9),
    centre=(2.0, 4.0),
    samples=1,
    network="net",
    weights="random weights, seed 0",
    noise=True,
)
SIGNAL = replace(FIELD, unit=(5,), map=torch.tensor([0.0, 0, 1, 4, 5, 4, 1, 0, 0, 0]).double() / 15, theoretical=(7,),
                 centre=(4.0,), samples=3)  # fmt: skip


def axes_of(figure: Any) -> Any:
    return figure.subfigs[1].axes[0]


def key_of(figure: Any) -> list[str]:
    (legend,) = figure.subfigs[1].legends
    return [text.get_text() for text in legend.get_texts()]


def test_squares_about_the_centre_hold_their_share_of_the_gradient(drawn: list[Any]) -> None:
    plot_field(FIELD, "x.svg")
    axis = axes_of(drawn[0])
    shown = axis.images[0]
    np.testing.assert_allclose(shown.get_array(), (FIELD.map * 3).clamp(min=1e-3))
    assert (shown.norm.vmin, shown.norm.vmax) == (1e-3, 1)
    assert shown.get_cmap().name == "magma"
    for patch, (height, width) in zip(
        axis.patches, [(FIELD.side(0.68),) * 2, (FIELD.side(0.95),) * 2, (3, 9)], strict=True
    ):
        assert (patch.get_height(), patch.get_width()) == (height, width)
        assert (patch.get_x() + width / 2, patch.get_y() + height / 2) == (4.0, 2.0)
        assert not patch.get_fill()
    looks = [(to_hex(patch.get_edgecolor()), patch.get_linestyle()) for patch in axis.patches]
    assert looks == [("#35d07f", "-"), ("#4fb4ff", "--"), ("#ffffff", ":")]
    assert key_of(drawn[0]) == [
        f"68% in {FIELD.side(0.68)} px",
        f"95% in {FIELD.side(0.95)} px",
        "theoretical 3×9 px, beyond the image",
    ]
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("column, pixels (sigma 0.6)", "row, pixels (sigma 0.7)")
    assert (axis.get_xlim(), axis.get_ylim()) == ((-0.5, 6.5), (5.5, -0.5))
    assert drawn[0].subfigs[1].axes[1].get_ylabel() == "gradient, share of the strongest pixel"


def test_the_words_name_network_weights_unit_and_images(drawn: list[Any]) -> None:
    plot_field(FIELD, "x.svg")
    plot_field(replace(FIELD, network="", weights="", noise=False, samples=2), "x.svg")
    first, second = ([text.get_text() for text in figure.subfigs[0].texts] for figure in drawn)
    assert first[:2] == [
        "Effective receptive field of net",
        "Unit (3, 4) of stage2; random weights, seed 0; 1 sample of noise on 6×7.",
    ]
    assert second[:2] == [
        "Effective receptive field of stage2",
        "Unit (3, 4) of stage2; its weights as they were given; 2 samples on 6×7.",
    ]


def test_a_field_knows_its_network_and_whether_it_saw_noise() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3))
    noise = effective_receptive_field(model, (1, 8, 8), samples=1)
    assert (noise.network, noise.weights, noise.noise) == ("Sequential", "", True)
    assert not effective_receptive_field(model, (1, 8, 8), images=torch.rand(1, 1, 8, 8)).noise


def test_the_reading_holds_the_effective_against_the_theoretical_field() -> None:
    """Of 42 pixels 9 have a gradient; 95 % lie in 8, as the faintest have 1/24 each. The closed field sees 3 x 7."""
    assert FIELD.area(0.95) == 8
    assert FIELD.theoretical_area == 21
    assert reading(FIELD) == (
        "95% of the gradient lies in 8 of 42 pixels, 19% of the image; the theoretical field covers 50% of it, and "
        "the effective one fills 38% of that."
    )
    assert reading(replace(FIELD, theoretical=None)) == (
        "95% of the gradient lies in 8 of 42 pixels, 19% of the image; how far the theoretical field reaches is not "
        "known."
    )
    assert reading(SIGNAL) == (
        "95% of the gradient lies in 5 of 10 places, 50% of the signal; the theoretical field covers 70% of it, and "
        "the effective one fills 71% of that."
    )


@pytest.mark.parametrize(
    ("sides", "words"), [((6, 7), ""), ((7, 7), ", beyond the image"), ((6, 8), ", beyond the image")]
)
def test_a_field_that_reaches_beyond_the_image_says_so(sides: tuple[int, int], words: str, drawn: list[Any]) -> None:
    plot_field(replace(FIELD, theoretical=sides), "x.svg")
    assert axes_of(drawn[0]).patches[2].get_label() == f"theoretical {sides[0]}×{sides[1]} px{words}"


def test_a_field_nobody_knows_is_not_drawn(drawn: list[Any]) -> None:
    plot_field(replace(FIELD, theoretical=None), "x.svg")
    plot_field(replace(SIGNAL, theoretical=None), "x.svg")
    assert len(axes_of(drawn[0]).patches) == 2
    assert len(key_of(drawn[1])) == 2


def test_of_a_signal_a_line_is_drawn_and_the_ends_of_each_stretch(drawn: list[Any]) -> None:
    SIGNAL.plot("x.svg")
    axis = axes_of(drawn[0])
    strength, *ends = axis.lines
    np.testing.assert_allclose(strength.get_ydata(), (SIGNAL.map * 3).clamp(min=1e-3))
    assert axis.get_yscale() == "log"
    assert [line.get_xdata()[0] for line in ends] == [2.5, 5.5, 1.5, 6.5, 0.5, 7.5]
    assert key_of(drawn[0]) == ["68% in 3 places", "95% in 5 places", "theoretical 7 places"]
    assert axis.get_xlabel() == "place in the signal (sigma 1.0 places)"
    plot_field(replace(SIGNAL, theoretical=(11,)), "x.svg")
    assert key_of(drawn[1])[2] == "theoretical 11 places, beyond the signal"
    with pytest.raises(UsageError, match="a field of 3 axes is not drawn; only those of images and signals are"):
        replace(FIELD, map=torch.ones(2, 2, 2)).plot("x.svg")


FLAT, TALL = (torch.ones(20, 400) / 8000, (10.0, 200.0)), (torch.ones(400, 20) / 8000, (200.0, 10.0))


@pytest.mark.parametrize(
    "field",
    [
        FIELD,
        SIGNAL,
        replace(FIELD, map=FLAT[0], centre=FLAT[1], theoretical=(1451, 1451), network="n" * 90),
        replace(FIELD, map=TALL[0], centre=TALL[1], layer="stages." * 20, weights="w/" * 90),
    ],
)
def test_it_fits_on_a_page_and_can_be_read(field: EffectiveField, laid_out: list[Any]) -> None:
    plot_field(field, "x.svg")
    assert laid_out[0].flaws == []
