import pytest

from striate.data import open_dataset
from striate.errors import StriateError


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("header", [("path", "label"), ("Filename", "Class"), ("image", "target"), ("file", "label")])
def test_rows_are_images_and_classes(make_folder, header, delimiter):
    folder = make_folder({"cat": 3, "dog": 2})
    rows = [(f"{klass}/{n:03d}.png", klass) for klass, count in (("dog", 2), ("cat", 3)) for n in range(count)]
    table = folder / "labels.csv"
    table.write_text("\n".join(delimiter.join(row) for row in [header, *rows]), encoding="utf-8-sig")
    dataset = open_dataset(table, val_fraction=0)
    assert dataset.classes == ("cat", "dog")
    assert [dataset.train.images.name(row) for row in range(5)] == [str(folder / path) for path, _ in rows]
    assert dataset.train.labels.tolist() == [1, 1, 0, 0, 0]


def test_split_column_divides_the_rows(make_folder):
    folder = make_folder({"cat": 3, "dog": 3})
    lines = [
        f"{klass}/{n:03d}.png,{klass},{split}"
        for klass in ("cat", "dog")
        for n, split in enumerate(("train", "valid", "TEST"))
    ]
    (folder / "labels.csv").write_text("path,label,split\n" + "\n".join(lines))
    dataset = open_dataset(folder / "labels.csv")
    assert [(split.name, split.labels.tolist()) for split in dataset.splits] == [
        ("train", [0, 1]),
        ("val", [0, 1]),
        ("test", [0, 1]),
    ]
    (folder / "labels.csv").write_text("path,label,split\ncat/000.png,cat,holdout\n")
    with pytest.raises(StriateError, match=r"labels.csv:2: unknown split 'holdout'"):
        open_dataset(folder / "labels.csv")


def test_missing_files_and_empty_cells_are_skipped(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    (folder / "labels.csv").write_text(
        "path,label\ncat/000.png,cat\ncat/gone.png,cat\ndog/000.png,dog\ndog/001.png,\n,dog\n"
    )
    dataset = open_dataset(folder / "labels.csv", val_fraction=0)
    assert len(dataset.train) == 2
    reasons = {entry.path.split("/")[-1]: entry.reason for entry in dataset.skipped}
    assert reasons == {
        "gone.png": "no such file",
        "labels.csv:5": "the row has no label",
        "labels.csv:6": "the row has no path",
    }


def test_numbers_as_classes_are_in_numeric_order(make_folder):
    folder = make_folder({"10": 1, "9": 1})
    (folder / "labels.csv").write_text("path,label\n10/000.png,10\n9/000.png,9\n")
    assert open_dataset(folder / "labels.csv", val_fraction=0).classes == ("9", "10")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"name,label\na.png,cat\n",
            "no column of image paths: call it path or file or filename; its columns are: name, label",
        ),
        (b"path,kind\na.png,cat\n", "no column of class names"),
        (b"", "its columns are: none"),
        (b"path,label\n", "no rows"),
        (b"path,label\n\xff\xfe.png,cat\n", "UTF-8"),
        (b"path,label\na.png,cat\nb.png,dog\n", r"no such file as .*a.png, nor any other of the 2 rows; paths are"),
        (b"path,label\n.,cat\n", "one class only, 'cat'"),
        (b"path,label\na\0.png,cat\n", "zero bytes"),
    ],
)
def test_tables_that_cannot_be_used_say_why(tmp_path, content, message):
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(StriateError, match=message):
        open_dataset(tmp_path / "labels.csv")
