"""What a report is made from: nothing but the title is needed, and one content does not change another."""

import dataclasses

import numpy as np
import pytest

from striate.report import Mistake, ReportContent


def test_what_is_not_given_is_empty_and_measured_on_the_test_split():
    content = ReportContent("the title")
    given = {field.name: getattr(content, field.name) for field in dataclasses.fields(content)}
    assert {name: value for name, value in given.items() if value} == {"title": "the title", "split": "test"}
    assert given["evaluation"] is None
    for name in ("created", "network", "card", "start", "frozen", "source", "command", "stopped_by"):
        assert given[name] == ""
    for name in ("versions", "recipe", "split_sizes", "cost"):
        assert given[name] == {}
        assert given[name] is not getattr(ReportContent("another"), name)


def test_a_content_stays_as_it_is():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ReportContent("a").title = "b"


def test_a_mistake_is_read_by_place_and_need_not_know_the_true_classes_probability():
    image = np.zeros((2, 2, 3), np.uint8)
    mistake = Mistake(image, "a.png", "cat", "dog", 0.75)
    assert mistake == (image, "a.png", "cat", "dog", 0.75, None)
    assert (mistake.name, mistake.true, mistake.predicted) == ("a.png", "cat", "dog")
    assert (mistake.probability, mistake.true_probability) == (0.75, None)
    assert Mistake(*mistake[:5], 0.25).true_probability == 0.25
