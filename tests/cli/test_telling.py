"""The last line of predictions: the classes, the commonest first, and the rest together."""

import pytest

from striate.classifier.prediction import Prediction, Stream
from striate.cli.telling import CLASSES_TOLD, Told
from striate.training.counting import Counter


def last_lines(capsys, labels, unsure=None, csv=None):
    told = Told(unsure, None, None, None, Counter(""))
    for label in labels:
        told.tell(Prediction("x", ((label, 0.5),)) if label else Prediction("x", error="x: empty"))
    capsys.readouterr()
    told.finish(Stream(iter(()), []), csv)
    return capsys.readouterr().err.splitlines()


def test_classes_are_counted_the_commonest_first(capsys):
    assert last_lines(capsys, ["dog", "cat", "cat"]) == ["3 images: 2 cat, 1 dog"]
    assert last_lines(capsys, ["dog"] * 1234) == ["1,234 images: 1,234 dog"]
    assert last_lines(capsys, ["dog"]) == []
    assert last_lines(capsys, ["dog"], csv="t.csv") == ["written to t.csv"]


def test_of_many_classes_the_rarest_are_counted_together(capsys):
    labels = [f"c{number}" for number in range(CLASSES_TOLD) for _ in range(2)]
    (line,) = last_lines(capsys, [*labels, "x", "y", "z"])
    assert line.endswith(", 2 c19, 3 of 3 more classes")
    (line,) = last_lines(capsys, [*labels, "x"])
    assert line.endswith(", 2 c19, 1 of 1 more class")
    (line,) = last_lines(capsys, labels)
    assert line.endswith(", 2 c19")


@pytest.mark.parametrize(("share", "count"), [(0.5, 0), (0.501, 2)])
def test_what_is_unsure_and_what_could_not_be_read_is_counted(capsys, share, count):
    (line,) = last_lines(capsys, ["dog", None, "dog"], share)
    assert line == f"3 images: 2 dog; {count} unsure (below 50%); 1 could not be read"
