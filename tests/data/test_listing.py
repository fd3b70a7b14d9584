import numpy as np
import pytest

from striate.data.listing import (
    Listing,
    Part,
    alike_note,
    choice_note,
    class_name,
    index_labels,
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


@pytest.mark.parametrize(
    ("labels", "note"),
    [
        (["3", "1", "2", "1"], "the labels begin at 1: the 3 classes are called as they are, 1 to 3"),
        (["0", "10", "9"], "the labels leave numbers out: the 3 classes are called as they are, 0 to 10"),
        ([str(number) for number in range(5, 1505)], "begin at 5: the 1,500 classes are called as they are, 5 to 1504"),
    ],
)
def test_numbers_are_told_from_the_first_to_the_last(labels, note):
    (found,) = numbers_note(labels)
    assert found.endswith(note)
    assert numbers_note(["2", "0", "1", "0"]) == ()


def test_labels_are_positions_of_their_names():
    found = index_labels(["b", "a", "b"], ("c", "b", "a"))
    assert (found.tolist(), found.dtype) == ([1, 2, 1], np.int64)
    assert index_labels([], ("a",)).tolist() == []
    with pytest.raises(KeyError):
        index_labels(["d"], ("a",))


def test_numbers_of_one_value_are_sorted_by_their_spelling():
    assert sorted_classes(["1", "01", "0", "10"]) == ("0", "01", "1", "10")
    assert sorted_classes(["-1", "10", "9"]) == ("-1", "10", "9")
    assert sorted_classes([]) == ()


def test_strangers_are_told_whole():
    with pytest.raises(StriateError) as caught:
        match_classes([f"x{number}" for number in range(12)], ["tea", "coffee"], "drinks")
    listed = ", ".join(f"'x{number}'" for number in range(10))
    assert str(caught.value) == (
        f"drinks holds 12 classes that the model does not know: {listed} and 2 more. It knows 'tea', 'coffee'"
    )
    with pytest.raises(StriateError) as caught:
        match_classes(["tea", "x"], [f"c{number:02d}" for number in range(11)] + ["tea"], "drinks")
    listed = ", ".join(f"'c{number:02d}'" for number in range(10))
    assert str(caught.value) == (
        f"drinks holds a class that the model does not know: 'x'. It knows {listed} and 2 more"
    )


def test_what_else_a_listing_says_stays_when_its_labels_are_told_anew():
    parts = {name: Part(["x"], [name], np.array([0])) for name in ("test", "val")}
    listing = Listing(("a",), parts, ("skipped",), ("note",), False, "hint")
    found = relabel(listing, ["b", "a"], "pets")
    assert (found.classes, list(found.parts), found.skipped, found.notes) == (
        ("b", "a"), ["test", "val"], ("skipped",), ("note",),
    )  # fmt: skip
    assert (found.divided, found.hint) == (False, "hint")
    assert [part.labels.tolist() for part in found.parts.values()] == [[1], [1]]
    assert [part.names for part in found.parts.values()] == [["test"], ["val"]]
    assert (Listing((), {}).divided, Listing((), {}).hint) == (True, "")


def test_a_choice_is_told_in_one_line():
    assert choice_note(["la\nbel", "ki\nnd"], "all") == ("column 'ki\ufffdnd' not used: 'la\ufffdbel' says all",)
