import numpy as np
import pytest

from striate.data.targets import (
    MULTI_LABEL,
    REGRESSION,
    SINGLE_LABEL,
    as_bytes,
    as_keys,
    check_kind,
    counted,
    held_out,
    in_form,
    kind_of,
    spelt,
)
from striate.errors import UsageError

CLASSES = in_form([0, 2, 2], SINGLE_LABEL)
LABELS = in_form([[1, 0, 1], [0, 0, 0], [1, 1, 1]], MULTI_LABEL)
VALUES = in_form([[1.5, -2.0, 0.0], [0.0, 3.0, 1.0], [0.25, 0.0, 1.0]], REGRESSION)


@pytest.mark.parametrize(("labels", "kind"), [(CLASSES, SINGLE_LABEL), (LABELS, MULTI_LABEL), (VALUES, REGRESSION)])
def test_the_form_says_the_kind(labels, kind):
    assert kind_of(labels) == check_kind(kind) == kind


def test_an_unknown_kind_is_told_with_those_there_are():
    with pytest.raises(UsageError, match="unknown task 'multilabel'"):
        check_kind("multilabel")


def test_images_of_classes_and_of_labels_are_counted():
    assert counted(CLASSES, 4).tolist() == [1, 0, 2, 0]
    assert counted(LABELS, 3).tolist() == [2, 1, 2]
    assert counted(VALUES, 3).tolist() == [3, 3, 3]
    assert {counted(labels, 3).dtype for labels in (CLASSES, LABELS, VALUES)} == {np.dtype(np.int64)}


def test_labels_are_told_apart_and_spelt():
    names = ("ant", "bee", "cat")
    assert [spelt(key, names) for key in as_keys(CLASSES)] == ["ant", "cat", "cat"]
    assert [spelt(key, names) for key in as_keys(LABELS)] == ["ant, cat", "none", "ant, bee, cat"]
    assert spelt(as_keys(VALUES)[0], names) == "ant 1.5, bee -2, cat 0"
    assert len({*as_keys(LABELS)}) == 3


def test_equal_labels_have_equal_bytes_and_only_they():
    for labels in (CLASSES, LABELS, VALUES):
        again = as_bytes(labels.copy())
        assert again == as_bytes(labels)
        assert len({*again}) == len({*as_keys(labels)})
    assert as_bytes(in_form([258], SINGLE_LABEL)) == [b"\x02\x01" + bytes(6)]  # as fingerprints always had it


def test_values_are_held_out_from_their_whole_range():
    values = np.random.default_rng(0).exponential(size=(500, 1))
    _, held = held_out(values, 0.1, 3)
    assert len(held) == 50
    ranks = np.argsort(np.argsort(values[:, 0]))[held]
    assert np.bincount(ranks // 50, minlength=10).tolist() == [5] * 10  # five of each tenth


def test_labels_are_held_out_by_label_and_classes_by_class():
    labels = np.random.default_rng(0).random((400, 3)) < [0.5, 0.1, 0.02]
    _, held = held_out(labels, 0.25, 0)
    assert (np.abs(labels[held].sum(0) - labels.sum(0) / 4) <= 1).all()
    _, held = held_out(np.repeat([0, 1], [40, 8]), 0.25, 0)
    assert (len(held), (held >= 40).sum()) == (12, 2)
