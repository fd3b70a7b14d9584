"""What all evaluations share: names of images, figures that JSON can hold, and their lines."""

import json
import math

import numpy as np
import pytest

from striate.errors import StriateError
from striate.training.label_metrics import MultiLabelEvaluation
from striate.training.metrics import Evaluation
from striate.training.value_metrics import RegressionEvaluation

KINDS = {
    "classes": (Evaluation, ([0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]])),
    "labels": (MultiLabelEvaluation, ([[1, 0], [1, 1], [0, 0]], [[0.9, 0.1], [0.4, 0.6], [0.7, 0.3]])),
    "values": (RegressionEvaluation, ([[1, 0], [2, 1], [0, 0]], [[0.9, 0.1], [1.4, 0.6], [0.7, 0.3]])),
}


@pytest.fixture(params=KINDS)
def made(request):
    """Makes an evaluation of three images."""
    kind, answers = KINDS[request.param]
    return lambda classes=("a", "b"), **more: kind(classes, *answers, **more)


def test_it_has_a_name_for_each_image_or_none(made):
    assert made().names == []
    assert made(names=("x", "y", "z")).names == ["x", "y", "z"]
    with pytest.raises(StriateError, match=r"^evaluation: 2 names for 3 images; give one each, or none\.$"):
        made(names=["x", "y"])


def test_its_classes_are_held_in_one_form_and_it_is_as_long_as_its_images(made):
    found = made(["a", "b"])
    assert (found.classes, len(found), found.notes, found.views) == (("a", "b"), 3, (), None)
    with pytest.raises(AttributeError):
        found.loss = 1.0


@pytest.mark.parametrize(("loss", "written"), [(0.25, 0.25), (math.nan, None), (math.inf, None)])
def test_json_can_hold_its_figures_and_they_are_its_own(made, loss, written):
    found = made(loss=loss)
    said = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (said["images"], said["loss"]) == (3, written)
    assert [score["name"] for score in said["per_class"]] == ["a", "b"]
    assert said["per_class"] == [score._asdict() for score in found.per_class()]
    assert "views" not in said
    assert found.score in said.values()
    assert next(iter(found.figures().values())) == found.score


def test_a_figure_that_nothing_decides_is_none():
    nobody = MultiLabelEvaluation(("a", "b"), [[1, 0], [0, 0]], [[0.9, 0.1], [0.4, 0.6]]).to_dict()
    assert [score["average_precision"] for score in nobody["per_class"]] == [1.0, None]
    assert RegressionEvaluation(("a",), [[1.0]], [[2.0]]).to_dict()["r2"] is None


def test_outputs_that_are_not_finite_are_counted(made):
    broken = np.full((3, 2), 0.5)
    broken[1:, 0] = np.nan, np.inf
    kind = type(made())
    with pytest.raises(StriateError, match=r"outputs are not finite for 2 of 3 images; training has diverged"):
        kind(("a", "b"), made().labels, broken)


def test_it_says_its_images_and_its_loss_where_it_has_them(made):
    assert "; 3 images; " in repr(made())
    assert "loss" not in repr(made())
    said = repr(made(split="val", loss=0.12345))
    assert "; 3 val images; " in said
    assert "; loss 0.1235)" in said
