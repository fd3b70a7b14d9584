import dataclasses
import gc
import itertools
import multiprocessing
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from striate.augment import Augment, recolour, warp
from striate.augment.recolouring import means
from striate.augment.sampling import colours, draws, geometries
from striate.caller import by_flags
from striate.data import ArrayImages, FileImages, KeptImages, Preprocessing, Split, open_dataset
from striate.errors import StriateError, UsageError
from striate.training import batches as batches_module
from striate.training import making
from striate.training.batches import Batches

COUNT = 23
SIZE = (12, 12)
STRONG = Augment(flip=0.5, translate=0.2, rotate=20, brightness=0.4, hue=30)
PREPROCESSING = Preprocessing(SIZE, 3, (0.5,) * 3, (0.25,) * 3)


def noise(index: int, height: int, width: int) -> np.ndarray:
    return np.random.default_rng(index).integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.fixture
def arrays() -> Split:
    """Images in memory; the label of an image is its number."""
    array = np.stack([noise(index, *SIZE) for index in range(COUNT)])
    names = [f"image {index}" for index in range(COUNT)]
    return Split("train", ArrayImages(array, names), np.arange(COUNT))


@pytest.fixture
def files(tmp_path: Path) -> Split:
    """Images in files, of different sizes; the label of an image is its number."""
    paths = []
    for index in range(COUNT):
        paths.append(tmp_path / f"{index}.png")
        Image.fromarray(noise(index, 14 + index % 5, 20 - index % 7)).save(paths[-1])
    return Split("train", FileImages(paths, 3), np.arange(COUNT))


@pytest.fixture(params=["arrays", "files"])
def split(request: pytest.FixtureRequest) -> Split:
    return request.getfixturevalue(request.param)


def collect(batches: Batches, epoch: int = 0, start: int = 0) -> list[tuple[torch.Tensor, torch.Tensor]]:
    return [(images.clone(), labels.clone()) for images, labels in batches.epoch(epoch, start)]


def assert_same(first: list, second: list) -> None:
    assert len(first) == len(second)
    for (images, labels), (other_images, other_labels) in zip(first, second, strict=True):
        assert torch.equal(labels, other_labels)
        assert torch.equal(images, other_images)


def training(split: Split, **settings) -> Batches:
    return Batches(split, PREPROCESSING, **{"batch_size": 5, "augment": STRONG, "seed": 3, **settings})


def test_the_number_of_workers_changes_nothing(split):
    alone = training(split)
    epochs = [collect(alone, epoch) for epoch in range(2)]
    for workers in (1, 2):
        batches = training(split, workers=workers)
        for epoch in range(2):  # the second epoch reuses the workers
            made = collect(batches, epoch)
            assert_same(made, epochs[epoch])
            assert all(images.is_contiguous(memory_format=torch.channels_last) for images, _ in made)


def test_batches_are_bytes_channels_last_with_their_labels(split):
    for images, labels in training(split).epoch(0):
        assert images.shape == (5, 3, *SIZE)
        assert images.dtype == torch.uint8
        assert images.is_contiguous(memory_format=torch.channels_last)
        assert labels.dtype == torch.int64


def test_without_augmentation_labels_belong_to_their_images(split):
    for images, labels in training(split, augment=Augment()).epoch(0):
        for image, label in zip(images, labels, strict=True):
            expected = PREPROCESSING(split.images.read(int(label)))
            np.testing.assert_array_equal(image.permute(1, 2, 0), expected)


def test_each_epoch_is_a_permutation_of_its_own(arrays):
    batches = training(arrays, batch_size=1)
    orders = [[int(labels) for _, labels in batches.epoch(epoch)] for epoch in range(4)]
    for order in orders:
        assert sorted(order) == list(range(COUNT))
    assert len({tuple(order) for order in orders}) == 4
    assert orders[0] != list(range(COUNT))


def test_the_images_that_fill_no_batch_sit_out_and_are_others_each_time(arrays):
    batches = training(arrays)
    assert batches.steps == 4
    left_out = []
    for epoch in range(3):
        labels = torch.cat([labels for _, labels in batches.epoch(epoch)])
        assert len(labels) == len(labels.unique()) == 20
        left_out.append(frozenset(range(COUNT)) - set(labels.tolist()))
    assert len(set(left_out)) > 1


def test_no_epoch_and_no_batch_repeats_anothers_augmentations():
    one = noise(0, *SIZE)
    same = Split("train", ArrayImages(np.stack([one] * 8), ["one"] * 8), np.zeros(8, np.int64))
    batches = training(same, batch_size=4)
    seen = torch.cat([images for epoch in range(3) for images, _ in batches.epoch(epoch)])
    assert len(seen) == 24
    assert len(seen.flatten(1).unique(dim=0)) == 24


def test_the_seed_alone_decides(split):
    first = collect(training(split))
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002
    assert_same(collect(training(split)), first)
    other = collect(training(split, seed=4))
    assert not torch.equal(first[0][1], other[0][1])


@pytest.mark.parametrize("workers", [0, 2])
def test_going_on_at_a_batch_gives_the_rest_of_the_epoch(split, workers):
    batches = training(split, workers=workers)
    whole = collect(batches, 1)
    for start in range(5):
        assert_same(collect(batches, 1, start), whole[start:])


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_left_half_way_does_not_disturb_the_next(arrays, workers):
    batches = training(arrays, workers=workers)
    whole = collect(batches, 1)
    for _ in batches.epoch(0):
        break
    assert_same(collect(batches, 1), whole)


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_share_an_epochs_images_and_none_comes_twice(arrays, world_size):
    parts = [training(arrays, batch_size=3, part=(rank, world_size)) for rank in range(world_size)]
    assert {part.steps for part in parts} == {COUNT // (3 * world_size)}
    labels = torch.cat([labels for part in parts for _, labels in part.epoch(2)])
    assert len(labels) == len(labels.unique()) == COUNT // (3 * world_size) * 3 * world_size
    # together they are the batches that one process would make of three times the size
    alone = [set(labels.tolist()) for _, labels in training(arrays, batch_size=3 * world_size).epoch(2)]
    together = [
        {label for _, labels in step for label in labels.tolist()}
        for step in zip(*(part.epoch(2) for part in parts), strict=True)
    ]
    assert together == alone


def test_evaluation_takes_every_image_plain_and_in_order(split):
    batches = Batches(split, PREPROCESSING, 5)
    assert batches.steps == 5
    for _ in range(2):
        made = list(batches.epoch())
        assert torch.cat([labels for _, labels in made]).tolist() == list(range(COUNT))
        assert len(made[-1].labels) == 3
        images = torch.cat([images for images, _ in made]).permute(0, 2, 3, 1)
        for index in range(COUNT):
            np.testing.assert_array_equal(images[index], PREPROCESSING(split.images.read(index)))


def test_colour_alone_keeps_geometry(arrays):
    batches = training(arrays, augment=Augment(brightness=0.5))
    for images, labels in batches.epoch(0):
        for image, label in zip(images.numpy(), labels, strict=True):
            plain = arrays.images.read(int(label)).transpose(2, 0, 1).astype(float)
            fits = image < 255
            gain = (image[fits] * plain[fits]).sum() / (plain[fits] ** 2).sum()
            np.testing.assert_allclose(image, np.clip(plain * gain, 0, 255), atol=1.5)


def test_a_batch_larger_than_the_data_says_what_to_give(arrays):
    with pytest.raises(UsageError, match=rf"batch of 24 .* {COUNT} images .*a batch_size of (\d+)") as error:
        training(arrays, batch_size=24)
    wanted = int(str(error.value).split("a batch_size of ")[1].split()[0])
    assert training(arrays, batch_size=wanted).steps >= 1
    with pytest.raises(UsageError, match="batch of 24"):
        training(arrays, batch_size=12, part=(0, 2))
    assert Batches(arrays, PREPROCESSING, 100).steps == 1


@pytest.mark.parametrize("workers", [0, 2])
def test_an_image_that_vanished_is_named_in_one_line_by_the_main_process(files, workers, capfd):
    batches = training(files, workers=workers)
    list(batches.epoch(0))
    gone = files.images.paths[7]
    gone.unlink()
    # one of three epochs has it for certain, though it may sit out of one
    epochs = itertools.chain.from_iterable(batches.epoch(epoch) for epoch in range(1, 4))
    with pytest.raises(StriateError, match=rf"{gone.name}.*no such file") as error:
        list(epochs)
    assert "\n" not in str(error.value)
    assert "Traceback" not in str(error.value)
    del batches
    gc.collect()
    assert "Traceback" not in capfd.readouterr().err


def test_making_batches_leaves_torchs_random_state_alone(arrays):
    for workers in (0, 2):
        batches = training(arrays, workers=workers)
        torch.manual_seed(1)
        before = torch.get_rng_state()
        list(batches.epoch(0))
        assert torch.equal(torch.get_rng_state(), before)


class Threads:
    """Images that show how many threads OpenCV has where they are read."""

    def __len__(self) -> int:
        return COUNT

    def read(self, index: int) -> np.ndarray:
        return np.full((20, 20, 3), cv2.getNumThreads(), np.uint8)


@pytest.fixture
def three_threads_in_opencv():
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    yield
    cv2.setNumThreads(before)


@pytest.mark.parametrize("workers", [0, 2])
def test_opencv_has_no_threads_where_batches_are_made_and_its_own_elsewhere(workers, three_threads_in_opencv):
    batches = training(Split("train", Threads(), np.arange(COUNT)), workers=workers, augment=Augment(flip=0.5))
    for images, _ in batches.epoch(0):
        assert images.unique().tolist() == [1]
        assert cv2.getNumThreads() == 3  # of whoever uses the batches
    assert cv2.getNumThreads() == 3


def test_workers_are_forked_while_opencv_has_no_threads(arrays, monkeypatch, three_threads_in_opencv):
    """Threads do not survive a fork, whatever OpenCV makes of that."""
    seen, fork = [], os.fork
    monkeypatch.setattr(os, "fork", lambda: seen.append(cv2.getNumThreads()) or fork())
    list(training(arrays, workers=2).epoch(0))
    assert seen == ([1, 1] if multiprocessing.get_start_method() == "fork" else [])
    assert cv2.getNumThreads() == 3


def test_workers_go_home_at_once(arrays):
    others = set(multiprocessing.active_children())
    batches = training(arrays, workers=2)
    list(batches.epoch(0))
    assert len(set(multiprocessing.active_children()) - others) == 2
    began = time.perf_counter()
    del batches
    assert time.perf_counter() - began < 4  # torch gives each worker that was not told five seconds
    assert set(multiprocessing.active_children()) <= others


def test_waiting_is_counted(files):
    batches = training(files)
    list(batches.epoch(0))
    assert 0 < batches.waited < 30


CTRL_C = """
    import os, signal, sys
    import numpy as np
    from striate.augment import Augment
    from striate.data import ArrayImages, Preprocessing, Split
    from striate.training.batches import Batches
    from striate.training.interruption import Interruption

    split = Split("train", ArrayImages(np.zeros((40, 8, 8, 3), np.uint8), ["x"] * 40), np.arange(40))
    batches = Batches(split, Preprocessing((8, 8), 3, (0.5,) * 3, (0.5,) * 3), 2, Augment(flip=0.5), workers=2)
    done = 0
    with Interruption() as stop:
        for images, labels in batches.epoch(0):
            done += 1
            if done == 3:
                os.killpg(os.getpgrp(), signal.SIGINT)
    print(done, stop.requested)
"""


def test_ctrl_c_reaches_workers_and_does_not_stop_them():
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CTRL_C)],
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stdout.split() == ["20", "True"]
    assert "Traceback" not in process.stderr


def test_images_beyond_the_memory_of_a_batch_are_read_again(files, monkeypatch):
    expected = collect(training(files))
    reads = []
    read = FileImages.read
    monkeypatch.setattr(FileImages, "read", lambda self, index: reads.append(index) or read(self, index))
    monkeypatch.setattr(making, "BATCH_MEMORY", 1)
    assert_same(collect(training(files)), expected)
    seen = sum(len(labels) for _, labels in expected)
    assert len(reads) == 2 * seen
    reads.clear()
    monkeypatch.undo()
    monkeypatch.setattr(FileImages, "read", lambda self, index: reads.append(index) or read(self, index))
    collect(training(files))
    assert len(reads) == seen


def test_augmentations_are_drawn_for_each_image_as_the_preprocessing_has_it(files):
    """By the image's own number and size, and with what lies outside of it."""
    look = Preprocessing(SIZE, 3, (0.5,) * 3, (0.25,) * 3, "crop", 0.75)
    strong = Augment(translate=0.4, border="edge", contrast=0.5)
    images, labels = next(iter(Batches(files, look, 5, strong, seed=3).epoch(2)))
    for image, label in zip(images.permute(0, 2, 3, 1).numpy(), labels.tolist(), strict=True):
        picture, drawn = files.images.read(label), draws(strong, 3, 2, np.array([label]))
        matrices = geometries(strong, drawn, np.array([picture.shape[:2]]), SIZE, "crop", 0.75)
        alone = warp([picture], matrices, SIZE, "edge")
        expected = recolour(alone[0], colours(strong, drawn, means(alone))[0])
        np.testing.assert_array_equal(image, expected)


def test_chance_follows_from_seed_epoch_and_image(arrays):
    def corners(seed: int, epoch: int) -> list[bytes]:
        made = Batches(arrays, PREPROCESSING, 5, STRONG, seed=seed)
        return [images.numpy().tobytes() for images, _ in made.epoch(epoch)]

    every = [image for seed in (0, 1) for epoch in (0, 1) for image in corners(seed, epoch)]
    assert len(set(every)) == len(every) == 16
    assert corners(1, 1) == every[-4:]
    first, second = batches_module.generator(1, 2), batches_module.generator(2, 1)
    assert first.random() != second.random()
    oracle = np.random.Generator(np.random.Philox(np.random.SeedSequence((3, 7))))
    order = oracle.permutation(COUNT)[:20].tolist()
    assert torch.cat([labels for _, labels in training(arrays).epoch(7)]).tolist() == order


def test_pictures_that_just_fit_are_read_once(files, monkeypatch):
    sizes = [files.images.read(index).nbytes for index in range(5)]
    reads: list[int] = []
    read = FileImages.read
    monkeypatch.setattr(FileImages, "read", lambda self, index: reads.append(index) or read(self, index))
    part = files.subset(np.arange(5))
    for memory, count in ((sum(sizes), 5), (sum(sizes) - 1, 6)):
        monkeypatch.setattr(making, "BATCH_MEMORY", memory)
        reads.clear()
        batches = Batches(part, PREPROCESSING, 5, Augment(rotate=5))
        ((_, labels),) = batches.epoch(0)
        assert len(labels) == 5
        assert len(reads) == count


def test_one_image_too_few_is_told_with_a_batch_of_a_quarter(arrays):
    few = arrays.subset(np.arange(3))
    assert Batches(few, PREPROCESSING, 3, Augment()).steps == 1
    with pytest.raises(
        UsageError, match=r"^a batch of 4 is larger than the 3 images to train on\. Give a batch_size of 1 or"
    ):
        Batches(few, PREPROCESSING, 4, Augment())
    with pytest.raises(UsageError, match=r"Give --batch-size 5 or less\."), by_flags({}):
        training(arrays, batch_size=24)


def test_waiting_adds_up_over_batches_and_is_not_working(arrays, monkeypatch):
    batches = training(arrays)
    for _ in batches.epoch(0):
        time.sleep(0.02)
    alone = batches.waited
    monkeypatch.setattr(
        batches._maker.__class__, "__getitem__", lambda self, key: time.sleep(0.02) or (0, len(key.indices))
    )
    list(batches.epoch(0))
    assert batches.waited - alone >= 0.08
    assert alone < 0.08


EVERYTHING = Augment(
    flip=0.5,
    area=0.4,
    rotate=10,
    elastic=0.02,
    contrast=0.3,
    hue=20,
    blur=0.5,
    noise=0.05,
    erase=0.5,
    mixup=0.4,
    cutmix=1.0,
    choose=3,
)


@pytest.mark.parametrize("world_size", [1, 2, 4])
@pytest.mark.parametrize("workers", [0, 1, 2])
def test_images_and_labels_are_the_same_on_any_number_of_processes_and_workers(arrays, world_size, workers):
    def epoch(ranks: int, helpers: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        parts = [
            Batches(arrays, PREPROCESSING, 8 // ranks, EVERYTHING, 5, helpers, (rank, ranks), classes=COUNT).epoch(1)
            for rank in range(ranks)
        ]
        steps = zip(*parts, strict=True)
        return [
            (torch.cat([part.images for part in step]), torch.cat([part.labels for part in step])) for step in steps
        ]

    assert_same(epoch(world_size, workers), epoch(1, 0))


def test_a_pair_stays_a_pair_where_parts_are_odd(arrays):
    policy = Augment(mixup=1.0)
    parts = [Batches(arrays, PREPROCESSING, 3, policy, 5, 0, (rank, 2), classes=COUNT) for rank in range(2)]
    whole = Batches(arrays, PREPROCESSING, 6, policy, 5, classes=COUNT)
    for first, second, both in zip(*(part.epoch(0) for part in parts), whole.epoch(0), strict=True):
        assert torch.equal(torch.cat([first.images, second.images]), both.images)
        assert torch.equal(torch.cat([first.labels, second.labels]), both.labels)


def test_labels_of_mixed_images_are_shares_of_two_classes_that_their_pixels_have(arrays):
    plain = dict(zip(arrays.labels.tolist(), arrays.images.array.astype(float), strict=True))
    for images, labels in Batches(arrays, PREPROCESSING, 6, Augment(mixup=1.0), classes=COUNT).epoch(0):
        assert labels.dtype == torch.float32
        torch.testing.assert_close(labels.sum(1), torch.ones(len(labels)))
        assert ((labels > 0).sum(1) <= 2).all()
        for image, shares in zip(images.permute(0, 2, 3, 1).numpy(), labels.numpy(), strict=True):
            expected = sum(share * plain[label] for label, share in enumerate(shares) if share)
            np.testing.assert_allclose(image, expected, atol=0.6)


def rare(arrays) -> np.ndarray:
    """How often each picture is to come: the last three as often as all others."""
    return np.where(np.arange(COUNT) < COUNT - 3, COUNT / 2 / (COUNT - 3), COUNT / 6)


def test_pictures_that_come_several_times_are_augmented_differently_each_time(arrays):
    batches = training(arrays, times=rare(arrays))
    images, labels = (torch.cat(parts) for parts in zip(*collect(batches), strict=True))
    assert len(labels) == 20
    assert (labels >= COUNT - 3).sum() >= 7
    assert len(images.flatten(1).unique(dim=0)) == 20
    other = torch.cat([each for _, each in collect(batches, 1)])
    assert not torch.equal(labels, other)


@pytest.mark.parametrize("world_size", [1, 2])
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("start", [0, 1])
def test_drawn_pictures_are_the_same_on_any_number_of_processes_and_workers(arrays, world_size, workers, start):
    def epoch(ranks: int, helpers: int, begin: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
        options = {"classes": COUNT, "times": rare(arrays)}
        parts = [
            Batches(arrays, PREPROCESSING, 8 // ranks, EVERYTHING, 5, helpers, (rank, ranks), **options).epoch(1, begin)
            for rank in range(ranks)
        ]
        steps = zip(*parts, strict=True)
        return [tuple(torch.cat(each) for each in zip(*step, strict=True)) for step in steps]

    assert_same(epoch(world_size, workers, start), epoch(1, 0, 0)[start:])


def test_drawn_pictures_are_mixed_with_the_version_of_their_partner_that_comes_beside_them(arrays):
    """Pictures and their partners lie beside one another in the order: each is seen, whole, when it keeps all."""
    policy = Augment(rotate=30, mixup=1e-6)  # one of the two is kept whole
    whole = Batches(arrays, PREPROCESSING, 20, Augment(rotate=30), 5, times=rare(arrays))
    mixed = Batches(arrays, PREPROCESSING, 20, policy, 5, classes=COUNT, times=rare(arrays))
    (plain, labels), (found, shares) = collect(whole)[0], collect(mixed)[0]
    assert set(shares.unique().tolist()) == {0.0, 1.0}
    for place, (image, share) in enumerate(zip(found, shares, strict=True)):
        versions = [plain[each] for each in (place, place ^ 1) if labels[each] == share.argmax()]
        assert any(torch.equal(image, version) for version in versions), place


def flat_photograph(index: int, height: int, width: int) -> np.ndarray:
    """Soft shapes, as of a photograph out of focus, which look the same at any scale."""
    few = np.random.default_rng(index).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(few).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture
def photographs(tmp_path: Path) -> Split:
    """JPEGs large and small, one of which lies on its side; the label of an image is its number."""
    sizes = [(700, 900), (512, 700), (300, 400), (900, 640), (1200, 1000), (640, 640), (600, 1100), (100, 90)]
    for index, size in enumerate(sizes):
        exif = Image.Exif()
        exif[0x0112] = 6 if index == 3 else 1
        Image.fromarray(flat_photograph(index, *size)).save(tmp_path / f"{index}.jpg", quality=92, exif=exif)
    (tmp_path / "images.csv").write_text("path,label\n" + "".join(f"{i}.jpg,class {i}\n" for i in range(len(sizes))))
    return open_dataset(tmp_path / "images.csv", val_fraction=0, memory_limit=0).train


CROPPED = Augment(flip=0.5, area=0.08)


def held_in_memory(split: Split) -> Split:
    pictures = [split.images.read(index) for index in range(len(split))]
    return dataclasses.replace(split, images=KeptImages(pictures, split.images))


def test_each_photograph_is_decoded_as_small_as_its_own_crop_allows(photographs, monkeypatch):
    scales, read = set(), FileImages.read

    def seen(self: FileImages, index: int, serving=None) -> np.ndarray:
        picture = read(self, index, serving)
        scales.add((index, round(photographs.facts.sizes[index, 0] / picture.shape[0])))
        assert min(picture.shape[:2]) >= 88 or index == 7
        return picture

    monkeypatch.setattr(FileImages, "read", seen)
    batches = Batches(photographs, dataclasses.replace(PREPROCESSING, size=(88, 88)), 4, CROPPED, seed=1)
    for epoch in range(20):
        collect(batches, epoch)
    assert {scale for _, scale in scales} == {1, 2, 4, 8}
    assert {scale for index, scale in scales if index in (2, 7)} == {1}  # small ones
    assert len({scale for index, scale in scales if index == 4}) >= 3


def test_photographs_decoded_smaller_show_the_same(photographs, monkeypatch):
    look = dataclasses.replace(PREPROCESSING, size=(64, 64))
    for policy in (CROPPED, Augment(rotate=20, scale=0.2, border="reflect"), Augment(translate=0.1)):
        smaller = collect(Batches(photographs, look, 4, policy, seed=2))
        with monkeypatch.context() as patched:
            patched.setattr(making, "are_large", lambda sizes: np.zeros(len(sizes), bool))
            whole = collect(Batches(photographs, look, 4, policy, seed=2))
        assert any(not torch.equal(a[0], b[0]) for a, b in zip(smaller, whole, strict=True))
        for (images, labels), (expected, expected_labels) in zip(smaller, whole, strict=True):
            assert torch.equal(labels, expected_labels)
            assert (images.float() - expected.float()).abs().mean(dim=(1, 2, 3)).max() < 4


@pytest.mark.parametrize("workers", [0, 2])
def test_photographs_are_the_same_from_files_and_from_memory(photographs, workers):
    def epochs(split: Split, workers: int) -> list:
        batches = Batches(split, PREPROCESSING, 3, CROPPED, seed=4, workers=workers)
        return [batch for epoch in range(2) for batch in collect(batches, epoch)]

    assert_same(epochs(held_in_memory(photographs), workers), epochs(photographs, 0))
    one_size = photographs.subset(np.array([5, 5, 5, 5]))
    array = np.stack([one_size.images.read(index) for index in range(4)])
    in_array = dataclasses.replace(one_size, images=ArrayImages(array, ["x"] * 4, one_size.images))
    assert_same(epochs(in_array, workers), epochs(one_size, 0))


def test_a_photograph_that_grew_since_it_was_checked_is_shown_by_the_size_it_has(photographs):
    path = photographs.images.paths[0]
    Image.fromarray(np.full((2000, 3000, 3), 200, np.uint8)).save(path)
    images, labels = next(iter(Batches(photographs, PREPROCESSING, 8, CROPPED, seed=1).epoch(0)))
    shown = images[labels == photographs.labels[0]]
    assert (shown.float() - 200).abs().max() <= 2


class Clock:
    """Images and work that take as long as they say, by a clock of their own."""

    def __init__(self) -> None:
        self.now = 0.0

    def __len__(self) -> int:
        return COUNT

    def read(self, index: int, serving=None) -> np.ndarray:
        self.now += 4
        return noise(index, 14, 20)


@pytest.mark.parametrize("policy", [STRONG, Augment(), Augment(hue=20), dataclasses.replace(STRONG, mixup=1.0)])
def test_the_share_of_reading_is_measured(policy, monkeypatch):
    clock = Clock()
    batches = training(Split("train", clock, np.arange(COUNT)), augment=policy, classes=COUNT)
    make = type(batches._maker).__getitem__

    def working(self, key):
        clock.now += 10
        return make(self, key)

    monkeypatch.setattr(type(batches._maker), "__getitem__", working)
    monkeypatch.setattr(batches_module, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    share = batches.reading_share(1)
    reading = (clock.now - 10) / 2  # all was read twice
    assert reading >= 5 * 4
    assert share == reading / (reading + 10)
