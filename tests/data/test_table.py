import unicodedata

import pytest

from striate.data import open_dataset
from striate.data.table import list_csv
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


def test_backslashes_are_slashes_unless_a_file_has_them_in_its_name(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    (folder / "cat\\001.png").write_bytes((folder / "dog/001.png").read_bytes())
    (folder / "labels.csv").write_text("path,label\ncat\\000.png,cat\ncat\\001.png,dog\n.\\dog\\000.png,dog\n")
    dataset = open_dataset(folder / "labels.csv", val_fraction=0)
    assert [dataset.train.images.name(row) for row in range(3)] == [
        str(folder / "cat/000.png"),
        str(folder / "cat\\001.png"),
        str(folder / "dog/000.png"),
    ]
    assert "2 paths with backslashes read with slashes" in dataset.notes


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("first", ["", "sep={delimiter}\n"])
def test_what_spreadsheets_write_is_read(make_folder, encoding, delimiter, first):
    folder = make_folder({"café": 1, "thé": 1})
    lines = [("Image Path", "Label"), ('"café/000.png"', "café"), ("", ""), ("thé/000.png", "thé")]
    text = first.format(delimiter=delimiter) + "\r\n".join(map(delimiter.join, lines)) + "\r\n"
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    content = mark + text.encode(encoding)
    (folder / "labels.csv").write_bytes(content)
    dataset = open_dataset(folder / "labels.csv", val_fraction=0)
    assert dataset.classes == ("café", "thé")
    assert len(dataset.train) == 2
    (skipped,) = dataset.skipped
    assert skipped.path.endswith(f"labels.csv:{4 if first else 3}")


def test_rows_with_too_many_cells_are_skipped_and_empty_ones_at_the_end_are_not(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    (folder / "labels.csv").write_text("path,label\ncat/000.png,cat,,\ndog/000.png,dog\nold, dog/001.png,dog\n")
    dataset = open_dataset(folder / "labels.csv", val_fraction=0)
    assert len(dataset.train) == 2
    assert [(entry.path[-5:], entry.reason) for entry in dataset.skipped] == [
        ("csv:4", "the row has more cells than the first line")
    ]


def test_rows_that_say_the_same_again_count_once(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    rows = ["cat/000.png,cat", "dog/000.png,dog", "cat/000.png,cat", "cat\\000.png,cat", "cat/000.png,dog"]
    (folder / "labels.csv").write_text("\n".join(["path,label", *rows]))
    dataset = open_dataset(folder / "labels.csv", val_fraction=0)
    assert dataset.train.labels.tolist() == [0, 1, 1]  # the contradiction stays, to be reported by the check
    assert "2 rows left out: the same path and label as a row before" in dataset.notes


def test_spellings_of_accents_are_one_class_and_one_path(make_folder):
    folder = make_folder({"café": 2, "dog": 1})
    decomposed = unicodedata.normalize("NFD", "café")
    assert decomposed != "café"
    (folder / "labels.csv").write_text(
        f"path,label\ncafé/000.png,café\n{decomposed}/001.png,{decomposed}\ndog/000.png,dog\n", encoding="utf-8"
    )
    dataset = open_dataset(folder / "labels.csv", val_fraction=0)
    assert dataset.classes == ("café", "dog")
    assert dataset.train.labels.tolist() == [0, 0, 1]


def test_splits_may_lack_classes(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    rows = ["cat/000.png,cat,train", "dog/000.png,dog,train", "dog/001.png,dog,val"]
    (folder / "labels.csv").write_text("\n".join(["path,label,split", *rows]))
    dataset = open_dataset(folder / "labels.csv")
    assert dataset.val.labels.tolist() == [1]
    assert "val has no images of 'cat'" in dataset.notes
    (folder / "labels.csv").write_text("\n".join(["path,label,split", *rows, "cat/001.png,fox,val"]))
    with pytest.raises(StriateError, match=r"class 'fox' has no training images, only images in val \(1\)"):
        open_dataset(folder / "labels.csv")


def test_columns_and_cells_that_are_ambiguous_are_refused_or_told(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    table = folder / "labels.csv"
    table.write_text("path,label,Label\ncat/000.png,cat,x\ndog/000.png,dog,x\n")
    with pytest.raises(StriateError, match=r"labels.csv has two columns 'Label'; rename one"):
        open_dataset(table)
    table.write_text("filepaths,class_name,label,,\ncat/000.png,0,cat,,\ndog/000.png,1,dog,,\n")
    dataset = open_dataset(table, val_fraction=0)
    assert dataset.classes == ("cat", "dog")
    assert "column 'class_name' not used: 'label' says the classes" in dataset.notes
    for row in ('cat/001.png,"cat\ndog/000.png,dog"', '"cat/001.png\ndog/000.png",dog'):
        table.write_text(f"path,label\ncat/000.png,cat\n{row}\ndog/001.png,dog\n")
        with pytest.raises(StriateError, match=r"labels.csv:4: the row goes over several lines; is a quotation mark"):
            open_dataset(table)


def test_classes_that_are_much_alike_are_told_of(make_folder):
    folder = make_folder({"cat": 2, "Cat": 2})
    assert "much alike, yet classes of their own: 'Cat' and 'cat'" in open_dataset(folder, val_fraction=0).notes


def test_the_order_of_the_rows_is_no_part_of_the_fingerprint(make_folder):
    folder = make_folder({"cat": 3, "dog": 3})
    rows = [f"{klass}/{number:03d}.png,{klass}" for klass in ("cat", "dog") for number in range(3)]
    prints = set()
    for order in (rows, rows[::-1], rows[1::2] + rows[::2]):
        (folder / "labels.csv").write_text("\n".join(["path,label", *order]))
        prints.add(open_dataset(folder / "labels.csv", val_fraction=0).fingerprint)
    assert len(prints) == 1


def test_short_rows_have_no_label_and_no_path(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    (folder / "labels.csv").write_text("path,label\ncat/000.png,cat\ncat/001.png\ndog/000.png,dog\n")
    dataset = open_dataset(folder / "labels.csv", val_fraction=0)
    assert dataset.classes == ("cat", "dog")
    assert [(entry.path[-5:], entry.reason) for entry in dataset.skipped] == [("csv:3", "the row has no label")]


def test_the_parts_names_are_part_of_the_fingerprint(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    prints = set()
    for part in ("val", "test"):
        rows = [f"{klass}/00{n}.png,{klass},{('train', part)[n]}" for klass in ("cat", "dog") for n in (0, 1)]
        (folder / "labels.csv").write_text("\n".join(["path,label,split", *rows]))
        prints.add(open_dataset(folder / "labels.csv", val_fraction=0).fingerprint)
    assert len(prints) == 2


PATHS = (
    "path file filename file_name filepath file_path image image_path image_name img img_path paths files filenames "
    "filepaths file_paths images image_paths"
)
CLASSES = "label class target class_name category labels"


def test_columns_are_known_by_many_names_the_likeliest_first(tmp_path):
    (tmp_path / "a.png").touch()
    paths, classes = PATHS.split(), CLASSES.split()
    for place, name in enumerate(paths):
        others = paths[place + 1 :]
        for spelt in (name, name.upper().replace("_", " "), f" {name.title()} "):
            header = ",".join([*reversed(others), spelt, "label"])
            (tmp_path / "t.csv").write_text(f"{header}\n{'b.png,' * len(others)}a.png,cat\n")
            (part,) = list_csv(tmp_path / "t.csv").parts.values()
            assert part.names == [f"{tmp_path}/a.png"], name
    for place, name in enumerate(classes):
        others = classes[place + 1 :]
        (tmp_path / "t.csv").write_text(f"path,{','.join([*reversed(others), name])}\na.png,{'x,' * len(others)}cat\n")
        listing = list_csv(tmp_path / "t.csv")
        assert listing.classes == ("cat",), name
        listed = ", ".join(f"'{other}'" for other in others)
        assert listing.notes == ((f"column {listed} not used: '{name}' says the classes",) if others else ())


def test_a_table_is_listed_whole(tmp_path):
    for name in ("a.png", "b.png", "c.png"):
        (tmp_path / name).touch()
    (tmp_path / "t.csv").write_text(
        "path,label,split\n"
        " c.png , 10 ,test\n"
        "a.png,9,train\n"
        "a.png,10,train\n"
        "b.png,9,train\n"
        "a.png,9,train\n"
        "gone.png,9,train\n"
        ",9,train\n"
        "b.png,,train\n"
        "b.png,9,train,more\n"
        "c.png,10,test\n"
    )
    listing = list_csv(tmp_path / "t.csv")
    assert listing.classes == ("9", "10")
    assert listing.divided
    assert {name: part.items for name, part in listing.parts.items()} == {
        "test": [tmp_path / "c.png"],
        "train": [tmp_path / name for name in ("a.png", "a.png", "b.png", "gone.png")],
    }
    assert listing.parts["train"].labels.tolist() == [0, 1, 0, 0]
    assert listing.parts["train"].names == [f"{tmp_path}/{name}" for name in ("a.png", "a.png", "b.png", "gone.png")]
    assert listing.notes == ("2 rows left out: the same path and label as a row before",)
    assert [(entry.path, entry.reason) for entry in listing.skipped] == [
        (f"{tmp_path}/t.csv:10", "the row has more cells than the first line"),
        (f"{tmp_path}/t.csv:8", "the row has no path"),
        (f"{tmp_path}/t.csv:9", "the row has no label"),
    ]
    (tmp_path / "t.csv").write_text("path,label\na.png,x\nb.png,y\nb.png,y\n.\\c.png,y\n")
    plain = list_csv(tmp_path / "t.csv")
    assert (plain.divided, list(plain.parts)) == (False, ["train"])
    assert plain.notes == (
        "1 path with backslashes read with slashes",
        "1 row left out: the same path and label as a row before",
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            "photo,label\n",
            "t.csv has no column of image paths: call it path or file or filename; its columns are: photo",
        ),
        (
            "path,kind,,x\n",
            "has no column of class names: call it label or class or target or name it by target; its columns "
            "are: path, kind, x",
        ),
        ("", "has no column of image paths: call it path or file or filename; its columns are: none"),
        ("path,label,My Label,my_label\n", "t.csv has two columns 'my_label'; rename one"),
        ("path,label\n,\n", "t.csv has no rows with a path and a label"),
        ("path,label\nb.png,x\nc.png,y\n", "nor any other of the 2 rows; paths are taken from"),
        ('path,label\n"a.png', "t.csv:3: the row goes over several lines"),
        ("path,label\na.png," + "x" * 140_000, "t.csv is not a CSV file: field larger than field limit"),
    ],
)
def test_what_is_wrong_with_a_table_is_one_line(tmp_path, content, words):
    (tmp_path / "t.csv").write_text(content)
    if '"' in content:
        (tmp_path / "t.csv").write_text(content + '\nb.png",x\n')
    with pytest.raises(StriateError) as caught:
        list_csv(tmp_path / "t.csv")
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{tmp_path}/t.csv")


def test_a_table_that_cannot_be_read_is_one_line(tmp_path):
    (tmp_path / "t.csv").mkdir()
    with pytest.raises(StriateError) as caught:
        list_csv(tmp_path / "t.csv")
    assert str(caught.value) == f"{tmp_path}/t.csv cannot be read: Is a directory"
    with pytest.raises(StriateError, match=r"gone.csv cannot be read: No such file"):
        list_csv(tmp_path / "gone.csv")


@pytest.mark.parametrize("first", ["sep=;", "SEP=;", '"sep=;"', " sep=, "])
def test_excels_own_line_is_passed_over_and_counted(tmp_path, first):
    (tmp_path / "a.png").touch()
    (tmp_path / "t.csv").write_text(f"{first}\npath;label;a,b\na.png;x;\n;x;\n")
    listing = list_csv(tmp_path / "t.csv")
    assert listing.parts["train"].names == [f"{tmp_path}/a.png"]
    assert listing.skipped[0].path == f"{tmp_path}/t.csv:4"


@pytest.mark.parametrize("there", ["caf\u00e9\\a.png", "caf\u00e9/a.png", "cafe\u0301/a.png"])
def test_a_path_is_found_as_it_is_written_else_with_slashes_else_in_another_spelling(tmp_path, there):
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).touch()
    for written in ("caf\u00e9\\a.png", "cafe\u0301\\a.png"):
        if "\\" in there and written != there:
            continue
        (tmp_path / "t.csv").write_text(f"path,label\n{written},x\n", encoding="utf-8")
        listing = list_csv(tmp_path / "t.csv")
        assert listing.parts["train"].items == [tmp_path / there]
        assert len(listing.notes) == ("\\" not in there)
