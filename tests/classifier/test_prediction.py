import numpy as np

from striate.classifier.prediction import Prediction, Predictions, predicted
from striate.training.tasks import MultiLabel, SingleLabel

CLASSES = ("ant", "bee", "cat", "dog")


def test_classes_come_by_probability_and_equal_ones_in_their_order():
    found = predicted(SingleLabel(CLASSES), "a.png", np.array([0.125, 0.375, 0.125, 0.375], np.float32), 3)
    assert found.top == (("bee", 0.375), ("dog", 0.375), ("ant", 0.125))
    assert (found.label, found.probability, found.error) == ("bee", 0.375, "")
    assert found.to_dict() == {
        "name": "a.png",
        "class": "bee",
        "probability": 0.375,
        "top": [
            {"class": "bee", "probability": 0.375},
            {"class": "dog", "probability": 0.375},
            {"class": "ant", "probability": 0.125},
        ],
    }


def test_more_classes_than_there_are_give_all_of_them():
    assert len(predicted(SingleLabel(CLASSES), "a.png", np.full(4, 0.25, np.float32), 9).top) == 4


def test_an_image_that_cannot_be_read_has_no_classes():
    found = Prediction("a.png", error="truncated")
    assert (found.label, found.probability, found.top) == (None, 0.0, ())
    assert found.to_dict() == {"name": "a.png", "error": "truncated"}


def test_as_many_classes_as_are_asked_for_in_the_order_of_their_names_among_equals():
    for top in (1, 2, 3):
        found = predicted(SingleLabel(CLASSES), "b.png", np.array([0.25, 0.25, 0.25, 0.25], np.float32), top)
        assert found.top == tuple((name, 0.25) for name in CLASSES[:top])
        assert {type(chance) for _, chance in found.top} == {float}
    assert (found.name, Predictions().notes) == ("b.png", ())


def test_however_many_are_equal_they_keep_the_order_of_their_classes():
    names = tuple(map(str, range(100)))
    chances = np.full(100, 0.005, np.float32)
    chances[::2] = 0.015
    found = [int(name) for name, _ in predicted(SingleLabel(names), "c.png", chances, 100).top]
    assert found == [*range(0, 100, 2), *range(1, 100, 2)]


def test_so_many_of_a_thousand_classes_are_those_that_sorting_them_all_puts_first():
    names = tuple(map(str, range(1000)))
    rng = np.random.default_rng(0)
    for top in (1, 5, 999, 1000):
        chances = rng.integers(0, 40, 1000).astype(np.float32) / 64  # many are equal
        chances[rng.integers(0, 1000, 3)] = np.nan
        known = sorted((chance, -place) for place, chance in enumerate(chances.tolist()) if chance == chance)
        ranked = [-place for _, place in reversed(known)] + np.flatnonzero(np.isnan(chances)).tolist()
        found = predicted(SingleLabel(names), "d.png", chances, top).top
        assert [int(name) for name, _ in found] == ranked[:top]


def test_all_labels_that_it_has_are_named_however_few_are_asked_for():
    found = predicted(MultiLabel(CLASSES), "e.png", np.array([0.5, 0.25, 0.75, 0.625], np.float32), 1)
    assert found.top == (("cat", 0.75),)
    assert found.to_dict()["labels"] == [
        {"label": "cat", "probability": 0.75},
        {"label": "dog", "probability": 0.625},
        {"label": "ant", "probability": 0.5},
    ]
    none = predicted(MultiLabel(CLASSES), "f.png", np.array([0.25, 0.125, 0.375, 0.0], np.float32), 2)
    assert (none.named, [name for name, _ in none.top]) == ((), ["cat", "ant"])
