import csv
import random
import shutil

import numpy as np
import pytest
from PIL import Image

import striate
from striate.data import ArrayImages, EncodedImages, FileImages, open_dataset
from striate.errors import StriateError, UsageError


def pixels_by_name(dataset):
    return {
        split.images.name(row): (split.name, int(split.labels[row]), split.images.read(row).tobytes())
        for split in dataset.splits
        for row in range(len(split))
    }


def test_small_images_of_one_size_live_in_memory(make_folder):
    folder = make_folder({"cat": 40, "dog": 30})
    dataset = striate.open_dataset(str(folder))
    assert isinstance(dataset.train.images, ArrayImages)
    assert dataset.train.images.array.shape == (63, 12, 10, 3)
    for name, (_, label, pixels) in pixels_by_name(dataset).items():
        assert np.asarray(Image.open(name)).tobytes() == pixels
        assert dataset.classes[label] in name


def test_large_sets_stay_in_their_files_with_the_same_pixels(make_folder):
    folder = make_folder({"cat": 4, "dog": 4})
    in_memory = open_dataset(folder)
    in_files = open_dataset(folder, memory_limit=7 * 12 * 10 * 3)
    assert isinstance(in_files.train.images, FileImages)
    assert pixels_by_name(in_files) == pixels_by_name(in_memory)
    assert in_files.fingerprint == in_memory.fingerprint


def test_bad_files_are_listed_and_left_out_and_never_deleted(make_folder, tmp_path):
    folder = make_folder({"cat": 20, "dog": 20})
    whole = (folder / "cat/000.png").read_bytes()
    bad = {"cat/empty.jpg": b"", "cat/short.png": whole[:120], "dog/text.jpg": b"hello " * 30}
    for name, content in bad.items():
        (folder / name).write_bytes(content)
    dataset = open_dataset(folder)
    assert len(dataset.train) + len(dataset.val) == 40
    assert {entry.path: entry.reason for entry in dataset.skipped} == {
        str(folder / "cat/empty.jpg"): "empty file",
        str(folder / "cat/short.png"): "truncated",
        str(folder / "dog/text.jpg"): "not an image",
    }
    assert all((folder / name).read_bytes() == content for name, content in bad.items())
    assert isinstance(dataset.train.images, ArrayImages)
    for name, (_, _, pixels) in pixels_by_name(dataset).items():
        assert np.asarray(Image.open(name)).tobytes() == pixels

    written = dataset.write_skipped(tmp_path / "run" / "skipped.csv")
    with written.open(newline="") as stream:
        assert [(row["path"], row["reason"]) for row in csv.DictReader(stream)] == [
            (entry.path, entry.reason) for entry in dataset.skipped
        ]
    assert [path.name for path in written.parent.iterdir()] == ["skipped.csv"]


def test_a_list_of_nothing_skipped_takes_the_place_of_an_older_one(make_folder, tmp_path):
    (tmp_path / "skipped.csv").write_text("path,reason\ncat/0.png,damaged then and mended since\n")
    written = open_dataset(make_folder({"cat": 2, "dog": 2})).write_skipped(tmp_path / "skipped.csv")
    assert written.read_text() == "path,reason\n"


def test_a_list_of_skipped_files_below_a_file_is_one_line(make_folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StriateError, match=r"skipped\.csv: cannot be written"):
        open_dataset(make_folder({"cat": 2, "dog": 2})).write_skipped(tmp_path / "file" / "skipped.csv")


def test_class_without_a_readable_image_is_an_error_with_the_first_reason(make_folder):
    folder = make_folder({"cat": 3, "dog": 2})
    for path in (folder / "dog").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StriateError, match=r"class 'dog' has no readable image; the first: .*dog/000.png: truncated"):
        open_dataset(folder)


def test_channels_are_one_only_when_every_image_is_grey(make_folder):
    folder = make_folder({"cat": 40, "dog": 3}, mode="L")
    grey = open_dataset(folder, val_fraction=0)
    assert (grey.channels, grey.train.images.read(0).shape) == (1, (12, 10, 1))
    assert open_dataset(folder, channels=3).train.images.read(0).shape == (12, 10, 3)
    make_folder({"zebra": 2})  # in colour
    mixed = open_dataset(folder, val_fraction=0)
    assert mixed.channels == 3
    assert isinstance(mixed.train.images, ArrayImages)
    assert np.array_equal(mixed.train.images.read(41), np.repeat(grey.train.images.read(41), 3, axis=2))
    colour = np.asarray(Image.open(folder / "zebra/001.png"))
    assert np.array_equal(mixed.train.images.read(44), colour)
    as_grey = open_dataset(folder, channels=1, val_fraction=0)
    luma = colour @ [0.299, 0.587, 0.114]
    assert np.abs(as_grey.train.images.read(44)[..., 0] - luma).max() <= 1


def test_colour_first_and_grey_later_share_three_channels(make_folder):
    folder = make_folder({"a": 3})
    make_folder({"b": 3}, mode="L")
    dataset = open_dataset(folder, val_fraction=0)
    assert isinstance(dataset.train.images, ArrayImages)
    assert np.array_equal(dataset.train.images.read(5)[..., 1], np.asarray(Image.open(folder / "b/002.png")))


def test_spectral_arrays_keep_their_channels(tmp_path):
    for label, klass in enumerate(("corn", "wheat")):
        (tmp_path / klass).mkdir()
        for index in range(4):
            field = np.random.default_rng([label, index]).integers(0, 256, (6, 6, 11), dtype=np.uint8)
            np.save(tmp_path / klass / f"{index}.npy", field)
    dataset = open_dataset(tmp_path, val_fraction=0.25)
    assert dataset.channels == 11
    assert np.array_equal(dataset.train.images.read(0), np.load(dataset.train.images.name(0)))
    Image.new("RGB", (6, 6)).save(tmp_path / "corn" / "photo.png")
    for channels in (None, 11):
        eleven = open_dataset(tmp_path, channels=channels)
        assert [entry.reason for entry in eleven.skipped] == ["the image has 3 channels, 11 are wanted"]


def test_same_seed_same_split_and_another_seed_another(make_folder):
    folder = make_folder({"cat": 50, "dog": 30})
    first, again, other = (open_dataset(folder, seed=seed) for seed in (3, 3, 4))
    assert pixels_by_name(first) == pixels_by_name(again)
    assert first.fingerprint == again.fingerprint
    assert pixels_by_name(first) != pixels_by_name(other)
    assert first.val.counts(2).tolist() == other.val.counts(2).tolist() == [5, 3]


def test_fingerprint_ignores_place_and_order_of_files_but_not_content(make_folder, tmp_path):
    folder = make_folder({"cat": 12, "dog": 12})
    files = list(folder.rglob("*.png"))
    random.Random(0).shuffle(files)
    for path in files:  # made in another order, elsewhere
        target = tmp_path / "copy" / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    original, copy = open_dataset(folder), open_dataset(tmp_path / "copy")
    assert original.fingerprint == copy.fingerprint
    assert len(original.fingerprint) == 64
    (tmp_path / "copy/cat/000.png").write_bytes((folder / "dog/001.png").read_bytes())
    assert open_dataset(tmp_path / "copy").fingerprint != original.fingerprint
    (folder / "cat").rename(folder / "kitten")
    assert open_dataset(folder).fingerprint != original.fingerprint


def test_fingerprint_tells_which_image_has_which_label_and_lies_in_which_split(make_folder):
    root = make_folder({"cat": 2, "dog": 2}, name="pets/train").parent
    make_folder({"cat": 1, "dog": 1}, name="pets/val", size=(9, 9))

    def exchanged(one, other):
        paths = root / one, root / other
        contents = [path.read_bytes() for path in paths]
        for path, content in zip(paths, reversed(contents), strict=True):
            path.write_bytes(content)
        return open_dataset(root).fingerprint

    original = open_dataset(root).fingerprint
    assert exchanged("train/cat/000.png", "train/dog/000.png") != original  # the same images, other labels
    assert exchanged("train/cat/000.png", "train/dog/000.png") == original
    assert exchanged("train/cat/000.png", "val/cat/000.png") != original  # the same labels, other splits


def test_notes_tell_what_matters(make_folder):
    folder = make_folder({"cat": 60, "dog": 6})
    image = Image.new("RGB", (10, 12), (1, 2, 3))
    image.save(folder / "cat" / "really_png.jpg", "PNG")
    image.save(folder / "cat" / "moving.gif", save_all=True, append_images=[Image.new("RGB", (10, 12))])
    exif = Image.Exif()
    exif[0x0112] = 3
    image.save(folder / "cat" / "turned.jpg", exif=exif)
    notes = open_dataset(folder, seed=5).notes
    assert any(note.startswith("1 image with the extension of another format") for note in notes)
    assert any(note.startswith("1 image animated") for note in notes)
    assert any(note.startswith("1 image turned upright") for note in notes)
    assert any("unbalanced: 'cat' has 57 training images, 'dog' 5" in note for note in notes)
    assert any("fewer than 10 training images: 'dog' (5)" in note for note in notes)
    assert "images: 62 train, 7 val (val cut from train by class with seed 5)" in notes


def test_both_missing_splits_can_be_cut(make_folder):
    dataset = open_dataset(make_folder({"cat": 50, "dog": 50}), val_fraction=0.2, test_fraction=0.3)
    assert [len(split) for split in dataset.splits] == [50, 20, 30]
    assert [split.name for split in dataset.splits] == ["train", "val", "test"]
    assert len(pixels_by_name(dataset)) == 100


def test_no_validation_when_none_is_asked_or_none_can_be(make_folder):
    assert open_dataset(make_folder({"cat": 5, "dog": 5}), val_fraction=0).val is None
    alone = open_dataset(make_folder({"a": 1, "b": 1}, name="alone"))
    assert alone.val is None
    assert any("too few" in note for note in alone.notes)


def test_classes_of_a_model_order_the_labels(make_folder):
    folder = make_folder({"cat": 2, "dog": 3})
    dataset = open_dataset(folder, val_fraction=0, classes=("zebra", "dog", "cat"))
    assert dataset.classes == ("zebra", "dog", "cat")
    assert dataset.train.labels.tolist() == [2, 2, 1, 1, 1]
    with pytest.raises(StriateError, match="does not know: 'cat'"):
        open_dataset(folder, classes=("dog", "zebra"))


@pytest.mark.parametrize(
    "settings",
    [
        {"val_fraction": 1.0},
        {"val_fraction": -0.1},
        {"val_fraction": 0.5, "test_fraction": 0.5},
        {"channels": 0},
    ],
)
def test_impossible_settings_are_wrong_usage(make_folder, settings):
    with pytest.raises(UsageError):
        open_dataset(make_folder({"cat": 2, "dog": 2}), **settings)


def test_missing_paths_offer_the_nearest(make_folder):
    folder = make_folder({"cat": 2, "dog": 2})
    with pytest.raises(StriateError, match="Did you mean 'photos'"):
        open_dataset(folder.parent / "fotos")
    with pytest.raises(StriateError, match="Did you mean 'mnist'"):
        open_dataset("minst")
    with pytest.raises(StriateError, match="the path exists as far as"):
        open_dataset(folder / "nowhere" / "at" / "all")


def test_files_of_no_known_kind_are_refused(tmp_path):
    for name, message in (
        ("photos.zip", "damaged zip file, or cut short"),
        ("photos.docx", "no folder, archive, CSV, text list, Parquet or IDX"),
    ):
        (tmp_path / name).write_bytes(b"PK")
        with pytest.raises(StriateError, match=message):
            open_dataset(tmp_path / name)


def test_name_wins_over_a_folder_unless_it_is_written_as_a_path(make_folder, monkeypatch):
    folder = make_folder({"cat": 2, "dog": 2}, name="digits")
    monkeypatch.chdir(folder.parent)
    assert len(open_dataset("digits").classes) == 10
    assert open_dataset("./digits").classes == ("cat", "dog")
    assert open_dataset(folder.relative_to(folder.parent)).classes == ("cat", "dog")


def test_cifar_jpegs_open_with_their_labels(shared_data):
    import pyarrow.parquet as pq

    dataset = open_dataset(shared_data / "cifar10_jpeg" / "test.parquet", val_fraction=0)
    assert dataset.classes[:3] == ("airplane", "automobile", "bird")
    assert dataset.train.counts(10).tolist() == [1000] * 10
    assert dataset.train.images.array.shape == (10_000, 32, 32, 3)
    assert dataset.train.images.name(17) == "test.parquet[17]"
    paths = pq.read_table(shared_data / "cifar10_jpeg/test.parquet")["image"].to_pylist()
    assert [dataset.classes[label] for label in dataset.train.labels[:50]] == [
        row["path"].split("/")[0] for row in paths[:50]
    ]


def test_photographs_in_parquet_are_decoded_when_read(shared_data):
    path = shared_data / "imagenet_sample.parquet"
    dataset = open_dataset(path, memory_limit=path.stat().st_size)
    assert isinstance(dataset.train.images, EncodedImages)
    assert len(dataset.classes) == 1000
    assert dataset.train.images.read(999).shape[2] == 3


def test_the_test_images_are_cut_first_and_by_the_same_share_whatever_the_other(make_folder):
    folder = make_folder({"cat": 20, "dog": 20})
    tests = [
        sorted(pixels for pixels in open_dataset(folder, val_fraction=share, test_fraction=0.2).test.facts.contents)
        for share in (0, 0.1, 0.4)
    ]
    assert tests[0] == tests[1] == tests[2]
    assert len(tests[0]) == 8
    cut = open_dataset(folder, val_fraction=0.4, test_fraction=0.2)
    assert [split.counts(2).tolist() for split in cut.splits] == [[8, 8], [8, 8], [4, 4]]


def test_sizes_and_twins_of_all_parts_are_surveyed(make_folder):
    for part, size in (("train", (4, 4)), ("val", (5, 5)), ("test", (6, 6))):
        make_folder({"cat": 1, "dog": 1}, name=f"pets/{part}", size=size)
    survey = open_dataset(make_folder({}, name="pets")).survey
    assert (survey.sizes.smallest, survey.sizes.largest, survey.sizes.images) == ((4, 4), (6, 6), 6)


def test_what_was_skipped_is_written_wherever_it_is_asked_for(make_folder, tmp_path):
    folder = make_folder({"cat": 2, "dog": 2})
    (folder / "cat" / "bad.png").write_bytes(b"?")
    written = open_dataset(folder, val_fraction=0).write_skipped(tmp_path / "a" / "b" / "skipped.csv")
    assert written.read_text().splitlines() == ["path,reason", f"{folder}/cat/bad.png,not an image"]


def test_an_empty_name_is_not_the_folder_one_is_in(make_folder, monkeypatch):
    monkeypatch.chdir(make_folder({"cat": 2, "dog": 2}))
    assert open_dataset(".").classes == ("cat", "dog")
    with pytest.raises(UsageError, match="name of the images is empty"):
        open_dataset("")


def told(source, **options) -> str:
    with pytest.raises(StriateError) as caught:
        open_dataset(source, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"val_fraction": 1}, "val_fraction is a share from 0 to below 1, not 1"),
        ({"test_fraction": 1.5}, "test_fraction is a share from 0 to below 1, not 1.5"),
        ({"test_fraction": -0.1}, "test_fraction is a share from 0 to below 1, not -0.1"),
        ({"val_fraction": float("nan")}, "val_fraction is a share from 0 to below 1, not nan"),
        ({"val_fraction": 0.6, "test_fraction": 0.4}, "val_fraction 0.6 and test_fraction 0.4 leave none to train on"),
        ({"channels": 0}, "channels is 1, 3, 4 or the number of bands, not 0"),
        ({"channels": -3}, "channels is 1, 3, 4 or the number of bands, not -3"),
    ],
)
def test_what_settings_cannot_be_is_told(make_folder, settings, words):
    folder = make_folder({"cat": 2, "dog": 2})
    with pytest.raises(UsageError) as caught:
        open_dataset(folder, **settings)
    assert str(caught.value) == words


def test_a_tenth_is_for_validation_and_none_for_tests_where_nothing_is_said(make_folder):
    dataset = open_dataset(make_folder({"cat": 30, "dog": 20}))
    assert [(split.name, len(split)) for split in dataset.splits] == [("train", 45), ("val", 5)]
    assert dataset.notes[-1] == "images: 45 train, 5 val (val cut from train by class with seed 0)"
    assert (dataset.channels, dataset.divided, dataset.skipped) == (3, False, ())


def test_what_is_not_there_is_told_with_the_nearest_in_one_line(make_folder, monkeypatch):
    folder = make_folder({"cat": 2, "dog": 2})
    monkeypatch.chdir(folder.parent)
    (folder.parent / ".fotos").mkdir()
    assert told("fotos") == "there is no 'fotos'. Did you mean 'photos'?"
    assert told(folder.parent / "fotos") == f"there is no '{folder.parent}/fotos'. Did you mean 'photos'?"
    assert told("cifar1O") == "there is no 'cifar1O'. Did you mean 'cifar10' or 'cifar100'?"
    assert "cifar10" not in told("./cifar1O")
    assert told("two\nlines") == "there is no 'two\ufffdlines'."
    assert told("photos/a/b/c") == f"there is no 'photos/a/b/c': the path exists as far as {'photos'}"
    assert told("a/b") == "there is no 'a/b': the path exists as far as ."


@pytest.mark.parametrize("name", ["a.7z", "a.RAR", "a.gz", "a.zst", "a.csv.gz"])
def test_what_is_not_read_in_place_is_to_be_unpacked(tmp_path, name):
    (tmp_path / name).touch()
    where = tmp_path / name
    assert told(where) == f"{where} is packed in a way that is not read in place; unpack it and give what it holds"


@pytest.mark.parametrize("name", ["a", "a.xlsx", "a.png"])
def test_other_files_are_no_data_sets(tmp_path, name):
    (tmp_path / name).touch()
    assert told(tmp_path / name) == f"{tmp_path / name} is no folder, archive, CSV, text list, Parquet or IDX file"


@pytest.mark.parametrize("name", ["t.csv", "t.CSV", "t.tsv"])
def test_tables_are_known_by_their_endings(make_folder, name):
    folder = make_folder({"cat": 2, "dog": 2})
    rows = [f"{klass}/00{row}.png\t{klass}" for klass in ("cat", "dog") for row in (0, 1)]
    (folder / name).write_text("\n".join(["path\tlabel", *rows]))
    assert open_dataset(folder / name, val_fraction=0).train.labels.tolist() == [0, 0, 1, 1]


def test_a_home_folder_is_written_out(make_folder, monkeypatch):
    folder = make_folder({"cat": 2, "dog": 2})
    monkeypatch.setenv("HOME", str(folder.parent))
    dataset = open_dataset("~/photos", val_fraction=0)
    assert dataset.source == "~/photos"
    assert len(dataset.train) == 4


def test_a_folder_that_must_not_be_read_is_told(tmp_path, locked):
    (tmp_path / "locked").mkdir()
    assert told(tmp_path / "locked") in (
        f"{tmp_path}/locked cannot be read: permission denied",
        f"{tmp_path}/locked cannot be listed: Permission denied",
    )


def test_where_no_image_can_be_read_the_first_is_told(make_folder):
    folder = make_folder({"cat": 1, "dog": 1})
    for path in folder.rglob("*.png"):
        path.write_bytes(b"")
    assert told(folder) == f"{folder}: no image can be read; the first: {folder}/cat/000.png: empty file"


def test_classes_without_images_to_learn_from_are_counted(make_folder):
    folder = make_folder({f"class{number:02d}": 1 for number in range(14)})
    for number in (3, 5, 6):
        (folder / f"class{number:02d}" / "000.png").write_bytes(b"?")
    assert told(folder) == (
        f"{folder}: class 'class03' has no readable image (and 2 more classes); the first: "
        f"{folder}/class03/000.png: not an image"
    )
    parts = make_folder({f"c{number:02d}": 1 for number in range(12)}, name="parts/train").parent
    make_folder({"cat": 2, "dog": 1}, name="parts/val")
    make_folder({"cat": 3}, name="parts/test")
    known = ", ".join(f"'c{number:02d}'" for number in range(10))
    message = told(parts)
    assert message.startswith(
        f"{parts}: class 'cat' has no training images (and 1 more classes), only images in val (2) and test (3); "
        f"train holds {known}, …: add some to train, or take the class out."
    )


def test_one_class_and_no_train_part_are_told(make_folder):
    alone = make_folder({"cat": 2}, name="alone")
    assert told(alone) == f"{alone} holds one class only, 'cat'; a classifier needs two at least"
    root = make_folder({"cat": 1, "dog": 1}, name="parts/val").parent
    make_folder({"cat": 1, "dog": 1}, name="parts/test")
    assert told(root) == (
        f"{root} holds val and test images, but none to train on: put those to train on into a part called train, or "
        "give one of the parts alone"
    )


def test_a_model_is_measured_on_what_there_is(make_folder):
    root = make_folder({"cat": 2, "dog": 1}, name="parts/test").parent
    make_folder({"cat": 1}, name="parts/val")
    dataset = open_dataset(root, classes=("dog", "owl", "cat"), val_fraction=0.5)
    assert [(split.name, split.labels.tolist()) for split in dataset.splits] == [
        ("train", []), ("val", [2]), ("test", [2, 2, 0]),
    ]  # fmt: skip
    assert dataset.classes == ("dog", "owl", "cat")
    assert not any("training images" in note or "no images of" in note for note in dataset.notes)
    assert "images: 0 train, 1 val, 3 test (as the source divides them)" in dataset.notes
    plain = open_dataset(make_folder({"cat": 2}, name="plain"), classes=("dog", "cat"), val_fraction=0)
    assert not any(note.startswith("images:") for note in plain.notes)


def test_all_that_is_asked_for_reaches_the_check(make_folder):
    folder = make_folder({"cat": 3, "dog": 3})
    assert isinstance(open_dataset(folder, memory_limit=0, workers=1, channels=4).train.images, FileImages)
    assert open_dataset(folder, channels=4).train.images.read(0).shape == (12, 10, 4)
    assert open_dataset(folder, channels=4).channels == 4


def test_notes_come_from_the_files_to_the_pictures(make_folder, tmp_path):
    root = make_folder({"Cat": 60, "cat": 8}, name="pets/train").parent
    make_folder({"Cat": 2}, name="pets/val", mode="L", size=(9, 9))
    (root / "train" / "Cat" / "notes.txt").touch()
    (root / "test").mkdir()
    (root / "train" / "cat" / "000.png").rename(root / "train" / "cat" / "000.jpg")
    Image.new("RGB", (10, 12), (1, 2, 3)).save(root / "train" / "Cat" / "000.png")
    notes = open_dataset(root, test_fraction=0.5, seed=4).notes
    assert [note.replace(f"{root}/", "") for note in notes] == [
        "1 file left out (1 .txt; the first: train/Cat/notes.txt): not images by their names",
        "test has no class folders and was left out",
        "1 image with the extension of another format, read by content (first: train/cat/000.jpg)",
        "much alike, yet classes of their own: 'Cat' and 'cat'",
        "val has no images of 'cat'",
        "images: 34 train, 2 val, 34 test (test cut from train by class with seed 4, val as in the source)",
        "unbalanced: 'Cat' has 30 training images, 'cat' 4 (7.5 times fewer); so that rare ones are not missed, "
        'train with balance="weights"',
        "fewer than 10 training images: 'cat' (4)",
        "2 images in grey, repeated over 3 channels (first: val/Cat/000.png)",
        "2 of 70 images are not 12x10 (height x width) like the rest: val/Cat/000.png (9x9), val/Cat/001.png (9x9)",
        "one colour only: train/Cat/000.png",
    ]
