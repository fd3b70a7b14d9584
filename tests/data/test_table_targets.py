"""Tables of several labels or of values, in the forms in which people keep them."""

import numpy as np
import pytest

from striate.data import open_dataset
from striate.data.targets import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from striate.errors import StriateError, UsageError


@pytest.fixture
def opened(make_folder):
    """Opens a table of four images with these columns: the header, and four rows of cells."""

    def open_table(header: str, *rows: str, **options):
        folder = make_folder({"pictures": 4})
        lines = [f"path,{header}", *(f"pictures/{number:03d}.png,{row}" for number, row in enumerate(rows))]
        (folder / "table.csv").write_text("\n".join(lines))
        return open_dataset(folder / "table.csv", **{"val_fraction": 0, **options})

    return open_table


@pytest.mark.parametrize("sign", ["|", ";", " "])
def test_words_in_a_cell_are_labels(opened, sign):
    dataset = opened("tags", f"sea{sign}sky", "", "sky", f" sky{sign}sea{sign}dune ")
    assert (dataset.task, dataset.classes) == (MULTI_LABEL, ("dune", "sea", "sky"))
    assert dataset.train.labels.tolist() == [[0, 1, 1], [0, 0, 0], [0, 0, 1], [1, 1, 1]]
    assert dataset.train.labels.dtype == np.bool_
    assert f"column 'tags', {'spaces' if sign == ' ' else repr(sign)} between" in dataset.notes[0]


def test_labels_may_be_words_with_spaces(opened):
    dataset = opened("tags", '"red car, blue sky"', "blue sky", '"red car"', "")
    assert dataset.classes == ("blue sky", "red car")


def test_a_column_that_may_hold_a_class_is_split_when_it_is_asked_for(opened):
    rows = ("a|b", "b", "a", "a|b")
    asked = opened("label", *rows, task="multi-label")
    assert (asked.task, asked.classes, asked.train.labels.sum()) == (MULTI_LABEL, ("a", "b"), 6)
    plain = opened("label", *rows)
    assert (plain.task, plain.classes) == (SINGLE_LABEL, ("a", "a|b", "b"))
    assert any("if | or ; divides labels: task multi-label" in note for note in plain.notes)


@pytest.mark.parametrize(("yes", "no"), [("1", "0"), ("1.0", "0.0"), ("True", "False"), ("yes", "no"), ("1", "-1")])
def test_columns_of_yes_and_no_are_labels(opened, yes, no):
    dataset = opened("smiles,old", f"{yes},{no}", f"{no},{no}", f"{yes},{yes}", f"{no},")
    assert (dataset.task, dataset.classes) == (MULTI_LABEL, ("smiles", "old"))  # in the order of the columns
    assert dataset.train.labels.tolist() == [[1, 0], [0, 0], [1, 1], [0, 0]]


def test_other_columns_are_chosen_by_name(opened):
    dataset = opened("id,b,a,c", "7,1,0,1", "8,0,0,1", "9,1,1,0", "10,0,0,0", target="c,a")
    assert (dataset.task, dataset.classes) == (MULTI_LABEL, ("c", "a"))
    assert dataset.train.labels.tolist() == [[1, 0], [1, 0], [0, 1], [0, 0]]


def test_rows_of_the_same_image_add_up(make_folder):
    folder = make_folder({"p": 2})
    (folder / "t.csv").write_text("path,label\np/000.png,a\np/001.png,b\np/000.png,c\np/000.png,a\n")
    dataset = open_dataset(folder / "t.csv", task="multi-label", val_fraction=0)
    assert (dataset.classes, dataset.train.labels.tolist()) == (("a", "b", "c"), [[1, 0, 1], [0, 1, 0]])


def test_numbers_are_values_where_they_are_asked_for(opened):
    rows = ("1.5,10", "-2,20", "0.25,20", "4e2,0")
    dataset = opened("age,weight", *rows, target=["weight", "age"])
    assert (dataset.task, dataset.classes) == (REGRESSION, ("weight", "age"))
    np.testing.assert_array_equal(dataset.train.labels, [[10, 1.5], [20, -2], [20, 0.25], [0, 400]])
    assert opened("age,weight", *rows, task="regression").classes == ("age", "weight")
    assert opened("label", "1", "2", "3", "4", task="regression").train.labels[:, 0].tolist() == [1, 2, 3, 4]


def test_one_named_column_of_fractions_is_values_and_one_of_whole_numbers_classes(opened):
    assert opened("price", "1.5", "2", "3", "4", target="price").task == REGRESSION
    assert opened("price", "1", "2", "3", "4", target="price").task == SINGLE_LABEL
    fractions = opened("label", "1.5", "2", "1.5", "2")
    assert fractions.task == SINGLE_LABEL
    assert any("to predict them as values: task regression" in note for note in fractions.notes)


def test_what_is_no_number_is_left_out_and_told(opened):
    dataset = opened("price", "1.5", "", "nan", "2.5", target="price", task="regression")
    assert dataset.train.labels[:, 0].tolist() == [1.5, 2.5]
    assert [entry.reason for entry in dataset.skipped] == [
        "column 'price' holds '', which is no number",
        "column 'price' holds 'nan', which is no number",
    ]


@pytest.mark.parametrize(
    ("header", "rows", "options", "error", "words"),
    [
        ("a,b", "1,0 0,1 0,-1 1,1", {}, StriateError, "hold both 0 and -1"),
        ("a,b", "1,0 x,1 0,2 1,1", {"target": "a,b"}, StriateError, "neither all of 0 and 1"),
        ("a", "1 2 3 4", {"target": "aa"}, UsageError, "has no column 'aa'. Did you mean 'a'?"),
        ("a", "1 2 3 4", {"target": "a,a"}, UsageError, "names a column twice: a, a"),
        ("a", "1 2 3 4", {"target": "Path"}, UsageError, "column 'path' says where the images are; name another one"),
        ("a", "1 2 3 4", {"target": "a,path", "task": "multi-label"}, UsageError, "column 'path' says where"),
        ("a", "x y z u", {"task": "regression"}, StriateError, "has no column of numbers to predict"),
        ("a", "x y z u", {"task": "regression", "target": "a"}, StriateError, "column 'a' holds no numbers"),
        ("a", "x y z u", {"task": "multi-label"}, StriateError, "has no column of labels: call one tags"),
        ("a", "2 2 2 2", {"task": "regression"}, StriateError, "'a' is 2 in all training images"),
        ("a,b", "0,0 0,0 0,0 0,0", {}, StriateError, "no training image has a label"),
        ("a", "1 2 3 4", {"task": "multilabel"}, UsageError, "unknown task 'multilabel'"),
    ],
)
def test_what_cannot_be_meant_is_one_line(opened, header, rows, options, error, words):
    with pytest.raises(error) as caught:
        opened(header, *rows.split(" "), **options)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_folders_have_classes_only(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    with pytest.raises(UsageError, match="gives each image one class; the task regression needs a table or a list"):
        open_dataset(folder, task="regression")
    with pytest.raises(UsageError, match="has no columns, so target cannot name one"):
        open_dataset(folder, target="label")
    assert open_dataset(folder, task="single-label", val_fraction=0).task == SINGLE_LABEL


def test_a_class_may_stand_in_any_column_that_is_named(opened):
    dataset = opened("label,kind", "a,x", "a,y", "b,x", "b,y", target="kind")
    assert (dataset.task, dataset.classes, dataset.train.labels.tolist()) == (SINGLE_LABEL, ("x", "y"), [0, 1, 0, 1])


def test_the_content_and_the_labels_make_the_fingerprint(opened):
    header, rows = "a,b", ("1,0", "0,1", "1,1", "0,0")
    one = opened(header, *rows)
    assert opened(header, *rows).fingerprint == one.fingerprint
    assert opened(header, *rows[:3], "1,0").fingerprint != one.fingerprint
    assert opened(header, *rows, task="regression").fingerprint != one.fingerprint


def test_a_models_names_choose_columns_and_order(opened):
    rows = ("1,0,1", "0,1,1", "1,1,0", "0,0,0")
    told = opened("c,a,z", *rows, task="multi-label", classes=("a", "b", "c"))
    assert told.classes == ("a", "b", "c")
    assert told.train.labels.tolist() == [[0, 0, 1], [1, 0, 0], [1, 0, 1], [0, 0, 0]]
    values = opened("h,w,z", *rows, task="regression", classes=("w", "h"))
    assert values.train.labels.tolist() == [[0, 1], [1, 0], [1, 1], [0, 0]]
    with pytest.raises(UsageError, match="has no column 'q'"):
        opened("h,w", "1,2", "2,3", "3,4", "4,5", task="regression", classes=("w", "q"))
    with pytest.raises(StriateError, match="holds a class that the model does not know: 'z'"):
        opened("tags", "a", "z", "a", "b", task="multi-label", classes=("a", "b"))
