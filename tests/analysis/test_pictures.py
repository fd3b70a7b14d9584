"""What the pictures show, read off matplotlib's own objects: positions, sizes, colours, names."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.text import Text
from PIL import Image
from torch import nn

from striate.analysis import Comparison, Entry, Summary, bubbles, effective_plot, gradient_tables, plots, summary
from striate.analysis.drawing import figure, save
from striate.analysis.effective import EffectiveField
from striate.analysis.gradients import Gradients, LayerGradient
from striate.errors import StriateError, UsageError


@pytest.mark.parametrize("suffix", ["svg", "SVG", "Pdf", "PNG"])
def test_capitals_of_an_ending_do_not_matter(suffix: str, tmp_path: Path) -> None:
    head = network(2).plot(tmp_path / f"bars.{suffix}").read_bytes()[:5]
    assert head == {"svg": b"<?xml", "pdf": b"%PDF-", "png": b"\x89PNG\r"}[suffix.lower()]


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The figures that were drawn, in place of files."""
    figures: list[Any] = []
    for module in (bubbles, effective_plot, gradient_tables, plots):
        monkeypatch.setattr(module, "save", lambda figure, path: figures.append(figure) or Path(path))
    return figures


def network(width: int) -> Summary:
    """Two convolutions: 9 and 9 width^2 weights, on 8 x 8 pixels."""
    layers = nn.Sequential(nn.Conv2d(1, width, 3, 1, 1, bias=False), nn.Conv2d(width, width, 3, 1, 1, bias=False))
    return summary(layers, (1, 8, 8))


ENTRIES = (
    Entry("narrow", network(2), 0.5, "paper", "b"),
    Entry("wide", network(6), 0.75, "paper", "a"),
    Entry("middle", network(4), 0.625, "paper", "b"),
    Entry("unknown", network(3)),
)


def test_a_bubble_lies_at_cost_and_accuracy_and_its_area_is_the_parameters(drawn: list[Any]) -> None:
    bubbles.plot_accuracy(ENTRIES, "x.svg")
    (axis,) = drawn[0].axes
    points = axis.collections[0]
    order = [ENTRIES[1], ENTRIES[2], ENTRIES[0]]  # the largest below
    places = [(64 * entry.summary.parameters, 100 * (entry.accuracy or 0)) for entry in order]
    np.testing.assert_allclose(points.get_offsets(), places)
    np.testing.assert_allclose(points.get_sizes(), [7e-6 * entry.summary.parameters for entry in order])
    of_wide, of_middle, of_narrow = points.get_facecolors()
    assert (of_middle == of_narrow).all()  # of one family
    assert (of_wide != of_middle).any()
    assert axis.get_xscale() == "log"
    (low, high), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    assert low < places[-1][0]
    assert high > places[0][0]
    assert bottom < 50
    assert top > 75


def test_the_key_tells_the_area_of_a_bubble(drawn: list[Any]) -> None:
    bubbles.plot_accuracy(ENTRIES, "x.svg")
    legend = drawn[0].axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["1 M", "10 M", "50 M", "150 M"]
    sizes = [float(handle.get_sizes()[0]) for handle in legend.legend_handles]
    assert sizes == pytest.approx([7, 70, 350, 1050])


def test_each_name_stands_at_its_bubble_and_none_covers_another(drawn: list[Any]) -> None:
    many = [
        Entry(f"network number {number}", network(2 + number // 3), 0.5 + 0.001 * number, "paper", "a")
        for number in range(9)
    ]
    bubbles.plot_accuracy([*many, *ENTRIES[:3]], "x.svg")
    (axis,) = drawn[0].axes
    names = {
        entry.name: (64 * entry.summary.parameters, 100 * (entry.accuracy or 0)) for entry in [*many, *ENTRIES[:3]]
    }
    assert {text.get_text(): text.xy for text in axis.texts} == names
    drawn[0].draw_without_rendering()  # puts each text in its place
    boxes = [Text.get_window_extent(text) for text in axis.texts]  # without the line that leads to its bubble
    assert not any(a.overlaps(b) for place, a in enumerate(boxes) for b in boxes[:place])
    frame = axis.get_window_extent()
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)


def bars(axis: Any) -> list[float]:
    return [patch.get_width() for patch in axis.patches]


def test_bars_are_the_costs_layer_by_layer_on_one_scale_for_all(drawn: list[Any]) -> None:
    first, second = ENTRIES[0].summary, ENTRIES[1].summary
    Comparison(ENTRIES[:2]).plot("x.svg")
    one, two = drawn[0].subfigs
    assert [block.get_suptitle() for block in (one, two)] == ["narrow", "wide"]
    for block, shown in ((one, first), (two, second)):
        memory, parameters, multiply_adds = block.axes
        assert [axis.get_title(loc="left") for axis in block.axes] == [
            "memory of outputs",
            "parameters",
            "multiply-adds",
        ]
        assert bars(memory) == [row.activation_bytes for row in shown.rows]
        assert bars(parameters) == [row.parameters for row in shown.rows]
        assert bars(multiply_adds) == [row.multiply_adds for row in shown.rows]
        assert [label.get_text() for label in memory.get_yticklabels()] == ["0", "1"]
        assert memory.get_ylim()[0] > memory.get_ylim()[1]  # the first layer is on top
    for left, right in zip(one.axes, two.axes, strict=True):
        assert left.get_xlim() == right.get_xlim()
        assert left.get_xlim()[0] == 0
        assert 1.1 < left.get_xlim()[1] / max(bars(right)) < 1.4  # room for the figures
    assert [text.get_text() for text in two.axes[1].texts] == ["54", "324"]


def test_bars_at_a_depth_that_is_asked_for(drawn: list[Any]) -> None:
    deep = summary(nn.Sequential(nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2)), nn.Linear(2, 1)), (4,))
    Comparison((Entry("deep", deep),)).plot("x.svg", 1)
    deep.plot("x.svg", 0)
    deep.plot("x.svg")
    assert [bars(figure.subfigs[0].axes[1]) for figure in drawn] == [[23, 3], [26], [15, 8, 3]]
    assert drawn[1].subfigs[0].get_suptitle() == "Sequential"


FIELD = EffectiveField(
    layer="stage2",
    unit=(3, 4),
    map=torch.outer(torch.tensor([0.0, 1, 2, 1, 0, 0]), torch.tensor([0.0, 0, 0, 2, 8, 2, 0])).double() / 48,
    theoretical=(3, 9),
    centre=(2.0, 4.0),
    samples=1,
)


def test_squares_about_the_centre_hold_their_share_of_the_gradient(drawn: list[Any]) -> None:
    effective_plot.plot_field(FIELD, "x.svg")
    axis = drawn[0].axes[0]
    shown = axis.images[0]
    np.testing.assert_allclose(shown.get_array(), (FIELD.map * 3).clamp(min=1e-3))
    assert (shown.norm.vmin, shown.norm.vmax) == (1e-3, 1)
    for patch, (height, width) in zip(
        axis.patches, [(FIELD.side(0.68),) * 2, (FIELD.side(0.95),) * 2, (3, 9)], strict=True
    ):
        assert (patch.get_height(), patch.get_width()) == (height, width)
        assert (patch.get_x() + width / 2, patch.get_y() + height / 2) == (4.0, 2.0)
    assert [patch.get_label() for patch in axis.patches] == [
        f"68% in {FIELD.side(0.68)} px",
        f"95% in {FIELD.side(0.95)} px",
        "theoretical 3×9 px, beyond the image",
    ]
    assert axis.get_title() == "effective receptive field of unit (3, 4) of stage2"
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("sigma 0.6 px", "sigma 0.7 px")
    assert (axis.get_xlim(), axis.get_ylim()) == ((-0.5, 6.5), (5.5, -0.5))


@pytest.mark.parametrize(
    ("sides", "words"), [((6, 7), ""), ((7, 7), ", beyond the image"), ((6, 8), ", beyond the image")]
)
def test_a_field_that_reaches_beyond_the_image_says_so(sides: tuple[int, int], words: str, drawn: list[Any]) -> None:
    effective_plot.plot_field(replace(FIELD, theoretical=sides), "x.svg")
    assert drawn[0].axes[0].patches[2].get_label() == f"theoretical {sides[0]}×{sides[1]} px{words}"


def test_a_field_nobody_knows_is_not_drawn(drawn: list[Any]) -> None:
    effective_plot.plot_field(replace(FIELD, theoretical=None), "x.svg")
    assert len(drawn[0].axes[0].patches) == 2


def test_gradients_are_lines_from_the_input_on_a_logarithmic_axis(drawn: list[Any]) -> None:
    def run(label: str, *norms: float) -> Gradients:
        layers = [LayerGradient(f"conv{number}", "Conv2d", 4, 1.0, norm) for number, norm in enumerate(norms)]
        return Gradients(label, 1.0, tuple(layers))

    gradient_tables.plot_gradients([run("plain", 8.0, 0.0, 2.0), run("residual", 6.0)], "x.svg")
    (axis,) = drawn[0].axes
    plain, residual = axis.lines
    assert list(plain.get_xdata()) == [1, 2, 3]
    np.testing.assert_equal(plain.get_ydata(), [4.0, math.nan, 1.0])  # of four weights: half the norm
    assert list(residual.get_ydata()) == [3.0]
    assert axis.get_yscale() == "log"
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["plain", "residual"]


def blocks(count: int, length: int) -> Summary:
    """So many blocks of so many dense layers, an activation behind each."""
    pairs = [
        nn.Sequential(*(part for _ in range(length) for part in (nn.Linear(2, 2), nn.ReLU()))) for _ in range(count)
    ]
    return summary(nn.Sequential(*pairs), (2,))


@pytest.mark.parametrize(
    ("count", "length", "shown"),
    [
        (4, 6, 48),  # all of them fit
        (2, 13, 26),  # layers with weights alone, where blocks are few
        (11, 4, 44),
        (2, 24, 48),
        (2, 25, 2),  # too many even of those
        (12, 4, 12),  # blocks are enough
    ],
)
def test_as_many_bars_as_can_be_read(count: int, length: int, shown: int) -> None:
    many = blocks(count, length)
    assert len(plots._shown(many, None)) == shown  # drawing them takes seconds
    assert len(plots._shown(many, 2)) == 2 * count * length


@pytest.mark.parametrize(("size", "shown"), [(28, "n" * 28), (29, "…" + "n" * 27)])
def test_long_names_are_cut_in_front(size: int, shown: str, drawn: list[Any]) -> None:
    layers = nn.Sequential()
    layers.add_module("n" * size, nn.Linear(2, 2))
    summary(layers, (2,)).plot("x.svg")
    assert [label.get_text() for label in drawn[0].subfigs[0].axes[0].get_yticklabels()] == [shown]


@pytest.mark.parametrize("count", [0, 6, 7])
def test_up_to_six_networks_stand_side_by_side(count: int, drawn: list[Any]) -> None:
    if count == 6:
        plots.plot_summaries([network(2)] * count, "x.svg")
        assert len(drawn[0].subfigs) == 6
        assert drawn[0].get_size_inches()[0] == 54
        return
    with pytest.raises(UsageError, match=f"{count} networks to draw; bars by layer are readable for 1 to 6"):
        plots.plot_summaries([network(2)] * count, "x.svg")


def test_one_bubble_has_room_above_and_below(drawn: list[Any]) -> None:
    bubbles.plot_accuracy(ENTRIES[:1], "x.svg")
    bottom, top = drawn[0].axes[0].get_ylim()
    assert 1 <= 50 - bottom <= 2
    assert 1 <= top - 50 <= 2


def test_squares_are_told_apart_by_colour_and_line(drawn: list[Any]) -> None:
    effective_plot.plot_field(FIELD, "x.svg")
    axis, scale = drawn[0].axes
    assert [(to_hex(patch.get_edgecolor()), patch.get_linestyle()) for patch in axis.patches] == [
        ("#35d07f", "-"),
        ("#4fb4ff", "--"),
        ("#ffffff", ":"),
    ]
    assert not any(patch.get_fill() for patch in axis.patches)
    (legend,) = drawn[0].legends
    assert [text.get_text() for text in legend.get_texts()] == [patch.get_label() for patch in axis.patches]
    assert {text.get_color() for text in legend.get_texts()} == {"white"}
    assert legend._ncols == 3
    assert scale.get_ylabel() == "gradient, share of the strongest pixel"
    assert axis.images[0].get_cmap().name == "magma"


def test_lines_of_gradients_can_be_told_apart_and_read(drawn: list[Any]) -> None:
    layers = tuple(LayerGradient(f"conv{number}", "Conv2d", 4, 1.0, 1.0) for number in range(3))
    runs = [Gradients(f"network {number}", 1.0, layers) for number in range(12)]
    gradient_tables.plot_gradients(runs, "x.svg")
    (axis,) = drawn[0].axes
    looks = [(line.get_color(), line.get_linestyle()) for line in axis.lines]
    assert [style for _, style in looks] == ["-"] * 6 + ["--"] * 6
    assert len(set(looks)) == 12
    assert {line.get_marker() for line in axis.lines} == {"o"}
    assert (axis.get_xlabel(), axis.get_ylabel()) == (
        "layer with weights, from the input",
        "gradient, root mean square",
    )
    drawn[0].draw_without_rendering()
    low, high = axis.get_xlim()
    assert [place for place in axis.get_xticks() if low <= place <= high] == [1, 2, 3]
    assert drawn[0].get_size_inches().tolist() == [9, 5]
    assert [name for name, spine in axis.spines.items() if spine.get_visible()] == ["left", "bottom"]
    for wrong in ([], [*runs, runs[0]]):
        with pytest.raises(UsageError, match=f"^{len(wrong)} networks to draw; lines are readable for 1 to 12$"):
            gradient_tables.plot_gradients(wrong, "x.svg")


def test_axes_of_bubbles_say_what_they_are(drawn: list[Any]) -> None:
    entries = [
        Entry(f"n{number}", network(1 + 3 * number), 0.5 + number / 100, "paper", f"group {number:02}")
        for number in range(12)
    ]
    for count in (10, 12):
        bubbles.plot_accuracy(entries[:count], "x.svg")
        (axis,) = drawn[-1].axes
        assert len(np.unique(axis.collections[0].get_facecolors(), axis=0)) == count  # a colour for each group
        assert axis.get_xlabel() == "multiply-adds for one image, at each network's own input size"
        assert axis.get_ylabel() == "published top-1 on ImageNet, %"
        low, high = axis.get_xlim()
        ticks = zip(axis.get_xticks(), axis.get_xticklabels(), strict=True)
        labels = [label.get_text() for place, label in ticks if low <= place <= high]
        assert labels[:3] == ["1 k", "2 k", "5 k"]
        assert axis.get_legend().get_title().get_text() == "parameters"
    with pytest.raises(StriateError) as caught:
        bubbles.plot_accuracy(
            [ENTRIES[3], Entry("other", network(2), None, "at 600 px"), Entry("more", network(2))], "x"
        )
    assert str(caught.value) == (
        "none of these networks has a published top-1 on ImageNet in its form and at its size (other: at 600 px), so "
        "there is nothing to draw"
    )
    with pytest.raises(StriateError, match=r"in its form and at its size, so there is nothing to draw$"):
        bubbles.plot_accuracy(ENTRIES[3:], "x.svg")


def test_bars_have_room_and_each_kind_its_colour(drawn: list[Any]) -> None:
    small, large = network(2), blocks(10, 1)
    for summaries, size in (([small], (11, 3)), ([small, small], (18, 3)), ([large], (11, 1.4 + 0.19 * 20))):
        plots.plot_summaries(summaries, "x.svg", 2, names=["one", "two"][: len(summaries)])
        assert drawn[-1].get_size_inches().tolist() == pytest.approx(list(size))
    assert [block.get_suptitle() for block in drawn[1].subfigs] == ["one", "two"]
    axes = drawn[0].subfigs[0].axes
    assert [to_hex(axis.patches[0].get_facecolor()) for axis in axes] == ["#1f77b4", "#ff7f0e", "#2ca02c"]
    for axis in axes:
        for text, bar in zip(axis.texts, axis.patches, strict=True):
            x, y = text.get_position()
            assert bar.get_width() < x < 1.05 * axis.get_xlim()[1]
            assert y == pytest.approx(bar.get_y() + bar.get_height() / 2)
            assert text.get_va() == "center"
        assert list(axis.get_xticks()) == []


def test_a_picture_has_so_many_pixels_an_inch(tmp_path: Path) -> None:
    made = save(figure(tmp_path / "x.PNG", 3, 2), tmp_path / "x.PNG")
    assert made == tmp_path / "x.PNG"
    with Image.open(made) as image:
        assert (image.format, image.size) == ("PNG", (360, 240))


def test_where_matplotlib_is_missing_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(StriateError, match=r"^plot needs matplotlib: pip install matplotlib$"):
        figure("x.svg", 3, 2)
    with pytest.raises(UsageError, match=r"^cannot draw to 'x\.gif': its name must end in \.svg, \.png, \.pdf$"):
        figure("x.gif", 3, 2)
