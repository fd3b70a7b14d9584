"""Labels that come together against counts by hand, and which curves are drawn."""

import re

import numpy as np
import pytest

from striate.report.build import render
from striate.report.content import Mistake, ReportContent
from striate.report.together import MOST_CROSSED, MOST_CURVES, curves, together
from striate.training.label_metrics import MultiLabelEvaluation

LABELS = np.array([[1, 1, 0, 0], [1, 0, 0, 0], [1, 1, 1, 0], [0, 1, 0, 0]], bool)
CHANCES = np.array([[0.9, 0.2, 0.8, 0.1], [0.2, 0.1, 0.1, 0.1], [0.9, 0.9, 0.9, 0.1], [0.6, 0.8, 0.1, 0.1]])


def found(**more) -> MultiLabelEvaluation:
    return MultiLabelEvaluation(("sea", "sky", "<i>sun", "never"), LABELS, CHANCES, **more)


def test_shares_are_of_the_images_that_have_the_label_of_the_row():
    told = together(found())
    assert told["names"] == ["sea", "sky", "<i>sun"]  # no image has the last
    assert told["left_out"] == 1
    true, said = ([[round(cell[which], 3) for cell in row["cells"]] for row in told["rows"]] for which in range(2))
    assert true == [[1, 0.667, 0.333], [0.667, 1, 0.333], [1, 1, 1]]
    assert said == [[0.667, 0.333, 0.667], [1, 0.667, 0.667], [1, 1, 1]]
    assert together(MultiLabelEvaluation(("a", "b"), LABELS[:, [0, 3]], CHANCES[:, [0, 3]])) is None


def test_the_commonest_labels_are_crossed_and_the_weakest_are_drawn():
    rng = np.random.default_rng(0)
    labels = rng.random((200, 20)) < np.linspace(0.5, 0.1, 20)
    chances = np.clip(labels * np.linspace(0.1, 0.9, 20) + rng.random(labels.shape) / 2, 0, 1)
    many = MultiLabelEvaluation(tuple(f"label {place}" for place in range(20)), labels, chances)
    told = together(many)
    assert (len(told["names"]), told["left_out"]) == (MOST_CROSSED, 20 - MOST_CROSSED)
    assert set(told["names"]) == {
        f"label {place}" for place in np.argsort(-labels.sum(0), kind="stable")[:MOST_CROSSED]
    }
    assert [name for name, _ in curves(many)] == [f"label {place}" for place in range(MOST_CURVES)]


def test_a_dot_is_where_the_threshold_is():
    (_, sea), (_, sky), _ = curves(found())
    assert sea.count("var(--val)") >= 1
    (_, none), *_ = curves(found(thresholds=(0.95, 0.95, 0.95, 0.5)))
    assert "var(--val)" not in none  # nothing is said: there is no precision
    assert sky != none


@pytest.mark.parametrize("split", ["val", "test"])
def test_the_page_says_what_thresholds_are(split):
    mistake = Mistake(np.zeros((4, 4, 3), np.uint8), "3.png", "has it not", "said", 0.6)
    fitted = found(thresholds=(0.25, 0.5, 0.5, 0.5), split=split)
    worst = [("sea", [mistake]), *[(f"label {place}", [mistake]) for place in range(13)]]
    page = render(ReportContent(title="x", evaluation=fitted, split=split, worst_of_labels=worst))
    assert ("fitted to these very images, so they flatter it" in page) == (split == "val")
    assert ("fitted to the validation images." in page) == (split == "test")
    head, row = re.search(r"<thead><tr>(.*?)</tr></thead>\s*<tbody>\s*<tr>(.*?)</tr>", page, re.S).groups()
    assert re.findall(">([^<]+)</th>", head)[2:] == ["Threshold", "Precision", "Recall", "F1", "F1 at 50 %", "Images"]
    cells = [re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>.*?</td>", row)]
    assert [cell.replace("\u00a0%", "") for cell in cells] == ["91.7", "25.0", *["66.7"] * 4, "3"]
    assert "Which labels come together" in page
    assert "&lt;i&gt;sun" in page
    assert "<i>sun" not in page
    assert page.count('<span class="said">said</span> 60.0') == 12
    assert "The mistakes of 2 better labels are left out." in page
    plain = render(ReportContent(title="x", evaluation=found(split=split), split=split))
    assert "at a probability of 50 %" in plain
    assert "Threshold</th>" not in plain
