import math
import re
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgba

from striate.report.charts import INK, LINE, MUTED, TRAIN, VAL, Curve, confidence_histogram, curves, reliability
from striate.training.metrics import Evaluation


def drawn(svg: str, colour: str) -> list[str]:
    """The paths stroked in a colour of the page."""
    elements = ElementTree.fromstring(svg.replace("xlink:href", "href")).iter("path")
    return [path.get("d", "") for path in elements if f"stroke: var(--{colour})" in path.get("style", "")]


def words(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_curves_take_the_colours_of_the_page_and_no_other():
    lines = [Curve("training", [1, 2], [2, 1], TRAIN), Curve("validation", [1, 2], [3, 2], VAL)]
    svg = curves("Loss", lines)
    assert len(drawn(svg, "train")) == len(drawn(svg, "val")) == 1
    assert "#0102" not in svg
    assert not re.search(r"(fill|stroke): (#|black|white)", svg)
    assert "font-family" not in svg


def test_a_gap_in_the_values_is_a_gap_in_the_line():
    svg = curves("Loss", [Curve("training", [1, 2, 3, 4, 5], [5, 4, math.nan, 2, 1], TRAIN)])
    assert drawn(svg, "train")[0].count("M") == 2


def test_a_value_alone_between_gaps_is_a_dot():
    svg = curves("Loss", [Curve("training", [1, 2, 3], [math.nan, 4, math.inf], TRAIN)])
    assert svg.count("<use ") == 1


def test_no_finite_value_gives_no_chart():
    assert curves("Loss", [Curve("training", [1, 2], [math.nan, math.inf], TRAIN)]) == ""
    assert curves("Loss", []) == ""


def test_tick_labels_keep_all_their_decimals():
    svg = curves("Learning rate", [Curve("rate", [1, 2, 3], [0.1, 0.05, 0.0], TRAIN)], from_zero=True)
    assert {"0", "0.025", "0.05", "0.075", "0.1"} <= set(words(svg))


def test_a_wide_range_is_drawn_on_a_logarithmic_axis():
    svg = curves("Loss", [Curve("training", [1, 2, 3], [100, 1, 0.01], TRAIN)])
    assert {"0.01", "1", "100"} <= set(words(svg))


def test_shares_are_printed_in_percent_and_described():
    svg = curves("Accuracy", [Curve("training", [1, 2], [0.25, 0.75], TRAIN)], share=True)
    assert any(word.endswith("%") for word in words(svg))
    assert 'aria-label="Accuracy: training from 25.0% to 75.0%"' in svg


def test_charts_are_the_same_bytes_whatever_the_users_settings():
    line = [Curve("training", [1, 2, 3], [3, 2, 1], TRAIN)]
    plain = curves("Loss", line)
    with matplotlib.rc_context({"axes.grid": True, "font.size": 30, "svg.fonttype": "path"}):
        assert curves("Loss", line) == plain
    assert curves("Loss", line) == plain


def test_a_name_with_markup_stays_text():
    svg = curves('"><script>', [Curve("<b>", [1, 2], [1, 2], TRAIN)])
    assert "<script>" not in svg
    assert "<b>" not in svg


@pytest.mark.parametrize(("seed", "images"), [(0, 200), (1, 200), (2, 12), (3, 1)])
def test_the_reliability_diagram_has_a_dot_for_each_bin_in_use(seed, images):
    scores = np.random.default_rng(seed).dirichlet([0.4] * 5, images)
    evaluation = Evaluation(tuple("abcde"), scores.argmax(1), scores)
    calibration = evaluation.calibration()
    svg = reliability(calibration)
    dots = [path for path in drawn(svg, "train") if "C" in path]
    assert len(dots) == (calibration.images > 0).sum()
    assert f"{calibration.ece:.1%}" in svg


def test_the_histogram_of_nothing_wrong_still_draws():
    svg = confidence_histogram(np.array([0.9, 0.95, 1.0]), np.array([]))
    assert "var(--train)" in svg


def test_the_line_of_each_curve_follows_its_own_values():
    lines = [Curve("training", [1, 2, 3], [4, 2, 1], TRAIN), Curve("validation", [1, 2, 3], [1, 3, 4], VAL)]
    svg = curves("Loss", lines)
    heights = {}
    for colour in ("train", "val"):
        points = re.findall(r"[ML] ([\d.]+) ([\d.]+)", drawn(svg, colour)[0])
        assert [float(x) for x, _ in points] == sorted(float(x) for x, _ in points)
        heights[colour] = [float(y) for _, y in points]
    a_unit = heights["train"][1] - heights["train"][0]  # two units down; SVG counts downwards
    assert a_unit > 0
    assert heights["train"][2] - heights["train"][1] == pytest.approx(a_unit / 2, abs=0.1)
    assert heights["val"][0] == pytest.approx(heights["train"][2], abs=0.1)
    assert heights["val"][2] == pytest.approx(heights["train"][0], abs=0.1)


def test_right_predictions_are_blue_below_and_wrong_ones_orange_on_top():
    svg = confidence_histogram(np.array([0.95, 0.96, 0.97]), np.array([0.99]), bins=2)
    bars = {}
    for path in ElementTree.fromstring(svg.replace("xlink:href", "href")).iter("path"):
        for colour in ("train", "val"):
            if f"fill: var(--{colour})" in path.get("style", ""):
                heights = [float(y) for y in re.findall(r"[ML] [\d.]+ ([\d.]+)", path.get("d"))]
                bars.setdefault(colour, []).append((min(heights), max(heights)))
    (top, bottom), (above, below) = max(bars["train"], key=np.ptp), max(bars["val"], key=np.ptp)
    assert bottom - top == pytest.approx(3 * (below - above), abs=0.1)
    assert below == pytest.approx(top, abs=0.1)


def test_a_dot_of_the_reliability_diagram_lies_at_confidence_and_accuracy():
    probabilities = np.array([[0.7, 0.3]] * 4)
    evaluation = Evaluation(("a", "b"), np.array([0, 1, 1, 1]), probabilities)  # 70 % sure, 25 % right
    svg = reliability(evaluation.calibration())
    (line,) = drawn(svg, "val")
    (x, start), (_, end) = [(float(x), float(y)) for x, y in re.findall(r"[ML] ([\d.]+) ([\d.]+)", line)]
    (corner, low), (right, high) = [
        (float(x), float(y)) for x, y in re.findall(r"[ML] ([\d.]+) ([\d.]+)", drawn(svg, "muted")[0])
    ]  # the diagonal, from 0 to 1
    assert (x - corner) / (right - corner) == pytest.approx(0.7, abs=0.01)
    assert (start - low) / (high - low) == pytest.approx(0.7, abs=0.01)
    assert (end - low) / (high - low) == pytest.approx(0.25, abs=0.01)


def test_a_rate_of_nought_throughout_has_an_axis_that_begins_at_nought(recwarn):
    svg = curves("Learning rate", [Curve("rate", [1, 2], [0.0, 0.0], TRAIN)], from_zero=True)
    assert {"0", "1"} <= set(words(svg))
    assert not recwarn.list


@pytest.mark.parametrize(("largest", "logarithmic"), [(31, True), (29, False)])
def test_thirty_times_the_smallest_value_is_a_wide_range(largest, logarithmic):
    ticks = set(words(curves("Loss", [Curve("training", [1, 2], [1, largest], TRAIN)])))
    assert ({"1", "10"} <= ticks and "20" not in ticks) is logarithmic


@pytest.mark.parametrize("options", [{"from_zero": True}, {"share": True}])
def test_shares_and_axes_from_nought_are_never_logarithmic(options):
    ticks = words(curves("x", [Curve("training", [1, 2], [0.001, 1], TRAIN)], **options))
    assert {"from_zero": "0.25", "share": "25 %"}[next(iter(options))] in ticks


@pytest.fixture
def axes(monkeypatch):
    """Draws a chart and gives matplotlib's own axes: axes(function, ...)."""
    from matplotlib.figure import Figure

    kept, save = [], Figure.savefig

    def keep(figure, *said, **options):
        figure.draw_without_rendering()
        kept.append(figure.axes[0])
        save(figure, *said, **options)

    monkeypatch.setattr(Figure, "savefig", keep)

    def draw(function, *said, **options):
        function(*said, **options)
        (found,) = kept
        return found

    return draw


def ticks(axis) -> list[str]:
    """Labels of the ticks that are seen."""
    low, high = sorted(axis.get_view_interval())
    pairs = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
    return [label.get_text() for place, label in pairs if low - 1e-9 <= place <= high + 1e-9]


NAN = math.nan


def test_each_curve_is_a_line_in_its_colour_and_its_lonely_values_are_dots(axes):
    lines = [
        Curve("training", [1, 2, 3, 4, 5], [5, NAN, 3, NAN, 1], TRAIN),
        Curve("validation", [1, 2, 3, 4, 5], [NAN, 4, 4, math.inf, 2], VAL),
    ]
    drawn = axes(curves, "Loss", lines).get_lines()
    assert [line.get_color() for line in drawn] == [TRAIN, TRAIN, VAL, VAL]
    assert [line.get_marker() for line in drawn] == ["None", "o", "None", "o"]
    train, dots, val, val_dots = (line.get_xydata().tolist() for line in drawn)
    assert [x for x, _ in train] == [x for x, _ in val] == [1, 2, 3, 4, 5]
    np.testing.assert_array_equal([y for _, y in train], [5, NAN, 3, NAN, 1])
    np.testing.assert_array_equal([y for _, y in val], [NAN, 4, 4, NAN, 2])
    assert (dots, val_dots) == ([[1, 5], [3, 3], [5, 1]], [[5, 2]])


@pytest.mark.parametrize(
    ("values", "options", "low", "high", "labels"),
    [
        ([2, 1], {}, 0.95, 2.05, ["1", "1.25", "1.5", "1.75", "2"]),
        ([0.5, 0.2], {"from_zero": True}, 0, 0.53, ["0", "0.15", "0.3", "0.45"]),
        ([0, 0], {"from_zero": True}, 0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        ([0.25, 0.75], {"share": True}, 0.22, 0.781, ["30 %", "45 %", "60 %", "75 %"]),
        ([0.01, 1], {"share": True}, 0, 1.001, ["0 %", "25 %", "50 %", "75 %", "100 %"]),
        ([0.5, 0.5], {"share": True}, 0.4988, 0.5022, None),  # at least two percent are in sight
        ([NAN, 0.9], {"share": True}, 0.8988, 0.9022, None),
        ([100, 1], {}, None, None, ["1", "10", "100"]),
    ],
)
def test_the_upright_axis_holds_the_values_and_says_them(values, options, low, high, labels, axes):
    found = axes(curves, "x", [Curve("a", [1, 2], values, TRAIN)], **options)
    if low is not None:
        assert found.get_ylim() == pytest.approx((low, high), abs=1e-4)
    if labels is not None:
        assert ticks(found.yaxis) == labels
    assert found.get_yscale() == ("log" if values == [100, 1] else "linear")
    assert [text.get_text() for text in found.yaxis.get_minorticklabels()] == []


def test_no_value_of_nought_or_below_is_on_a_logarithmic_axis(axes):
    assert axes(curves, "x", [Curve("a", [1, 2], [0, 100], TRAIN)]).get_yscale() == "linear"


@pytest.mark.parametrize(
    ("epochs", "low", "high", "labels"),
    [
        ([1, 2, 3], 0.96, 3.04, ["1", "2", "3"]),
        ([7], 6.5, 7.5, ["7"]),
        ([7, 7], 6.5, 7.5, ["7"]),
        ([*range(1, 101)], -0.98, 101.98, ["0", "20", "40", "60", "80", "100"]),
    ],
)
def test_the_level_axis_holds_whole_epochs(epochs, low, high, labels, axes):
    found = axes(curves, "x", [Curve("a", epochs, [1] * len(epochs), TRAIN)])
    assert found.get_xlim() == pytest.approx((low, high))
    assert ticks(found.xaxis) == labels
    assert (found.get_xlabel(), found.get_ylabel()) == ("epoch", "")


def test_lines_across_lead_the_eye_and_the_frame_is_gone(axes):
    found = axes(curves, "x", [Curve("a", [1, 2], [1, 2], TRAIN)])
    assert {line.get_color() for line in found.get_ygridlines()} == {LINE}
    assert all(line.get_visible() for line in found.get_ygridlines())
    assert not any(line.get_visible() for line in found.get_xgridlines())
    assert {name: spine.get_visible() for name, spine in found.spines.items()} == {
        **dict.fromkeys(("left", "right", "top"), False),
        "bottom": True,
    }
    assert {label.get_color() for label in (*found.get_xticklabels(), *found.get_yticklabels())} == {MUTED}


@pytest.mark.parametrize(
    ("draw", "width", "height"),
    [
        (lambda: curves("x", [Curve("a", [1, 2], [1, 2], TRAIN)]), 280, 190),
        (lambda: reliability(Evaluation(("a", "b"), np.array([0]), np.array([[0.7, 0.3]])).calibration()), 320, 320),
        (lambda: confidence_histogram(np.array([0.9]), np.array([])), 320, 190),
    ],
)
def test_charts_are_of_one_size_and_have_room_for_their_labels(draw, width, height, axes):
    found = axes(draw)
    assert (found.figure.get_size_inches() * found.figure.dpi).tolist() == [width, height]
    box = found.get_position()
    room = (box.x0 * width, (1 - box.x1) * width, box.y0 * height, (1 - box.y1) * height)
    assert room == pytest.approx((44, 16, 36, 8))


def test_the_reliability_diagram_holds_its_bins_from_nought_to_one(axes):
    probabilities = np.array([[0.7, 0.3]] * 4 + [[0.9, 0.1]] * 12)
    labels = np.array([0, 1, 1, 1] + [0] * 9 + [1] * 3)
    found = axes(reliability, Evaluation(("a", "b"), labels, probabilities).calibration())
    (diagonal,) = found.get_lines()
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert (diagonal.get_color(), diagonal.is_dashed()) == (MUTED, True)
    gaps, dots = found.collections
    assert np.array(gaps.get_segments()) == pytest.approx(
        np.array([[[0.7, 0.7], [0.7, 0.25]], [[0.9, 0.9], [0.9, 0.75]]])
    )
    assert gaps.get_linewidths() == pytest.approx([1 + 6 * 0.5, 1 + 6 * 0.75**0.5])  # a quarter of them, and the rest
    assert np.array(dots.get_offsets()) == pytest.approx(np.array([[0.7, 0.25], [0.9, 0.75]]))
    assert dots.get_sizes() == pytest.approx([12 + 160 / 4, 12 + 160 * 3 / 4])
    assert not gaps.get_clip_on()  # a dot on the edge is whole
    assert not dots.get_clip_on()
    assert found.get_xlim() == found.get_ylim() == (0, 1.03)
    assert ticks(found.xaxis) == ticks(found.yaxis) == ["0 %", "25 %", "50 %", "75 %", "100 %"]
    assert found.get_xlabel() == "confidence"


def test_the_histogram_has_fifteen_bars_of_right_ones_and_as_many_of_wrong_ones_on_top(axes):
    right, wrong = np.array([0.0, 0.5, 0.99, 1.0]), np.array([0.5, 0.51, 0.06])
    found = axes(confidence_histogram, right, wrong)
    bars = [(bar.get_x() + bar.get_width() / 2, bar.get_y(), bar.get_height()) for bar in found.patches]
    assert len(bars) == 30
    assert [x for x, *_ in bars[:15]] == pytest.approx([(place + 0.5) / 15 for place in range(15)])
    low, high = [0] * 15, [0] * 15
    low[0], low[7], low[14] = 1, 1, 2
    high[0], high[7] = 1, 2
    assert [(y, height) for _, y, height in bars[:15]] == [(0, count) for count in low]
    assert [(y, height) for _, y, height in bars[15:]] == [*zip(low, high, strict=True)]
    assert [bar.get_width() for bar in found.patches] == pytest.approx([0.8 / 15] * 30)
    assert found.get_xlim() == (0, 1)
    assert ticks(found.xaxis) == ["0 %", "25 %", "50 %", "75 %", "100 %"]
    assert ticks(found.yaxis) == ["0", "1", "2", "3"]
    assert found.get_xlabel() == "confidence"


def test_counts_of_images_have_their_thousands_parted(axes):
    assert "2,000" in ticks(axes(confidence_histogram, np.full(2000, 0.5), np.array([])).yaxis)


def test_a_chart_is_described_by_its_first_and_last_known_values():
    lines = [
        Curve("training", [1, 2, 3], [NAN, 2.34567, 1], TRAIN),
        Curve("nothing", [1, 2, 3], [NAN] * 3, VAL),
        Curve("validation", [1, 2, 3], [12345.6, 3, NAN], VAL),
    ]
    svg = curves("Loss", lines)
    assert 'aria-label="Loss: training from 2.346 to 1; validation from 1.235e+04 to 3"' in svg
    assert svg.startswith('<svg class="chart" viewBox="0 0 280 190" role="img" aria-label=')


def test_a_chart_is_bare_and_its_names_are_its_own():
    first, second = (curves(name, [Curve("a", [1, 2], [1, 2], TRAIN)]) for name in ("Learning rate", "Loss"))
    for svg in (first, second):
        assert svg.endswith("</svg>")
        for word in ("<metadata", "<!--", "<style", "xmlns", "<?xml", "DOCTYPE", "> <", "figure_1", "axes_1"):
            assert word not in svg
        assert not re.search(r'  ?(?:d|x|y|width|height|transform)="[^"]*\.\d{3}', svg)
        names, used = re.findall(r' id="([^"]+)"', svg), re.findall(r'(?:href="|url\()#([^")]+)', svg)
        assert len(names) == len(set(names))
        assert set(used) <= set(names)
    assert all(name.startswith("Learning-rate-") for name in re.findall(r' id="([^"]+)"', first))
    assert not set(re.findall(r' id="([^"]+)"', first)) & set(re.findall(r' id="([^"]+)"', second))


def test_stand_in_colours_are_the_pages_own():
    assert INK == {MUTED: "var(--muted)", LINE: "var(--line)", TRAIN: "var(--train)", VAL: "var(--val)"}
    svg = curves("Loss", [Curve("a", [1, 2], [1, 2], TRAIN), Curve("b", [1, 2], [2, 1], VAL)])
    assert set(re.findall(r"var\(--\w+\)", svg)) == set(INK.values())


def test_curves_are_thin_lines_with_round_ends_and_small_dots(axes):
    found = axes(curves, "x", [Curve("a", [1, 2, 3, 4], [1, 2, NAN, 3], TRAIN)])
    line, dots = found.get_lines()
    assert (line.get_linewidth(), line.get_linestyle(), line.get_solid_capstyle()) == (1.75, "-", "round")
    assert (dots.get_linestyle(), dots.get_markersize()) == ("None", 4.5)
    assert {grid.get_linewidth() for grid in found.get_ygridlines()} == {1}
    assert {text.get_fontsize() for text in (found.xaxis.label, *found.get_xticklabels())} == {11}
    assert found.xaxis.label.get_color() == MUTED
    assert found.spines["bottom"].get_edgecolor() == to_rgba(MUTED)
    assert {
        tick.tick1line.get_markersize() for axis in (found.xaxis, found.yaxis) for tick in axis.get_major_ticks()
    } == {0}
    assert {tick.get_pad() for axis in (found.xaxis, found.yaxis) for tick in axis.get_major_ticks()} == {6}
    assert found.get_axisbelow() is True


def test_squares_and_bars_have_the_pages_colours_and_their_grid(axes):
    evaluation = Evaluation(("a", "b"), np.array([0, 1, 1, 1]), np.array([[0.7, 0.3]] * 4))
    found = axes(reliability, evaluation.calibration())
    gaps, dots = found.collections
    assert [tuple(colour) for colour in gaps.get_colors()] == [to_rgba(VAL)]
    assert [tuple(colour) for colour in dots.get_facecolors()] == [to_rgba(TRAIN)]
    assert dots.get_zorder() > gaps.get_zorder()
    lines = [*found.get_xgridlines(), *found.get_ygridlines()]
    assert {(line.get_color(), line.get_linewidth(), line.get_visible()) for line in lines} == {(LINE, 1, True)}
    assert found.get_lines()[0].get_linewidth() == 1


def test_bars_are_flat_and_stand_on_lines_across(axes):
    found = axes(confidence_histogram, np.array([0.3, 0.9]), np.array([0.9]), bins=4)
    assert [bar.get_facecolor() for bar in found.patches] == [to_rgba(TRAIN)] * 4 + [to_rgba(VAL)] * 4
    assert {bar.get_linewidth() for bar in found.patches} == {0}
    assert {(line.get_color(), line.get_linewidth(), line.get_visible()) for line in found.get_ygridlines()} == {
        (LINE, 1, True)
    }
    assert not any(line.get_visible() for line in found.get_xgridlines())
    svg = confidence_histogram(np.array([0.3]), np.array([]))
    assert 'aria-label="Histogram of confidence, right and wrong predictions"' in svg
    assert 'aria-label="Reliability diagram; expected calibration error 30.0%"' in reliability(
        Evaluation(("a", "b"), np.array([0]), np.array([[0.7, 0.3]])).calibration()
    )
