import csv
import hashlib
import shutil

import numpy as np
import pytest
from PIL import Image

from striate.data import (
    ArrayImages,
    Dataset,
    EncodedImages,
    FileImages,
    Split,
    cross_split_duplicates,
    open_dataset,
    same_pictures,
)
from striate.data.duplicates import content_digests, contradictions


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def places(dataset, root):
    """The groups as sets of (split, path below root, class)."""
    return [
        {(place.split, place.name.removeprefix(f"{root}/"), dataset.classes[place.label]) for place in group}
        for group in same_pictures(dataset)
    ]


@pytest.fixture(params=[None, 0], ids=["in_memory", "in_files"])
def memory_limit(request):
    return request.param


def test_copies_across_splits_are_found_by_name(make_folder, memory_limit):
    root = make_folder({"cat": 5, "dog": 5}, name="pets/train").parent
    make_folder({"cat": 2, "dog": 2}, name="pets/val", size=(12, 10))
    for path in (root / "val").rglob("*.png"):
        path.unlink()
    shutil.copy(root / "train/cat/003.png", root / "val/dog/copy.png")
    make_folder({"other": 1, "cat": 2}, name="more")
    shutil.copy(root.parent / "more/cat/001.png", root / "val/cat/same_noise_as_dog.png")
    found = cross_split_duplicates(open_dataset(root, memory_limit=memory_limit))
    assert (str(root / "train/cat/003.png"), str(root / "val/dog/copy.png")) in found
    assert found.total == len(found) == 2


def test_the_same_picture_is_found_wherever_it_lies(make_folder, memory_limit):
    root = make_folder({"cat": 6, "dog": 6}, name="pets/train").parent
    make_folder({"cat": 3, "dog": 3}, name="pets/val", size=(9, 9))
    shutil.copy(root / "train/cat/000.png", root / "train/cat/again.png")  # the same class
    shutil.copy(root / "train/cat/001.png", root / "train/dog/wrong.png")  # another class
    shutil.copy(root / "train/dog/002.png", root / "val/dog/leak.png")  # another split
    shutil.copy(root / "val/cat/001.png", root / "val/dog/both.png")  # another class within a split
    dataset = open_dataset(root, memory_limit=memory_limit)
    assert places(dataset, root) == [
        {("train", "train/cat/000.png", "cat"), ("train", "train/cat/again.png", "cat")},
        {("train", "train/cat/001.png", "cat"), ("train", "train/dog/wrong.png", "dog")},
        {("train", "train/dog/002.png", "dog"), ("val", "val/dog/leak.png", "dog")},
        {("val", "val/cat/001.png", "cat"), ("val", "val/dog/both.png", "dog")},
    ]
    assert [len({place.label for place in group}) for group in contradictions(same_pictures(dataset))] == [2, 2]
    assert cross_split_duplicates(dataset) == [(str(root / "train/dog/002.png"), str(root / "val/dog/leak.png"))]


def test_a_csv_row_may_contradict_another(make_folder, tmp_path, memory_limit):
    make_folder({"cat": 3, "dog": 3})
    rows = [(f"photos/{klass}/00{row}.png", klass) for klass in ("cat", "dog") for row in range(3)]
    rows += [("photos/cat/000.png", "dog"), ("photos/cat/../dog/001.png", "dog")]
    with (tmp_path / "images.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "label"), *rows])
    dataset = open_dataset(tmp_path / "images.csv", val_fraction=0, memory_limit=memory_limit)
    found = [[(place.name, place.label) for place in places] for places in same_pictures(dataset)]
    cat, dog = f"{tmp_path}/photos/cat", f"{tmp_path}/photos/dog"
    assert found == [
        [(f"{cat}/000.png", 0), (f"{cat}/000.png", 1)],
        [(f"{dog}/001.png", 1), (f"{cat}/../dog/001.png", 1)],
    ]


def test_pixels_make_the_picture_not_the_file(make_folder, memory_limit):
    folder = make_folder({"cat": 3, "dog": 3})
    image = Image.open(folder / "cat/001.png")
    image.save(folder / "dog/other_format.bmp")
    exif = Image.Exif()
    exif[0x010E] = "a remark"
    image.save(folder / "dog/other_metadata.png", exif=exif)
    grey = Image.fromarray(noise(7, 8))
    grey.save(folder / "cat/grey.png")
    grey.convert("RGB").save(folder / "dog/as_colour.png")
    dataset = open_dataset(folder, val_fraction=0, memory_limit=memory_limit)
    names = [[place.name.removeprefix(f"{folder}/") for place in group] for group in same_pictures(dataset)]
    assert names == [
        ["cat/001.png", "dog/other_format.bmp", "dog/other_metadata.png"],
        ["cat/grey.png", "dog/as_colour.png"],
    ]


def test_mirrored_images_and_near_copies_are_other_pictures(make_folder, memory_limit):
    folder = make_folder({"cat": 2, "dog": 2})
    for number, size in enumerate([(12, 10), (200, 240)]):
        image = noise(*size, 3, seed=number)
        image[size[0] // 3, size[1] // 4] = image[size[0] // 3, -1 - size[1] // 4]  # so that the sums agree
        swapped = image.copy()
        swapped[0, :2] = swapped[0, 1::-1]
        for name, pixels in (("cat/whole", image), ("dog/mirrored", image[:, ::-1]), ("dog/swapped", swapped)):
            Image.fromarray(np.ascontiguousarray(pixels)).save(folder / f"{name}_{number}.png")
    assert same_pictures(open_dataset(folder, val_fraction=0, memory_limit=memory_limit)) == ()


def test_no_copies_no_pairs(make_folder):
    dataset = open_dataset(make_folder({"cat": 20, "dog": 20}))
    assert same_pictures(dataset) == ()
    found = cross_split_duplicates(dataset)
    assert found == []
    assert found.total == 0


def test_listing_is_capped_but_the_count_is_true():
    array = np.zeros((30, 2, 2, 1), dtype=np.uint8)
    splits = [
        Split(name, ArrayImages(array, [f"{name}{row}" for row in range(30)]), np.zeros(30, dtype=np.int64))
        for name in ("train", "val", "test")
    ]
    found = cross_split_duplicates(Dataset("", ("a", "b"), 1, *splits, (), (), ""), limit=7)
    assert found == [("train0", f"val{row}") for row in range(7)]
    assert found.total == 90  # val against train, test against train, test against val
    many = Dataset("", ("a", "b"), 1, *(split.subset(np.arange(60) % 30) for split in splits), (), (), "")
    assert len(cross_split_duplicates(many)) == 100
    assert cross_split_duplicates(many, limit=1000).total == len(cross_split_duplicates(many, limit=1000)) == 180


def test_files_that_have_gone_equal_nothing(tmp_path):
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    split = Split("train", FileImages(paths, 3), np.array([0, 1]))
    assert same_pictures(Dataset("", ("a", "b"), 3, split, None, None, (), (), "")) == ()


def test_contents_are_hashed_where_nobody_has_looked_at_them(make_folder):
    folder = make_folder({"cat": 3})
    paths = [*sorted(folder.rglob("*.png")), folder / "gone.png"]
    contents = [path.read_bytes() for path in paths[:3]]
    hashes = [hashlib.sha256(content).digest() for content in contents]
    labels = np.zeros(4, np.int64)
    assert list(content_digests(Split("train", FileImages(paths, 3), labels))) == [*hashes, b""]
    rows = EncodedImages(contents, list("abc"), 3)
    assert list(content_digests(Split("train", rows, labels[:3]))) == hashes
    array = noise(2, 3, 4, 1)
    pixels = Split("train", ArrayImages(array, ["a", "b"]), labels[:2])
    assert list(content_digests(pixels)) == [hashlib.sha256(array[row].tobytes()).digest() for row in (0, 1)]


def test_copies_are_found_where_nobody_has_looked_at_the_files(make_folder):
    folder = make_folder({"cat": 2})
    shutil.copy(folder / "cat" / "001.png", folder / "cat" / "copy.png")
    paths = sorted(folder.rglob("*.png"))
    split = Split("train", FileImages(paths, 3), np.zeros(3, np.int64))
    (group,) = same_pictures(Dataset("", ("a", "b"), 3, split, None, None, (), (), ""))
    assert [place.name for place in group] == [str(paths[1]), str(paths[2])]
