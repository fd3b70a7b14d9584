"""Which split a row belongs to: words, yes and no, folds."""

import pytest

from striate.data import open_dataset
from striate.data.table_splits import choose_splits
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


def chosen(**columns: list[str]) -> tuple[list[str] | None, tuple[str, ...]]:
    """The split of every row of a table of these columns (their names in lower case), and what is said."""
    shown = {name: name.title() for name in columns}
    count = len(next(iter(columns.values())))
    rows = [(row + 2, {shown[name]: cells[row] for name, cells in columns.items()}) for row in range(count)]
    choose, notes = choose_splits(shown, rows, "t.csv")
    return None if choose is None else [choose(row) for row in rows], notes


WORDS, NOT_WORDS = ["train", "Validation ", "test"], ["train", "left", "test"]


@pytest.mark.parametrize("column", ["split", "set", "subset"])
def test_columns_that_are_meant_to_say_the_split_must_say_it(column):
    assert chosen(**{column: WORDS}) == (["train", "val", "test"], ())
    with pytest.raises(StriateError, match=r"^t\.csv:3: unknown split 'left'; it is one of train, val and test$"):
        chosen(**{column: NOT_WORDS})


@pytest.mark.parametrize("column", ["partition", "usage", "phase", "part", "dataset", "datasplit", "splitname"])
def test_columns_that_may_say_it_are_believed_where_all_their_cells_do(column):
    assert chosen(**{column: WORDS}) == (["train", "val", "test"], ())
    unused = f"column '{column.title()}' not used: 'left', 'test', 'train' do not say train, val or test, nor yes or no"
    assert chosen(**{column: NOT_WORDS}) == (None, (unused,))


@pytest.mark.parametrize("column", ["fold", "folds", "kfold", "cvfold", "foldid"])
def test_columns_of_folds_say_it_where_some_of_their_cells_do(column):
    assert chosen(**{column: WORDS}) == (["train", "val", "test"], ())
    note = f"column '{column.title()}' ignored: its 2 values are folds, no division into train and val"
    assert chosen(**{column: ["a", "b", ""]}) == (None, (note,))
    with pytest.raises(StriateError, match=r"^t\.csv:2: unknown split 'a'"):
        chosen(**{column: ["a", "train"]})


YES, NO = "true True T 1 1.0 yes Y", "false FALSE f 0 0.0 No n"


@pytest.mark.parametrize(
    ("column", "yes", "no"),
    [
        *(("istrain", "train", "test"), ("istraining", "train", "test"), ("isvalid", "val", "train")),
        *(("isval", "val", "train"), ("isvalidation", "val", "train"), ("istest", "test", "train")),
        *(("train", "train", "test"), ("training", "train", "test"), ("valid", "val", "train")),
        *(("val", "val", "train"), ("validation", "val", "train"), ("test", "test", "train")),
    ],
)
def test_columns_of_yes_and_no_say_it_in_every_spelling(column, yes, no):
    cells = YES.split() + NO.split()
    for name in (column, f"{column[:2]}_{column[2:]}", f"{column[:2]}-{column[2:]}"):
        assert chosen(**{name: [f" {cell}" for cell in cells]}) == ([yes] * 7 + [no] * 7, ())
    if column.startswith("is"):
        with pytest.raises(StriateError, match=rf"^t\.csv:4: {column.title()} is 'maybe'; it is True or False$"):
            chosen(**{column: ["1", "0", "maybe"]})
    else:
        note = f"column '{column.title()}' not used: '0', '1', 'maybe' do not say train, val or test, nor yes or no"
        assert chosen(**{column: ["1", "0", "maybe"]}) == (None, (note,))


@pytest.mark.parametrize(
    ("columns", "splits"),
    [
        ({"istrain": ["1", "0", "0"], "isvalid": ["0", "1", "0"]}, ["train", "val", "test"]),
        ({"istrain": ["1", "0", "0"], "istest": ["0", "1", "0"]}, ["train", "test", "val"]),
        ({"isvalid": ["1", "0", "0"], "istest": ["0", "1", "0"]}, ["val", "test", "train"]),
        ({"isvalid": ["1", "0"], "valid": ["0", "1"]}, ["val", "train"]),
    ],
)
def test_rows_of_no_flag_belong_to_the_split_that_has_none(columns, splits):
    found, notes = chosen(**columns)
    assert found == splits
    unused = ("column 'Valid' not used: the split is said by 'Isvalid'",)
    assert notes == (unused if "valid" in columns else ())


def test_a_row_in_all_splits_is_refused_with_its_line():
    with pytest.raises(StriateError) as caught:
        chosen(istrain=["1", "1"], isvalid=["0", "1"], istest=["0", "1"])
    assert str(caught.value) == "t.csv:3: the row is in train and in val and in test; it can be in one split only"


@pytest.mark.parametrize(
    ("columns", "used"),
    [
        ({"usage": WORDS, "subset": WORDS, "set": WORDS, "split": WORDS}, "Split"),
        ({"usage": WORDS, "subset": WORDS, "set": WORDS}, "Set"),
        ({"fold": WORDS, "subset": WORDS}, "Subset"),
        ({"usage": WORDS, "fold": WORDS}, "Fold"),
        ({"phase": WORDS, "usage": WORDS}, "Usage"),
        ({"isvalid": ["1", "0", "0"], "phase": WORDS}, "Phase"),
    ],
)
def test_the_first_of_the_columns_that_say_it_is_believed(columns, used):
    found, notes = chosen(**columns)
    assert found == ["train", "val", "test"]
    others = {f"column '{name.title()}' not used: the split is said by '{used}'" for name in columns}
    assert set(notes) == {note for note in others if not note.startswith(f"column '{used}'")}


def test_what_says_no_split_is_shown_by_its_first_values():
    found, (note,) = chosen(part=["d", "b", "a", "c", "a"])
    assert found is None
    assert note == "column 'Part' not used: 'a', 'b', 'c', … do not say train, val or test, nor yes or no"
    assert chosen(colour=["red"]) == (None, ())
    both = chosen(istest=["1", "0"], istrain=["0", "1"], part=["x", "y"])
    assert both[1] == ("column 'Part' not used: the split is said by 'Istest' and 'Istrain'",)
