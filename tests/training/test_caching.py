import dataclasses
import multiprocessing
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from striate.augment import Augment
from striate.data import FileImages, KeptImages, Preprocessing, Split, open_dataset
from striate.data import block_file as block_file_module
from striate.data.block_file import NAME, open_block
from striate.data.block_images import BlockImages
from striate.errors import StriateError
from striate.training import cache_choice
from striate.training.batches import Batches
from striate.training.caching import Setting, cached
from striate.training.progress import Quiet

LOOK = Preprocessing((48, 48), 3, (0.5,) * 3, (0.25,) * 3)
POLICY = Augment(flip=0.5, area=0.08, brightness=0.2)
SETTING = Setting(POLICY, LOOK, epochs=30, place="/photos")
SIZES = [(520, 640), (512, 700), (300, 400), (900, 640), (1000, 800), (640, 640), (480, 900), (100, 90), (600, 600)]


def paint(path: Path, number: int, height: int, width: int) -> None:
    few = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = 6 if number % 3 == 0 else 1
    picture = Image.fromarray(few).resize((width, height), Image.Resampling.BICUBIC)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.convert("CMYK" if number == 8 else "RGB").save(path, **({} if path.suffix == ".png" else {"exif": exif}))


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes of photographs large and small, JPEGs and PNGs, upright and not, and a cache folder of their own."""
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    for number, size in enumerate(SIZES):
        for kind in ("a", "b"):
            name = f"{number}.png" if kind == "b" and number in (1, 2) else f"{number}.jpg"
            paint(tmp_path / "photos" / kind / name, number, *size)
    return tmp_path / "photos"


def splits_of(photos: Path, memory_limit: int | None = 0) -> list[Split]:
    dataset = open_dataset(photos, val_fraction=0.3, memory_limit=memory_limit)
    return [dataset.train, dataset.val]


def batches_of(splits: list[Split], workers: int = 0, part: tuple[int, int] = (0, 1)) -> list[Batches]:
    train = Batches(splits[0], LOOK, 4 // part[1], POLICY, seed=5, workers=workers, part=part)
    return [train, Batches(splits[1], LOOK, 4, workers=workers)]


def all_of(splits: list[Split], workers: int = 0, epochs: int = 2) -> list[torch.Tensor]:
    train, val = batches_of(splits, workers)
    made = [images.clone() for epoch in range(epochs) for images, _ in train.epoch(epoch)]
    return made + [images.clone() for images, _ in val.epoch()]


def assert_same(found: list[torch.Tensor], expected: list[torch.Tensor]) -> None:
    assert len(found) == len(expected)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def files_of(splits: list[Split]) -> list[Path]:
    return sorted(path for split in splits for path in split.images.source.paths)


def no_decoding(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What is read from files from now on."""
    reads: list[int] = []
    read = FileImages.read
    monkeypatch.setattr(FileImages, "read", lambda self, *rest: reads.append(rest[0]) or read(self, *rest))
    return reads


@pytest.mark.sampled
@pytest.mark.parametrize("way", ["ram", "disk", "auto"])
@pytest.mark.parametrize("workers", [0, 2])
def test_pictures_are_the_same_wherever_they_are_kept(photos, way, workers):
    plain = splits_of(photos)
    found = cached(splits_of(photos), way, SETTING, Quiet())
    assert found.way == ("ram" if way == "auto" else way)
    assert all(isinstance(split.images, BlockImages) for split in found.splits)
    assert_same(all_of(found.splits, workers), all_of(plain))
    assert_same(all_of(cached(splits_of(photos), "off", SETTING, Quiet()).splits), all_of(plain))


def test_ranks_and_a_later_start_have_the_same_pictures(photos):
    plain = splits_of(photos)
    whole = [images for images, _ in batches_of(plain)[0].epoch(1)]
    kept = cached(splits_of(photos), "disk", SETTING, Quiet()).splits
    parts = [batches_of(kept, part=(rank, 2))[0].epoch(1) for rank in range(2)]
    assert_same([torch.cat([one.images, other.images]) for one, other in zip(*parts, strict=True)], whole)
    assert_same([images for images, _ in batches_of(kept)[0].epoch(1, 2)], whole[2:])


def test_what_is_kept_is_not_decoded_again(photos, monkeypatch):
    reads = no_decoding(monkeypatch)
    plain = splits_of(photos)
    all_of(plain)
    assert reads
    for way in ("ram", "disk"):
        kept = cached(plain, way, SETTING, Quiet()).splits
        reads.clear()
        all_of(kept)
        unfit = {index for split in plain for index in range(len(split)) if split.images.name(index).endswith("8.jpg")}
        assert len([index for index in reads if index not in unfit]) <= 2  # of a scale that seldom comes


def test_a_second_run_finds_the_file_and_reads_no_picture(photos, monkeypatch):
    first = cached(splits_of(photos), "disk", SETTING, Quiet())
    path = first.splits[0].images.block.path
    before = path.stat()
    monkeypatch.setattr(block_file_module, "fill", None)
    again = cached(splits_of(photos), "disk", SETTING, Quiet())
    assert path.stat().st_ino == before.st_ino
    assert_same(all_of(again.splits), all_of(splits_of(photos)))
    assert str(path) in again.words
    assert f"{2 * len(SIZES)} decoded pictures" in again.words


def test_another_seed_divides_the_same_pictures(photos, monkeypatch):
    cached(splits_of(photos), "disk", SETTING, Quiet())
    monkeypatch.setattr(block_file_module, "fill", None)
    other = open_dataset(photos, val_fraction=0.3, memory_limit=0, seed=9)
    found = cached([other.train, other.val], "disk", SETTING, Quiet()).splits
    assert_same(all_of(found), all_of([other.train, other.val]))


def test_a_file_that_changed_is_decoded_anew_and_the_others_are_not(photos, monkeypatch):
    cached(splits_of(photos), "disk", SETTING, Quiet())
    changed = photos / "a" / "5.jpg"
    paint(changed, 77, *SIZES[5])
    decoded: list[bytes] = []
    from striate.data import filling

    decode = filling.decode
    monkeypatch.setattr(filling, "decode", lambda data, *rest: decoded.append(data) or decode(data, *rest))
    kept = cached(splits_of(photos), "disk", SETTING, Quiet()).splits
    assert set(decoded) == {changed.read_bytes()}
    assert_same(all_of(kept), all_of(splits_of(photos)))


def test_renamed_classes_change_nothing_of_the_cache(photos, monkeypatch):
    cached(splits_of(photos), "disk", SETTING, Quiet())
    (photos / "a").rename(photos / "z")
    monkeypatch.setattr(block_file_module, "fill", None)
    assert_same(all_of(cached(splits_of(photos), "disk", SETTING, Quiet()).splits), all_of(splits_of(photos)))


def test_another_size_or_policy_has_a_file_of_its_own(photos):
    paths = set()
    for setting in (
        SETTING,
        dataclasses.replace(SETTING, look=dataclasses.replace(LOOK, size=(64, 64))),
        dataclasses.replace(SETTING, policy=POLICY.with_strengths(area=0.5)),
        dataclasses.replace(SETTING, policy=POLICY.with_strengths(hue=20)),  # of colours nothing is kept
        dataclasses.replace(SETTING, place="/elsewhere"),
    ):
        paths.add(cached(splits_of(photos), "disk", setting, Quiet()).splits[0].images.block.path)
    assert len(paths) == 4


@pytest.mark.parametrize("damage", ["the index", "the end", "the beginning", "no file of ours", "nothing left"])
def test_a_damaged_file_is_taken_for_none_and_removed(photos, damage):
    path = cached(splits_of(photos), "disk", SETTING, Quiet()).splits[0].images.block.path
    content = bytearray(path.read_bytes())
    if damage == "the index":
        content[-300] ^= 0x40
    cut = {"the end": content[:-40], "the beginning": content[4096:], "no file of ours": b"x" * 5, "nothing left": b""}
    path.write_bytes(cut.get(damage, content))
    assert open_block(path) is None
    assert not path.exists()
    assert open_block(path) is None


def test_a_damaged_picture_is_decoded_and_the_file_made_anew(photos):
    path = cached(splits_of(photos), "disk", SETTING, Quiet()).splits[0].images.block.path
    content = bytearray(path.read_bytes())
    for place in range(0, len(content) - 5000, 20_000):
        content[place] ^= 0x40
    path.write_bytes(content)
    expected = all_of(splits_of(photos))
    assert_same(all_of(cached(splits_of(photos), "disk", SETTING, Quiet()).splits), expected)
    assert not path.exists()
    assert_same(all_of(cached(splits_of(photos), "disk", SETTING, Quiet()).splits, workers=1), expected)
    assert path.exists()


@pytest.fixture
def little_space():
    """No file may become larger than a megabyte: the system says so as it does of a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_nothing_and_training_goes_on(photos, little_space):
    found = cached(splits_of(photos), "disk", SETTING, Quiet())
    assert found.way == "off"
    assert found.words.startswith("cache: off, ")
    assert "the disk is full" in found.words
    assert "\n" not in found.words
    folder = Path(os.environ["STRIATE_CACHE"]) / "pictures"
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert_same(all_of(found.splits), all_of(splits_of(photos)))


def test_a_cache_folder_that_cannot_be_written_is_said(photos, monkeypatch):
    Path(os.environ["STRIATE_CACHE"]).write_text("a file")
    found = cached(splits_of(photos), "disk", SETTING, Quiet())
    assert found.way == "off"
    assert found.words.startswith("cache: off, ")
    assert_same(all_of(found.splits), all_of(splits_of(photos)))


def run_of_its_own(photos: Path, together, said) -> None:
    splits = splits_of(photos)
    together.wait(60)
    found = cached(splits, "disk", SETTING, Quiet())
    said.put((found.way, [images.numpy().tobytes() for images in all_of(found.splits, epochs=1)]))


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="there is no fork")
def test_two_runs_that_fill_at_once_both_end_right(photos):
    context = multiprocessing.get_context("fork")
    together, said = context.Barrier(2), context.Queue()
    runs = [context.Process(target=run_of_its_own, args=(photos, together, said)) for _ in range(2)]
    for run in runs:
        run.start()
    found = [said.get(timeout=60) for _ in runs]
    for run in runs:
        run.join()
    plain = [images.numpy().tobytes() for images in all_of(splits_of(photos), epochs=1)]
    assert found == [("disk", plain)] * 2
    folder = Path(os.environ["STRIATE_CACHE"]) / "pictures"
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [NAME]


def test_a_file_that_vanished_or_changed_since_the_check_is_named(photos):
    splits = splits_of(photos)
    (photos / "a" / "4.jpg").unlink()
    with pytest.raises(StriateError, match=r"4\.jpg: no such file"):
        cached(splits, "ram", SETTING, Quiet())
    paint(photos / "a" / "4.jpg", 99, 900, 900)
    with pytest.raises(StriateError, match=r"4\.jpg: has changed since .*start again"):
        cached(splits, "disk", SETTING, Quiet())


def test_pictures_that_are_small_stay_in_memory_as_they_were(photos):
    small = dataclasses.replace(SETTING, policy=Augment(flip=0.5), look=dataclasses.replace(LOOK, size=(600, 600)))
    splits = splits_of(photos, memory_limit=None)
    found = cached(splits, "auto", small, Quiet())
    assert [type(split.images) for split in found.splits] == [KeptImages, KeptImages]
    assert found.words.startswith(f"cache: {2 * len(SIZES)} decoded pictures in memory, ")
    assert all(type(split.images) is FileImages for split in cached(splits, "off", small, Quiet()).splits)
    given = dataclasses.replace(splits[0], facts=None)
    assert cached([given], "disk", SETTING, Quiet()).words == ""


def test_a_copy_in_another_process_has_the_file_or_the_source(photos):
    kept = cached(splits_of(photos), "disk", SETTING, Quiet()).splits[0].images
    copy = pickle.loads(pickle.dumps(kept))
    assert len(pickle.dumps(kept)) < 20_000
    assert isinstance(copy, BlockImages)
    np.testing.assert_array_equal(copy.read(0), kept.read(0))
    kept.block.path.unlink()
    assert isinstance(pickle.loads(pickle.dumps(kept)), FileImages)
    in_memory = cached(splits_of(photos), "ram", SETTING, Quiet()).splits[0].images
    assert isinstance(pickle.loads(pickle.dumps(in_memory)), FileImages)
    part = in_memory.subset(np.array([3, 1]))
    assert part.name(0) == in_memory.name(3)
    at_a_quarter = [images.read(row, lambda height, width: 4) for images, row in ((part, 0), (in_memory, 3))]
    np.testing.assert_array_equal(*at_a_quarter)


def test_files_that_are_not_used_make_room(photos, monkeypatch):
    monkeypatch.setattr(block_file_module, "MOST", 1)
    monkeypatch.setattr(cache_choice, "MOST", 1 << 40)
    older = cached(splits_of(photos), "disk", SETTING, Quiet()).splits[0].images.block.path
    assert older.exists()
    setting = dataclasses.replace(SETTING, place="/elsewhere")
    newer = cached(splits_of(photos), "disk", setting, Quiet()).splits[0].images.block.path
    assert newer.exists()
    assert not older.exists()
