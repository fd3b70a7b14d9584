import numpy as np
import pytest

from striate.data.listing import (
    Listing,
    Part,
    alike_note,
    choice_note,
    class_name,
    match_classes,
    numbers_note,
    relabel,
    sorted_classes,
)
from striate.errors import StriateError


def test_numbers_are_sorted_as_numbers_and_words_as_words():
    assert sorted_classes(["10", "9", "10"]) == ("9", "10")
    assert sorted_classes(["10", "9", "a"]) == ("10", "9", "a")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["0", "1"], ""),
        ([], ""),
        (["1", "2", "3"], "begin at 1"),
        (["0", "2"], "leave numbers out"),
        (["7"], "begin at 7"),
    ],
)
def test_numbers_that_are_no_row_from_zero_are_remarked(labels, words):
    notes = numbers_note(labels)
    assert len(notes) == bool(words)
    assert all(words in note for note in notes)


def test_labels_become_the_positions_of_their_names_in_a_model():
    part = Part(np.zeros((4, 2, 2, 1), np.uint8), ["a", "b", "c", "d"], np.array([0, 1, 1, 0]))
    listing = relabel(Listing(("dog", "cat"), {"test": part}), ("cat", "cow", "dog"), "pets")
    assert listing.classes == ("cat", "cow", "dog")
    assert listing.parts["test"].labels.tolist() == [2, 0, 0, 2]


def test_names_fit_in_one_line_of_any_report():
    for name in ("a\nb", "a\x00b", "a\ud800b", "a\udce9b"):
        assert class_name(name) == "a\ufffdb"
    assert class_name("cat: 2 (grey)") == "cat: 2 (grey)"


def test_strangers_are_named_with_the_nearest_and_two_spellings_are_one_name():
    assert match_classes(["cafe\u0301"], ["tea", "caf\u00e9"], "drinks").tolist() == [1]
    assert match_classes(["caf\u00e9"], ["tea", "cafe\u0301"], "drinks").tolist() == [1]
    with pytest.raises(StriateError, match=r"drinks holds a class that the model does not know: 'tae'.*'tea'\?"):
        match_classes(["tae"], ["tea", "coffee"], "drinks")
    with pytest.raises(StriateError, match="2 classes that the model does not know: 'x', 'y'"):
        match_classes(["x", "tea", "y"], ["tea"], "drinks")


def test_white_space_around_a_name_is_no_part_of_it():
    assert class_name(" cat\u00a0") == class_name("cat") == "cat"
    assert class_name("grey cat") == "grey cat"


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("Cat", "cat", "dog"), "'Cat' and 'cat'"),
        (("1", "01", "1.0", "2"), "'1' and '01' and '1.0'"),
        (("fish", "\ufb01sh"), "'fish' and '\ufb01sh'"),
        (("cat", "cats", "1", "2", "1a"), ""),
        (tuple(name for letter in "abcdef" for name in (letter, letter.upper())), "'e' and 'E' and 1 more"),
    ],
)
def test_classes_that_may_be_one_are_named(names, words):
    notes = alike_note(names)
    assert len(notes) == bool(words)
    assert all(note.startswith("much alike, yet classes of their own: ") and note.endswith(words) for note in notes)


def test_a_choice_between_columns_is_said():
    assert choice_note(["label"], "the classes") == choice_note([], "the classes") == ()
    assert choice_note(["label", "kind", "sort"], "the classes") == (
        "column 'kind', 'sort' not used: 'label' says the classes",
    )
