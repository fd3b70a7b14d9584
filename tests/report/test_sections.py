"""What the sections say: verdicts, cautions, the two losses, and a confusion matrix that is a picture."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from striate.report import ReportContent
from striate.report.sections import calibration, confusion, headline, progress
from striate.training.metrics import Evaluation


def evaluated(confidence: float, right: int, images: int = 20) -> Evaluation:
    """Predictions of one class of two with this confidence, the first `right` of them right."""
    probabilities = np.tile([confidence, 1 - confidence], (images, 1))
    return Evaluation(("a", "b"), np.arange(images) >= right, probabilities)


@pytest.mark.parametrize(
    ("right", "verdict"),
    [
        (11, "surer than it should be"),  # 0.8 against 0.55
        (16, "about as sure as it should be"),
        (19, "less sure than it could be"),
    ],
)
def test_whether_it_is_as_sure_as_it_is_right(right, verdict):
    found = calibration(evaluated(0.8, right))
    assert found["verdict"] == verdict
    assert found["mean"] == "80.0\u00a0%"
    assert found["top1"] == f"{right * 5:.1f}\u00a0%"


@pytest.mark.parametrize(
    ("split", "caution"), [("test", ""), ("val", "chose the best epoch"), ("train", "the images it learnt from")]
)
def test_what_was_measured_on_is_cautioned_about(split, caution):
    found = headline(ReportContent("x", evaluation=evaluated(0.8, 16), split=split))["result"]
    assert caution in found["caution"]
    assert bool(found["caution"]) == bool(caution)


def test_the_baseline_is_the_share_of_the_commonest_class():
    labels = np.array([0, 1, 1, 1, 2, 2, 0, 1, 1, 1])
    evaluation = Evaluation(("a", "b", "c"), labels, np.tile([0.5, 0.3, 0.2], (10, 1)))  # it names "a" throughout
    found = headline(ReportContent("x", evaluation=evaluation))["result"]
    assert (found["baseline"], found["top1"]) == ("60.0\u00a0%", "20.0\u00a0%")


def test_facts_that_are_not_there_are_left_out():
    content = ReportContent("x", network="lenet5", frozen="stem to stage2")
    assert headline(content)["facts"] == [("Network", "lenet5", ""), ("Frozen", "stem to stage2", "")]


def losses(*pairs: tuple[object, object]) -> ReportContent:
    history = [{"epoch": epoch, "train_loss": train, "val_loss": val} for epoch, (train, val) in enumerate(pairs, 1)]
    return ReportContent("x", history=history, differences=["one reason", "another"])


@pytest.mark.parametrize(
    ("content", "gap"),
    [
        (losses((2.0, 1.0), (1.5, 0.75)), "(1.5 against 0.75): one reason; another."),
        (losses((2.0, 1.0), (0.5, 0.75)), ""),  # it overfits, which is another matter
        (losses((0.7, 0.75), (0.75, 0.75)), ""),
        (losses((2.0, 1.0), ("nan", 0.75)), "(2 against 1)"),
        (losses((2.0, "")), ""),
    ],
)
def test_why_training_loss_lies_above_validation_loss_is_said_where_it_does(content, gap):
    found = progress(content)["gap"]
    assert gap in found
    assert bool(found) == bool(gap)


def test_a_large_confusion_matrix_is_a_picture_with_a_row_for_each_true_class():
    classes = tuple(f"class {number:02}" for number in range(40))
    labels = np.repeat(np.arange(40), 4)
    predicted = labels.copy()
    predicted[4 * 3] = 7  # one picture of class 3 is taken for class 7
    found = confusion(Evaluation(classes, labels, np.eye(40)[predicted]))
    assert found["pairs"] == [("class 03", "class 07", 1, 0.25)]
    data = found["picture"].source.partition("base64,")[2]
    opacity = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))[..., 3]
    assert opacity.shape == (40, 40)
    assert opacity[3, 7] == 128  # the root of a quarter
    assert opacity[7, 3] == 0
    assert opacity[3, 3] == round(0.75**0.5 * 255)
    assert opacity[5, 5] == 255
