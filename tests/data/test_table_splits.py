"""Which split a row belongs to: words, yes and no, folds."""

import pytest

from striate.data import open_dataset
from striate.errors import StriateError


@pytest.fixture
def table(make_folder):
    """Write a table of six pictures with more columns: table("split", "train", "val", ...)."""
    folder = make_folder({"cat": 3, "dog": 3})
    files = [f"{name}/{number:03d}.png,{name}" for number in range(3) for name in ("cat", "dog")]

    def write(columns, *cells):
        rows = [f"{file},{more}" for file, more in zip(files, cells, strict=True)]
        (folder / "labels.csv").write_text("\n".join([f"path,label,{columns}", *rows]))
        return folder / "labels.csv"

    return write


def sizes(source):
    dataset = open_dataset(source, val_fraction=0)
    return {split.name: len(split) for split in dataset.splits}, dataset


@pytest.mark.parametrize("column", ["split", "Set", "subset", "fold", "Partition", "usage", "phase", "data set"])
@pytest.mark.parametrize(("train", "val", "test"), [("train", "valid", "test"), ("Training", "dev", "Testing")])
def test_words_say_the_split(table, column, train, val, test):
    found, dataset = sizes(table(column, train, train, val, train, test, test))
    assert found == {"train": 3, "val": 1, "test": 2}
    assert dataset.val.images.name(0).endswith("cat/001.png")
    assert dataset.divided


@pytest.mark.parametrize(
    ("yes", "no"), [("True", "False"), ("1", "0"), ("TRUE", "FALSE"), ("yes", "no"), ("1.0", "0.0")]
)
@pytest.mark.parametrize("column", ["is_valid", "is_val", "Is Validation", "valid", "validation"])
def test_rows_for_validation_are_used_for_it(table, column, yes, no):
    found, dataset = sizes(table(column, yes, no, no, yes, no, no))
    assert found == {"train": 4, "val": 2}
    assert [dataset.val.images.name(row)[-11:] for row in (0, 1)] == ["cat/000.png", "dog/001.png"]


def test_rows_for_tests_and_those_not_for_training(table):
    assert sizes(table("is_test", 1, 1, 0, 0, 0, 0))[0] == {"train": 4, "test": 2}
    assert sizes(table("is_train", 1, 1, 1, 1, 0, 0))[0] == {"train": 4, "test": 2}
    assert sizes(table("is_train,is_test", "1,0", "1,0", "1,0", "1,0", "0,1", "0,0"))[0] == {
        "train": 4,
        "val": 1,
        "test": 1,
    }
    assert sizes(table("is_valid,is_test", "0,0", "0,0", "1,0", "1,0", "0,1", "0,1"))[0] == {
        "train": 2,
        "val": 2,
        "test": 2,
    }
    with pytest.raises(StriateError, match=r"labels.csv:3: the row is in val and in test"):
        open_dataset(table("is_valid,is_test", "0,0", "1,1", "0,0", "0,0", "0,0", "0,0"))


@pytest.mark.parametrize("column", ["fold", "kfold", "Fold"])
def test_numbers_of_folds_are_ignored_with_a_note(table, column):
    found, dataset = sizes(table(column, 0, 1, 2, 3, 4, 0))
    assert found == {"train": 6}
    assert f"column '{column}' ignored: its 5 values are folds, no division into train and val" in dataset.notes
    assert not dataset.divided


def test_folds_may_be_called_by_words(table):
    assert sizes(table("fold", "fold_0", "Fold 1", "fold2", "2.0", "fold-3", "4"))[0] == {"train": 6}


def test_split_column_wins_over_folds(table):
    found, dataset = sizes(table("fold,split", "0,train", "1,train", "2,train", "3,train", "4,val", "0,val"))
    assert found == {"train": 4, "val": 2}
    assert any("column 'fold' ignored" in note for note in dataset.notes)


def test_cells_that_say_no_split_are_refused_with_the_line(table):
    with pytest.raises(StriateError, match=r"labels.csv:4: unknown split 'holdout'; it is one of train, val and test"):
        open_dataset(table("split", "train", "train", "holdout", "train", "val", "val"))
    with pytest.raises(StriateError, match=r"labels.csv:2: unknown split '1'"):
        open_dataset(table("split", 1, 1, 1, 1, 0, 0))
    with pytest.raises(StriateError, match=r"labels.csv:7: is_valid is 'perhaps'; it is True or False"):
        open_dataset(table("is_valid", 1, 0, 1, 0, 0, "perhaps"))


def test_columns_that_mean_something_else_are_left_alone(table):
    assert sizes(table("part,val", "hand,0.3", "hand,0.5", "foot,0.9", "foot,1", "hand,0", "hand,0"))[0] == {"train": 6}


def test_without_rows_to_train_on_training_is_refused(table):
    with pytest.raises(StriateError, match="holds test images, but none to train on"):
        open_dataset(table("split", *["test"] * 6))
    assert [len(s) for s in open_dataset(table("split", *["test"] * 6), classes=("cat", "dog")).splits] == [0, 6]


@pytest.mark.parametrize("column", ["fold", "k-fold", "CV_Fold", "fold_id"])
@pytest.mark.parametrize("cells", [("A", "B", "C", "A", "B", "C"), ("0", "", "1", "2", "0", "")])
def test_folds_need_not_be_numbers(table, column, cells):
    found, dataset = sizes(table(column, *cells))
    assert found == {"train": 6}
    told = [note for note in dataset.notes if note.startswith(f"column '{column}'")]
    assert told == [f"column '{column}' ignored: its 3 values are folds, no division into train and val"]


@pytest.mark.parametrize(
    ("columns", "cells", "found", "note"),
    [
        ("isvalid", ("1", "0"), {"train": 3, "val": 3}, ""),
        ("split,is_valid", ("train,1", "val,0"), {"train": 3, "val": 3}, "'is_valid' not used: the split is said by"),
        ("valid,is_test", ("1,0", "0,1"), {"val": 3, "test": 3}, ""),
        ("Usage", ("Training", "PublicTest"), {"train": 6}, "'Usage' not used: 'PublicTest', 'Training' do not say"),
        ("test", tuple("ab"), {"train": 6}, "'test' not used: 'a', 'b' do not say train, val or test, nor yes or no"),
        ("set,phase", ("train,val", "test,val"), {"train": 3, "test": 3}, "'phase' not used: the split is said by"),
    ],
)
def test_columns_that_speak_of_splits_are_used_or_named(table, columns, cells, found, note):
    source = table(columns, *cells * 3)
    dataset = open_dataset(source, classes=("cat", "dog"), val_fraction=0)
    assert {split.name: len(split) for split in dataset.splits if len(split)} == found
    named = [line for line in dataset.notes if line.startswith("column ")]
    assert [line.startswith(f"column {note}") for line in named] == [True] * bool(note)


def test_a_fold_that_is_called_train_makes_all_of_them_splits(table):
    with pytest.raises(StriateError, match=r"labels.csv:3: unknown split '1'; it is one of train, val and test"):
        open_dataset(table("fold", "train", "1", "2", "train", "val", "val"))
