"""What is remembered of image files: the same as a new look tells, and nothing of a file that changed by a byte."""

import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data import ArrayImages, FileImages, KeptImages, check, kept, open_dataset, remembered
from striate.data.check import check_parts
from striate.data.kept import LateImages, becomes, in_memory
from striate.data.listing import Part
from striate.files import cache_folder


@pytest.fixture(autouse=True)
def settled(monkeypatch, tmp_path):
    """Files count as settled at once, and what is remembered lies apart."""
    monkeypatch.setattr(remembered, "SETTLED", -(10**12))
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def looked_at(monkeypatch):
    """The files that are looked at anew, by name."""
    names, really = [], check.look_at

    def look_at(item, channels, memory):
        names.append(Path(item).name)
        return really(item, channels, memory)

    monkeypatch.setattr(check, "look_at", look_at)
    return names


@pytest.fixture
def folder(tmp_path):
    """Two classes of pictures of all kinds: grey, transparent, turned, deep, blank, one that is none."""
    rng, place = np.random.default_rng(0), tmp_path / "pictures"
    for label in ("cat", "dog"):
        (place / label).mkdir(parents=True)
        for row in range(6):
            Image.fromarray(rng.integers(0, 256, (9 + row, 8, 3), np.uint8)).save(place / label / f"{row}.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rng.integers(0, 256, (9, 17, 3), np.uint8)).save(place / "cat" / "turned.jpg", exif=exif)
    Image.fromarray(rng.integers(0, 256, (9, 17), np.uint8)).save(place / "cat" / "grey.png")
    Image.fromarray(rng.integers(0, 256, (9, 7, 4), np.uint8)).save(place / "dog" / "clear.png")
    Image.fromarray((np.arange(30).reshape(5, 6) * 2000).astype(np.uint16)).save(place / "dog" / "deep.png")
    Image.new("RGB", (16, 12), (200, 10, 10)).save(place / "dog" / "blank.webp")
    shutil.copy(place / "cat" / "0.png", place / "dog" / "named_wrongly.gif")
    (place / "dog" / "bad.png").write_bytes(b"no image")
    return place


def told(dataset):
    """All that the check tells of a data set."""
    facts = [
        (
            split.facts.contents,
            split.facts.formats,
            split.facts.bit_depths,
            split.facts.remarks,
            *(array.tolist() for array in arrays),
        )
        for split in dataset.splits
        for known in [split.facts]
        for arrays in [(known.sizes, known.channels, known.blank, known.hashes, known.sums)]
    ]
    return facts, dataset.fingerprint, dataset.notes, dataset.skipped, dataset.channels, repr(dataset.survey)


@pytest.mark.parametrize("channels", [None, 1, 3])
def test_a_second_look_tells_what_the_first_did(folder, looked_at, channels):
    fresh = open_dataset(folder, channels=channels)
    first = open_dataset(folder, channels=channels, remember=True)
    looked_at.clear()
    second = open_dataset(folder, channels=channels, remember=True)
    assert "bad.png" in looked_at
    assert len(looked_at) < 4  # and those that cannot be given the channels
    assert told(second) == told(first) == told(fresh)
    for split, known in zip(fresh.splits, second.splits, strict=True):
        assert isinstance(known.images, LateImages)
        for row in range(len(split)):
            np.testing.assert_array_equal(known.images.read(row), split.images.read(row))
            assert known.images.name(row) == split.images.name(row)


def test_it_is_not_asked_for_by_itself(folder, looked_at):
    open_dataset(folder)
    assert not cache_folder().exists()
    open_dataset(folder, remember=True)
    looked_at.clear()
    open_dataset(folder)
    assert len(looked_at) == 19


def replaced(path):
    """Another file of the same size takes the name, with the times of the one before."""
    content, times = bytearray(path.read_bytes()), path.stat()
    other = path.with_name("other")
    other.write_bytes(content)
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(path)


def altered(path):
    """The same file, some bytes later, of the same size and with its time of writing put back."""
    times, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def grown(path):
    with path.open("ab") as file:
        file.write(b"x")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no time of a file's last change of status")
@pytest.mark.parametrize("change", [replaced, altered, grown, Path.touch])
def test_a_file_that_has_changed_is_looked_at_again(folder, looked_at, change):
    before = open_dataset(folder, remember=True)
    time.sleep(0.02)  # more than a tick
    change(folder / "cat" / "3.png")
    looked_at.clear()
    after = open_dataset(folder, remember=True)
    assert sorted(looked_at) == ["3.png", "bad.png"]
    assert (after.fingerprint == before.fingerprint) == (change in (replaced, Path.touch))
    looked_at.clear()
    open_dataset(folder, remember=True)
    assert looked_at == ["bad.png"]  # the others were not forgotten, and the new look is known


def test_new_files_are_looked_at_alone_and_those_that_went_are_gone(folder, looked_at):
    open_dataset(folder, remember=True)
    Image.new("RGB", (5, 6)).save(folder / "dog" / "new.png")
    (folder / "cat" / "1.png").unlink()
    looked_at.clear()
    found = open_dataset(folder, remember=True)
    assert sorted(looked_at) == ["bad.png", "new.png"]
    assert told(found) == told(open_dataset(folder))


def test_a_file_that_was_written_just_now_is_not_trusted(folder, looked_at, monkeypatch):
    monkeypatch.setattr(remembered, "SETTLED", 10**12)
    open_dataset(folder, remember=True)
    looked_at.clear()
    open_dataset(folder, remember=True)
    assert len(looked_at) == 19


def test_what_was_given_no_channels_serves_where_it_has_those_that_are_asked_for(folder, looked_at):
    open_dataset(folder, remember=True)
    looked_at.clear()
    found = open_dataset(folder, channels=3, remember=True)
    assert sorted(looked_at) == ["bad.png", "deep.png", "grey.png"]
    assert told(found) == told(open_dataset(folder, channels=3))


@pytest.mark.parametrize("spoil", [lambda file: os.truncate(file, 100), lambda file: file.write_bytes(b"x" * 999)])
def test_a_damaged_memory_is_none(folder, looked_at, spoil):
    first = open_dataset(folder, remember=True)
    (file,) = cache_folder().rglob("*.safetensors")
    spoil(file)
    looked_at.clear()
    assert told(open_dataset(folder, remember=True)) == told(first)
    assert len(looked_at) == 19
    looked_at.clear()
    open_dataset(folder, remember=True)
    assert looked_at == ["bad.png"]


def test_a_byte_that_turned_over_is_found(folder, looked_at):
    open_dataset(folder, remember=True)
    (file,) = cache_folder().rglob("*.safetensors")
    content = bytearray(file.read_bytes())
    content[-5] ^= 4
    file.write_bytes(content)
    looked_at.clear()
    open_dataset(folder, remember=True)
    assert len(looked_at) == 19


def test_where_nothing_can_be_written_nothing_is_remembered(folder, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "file" / "cache"))
    assert told(open_dataset(folder, remember=True)) == told(open_dataset(folder))


def test_many_at_once_tell_the_same(folder):
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: told(open_dataset(folder, remember=True)), range(8)))
    assert all(one == found[0] for one in found)


def paths_of(folder, count, sizes):
    paths = []
    for row in range(count):
        paths.append(folder / f"{row}.png")
        Image.fromarray(np.full((4 + row % sizes, 5, 3), row, np.uint8)).save(paths[-1])
    return {"train": Part(paths, [path.name for path in paths], np.arange(count))}


def sizes_of(parts):
    return check_parts(parts).parts["train"].facts.sizes


@pytest.mark.parametrize(("sizes", "kind"), [(1, ArrayImages), (2, KeptImages)])
def test_pictures_are_decoded_once_they_are_needed_where_all_fit(tmp_path, sizes, kind):
    parts = paths_of(tmp_path, 6, sizes)
    pixels = sum((4 + row % sizes) * 5 * 3 for row in range(6))
    for limit, late in ((pixels, LateImages), (pixels - 1, FileImages), (0, FileImages)):
        check_parts(parts, remember=True)
        images = check_parts(parts, memory_limit=limit, remember=True).parts["train"].images
        assert type(images) is late
        assert (
            type(in_memory(images)) is becomes(images, sizes_of(parts)) is (kind if late is LateImages else FileImages)
        )
    images = check_parts(parts, remember=True).parts["train"].images.subset(np.array([4, 1]))
    decoded = in_memory(images)
    assert [int(decoded.read(row)[0, 0, 0]) for row in (0, 1)] == [4, 1]
    assert [decoded.name(row) for row in (0, 1)] == [images.name(row) for row in (0, 1)]
    for row in range(6):
        parts["train"].items[row].unlink()
    assert int(decoded.read(1)[0, 0, 0]) == 1


def test_those_that_are_in_memory_or_too_many_stay_as_they_are(tmp_path):
    parts = paths_of(tmp_path, 4, 1)
    for limit in (None, 0):
        images = check_parts(parts, memory_limit=limit).parts["train"].images
        assert in_memory(images) is images


def test_one_array_holds_no_more_than_it_may(tmp_path, monkeypatch):
    parts = paths_of(tmp_path, 4, 1)
    check_parts(parts, remember=True)
    images = check_parts(parts, remember=True).parts["train"].images
    for limit, kind in ((4 * 60, ArrayImages), (4 * 60 - 1, KeptImages)):
        monkeypatch.setattr(kept, "ARRAY_LIMIT", limit)
        assert type(in_memory(images)) is becomes(images, sizes_of(parts)) is kind
