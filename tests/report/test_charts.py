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


@pytest.mark.parametrize("seed", [0, 1])
def test_the_reliability_diagram_has_a_dot_for_each_bin_in_use(seed):
    scores = np.random.default_rng(seed).dirichlet([0.4] * 5, 200)
    evaluation = Evaluation(tuple("abcde"), scores.argmax(1), scores)
    calibration = evaluation.calibration()
    svg = reliability(calibration)
    dots = [path for path in drawn(svg, "train") if "C" in path]
    assert len(dots) == (calibration.images > 0).sum()
    assert f"{calibration.ece:.1%}" in svg


def test_the_histogram_of_nothing_wrong_still_draws():
    svg = confidence_histogram(np.array([0.9, 0.95, 1.0]), np.array([]))
    assert "var(--train)" in svg
