"""The rows of one Parquet file, whatever its columns are called and of whatever types they are."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from striate.data import Skipped
from striate.data.parquet_rows import ParquetRows, read_rows
from striate.errors import StriateError


def write(path, columns: dict[str, object], features: object = None):
    table = pa.table(columns)
    if features is not None:
        content = features if isinstance(features, str) else json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": content})
    pq.write_table(table, path)
    return path


def read(tmp_path, features: object = None, **columns) -> ParquetRows:
    return read_rows(write(tmp_path / "a.parquet", columns, features), "shown.parquet")


def said(rows: ParquetRows) -> list[str]:
    """The class of every usable row."""
    return [rows.names[code] for code in rows.codes]


@pytest.mark.parametrize(
    ("columns", "image", "label"),
    [
        (["picture", "img", "image", "labels", "label"], 2, ["label", "labels"]),
        (["picture", "img", "labels"], 1, ["labels"]),
        (["PICTURE", "fine_label", "coarse_label"], 0, ["fine_label"]),
        (["image", "category", "Class", "target", "class_name"], 0, ["Class", "category", "target", "class_name"]),
        (["image", "category", "class_name", "target"], 0, ["target", "category", "class_name"]),
        (["image", "category", "CLASS_NAME"], 0, ["CLASS_NAME", "category"]),
        (["image", "category"], 0, ["category"]),
        (["Image", "fine_label", "labels", "Label"], 0, ["Label", "fine_label", "labels"]),
    ],
)
def test_columns_are_found_by_their_names_the_likeliest_first(tmp_path, columns, image, label):
    pictures = ("picture", "img", "image")
    given = {
        name: [f"{number}".encode()] if name.lower() in pictures else [f"class {number}"]
        for number, name in enumerate(columns)
    }
    rows = read(tmp_path, **given)
    assert rows.encoded == [f"{image}".encode()]
    assert said(rows) == [f"class {columns.index(label[0])}"]
    assert rows.label_columns == tuple(label)


def test_columns_that_are_missing_are_named_with_those_that_are_there(tmp_path):
    for columns, message in (
        ({"photo": [b""], "label": [0]}, "image column: call it image or img; its columns are: photo, label"),
        ({"image": [b""], "y": [0]}, "label column: call it label or labels; its columns are: image, y"),
    ):
        with pytest.raises(StriateError) as caught:
            read(tmp_path, **columns)
        assert str(caught.value) == f"{tmp_path}/a.parquet has no {message}"


def test_rows_are_counted_named_and_left_out_with_their_reasons(tmp_path):
    (tmp_path / "beside.jpg").write_bytes(b"from a file")
    images = [
        {"bytes": b"zero", "path": "gone.jpg"},
        {"bytes": None, "path": "beside.jpg"},
        {"bytes": None, "path": "gone.jpg"},
        {"bytes": None, "path": None},
        {"bytes": None, "path": ""},
        {"bytes": b"five", "path": None},
        {"bytes": None, "path": "gone.jpg"},
        None,
    ]
    rows = read(tmp_path, image=images, label=[2, 0, 1, 1, 1, -1, None, 0])
    assert (rows.where, rows.name, rows.kind, rows.declared) == (
        f"{tmp_path}/a.parquet",
        "shown.parquet",
        "numbers",
        (),
    )
    assert (rows.rows, rows.hidden) == (8, 2)
    assert rows.encoded == [b"zero", b"from a file"]
    assert rows.row_names == ["shown.parquet[0]", "shown.parquet[1]"]
    assert rows.skipped == [
        Skipped("shown.parquet[2]", "gone.jpg: no such file"),
        Skipped("shown.parquet[3]", "the row has no image"),
        Skipped("shown.parquet[4]", "the row has no image"),
        Skipped("shown.parquet[5]", "label -1, which stands for no label"),
        Skipped("shown.parquet[6]", "the row has no label"),
        Skipped("shown.parquet[7]", "the row has no image"),
    ]
    assert (rows.names, rows.codes.tolist(), rows.codes.dtype) == (("0", "2"), [1, 0], np.int64)
    assert rows.used() == {"0", "2"}


@pytest.mark.parametrize(
    "images",
    [
        pa.array([b"a", None, b"b"], pa.binary()),
        pa.array([b"a", None, b"b"], pa.large_binary()),
        pa.array([{"bytes": b"a"}, {"bytes": None}, {"bytes": b"b"}]),
        pa.array([{"more": 1, "bytes": b"a"}, {"more": 2, "bytes": None}, None]),
    ],
)
def test_images_are_bytes_alone_or_beside_other_things(tmp_path, images):
    rows = read(tmp_path, image=images, label=["x", "y", "z"])
    whole = [b"a"] if images[2].as_py() is None else [b"a", b"b"]
    assert rows.encoded == whole
    assert [entry.reason for entry in rows.skipped] == ["the row has no image"] * (3 - len(whole))


@pytest.mark.parametrize(
    ("images", "kind"),
    [
        (["a.png"], "string"),
        ([{"path": "a.png"}], "struct<path: string>"),
        ([[1, 2]], "list<element: int64>"),
    ],
)
def test_images_of_another_type_are_refused_with_it(tmp_path, images, kind):
    with pytest.raises(StriateError) as caught:
        read(tmp_path, img=images, label=[0])
    assert str(caught.value) == (
        f"{tmp_path}/a.parquet: column 'img' is {kind}; images are struct<bytes, path> or binary"
    )


def _categories(values: list[object]) -> pa.Array:
    return pa.array(values).dictionary_encode()


@pytest.mark.parametrize(
    ("labels", "kind", "classes"),
    [
        (pa.array([3, None, -1, 10], pa.int8()), "numbers", ["3", "10"]),
        (pa.array([3, None, 4, 10], pa.uint64()), "numbers", ["3", "4", "10"]),
        (pa.array([3.0, None, float("nan"), -1.0]), "numbers", ["3"]),
        (pa.array([2.0, 4.0, 2.0, 0.0], pa.float32()), "numbers", ["2", "4", "2", "0"]),
        (pa.array([True, None, False, True]), "strings", ["True", "False", "True"]),
        (pa.array(["b", None, "", " a\t"]), "strings", ["b", "a"]),
        (pa.array(["b", None, "-1", "e\u0301"], pa.large_string()), "strings", ["b", "-1", "\u00e9"]),
        (pa.array([None, None, None, None]), "numbers", []),
        (_categories(["b", None, "a", "b"]), "strings", ["b", "a", "b"]),
        (_categories([7, None, -1, 5]), "numbers", ["7", "5"]),
    ],
)
def test_labels_are_whole_numbers_or_words_or_missing(tmp_path, labels, kind, classes):
    rows = read(tmp_path, image=[b"0", b"1", b"2", b"3"], label=labels)
    assert (rows.kind, said(rows), rows.rows) == (kind, classes, 4)
    assert rows.hidden == 4 - len(classes)
    whole = [row for row in range(4) if f"shown.parquet[{row}]" not in {entry.path for entry in rows.skipped}]
    assert rows.encoded == [b"%d" % row for row in whole]


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (pa.array([0.0, 0.5]), "double"),
        (pa.array([b"a", b"b"]), "binary"),
        (pa.array([[0], [1]]), "list<element: int64>"),
    ],
)
def test_labels_of_another_type_are_refused_with_it(tmp_path, labels, kind):
    with pytest.raises(StriateError) as caught:
        read(tmp_path, image=[b"", b""], target=labels)
    assert str(caught.value) == f"{tmp_path}/a.parquet: column 'target' is {kind}; labels are whole numbers or strings"


def test_numbers_below_minus_one_are_refused_with_their_row(tmp_path):
    with pytest.raises(StriateError) as caught:
        read(tmp_path, image=[b"", b"", b""], label=[-1, 0, -2])
    assert str(caught.value) == (
        f"{tmp_path}/a.parquet[2]: label -2 is negative; labels are numbers from 0 or 1, or names"
    )


def named(names: object) -> dict[str, object]:
    return {"label": {"names": names, "_type": "ClassLabel"}, "image": {"names": ["wrong"]}}


@pytest.mark.parametrize(
    ("features", "declared"),
    [
        (named(["cat", " dog\t", "e\u0301"]), ("cat", "dog", "\u00e9")),
        (named({"1": "dog", "0": "cat", "2": "eel"}), ("cat", "dog", "eel")),
        (named([7, 8, 9]), ("7", "8", "9")),
        (named({"0": "cat", "2": "eel"}), ()),  # a number without a name
        (named("cat dog eel"), ()),
        (named([]), ()),
        ({"image": {"names": ["cat"]}}, ()),
        ({"label": {"dtype": "int64"}}, ()),
        ({"label": None}, ()),
        ("no JSON", ()),
        ("[]", ()),
        (None, ()),
    ],
)
def test_names_of_the_numbers_stand_in_the_metadata_of_the_label(tmp_path, features, declared):
    rows = read(tmp_path, features, image=[b"0", b"1", b"2"], label=[2, 0, 2])
    assert rows.declared == declared
    assert rows.kind == ("named" if declared else "numbers")
    numbers = [2, 0, 2]
    assert said(rows) == [declared[number] if declared else str(number) for number in numbers]
    assert rows.names == (declared or ("0", "2"))
    assert rows.used() == {(declared or ("0", "1", "2"))[number] for number in numbers}


def test_words_need_no_names(tmp_path):
    rows = read(tmp_path, named(["cat", "dog"]), image=[b"", b""], label=["eel", "cat"])
    assert (rows.kind, rows.declared, said(rows)) == ("strings", (), ["eel", "cat"])


def test_labels_are_found_in_any_order_of_classes(tmp_path):
    rows = read(tmp_path, image=[b"0", b"1", b"2"], label=["dog", "ant", "dog"])
    assert rows.labels_in(["eel", "dog", "ant"]).tolist() == [1, 2, 1]
    assert rows.labels_in(["ant"]).tolist() == [-1, 0, -1]
    none = read(tmp_path, image=[b"0"], label=pa.array([None], pa.string()))
    assert (none.labels_in(["ant"]).tolist(), none.labels_in(["ant"]).dtype) == ([], np.int64)
    assert none.used() == set()


def test_numbers_take_the_names_of_another_file(tmp_path):
    rows = read(tmp_path, image=[b"0", b"1", b"2"], label=[10, 2, -1])
    with pytest.raises(StriateError) as caught:
        rows.take_names(tuple("abcdefghij"), "other.parquet")
    known = "the 10 class names of other.parquet (0 to 9)"
    assert str(caught.value) == f"{tmp_path}/a.parquet[0]: label 10 is outside {known}"
    rows.take_names(tuple("abcdefghijk"), "other.parquet")
    assert (said(rows), rows.used()) == (["k", "c"], {"c", "k"})
    assert rows.labels_in(["c", "k"]).tolist() == [1, 0]
    none = read(tmp_path, image=[b"0"], label=[-1])
    none.take_names(("a",))
    assert (none.names, none.codes.tolist()) == (("a",), [])


def test_a_number_outside_the_files_own_names_is_told_with_its_row(tmp_path):
    with pytest.raises(StriateError) as caught:
        read(tmp_path, named(["cat", "dog"]), image=[b"", b"", b"", b""], label=[-1, 1, 2, 3])
    assert str(caught.value) == f"{tmp_path}/a.parquet[2]: label 2 is outside the 2 class names (0 to 1)"


def test_files_that_are_none_or_must_not_be_read_are_one_line(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    for content in (b"", b"PAR1 no PAR1", b"x" * 500):
        path.write_bytes(content)
        with pytest.raises(StriateError) as caught:
            read_rows(path, "a")
        message = str(caught.value)
        assert message.startswith(f"{path} is not a Parquet file, or it is damaged (")
        assert message.endswith(")")
        assert not message.endswith(".)")
        assert "\n" not in message
        assert isinstance(caught.value.__cause__, (pa.ArrowException, OSError))
    sound = write(path, {"image": [b""], "label": [0]})
    whole = sound.read_bytes()
    for place in range(4, 60, 4):  # in the pages of the images and the labels
        sound.write_bytes(whole[:place] + b"\xff" * 4 + whole[place + 4 :])
        with pytest.raises(StriateError, match=f"^{path} is not a Parquet file, or it is damaged \\([^\n]+\\)$"):
            read_rows(sound, "a")
    sound.write_bytes(whole)

    def denied(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pq, "ParquetFile", denied)
    with pytest.raises(StriateError) as caught:
        read_rows(sound, "a")
    assert str(caught.value) == f"{path} cannot be read: permission denied"
