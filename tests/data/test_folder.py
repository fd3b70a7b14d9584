import os
import shutil
import unicodedata

import pytest

from striate.data import FileImages, open_dataset
from striate.data.folder import list_folder
from striate.errors import StriateError


def test_folders_are_classes_in_the_order_of_their_names(make_folder):
    folder = make_folder({"dog": 3, "cat": 2})
    (folder / "cat" / "deeper").mkdir()
    shutil.copy(folder / "cat" / "000.png", folder / "cat" / "deeper" / "x.png")
    listing = list_folder(folder)
    assert listing.classes == ("cat", "dog")
    part = listing.parts["train"]
    names = [os.path.relpath(path, folder) for path in part.items]
    assert names == [
        "cat/000.png",
        "cat/001.png",
        "cat/deeper/x.png",
        "dog/000.png",
        "dog/001.png",
        "dog/002.png",
    ]
    assert part.labels.tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("val", ["val", "valid", "validation", "Val"])
def test_folders_for_the_splits_are_used(make_folder, val):
    for split, count in (("train", 5), (val, 2), ("test", 3)):
        make_folder({"cat": count, "dog": count + 1}, name=f"pets/{split}")
    dataset = open_dataset(make_folder({}, name="pets"))
    assert [len(split) for split in dataset.splits] == [11, 5, 7]
    assert dataset.val.images.name(0).endswith(f"pets/{val}/cat/000.png")
    assert any("as the source divides them" in note for note in dataset.notes)


def test_validation_is_cut_when_only_train_and_test_are_given(make_folder):
    make_folder({"cat": 20, "dog": 10}, name="pets/train")
    make_folder({"cat": 2, "dog": 2}, name="pets/test")
    dataset = open_dataset(make_folder({}, name="pets"))
    assert [len(split) for split in dataset.splits] == [27, 3, 4]
    assert dataset.val.labels.tolist() == [0, 0, 1]


def test_class_called_train_is_a_class(make_folder):
    assert list_folder(make_folder({"bus": 1, "train": 2})).classes == ("bus", "train")


def test_class_without_training_images_is_refused_by_name(make_folder):
    make_folder({"cat": 2, "dog": 2}, name="pets/train")
    make_folder({"cat": 2, "dgo": 3}, name="pets/val")
    with pytest.raises(StriateError, match=r"class 'dgo' has no training images, only images in val \(3\).*'dog'\?"):
        open_dataset(make_folder({}, name="pets"))


def test_an_empty_class_of_the_training_part_is_refused_where_it_lies(make_folder):
    make_folder({"cat": 2, "dog": 2, "fox": 0}, name="pets/train")
    make_folder({"cat": 2, "dog": 2}, name="pets/test")
    with pytest.raises(StriateError, match=r"class 'fox' has no images: .*pets/train/fox .*add some or remove"):
        open_dataset(make_folder({}, name="pets"))


def test_splits_may_lack_classes_and_a_note_says_so(make_folder):
    make_folder({"cat": 3, "dog": 3, "fox": 3}, name="pets/train")
    make_folder({"cat": 1, "fox": 2}, name="pets/val")
    make_folder({"fox": 2}, name="pets/test")
    dataset = open_dataset(make_folder({}, name="pets"))
    assert dataset.classes == ("cat", "dog", "fox")
    assert [split.counts(3).tolist() for split in dataset.splits] == [[3, 3, 3], [1, 0, 2], [0, 0, 2]]
    assert {"val has no images of 'dog'", "test has no images of 'cat', 'dog'"} <= set(dataset.notes)


def test_test_folder_without_classes_is_left_out_with_a_note(make_folder, tmp_path):
    root = make_folder({"cat": 2, "dog": 2}, name="pets/train").parent
    (root / "test").mkdir()
    shutil.copy(root / "train/cat/000.png", root / "test/1.png")
    dataset = open_dataset(root)
    assert dataset.test is None
    assert any("has no class folders" in note for note in dataset.notes)


def test_what_is_no_image_is_passed_over_with_a_note(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    for name in (".DS_Store", "._000.png", "Thumbs.db", "notes.txt", "README"):
        (folder / "cat" / name).write_text("text")
    (folder / "__MACOSX").mkdir()
    (folder / ".git").mkdir()
    shutil.copy(folder / "cat/000.png", folder / "stray.png")
    listing = list_folder(folder)
    assert listing.classes == ("cat", "dog")
    assert len(listing.parts["train"].items) == 4
    first = folder / "cat" / "README"
    assert listing.notes == (
        f"2 files left out (1 without extension, 1 .txt; the first: {first}): not images by their names",
        f"1 image directly in {folder} ignored: in no class folder",
    )


def test_image_without_an_extension_is_found_by_its_content(make_folder):
    folder = make_folder({"cat": 1, "dog": 1})
    (folder / "cat" / "000.png").rename(folder / "cat" / "picture")
    assert len(list_folder(folder).parts["train"].items) == 2


def test_links_in_circles_do_not_hang(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    (folder / "cat" / "up").symlink_to(folder)
    (folder / "cat" / "self").symlink_to(folder / "cat")
    (folder / "dog" / "knot").symlink_to(folder / "dog" / "knot")
    (folder / "dog" / "gone.png").symlink_to(folder / "nowhere.png")
    dataset = open_dataset(folder, val_fraction=0)
    assert len(dataset.train) == 4
    assert [entry.reason for entry in dataset.skipped] == ["no such file"]


def test_linked_class_folders_are_followed(make_folder):
    elsewhere = make_folder({"cat": 2}, name="store")
    folder = make_folder({"dog": 2})
    (folder / "cat").symlink_to(elsewhere / "cat")
    assert list_folder(folder).parts["train"].labels.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({}, "holds no images"),
        ({"cat": 2}, "one class only, 'cat'"),
        ({"cat": 2, "dog": 0}, "class 'dog' has no images"),
    ],
)
def test_folders_that_teach_nothing_are_refused(make_folder, tmp_path, counts, message):
    (tmp_path / "photos").mkdir()
    with pytest.raises(StriateError, match=message) as caught:
        open_dataset(make_folder(counts))
    assert "\n" not in str(caught.value)


def test_images_without_class_folders_are_refused_with_the_mend(make_folder):
    with pytest.raises(StriateError, match="one folder per class"):
        open_dataset(make_folder({"cat": 2}) / "cat")


def test_table_among_the_images_is_pointed_out(make_folder):
    folder = make_folder({"images": 2})
    (folder / "labels.csv").touch()
    with pytest.raises(StriateError, match=r"one class only, 'images'.*give the table .*photos/labels.csv"):
        open_dataset(folder)
    (folder / "images" / "metadata.csv").touch()
    with pytest.raises(StriateError, match=r"directly in .*give the table .*images/metadata.csv"):
        open_dataset(folder / "images")


def test_folder_one_too_high_is_pointed_out(make_folder):
    folder = make_folder({"cat": 2, "dog": 2}, name="outer/photos")
    with pytest.raises(StriateError, match=r"is it .*outer/photos that you mean"):
        open_dataset(folder.parent)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_forbidden_files_are_skipped(make_folder):
    folder = make_folder({"cat": 3, "dog": 2})
    (folder / "cat" / "000.png").chmod(0)
    assert [entry.reason for entry in open_dataset(folder).skipped] == ["permission denied"]


def test_names_that_are_no_utf8_can_be_written_to_reports(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    shutil.copy(folder / "cat/000.png", os.fsencode(folder / "cat") + b"/caf\xe9.png")
    (folder / "dog" / "broken.png").write_bytes(b"x" * 100)
    dataset = open_dataset(folder, val_fraction=0)
    assert len(dataset.train) == 5
    for row in range(5):
        dataset.train.images.name(row).encode("utf-8")
        assert dataset.train.images.read(row).shape == (12, 10, 3)


def test_files_that_are_not_kept_are_read_at_their_own_sizes(make_folder):
    folder = make_folder({"cat": 3})
    make_folder({"dog": 3}, size=(9, 30))
    dataset = open_dataset(folder, val_fraction=0, memory_limit=0)
    assert isinstance(dataset.train.images, FileImages)
    assert dataset.train.images.read(0).shape == (12, 10, 3)
    assert dataset.train.images.read(5).shape == (9, 30, 3)
    assert dataset.train.images.name(5) == str(folder / "dog" / "002.png")


def test_spellings_of_one_name_are_one_class_across_splits_and_within_one(make_folder):
    composed, decomposed = "café", unicodedata.normalize("NFD", "café")
    make_folder({composed: 2, "tea": 2}, name="drinks/train")
    make_folder({decomposed: 3, "tea": 1}, name="drinks/val")
    dataset = open_dataset(make_folder({}, name="drinks"))
    assert dataset.classes == (composed, "tea")
    assert [split.counts(2).tolist() for split in dataset.splits] == [[2, 2], [3, 1]]
    mixed = open_dataset(make_folder({composed: 2, decomposed: 2, "tea": 1}, name="mixed"), val_fraction=0)
    assert mixed.classes == (composed, "tea")
    assert mixed.train.counts(2).tolist() == [4, 1]
    assert any("two spellings of 'café': each is one class" in note for note in mixed.notes)


def test_names_that_are_no_utf8_and_look_the_same_are_not_merged(make_folder):
    folder = make_folder({"cat": 1})
    for name in (b"caf\xe9", b"caf\xe8"):
        shutil.copytree(folder / "cat", folder / os.fsdecode(name))
    with pytest.raises(StriateError, match="whose names are no UTF-8"):
        open_dataset(folder)


def test_class_of_files_that_are_not_read_says_so_with_the_mend(make_folder):
    folder = make_folder({"rose": 2, "tulip": 0})
    for number in range(3):
        (folder / "tulip" / f"{number}.JXL").write_bytes(b"jxl")
    with pytest.raises(
        StriateError, match=r"class 'tulip' has no images: .*3 files \(3 .jxl: not read; convert them to JPEG"
    ):
        open_dataset(folder)
    (folder / "rose" / "more.jxl").write_bytes(b"jxl")
    with pytest.raises(StriateError, match=r"tulip holds only 3 files \(3 .jxl: not read; convert them to JPEG"):
        open_dataset(folder)
    (folder / "rose" / "more.jxl").unlink()
    shutil.copy(folder / "rose/000.png", folder / "tulip/x.png")
    (note,) = [note for note in open_dataset(folder).notes if "jxl" in note]
    assert note.startswith(
        f"3 files left out (3 .jxl; the first: {folder / 'tulip' / '0.JXL'}): not read; convert them"
    )
    for path in folder.rglob("*.png"):
        path.unlink()
    with pytest.raises(StriateError, match="class 'rose' has no images"):
        open_dataset(folder)
    shutil.rmtree(folder / "rose")
    (folder / "tulip" / "0.JXL").rename(folder / "0.JXL")
    shutil.rmtree(folder / "tulip")
    with pytest.raises(StriateError, match=r"holds no images, only 1 file \(1 .jxl"):
        open_dataset(folder)


def test_what_systems_leave_beside_the_classes_is_no_class(make_folder):
    folder = make_folder({"rose": 2, "tulip": 2, "@eaDir": 1, "$RECYCLE.BIN": 1, "lost+found": 0, ".Trash-1000": 1})
    make_folder({"@eaDir/000.png": 1}, name="photos/rose")
    dataset = open_dataset(folder, val_fraction=0)
    assert dataset.classes == ("rose", "tulip")
    assert len(dataset.train) == 4


def test_flowers_are_counted_as_their_readme_says(shared_data, tmp_path):
    import tarfile

    with tarfile.open(shared_data / "flowers.tar") as tar:
        names = [name for name in tar.getnames() if "/val/" in name and name.endswith(".jpg")]
        wanted = {name for name in names if "daisy" in name or "roses" in name}
        tar.extractall(tmp_path, [tar.getmember(name) for name in wanted], filter="data")
    dataset = open_dataset(tmp_path / "flowers" / "val", val_fraction=0.1)
    total = dataset.train.counts(2) + dataset.val.counts(2)
    assert dict(zip(dataset.classes, total.tolist(), strict=True)) == {"daisy": 127, "roses": 128}
    assert dataset.channels == 3
    assert not dataset.skipped


def test_images_beside_the_parts_and_forms_that_are_not_read_are_told_of(make_folder):
    for part in ("train/images", "test"):
        make_folder({"cat": 2, "dog": 2}, name=f"pets/{part}")
    root = make_folder({}, name="pets")
    picture = root / "test" / "cat" / "000.png"
    for folder in (root, root / "train", root / "train" / "images", root / "test"):
        shutil.copy(picture, folder / "stray.png")
        (folder / "photo.jxl").write_bytes(b"jxl")
        (folder / "README.md").touch()
    notes = list_folder(root).notes
    assert [note for note in notes if "directly in" in note] == [
        f"1 image directly in {folder} ignored: in no class folder"
        for folder in (root, root / "train", root / "train" / "images", root / "test")
    ]
    (left_out,) = (note for note in notes if "left out" in note)
    assert left_out.startswith("4 files left out (4 .jxl; the first: ")
    assert not any("folders beside" in note for note in notes)


def test_two_classes_may_link_to_one_folder(make_folder):
    folder = make_folder({"cat": 2, "dog": 1})
    (folder / "puss").symlink_to(folder / "cat")
    listing = list_folder(folder)
    assert listing.parts["train"].labels.tolist() == [0, 0, 1, 2, 2]


def test_a_name_with_a_space_behind_it_is_the_same_class(make_folder):
    make_folder({"cat": 2, "dog": 1}, name="pets/train")
    make_folder({"cat ": 1}, name="pets/val")
    dataset = open_dataset(make_folder({}, name="pets"))
    assert [split.counts(2).tolist() for split in dataset.splits] == [[2, 1], [1, 0]]


def test_images_beside_empty_folders_only_are_refused_as_lying_directly_there(make_folder):
    folder = make_folder({"cat": 2, "empty": 0, "photo.jpg": 0})
    for path in (folder / "cat").iterdir():
        path.rename(folder / path.name)
    with pytest.raises(StriateError, match=r"the images lie directly in .*photos; put them into one folder per class"):
        open_dataset(folder)


def test_two_parts_may_link_to_one_folder(make_folder):
    store = make_folder({"cat": 2, "dog": 2}, name="store")
    for part in ("train", "val"):
        (store.parent / "pets" / part).mkdir(parents=True)
        for klass in ("cat", "dog"):
            (store.parent / "pets" / part / klass).symlink_to(store / klass)
    assert [len(part.labels) for part in list_folder(store.parent / "pets").parts.values()] == [4, 4]


def told(folder) -> str:
    with pytest.raises(StriateError) as caught:
        open_dataset(folder)
    return str(caught.value)


def test_what_a_folder_lacks_is_told_in_one_line_whatever_its_name(make_folder, tmp_path):
    shown = f"{tmp_path}/two\ufffdlines"
    root = make_folder({"cat": 1, "do\ng": 0}, name="two\nlines")
    assert told(root) == (
        f"class 'do\ufffdg' has no images: {shown}/do\ufffdg holds no image files; add some or remove the folder"
    )
    (root / "do\ng" / "x.txt").touch()
    assert told(root) == (
        f"class 'do\ufffdg' has no images: {shown}/do\ufffdg holds only 1 file (1 .txt: not images by their names); "
        "add some or remove the folder"
    )
    shutil.rmtree(root / "do\ng")
    assert told(root) == f"{shown} holds one class only, 'cat'; a classifier needs two at least"
    (root / "t\n.csv").touch()
    table = f", or give the table that names their classes ({shown}/t\ufffd.csv)"
    assert told(root) == f"{shown} holds one class only, 'cat'; a classifier needs two at least{table}"
    (root / "cat" / "000.png").rename(root / "1.png")
    directly = f"the images lie directly in {shown}; put them into one folder per class ({shown}/cat, {shown}/dog)"
    assert told(root) == directly + table
    shutil.rmtree(root / "cat")
    assert told(root) == directly + table
    (root / "1.png").unlink()
    (root / "t\n.csv").unlink()
    assert told(root) == f"{shown} holds no images; it should hold one folder of images per class"
    (root / "x.jxl").touch()
    assert told(root) == (
        f"{shown} holds no images, only 1 file (1 .jxl: not read; convert them to JPEG or PNG); it should hold one "
        "folder of images per class"
    )


def test_a_single_folder_of_folders_is_what_was_meant(make_folder, tmp_path):
    make_folder({"cat": 1, "dog": 1}, name="outer/in\nner")
    assert told(tmp_path / "outer").endswith(
        f"holds one class only, 'in\ufffdner'; a classifier needs two at least (is it {tmp_path}/outer/in\ufffdner "
        "that you mean?)"
    )
    make_folder({"cat": 1}, name="alone/inner")
    assert told(tmp_path / "alone").endswith("a classifier needs two at least")


def test_a_class_that_cannot_be_listed_says_why(make_folder, locked):
    folder = make_folder({"cat": 1, "locked": 1})
    assert told(folder) == (
        f"class 'locked' has no images: {folder}/locked cannot be listed: permission denied; add some or remove the "
        "folder"
    )


def test_what_parts_lack_is_told_and_left_out(make_folder, tmp_path):
    root = make_folder({"cat": 2, "dog": 2}, name="two\nlines/train").parent
    shown = f"{tmp_path}/two\ufffdlines"
    make_folder({"cat": 0, "dog": 0}, name="two\nlines/val")
    (root / "te\nst" / "x.png").parent.mkdir()
    (root / "test").mkdir()
    (root / "extra\n").mkdir()
    listing = list_folder(root)
    assert list(listing.parts) == ["train"]
    assert listing.divided
    assert listing.notes == (
        f"{shown}/val holds no images and was left out",
        f"{shown}/test has no class folders and was left out",
        "folders beside the splits were ignored: extra\ufffd, te\ufffdst",
    )
    shutil.rmtree(root / "train")
    for name in ("val", "te\nst", "extra\n"):
        shutil.rmtree(root / name)
    (root / "dev").mkdir()
    (root / "dev" / "cat").mkdir()
    assert told(root) == (
        f"{shown} holds the parts dev and test without class folders of images in them; put the images into one folder "
        f"per class ({shown}/train/cat)"
    )


def test_a_part_to_learn_from_must_have_images_in_every_class_and_others_need_not(make_folder):
    root = make_folder({"cat": 1, "dog": 1}, name="pets/train").parent
    make_folder({"cat": 1, "dog": 0}, name="pets/test")
    listing = list_folder(root)
    assert listing.classes == ("cat", "dog")
    assert listing.parts["test"].labels.tolist() == [0]
    (root / "train" / "cat" / "000.png").unlink()
    assert told(root).startswith(f"class 'cat' has no images: {root}/train/cat holds no image files")


def test_pictures_beside_the_classes_are_counted_whatever_the_names(make_folder, tmp_path):
    folder = make_folder({"cat": 1, "dog": 1}, name="two\nlines")
    for number in range(2):
        shutil.copy(folder / "cat" / "000.png", folder / f"{number}.png")
    (folder / "3.jxl").touch()
    (folder / "4.txt").touch()
    assert list_folder(folder).notes == (
        f"1 file left out (1 .jxl; the first: {tmp_path}/two\ufffdlines/3.jxl): not read; convert them to JPEG or PNG",
        f"2 images directly in {tmp_path}/two\ufffdlines ignored: in no class folder",
    )


def test_two_spellings_are_told_with_the_folder(make_folder, tmp_path):
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    folder = make_folder({composed: 1, decomposed: 1, "tea ": 1, "tea": 1, "x": 1}, name="two\nlines")
    shown = f"{tmp_path}/two\ufffdlines"
    assert list_folder(folder).notes == (f"{shown} holds two spellings of 'caf\u00e9', 'tea': each is one class",)
    for name in (b"caf\xe9", b"caf\xe8"):
        shutil.copytree(folder / "x", folder / os.fsdecode(name))
    assert told(folder) == f"{shown} holds two folders 'caf\ufffd' whose names are no UTF-8; rename them"
