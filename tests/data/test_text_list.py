import pytest

from striate.data import open_dataset
from striate.data.asked import Asked
from striate.data.text_list import lines_of, list_text, split_lists
from striate.errors import StriateError, UsageError


def relabelled(dataset) -> dict[str, str]:
    """The classes of the images by their names, over all splits."""
    return {
        split.images.name(row): dataset.classes[label]
        for split in dataset.splits
        for row, label in enumerate(split.labels)
    }


def told(source, **options) -> str:
    with pytest.raises(StriateError) as caught:
        open_dataset(source, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_last_field_of_a_line_is_the_label():
    text = "# a list\na b.jpg 0\n\n c.jpg\t1 \nd e.jpg\tbig cat\nf.jpg\n  # no\n\tg\n"
    assert lines_of(text) == [
        (2, "a b.jpg", "0"),
        (4, "c.jpg", "1"),
        (5, "d e.jpg", "big cat"),
        (6, "f.jpg", ""),
        (8, "g", ""),
    ]


def test_a_list_of_paths_and_numbers_as_caffe_writes_it(make_folder):
    folder = make_folder({"cat": 2, "big dog": 3})
    lines = [f"cat/{row:03d}.png 0" for row in range(2)] + [f"big dog/{row:03d}.png 1" for row in range(3)]
    (folder / "list.txt").write_text("\n".join(lines))
    dataset = open_dataset(folder / "list.txt", val_fraction=0)
    assert (dataset.classes, dataset.train.labels.tolist(), dataset.divided) == (("0", "1"), [0, 0, 1, 1, 1], False)
    assert dataset.train.images.name(2) == str(folder / "big dog" / "000.png")


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        ("cat\ndog\nfox\n", (0, 1, 2)),
        ("cat\ndog\nfox\n", (1, 2, 3)),
        ("0 cat\n1 dog\n2 fox\n", (0, 1, 2)),
        ("1: cat\n2: dog\n3: fox\n", (0, 1, 2)),
    ],
)
@pytest.mark.parametrize("file", ["classes.txt", "labels.txt", "synsets.txt"])
def test_numbers_have_the_names_of_the_file_beside(make_folder, names, numbers, file):
    folder = make_folder({"cat": 2, "dog": 2, "fox": 2})
    (folder / file).write_text(names)
    pairs = zip(("cat", "dog", "fox"), numbers, strict=True)
    lines = [f"{name}/{row:03d}.png {number}\n" for name, number in pairs for row in (0, 1)]
    (folder / "all.txt").write_text("".join(lines))
    dataset = open_dataset(folder / "all.txt")
    assert dataset.classes == ("cat", "dog", "fox")
    assert all(f"/{klass}/" in name for name, klass in relabelled(dataset).items())
    first = ", of which the first is number 1" * (numbers[0] == 1)
    assert f"names of classes: {folder / file}{first}" in dataset.notes


def test_names_without_images_are_told_and_numbers_without_names_refused(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    (folder / "classes.txt").write_text("fox\ncat\ndog\nowl\n")
    (folder / "a.txt").write_text("cat/000.png 1\ndog/000.png 2\n")
    dataset = open_dataset(folder / "a.txt", val_fraction=0)
    assert dataset.classes == ("cat", "dog")
    assert "no images of 2 of the named classes: 'fox', 'owl'" in dataset.notes
    (folder / "a.txt").write_text("cat/000.png 0\ndog/000.png 4\n")
    assert told(folder / "a.txt") == (
        f"{folder / 'classes.txt'} has 4 names, so that labels are 0 to 3; there is a label 4"
    )


def test_lists_for_the_splits_divide_a_folder(make_folder):
    folder = make_folder({"cat": 6, "dog": 6})
    for split, rows in (("train", range(3)), ("val", (3, 4)), ("test", (5,))):
        lines = [f"{name}/{row:03d}.png {name}" for name in ("cat", "dog") for row in rows]
        (folder / f"{split}.txt").write_text("\n".join(lines))
    (folder / "readme.txt").write_text("nothing of this kind")
    dataset = open_dataset(folder)
    assert [(split.name, len(split)) for split in dataset.splits] == [("train", 6), ("val", 4), ("test", 2)]
    assert dataset.divided
    assert all(f"/{klass}/" in name for name, klass in relabelled(dataset).items())


@pytest.mark.parametrize(
    ("images", "lists"), [(".", "."), ("train", "."), ("images", "."), ("images", "lists"), (".", "lists")]
)
def test_paths_are_taken_from_where_they_lead_to_files(make_folder, tmp_path, images, lists):
    make_folder({"cat": 2, "dog": 2}, name=f"set/{images}")
    root = tmp_path / "set"
    file = root / lists / "train.txt"
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(f"{name}/{row:03d}.png {name}\n" for name in ("cat", "dog") for row in (0, 1)))
    dataset = open_dataset(file, val_fraction=0)
    assert len(dataset.train) == 4
    base = root / images if images != "." else root
    assert (f"{file}: paths are taken from {base}" in dataset.notes) == (base != file.parent)


def test_a_text_that_names_no_image_does_not_hide_the_folders(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    (folder / "train.txt").write_text("trained on monday 5\n")
    assert split_lists(folder) == {}
    assert open_dataset(folder, val_fraction=0).classes == ("cat", "dog")


def test_files_that_are_not_there_are_counted_and_the_first_named(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    lines = ["cat/000.png cat", "cat/gone.png cat", "dog/000.png dog", "dog/away.png dog"]
    (folder / "a.txt").write_text("\n".join(lines))
    dataset = open_dataset(folder / "a.txt", val_fraction=0)
    first = f"{folder}/a.txt:2: {folder}/cat/gone.png"
    assert f"2 files of the list not there (first: {first})" in dataset.notes
    assert [(entry.path, entry.reason) for entry in dataset.skipped] == [
        (f"{folder}/cat/gone.png", "no such file"),
        (f"{folder}/dog/away.png", "no such file"),
    ]
    (folder / "a.txt").write_text("x/1.png 0\nx/2.png 1\n")
    assert told(folder / "a.txt") == (
        f"{folder}/a.txt: no such file as {folder}/x/1.png, nor any other of the 2 lines; paths are taken from {folder}"
    )


def test_lines_without_a_label_and_lines_that_come_again(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    (folder / "cat" / "my cat.png").write_bytes((folder / "cat" / "000.png").read_bytes())
    (folder / "a.txt").write_text("cat/000.png a\ncat/my cat.png\ncat/000.png a\ndog/000.png b\ncat/001.png\n")
    dataset = open_dataset(folder / "a.txt", val_fraction=0)
    assert len(dataset.train) == 2
    assert [entry.path.rpartition(":")[2] for entry in dataset.skipped] == ["2", "5"]
    assert {entry.reason for entry in dataset.skipped} == {"the line has no label"}
    assert "1 line left out: the same path and label as a line before" in dataset.notes


def test_labels_with_commas_are_several(make_folder):
    folder = make_folder({"x": 4})
    (folder / "classes.txt").write_text("sea\nsky\nsun\n")
    (folder / "a.txt").write_text("x/000.png 0,1\nx/001.png 1\nx/002.png 2,0\nx/003.png 1,2\n")
    dataset = open_dataset(folder / "a.txt", val_fraction=0)
    assert (dataset.task, dataset.classes) == ("multi-label", ("sea", "sky", "sun"))
    assert dataset.train.labels.tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 1], [0, 1, 1]]
    assert "several labels for each image, ',' between" in dataset.notes
    one = open_dataset(folder / "a.txt", val_fraction=0, task="single-label")
    assert one.classes == ("0,1", "1", "1,2", "2,0")


def test_labels_may_be_values_where_the_task_says_so(make_folder):
    folder = make_folder({"x": 3})
    (folder / "a.txt").write_text("x/000.png 0.5\nx/001.png 2\nx/002.png -1e2\n")
    dataset = open_dataset(folder / "a.txt", val_fraction=0, task="regression")
    assert dataset.train.labels.tolist() == [[0.5], [2.0], [-100.0]]
    assert any("task regression" in note for note in open_dataset(folder / "a.txt", val_fraction=0).notes)
    with pytest.raises(UsageError, match="has no columns"):
        open_dataset(folder / "a.txt", target="label")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no lines of a path and a label"),
        (b"# nothing\n", "holds no lines of a path and a label"),
        (b"a.png\nb.png\n", "has no lines of a path and a label (the first: "),
        (b"\xff\xff\x00 1\n", "is not a text in UTF-8"),
        (b"a\0b 1\n", "is not a text in UTF-8"),
    ],
)
def test_what_is_no_list_is_one_line(tmp_path, content, message):
    (tmp_path / "a.txt").write_bytes(content)
    assert told(tmp_path / "a.txt").startswith(f"{tmp_path}/a.txt {message}")


def test_a_split_without_labels_is_left_out(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    (folder / "train.txt").write_text("cat/000.png 0\ndog/000.png 1\n")
    (folder / "test.txt").write_text("cat/001.png\ndog/001.png\n")
    listing = list_text(split_lists(folder), Asked(), divided=True)
    assert list(listing.parts) == ["train"]
    assert f"{folder}/test.txt names no labels and was left out" in listing.notes


def test_two_lists_of_one_split_are_asked_about(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    for name in ("val", "valid"):
        (folder / f"{name}.txt").write_text("cat/000.png 0\ndog/000.png 1\n")
    assert told(folder) == f"{folder} holds two lists of val images, val.txt and valid.txt; keep one of them"


def test_numbers_of_one_name_are_one_label(make_folder):
    folder = make_folder({"x": 3})
    (folder / "classes.txt").write_text("sea\nsky\nsea\nsun\n")
    (folder / "a.txt").write_text("x/000.png 2,3\nx/001.png 1\nx/002.png 0,1\n")
    several = open_dataset(folder / "a.txt", val_fraction=0)
    assert several.classes == ("sea", "sky", "sun")
    assert several.train.labels.tolist() == [[1, 0, 1], [0, 1, 0], [1, 1, 0]]
    (folder / "a.txt").write_text("x/000.png 2\nx/001.png 1\nx/002.png 3\n")
    (folder / "b.txt").write_text("x/000.png 2\nx/001.png 1\nx/002.png 0\n")
    assert open_dataset(folder / "a.txt", val_fraction=0).train.labels.tolist() == [0, 1, 2]
    assert open_dataset(folder / "b.txt", val_fraction=0).train.labels.tolist() == [0, 1, 0]
