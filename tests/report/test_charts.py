import math
import re
import xml.etree.ElementTree as ElementTree

import matplotlib
import numpy as np
import pytest

from striate.report.charts import TRAIN, VAL, Curve, confidence_histogram, curves, reliability
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
