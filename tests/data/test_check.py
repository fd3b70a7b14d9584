"""The one look at every image: how often files are read, and that what was learnt stays with its image."""

import hashlib
import io
import os
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from striate.data import EncodedImages, FileImages, KeptImages, check, look, open_dataset
from striate.data.check import check_parts
from striate.data.kept import Memory
from striate.data.listing import Part
from striate.errors import StriateError


def png(image, **options):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG", **options)
    return stream.getvalue()


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("memory_limit", [None, 0])
def test_opening_a_data_set_reads_each_file_once(make_folder, opened, memory_limit):
    folder = make_folder({"cat": 8, "dog": 7})
    make_folder({"owl": 5}, size=(7, 9), mode="L")
    (folder / "cat" / "bad.png").write_bytes(b"no image")
    opened.clear()
    dataset = open_dataset(folder, memory_limit=memory_limit)
    assert sum(map(len, dataset.splits)) == 20
    assert opened == {str(path): 1 for path in folder.rglob("*.png")}


def parts_of(images, names=None):
    return {
        "train": Part(images[:3], (names or [f"train {row}" for row in range(3)])[:3], np.array([0, 1, 0])),
        "val": Part(images[3:], [f"val {row}" for row in range(len(images) - 3)], np.arange(len(images) - 3)),
    }


def test_while_images_are_checked_opencv_has_no_threads_and_its_own_after(monkeypatch):
    seen, really = [], look.decode_content

    def decode_content(*arguments):
        seen.append(cv2.getNumThreads())
        return really(*arguments)

    monkeypatch.setattr(look, "decode_content", decode_content)
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        check_parts(parts_of([png(noise(4, 6, 3, seed=row)) for row in range(5)]), workers=2)
        assert seen == [1] * 5
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def test_parts_stay_in_their_order_with_labels_names_and_facts(tmp_path):
    pictures = [noise(4 + row, 6, 3, seed=row) for row in range(7)]
    contents = [png(picture) for picture in pictures]
    for row in (1, 4):  # the second of each part
        contents[row] = contents[row][:60]
    for limit in (1 << 20, 0):
        checked = check_parts(parts_of(contents), memory_limit=limit)
        assert list(checked.parts) == ["train", "val"]
        for name, rows, labels in (("train", [0, 2], [0, 0]), ("val", [3, 5, 6], [0, 2, 3])):
            part = checked.parts[name]
            assert part.labels.tolist() == labels
            offset = 3 if name == "val" else 0
            assert [part.images.name(row) for row in range(len(rows))] == [f"{name} {row - offset}" for row in rows]
            assert [part.images.read(row).shape[0] for row in range(len(rows))] == [4 + row for row in rows]
            assert part.facts.sizes[:, 0].tolist() == [4 + row for row in rows]
            assert part.facts.contents == [hashlib.sha256(contents[row]).digest() for row in rows]
            assert part.facts.sums[:, 0, 1].tolist() == [int(pictures[row][..., 0].sum()) for row in rows]
            ((label, skipped),) = part.skipped
            assert (label, skipped.path) == (1, f"{name} 1")
            assert part.reason_for(1) is skipped
            assert part.reason_for(0) is None


def test_facts_are_the_files_own(tmp_path):
    deep = tmp_path / "deep.png"
    Image.fromarray((np.arange(30).reshape(5, 6) * 2000).astype(np.uint16)).save(deep)
    grey, alpha, photo = tmp_path / "grey.gif", tmp_path / "alpha.png", tmp_path / "photo.jpg"
    Image.fromarray(noise(3, 4)).save(grey)
    Image.fromarray(noise(8, 9, 4)).save(alpha)
    Image.new("RGB", (16, 12), (200, 10, 10)).save(photo)
    paths = [deep, grey, alpha, photo]
    part = check_parts({"train": Part(paths, [path.name for path in paths], np.zeros(4, np.int64))}).parts["train"]
    assert part.facts.formats == ["PNG", "GIF", "PNG", "JPEG"]
    assert part.facts.bit_depths == ["16", "8", "8", "8"]
    assert part.facts.channels.tolist() == [1, 1, 4, 3]
    assert part.facts.sizes.tolist() == [[5, 6], [3, 4], [8, 9], [12, 16]]
    assert part.facts.blank.tolist() == [False, False, False, True]
    assert part.images.read(0).shape == (5, 6, 3)


@pytest.mark.parametrize(("few", "many"), [(noise(5, 5, 4), noise(5, 5, 3)), (noise(5, 5, 4), noise(5, 5))])
def test_a_few_images_of_four_bands_are_skipped_by_name_among_others(tmp_path, few, many):
    for row in range(4):
        np.save(tmp_path / f"{row}.npy", few if row == 2 else many)
    paths = [tmp_path / f"{row}.npy" for row in range(4)]
    parts = {"train": Part(paths, [path.name for path in paths], np.arange(4))}
    for limit in (1 << 20, 0):
        checked = check_parts(parts, memory_limit=limit)
        assert checked.channels == 3
        part = checked.parts["train"]
        assert part.labels.tolist() == [0, 1, 3]
        assert [part.images.read(row).shape for row in range(3)] == [(5, 5, 3)] * 3
        ((_, skipped),) = part.skipped
        assert skipped.path == "2.npy"
        assert "4 bands" in skipped.reason


def test_many_images_of_four_bands_beside_others_are_asked_about(tmp_path):
    for row in range(3):
        np.save(tmp_path / f"{row}.npy", noise(5, 5, 3 if row == 0 else 4))
    paths = [tmp_path / f"{row}.npy" for row in range(3)]
    with pytest.raises(StriateError, match=r"3 \(1 images\), 4 \(2 images\)"):
        check_parts({"train": Part(paths, list(map(str, paths)), np.arange(3))})


def test_images_that_are_not_kept_stay_where_they_are(tmp_path):
    content = [png(noise(4, 4, 3, seed=row)) for row in range(4)]
    assert isinstance(check_parts(parts_of(content), memory_limit=0).parts["val"].images, EncodedImages)
    paths = [tmp_path / f"{row}.png" for row in range(4)]
    for path, data in zip(paths, content, strict=True):
        Path(path).write_bytes(data)
    images = check_parts(parts_of(paths), memory_limit=0).parts["train"].images
    assert isinstance(images, FileImages)
    assert list(images.paths) == paths[:3]


def test_arrays_are_measured_where_they_lie():
    array = noise(6, 5, 7, 1)
    array[4] = 30
    parts = {
        "train": Part(array[:4], ["a"] * 4, np.zeros(4, np.int64)),
        "test": Part(array[4:], ["b"] * 2, np.zeros(2, np.int64)),
    }
    checked = check_parts(parts)
    facts = checked.parts["test"].facts
    assert checked.channels == 1
    assert facts.blank.tolist() == [True, False]
    assert facts.sizes.tolist() == [[5, 7]] * 2
    assert (facts.formats, facts.bit_depths, facts.channels.tolist()) == (["array"] * 2, ["8"] * 2, [1, 1])
    assert facts.contents == [hashlib.sha256(image.tobytes()).digest() for image in array[4:]]
    coloured = check_parts(parts, channels=3).parts["test"]
    assert coloured.images.read(1).shape == (5, 7, 3)
    assert coloured.facts.channels.tolist() == [1, 1]


def test_what_is_remarked_is_counted_over_all_parts_with_the_first(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 3
    stream = io.BytesIO()
    Image.fromarray(noise(8, 8, 3)).save(stream, "JPEG", exif=exif)
    paths = [tmp_path / name for name in ("0.jpg", "1.png", "2.GIF", "3.jpg", "4.png")]
    for path in paths[:1] + paths[3:]:
        path.write_bytes(png(noise(4, 4, 3)))
    for path in paths[1:3]:
        path.write_bytes(stream.getvalue())
    assert check_parts(parts_of(paths, [path.name for path in paths])).notes == (
        "4 images with the extension of another format, read by content (first: 0.jpg)",
        "2 images turned upright as the EXIF data say (first: 1.png)",
    )


def test_an_extension_means_the_same_in_any_case(tmp_path):
    for name in ("a.JPG", "b.Png"):
        (tmp_path / name).write_bytes(png(noise(4, 4, 3)))
    paths = sorted(tmp_path.iterdir())
    notes = check_parts({"train": Part(paths, ["a", "b"], np.zeros(2, np.int64))}).notes
    assert notes == ("1 image with the extension of another format, read by content (first: a)",)


def test_the_first_reason_of_each_class_is_told():
    contents = [b"", b"x", b"", png(noise(2, 2, 3))]
    part = check_parts({"train": Part(contents, list("abcd"), np.array([1, 0, 0, 2]))}).parts["train"]
    assert [(part.reason_for(label).path, part.reason_for(label).reason) for label in (0, 1)] == [
        ("b", "not an image"),
        ("a", "empty file"),
    ]
    assert part.reason_for(2) is None


def test_grey_beside_colour_is_looked_at_once_and_opacity_again(tmp_path):
    pictures = [noise(4, 4, 4), noise(4, 4), noise(4, 4, 3)]
    paths = [tmp_path / f"{row}.png" for row in range(3)]
    for path, picture in zip(paths, pictures, strict=True):
        path.write_bytes(png(picture))
    for limit in (1 << 20, 0):
        part = check_parts({"train": Part(paths, list("abc"), np.arange(3))}, channels=1, memory_limit=limit)
        kept = part.parts["train"].images
        assert [kept.read(row).shape for row in range(3)] == [(4, 4, 1)] * 3
        for row in range(3):
            assert np.array_equal(kept.read(row), FileImages(paths, 1).read(row))


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_arrays_are_given_the_channels_that_are_wanted(channels):
    arrays = {
        name: Part(noise(3, 4, 5, 3, seed=row), list("abc"), np.arange(3)) for row, name in enumerate(("train", "val"))
    }
    checked = check_parts(arrays, channels=channels)
    assert checked.channels == channels
    for part in checked.parts.values():
        assert part.images.array.shape == (3, 4, 5, channels)
        assert part.facts.channels.tolist() == [3, 3, 3]


@pytest.mark.parametrize("limit", [1 << 20, 0])
@pytest.mark.parametrize(
    ("bands", "channels", "skipped"),
    [
        ([3, 5, 3, 1], 3, {1: "the image has 5 channels, 3 are wanted"}),
        ([1, 1, 5, 1], 1, {2: "the image has 5 channels, 1 are wanted"}),
        ([5, 5, 3, 5], 5, {2: "the image has 3 channels, 5 are wanted"}),
        ([5, 1, 5, 5], 5, {1: "the image has 1 channel, 5 are wanted"}),
        ([3, 1, 7, 3], 3, {2: "the image has 7 channels, 3 are wanted"}),
        ([1, 1, 4, 1], 3, {2: "the image has 4 bands, none of which"}),
    ],
)
def test_a_few_images_of_other_bands_are_skipped_by_name(tmp_path, bands, channels, skipped, limit):
    pictures = [noise(6, 6, count, seed=row) for row, count in enumerate(bands)]
    paths = [tmp_path / f"{row}.npy" for row in range(4)]
    for path, picture in zip(paths, pictures, strict=True):
        np.save(path, picture)
    checked = check_parts({"train": Part(paths, [path.name for path in paths], np.arange(4))}, memory_limit=limit)
    part = checked.parts["train"]
    assert checked.channels == channels
    assert part.labels.tolist() == [row for row in range(4) if row not in skipped]
    assert {int(entry.path[0]): entry.reason[: len(skipped[label])] for label, entry in part.skipped} == skipped
    for row, label in enumerate(part.labels):
        assert np.array_equal(part.images.read(row)[..., 0], pictures[label][..., 0])
        assert part.images.read(row).shape[2] == channels


@pytest.mark.parametrize(
    ("bands", "listed"),
    [
        ((3, 5, 7, 5), r"3 \(1 images\), 5 \(2 images\), 7 \(1 images\)"),
        ((3, 5, 1, 5), r"1 \(1 images\), 3 \(1 images\), 5 \(2 images\)"),
        ((3, 4, 4, 5), r"3 \(1 images\), 4 \(2 images\), 5 \(1 images\)"),
    ],
)
def test_bands_without_a_majority_are_asked_about(tmp_path, bands, listed):
    for row in range(4):
        np.save(tmp_path / f"{row}.npy", noise(5, 5, bands[row]))
    paths = sorted(tmp_path.iterdir())
    with pytest.raises(StriateError, match=listed + "; keep those of one number"):
        check_parts({"train": Part(paths, list(map(str, paths)), np.arange(4))})


@pytest.mark.parametrize(("short", "kept"), [(0, True), (1, False)])
def test_pictures_are_kept_up_to_the_last_byte_of_the_limit(short, kept):
    contents = [png(noise(4, 5 + row, 3, seed=row)) for row in range(5)]
    limit = sum(4 * (5 + row) * 3 for row in range(5)) - short
    for part in check_parts(parts_of(contents), memory_limit=limit).parts.values():
        assert isinstance(part.images, KeptImages) == kept


def test_pictures_beyond_the_limit_are_let_go_at_once(monkeypatch):
    held: list[int] = []
    really = Memory.add

    def watched(self, picture):
        held.append(0 if picture is None else picture.nbytes)
        really(self, picture)

    monkeypatch.setattr(Memory, "add", watched)
    check_parts(parts_of([png(noise(4, 5, 3, seed=row)) for row in range(6)]), memory_limit=150, workers=1)
    assert held == [60, 60, 0, 0, 0, 0]


def test_without_a_readable_image_there_are_three_channels():
    checked = check_parts({"train": Part([b"", b"x"], ["a", "b"], np.zeros(2, np.int64))})
    assert (checked.channels, len(checked.parts["train"].images)) == (3, 0)
    assert checked.parts["train"].facts.sums.shape == (0, 3, 4)
    grey = check_parts({"train": Part([png(noise(3, 4)), b""], ["a", "b"], np.zeros(2, np.int64))})
    assert grey.channels == 1


@pytest.mark.parametrize(
    ("bands", "channels"),
    [
        ((1, 1), 1),
        ((3, 3), 3),
        ((4, 4), 4),
        ((1, 3), 3),
        ((1, 1, 1, 5), 1),
        ((1, 1, 3, 4), 3),
        ((1, 4), 3),
        ((3, 4), 3),
        ((3, 3, 5), 3),
        ((5, 5, 3), 5),
        ((5, 5, 5, 1, 4), 5),
    ],
)
def test_arrays_of_several_bands_share_what_most_of_them_have(tmp_path, bands, channels):
    for row, count in enumerate(bands):
        np.save(tmp_path / f"{row}.npy", noise(5, 6, count, seed=row))
    paths = [tmp_path / f"{row}.npy" for row in range(len(bands))]
    parts = {"train": Part(paths, list(map(str, paths)), np.arange(len(bands)))}
    assert check_parts(parts).channels == channels


@pytest.mark.parametrize(
    ("bands", "listed"),
    [
        ((3, 5), "3 (1 images), 5 (1 images)"),
        ((4, 4, 3), "3 (1 images), 4 (2 images)"),
        ((4, 4, 5), "4 (2 images), 5 (1 images)"),
        ((5, 7), "5 (1 images), 7 (1 images)"),
    ],
)
def test_bands_that_share_nothing_are_listed(tmp_path, bands, listed):
    for row, count in enumerate(bands):
        np.save(tmp_path / f"{row}.npy", noise(5, 6, count, seed=row))
    paths = [tmp_path / f"{row}.npy" for row in range(len(bands))]
    with pytest.raises(StriateError) as caught:
        check_parts({"train": Part(paths, list(map(str, paths)), np.arange(len(bands)))})
    assert str(caught.value) == (
        f"the images have different numbers of channels: {listed}; keep those of one number, or ask for one with "
        "open_dataset(channels=)"
    )


@pytest.mark.parametrize(("workers", "threads"), [(1, 1), (3, 3), (None, 2)])
def test_as_many_threads_look_as_are_asked_for(make_folder, monkeypatch, workers, threads):
    together, seen = threading.Barrier(threads, timeout=10), set()
    really = Memory.reserve

    def watched(self, picture):
        seen.add(threading.get_ident())
        together.wait()
        time.sleep(0.005)
        return really(self, picture)

    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    monkeypatch.setattr(check, "_CHUNK", 1)
    monkeypatch.setattr(Memory, "reserve", watched)
    open_dataset(make_folder({"cat": 3, "dog": 3}), val_fraction=0, workers=workers)
    assert len(seen) == threads


def test_where_one_look_fails_the_rest_is_not_looked_at(monkeypatch):
    looked_at: list[int] = []

    def reserve(self, picture):
        looked_at.append(1)
        time.sleep(0.001)
        raise KeyboardInterrupt

    monkeypatch.setattr(check, "_CHUNK", 1)
    monkeypatch.setattr(Memory, "reserve", reserve)
    content = [png(noise(2, 2, 3))] * 300
    with pytest.raises(KeyboardInterrupt):
        check_parts({"train": Part(content, ["x"] * 300, np.zeros(300, np.int64))}, workers=1)
    assert len(looked_at) < 200


def test_all_that_had_to_be_done_is_told_in_its_order(monkeypatch):
    def saved(format, image, **options):
        stream = io.BytesIO()
        image.save(stream, format, **options)
        return stream.getvalue()

    frames = [Image.fromarray(noise(8, 8, 3, seed=seed)) for seed in (0, 1)]
    more = {"save_all": True, "append_images": frames[1:]}
    large = Image.new("RGB", (1000, 900))
    contents = [saved("JPEG", large), saved("TIFF", frames[0], **more), *[saved("GIF", frames[0], **more)] * 2]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 700_000)
    part = Part(contents, ["large.jpg", "pages.tif", "moving.gif", "more.gif"], np.arange(4))
    assert check_parts({"train": part}).notes == (
        "2 images animated, first frame used (first: moving.gif)",
        "1 image of several pages, first page used (first: pages.tif)",
        "1 image too large for the memory allowed, decoded at a half, a quarter or an eighth of the size (first: "
        "large.jpg)",
    )
