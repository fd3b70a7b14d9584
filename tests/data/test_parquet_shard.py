import importlib.util
import os
import pickle
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from striate.data import FileImages, UnreadableImage, open_dataset
from striate.data import parquet_shard as module
from striate.data.parquet_rows import read_rows
from striate.data.parquet_shard import ShardRow
from striate.errors import StriateError

SPEC = importlib.util.spec_from_file_location("packing", Path(__file__).parents[1] / "packing.py")
packing = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(packing)
png = packing.png

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def write(path, rows, start=0, group=3, images=None, compression="snappy"):
    images = images or [{"bytes": png(row), "path": None} for row in range(start, start + rows)]
    table = pa.table({"image": pa.array(images, IMAGE), "label": [row % 3 for row in range(rows)]})
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=group, compression=compression)
    return path


@pytest.fixture
def shards(tmp_path):
    write(tmp_path / "pets" / "data" / "train-00000-of-00002.parquet", 8)
    write(tmp_path / "pets" / "data" / "train-00001-of-00002.parquet", 7, 8)
    write(tmp_path / "pets" / "data" / "test-00000-of-00001.parquet", 4, 15)
    return tmp_path / "pets"


def test_large_files_are_read_in_place_and_are_the_same_images(shards):
    held = open_dataset(shards, val_fraction=0)
    placed = open_dataset(shards, val_fraction=0, memory_limit=0)
    assert isinstance(placed.train.images, FileImages)
    assert all(isinstance(row, ShardRow) for row in placed.train.images.paths)
    assert placed.fingerprint == held.fingerprint
    for split, other in zip(placed.splits, held.splits, strict=True):
        assert split.labels.tolist() == other.labels.tolist()
        for row in range(len(split)):
            assert split.images.name(row) == other.images.name(row)
            assert np.array_equal(split.images.read(row), other.images.read(row))


def test_the_limit_is_that_of_all_files_together(shards):
    size = sum(file.stat().st_size for file in shards.rglob("*.parquet"))
    for limit, in_place in ((size - 1, True), (size, False)):
        dataset = open_dataset(shards, val_fraction=0, memory_limit=limit)
        source = getattr(dataset.train.images, "source", dataset.train.images)
        assert isinstance(source, FileImages) == in_place


def _read(images, row):
    return images.read(row)


@pytest.mark.parametrize("way", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_rows_are_read_by_other_processes_in_any_order(shards, way):
    images = open_dataset(shards, val_fraction=0, memory_limit=0).train.images
    expected = [images.read(row) for row in range(15)]
    assert len(pickle.dumps(images)) < 5_000  # where they lie, and not what they are
    order = np.random.default_rng(0).permutation(15).tolist()
    with get_context(way).Pool(2) as pool:
        found = pool.starmap(_read, [(images, row) for row in order])
        pool.close()
        pool.join()  # a signal that ends them may be caught where another test has been
    assert all(np.array_equal(picture, expected[row]) for picture, row in zip(found, order, strict=True))


def test_few_row_groups_are_held(shards, monkeypatch):
    images = open_dataset(shards, val_fraction=0, memory_limit=0).train.images
    read = []
    real = module._read_group
    monkeypatch.setattr(module, "_read_group", lambda shard, number: read.append(number) or real(shard, number))
    module._groups.held.clear()
    for row in (0, 1, 2, 0):
        images.read(row)
    assert read == [0]
    monkeypatch.setattr(module, "CACHED", 1)
    images.read(3)
    assert len(module._groups.held) == 1
    images.read(0)
    assert read == [0, 1, 0]


def test_rows_without_bytes_name_files_beside(tmp_path):
    (tmp_path / "there.png").write_bytes(png(5))
    images = [
        {"bytes": None, "path": "there.png"},
        {"bytes": png(1), "path": None},
        {"bytes": None, "path": "gone.png"},
    ]
    images += [{"bytes": None, "path": None}, {"bytes": png(2), "path": None}, {"bytes": png(3), "path": None}]
    path = write(tmp_path / "a.parquet", 6, images=images)
    dataset = open_dataset(path, val_fraction=0, memory_limit=0)
    assert len(dataset.train) == 4
    assert [(entry.path, entry.reason) for entry in dataset.skipped] == [
        ("a.parquet[2]", "no such file"),
        ("a.parquet[3]", "cannot be read: the row has no image"),
    ]
    outside = [row.file is None for row in dataset.train.images.paths]
    assert outside == [True, False, False, False]  # so that not the Parquet file alone decides what it is


def test_what_is_remembered_of_rows_is_forgotten_with_their_file(tmp_path, monkeypatch):
    monkeypatch.setattr("striate.data.remembered.SETTLED", -1)
    path = write(tmp_path / "a.parquet", 6)
    reads = []
    real = ShardRow.read_bytes
    monkeypatch.setattr(ShardRow, "read_bytes", lambda self: reads.append(self.row) or real(self))
    first = open_dataset(path, remember=True, memory_limit=0)
    again = open_dataset(path, remember=True, memory_limit=0)
    assert len(reads) == 6
    assert again.fingerprint == first.fingerprint
    write(path, 6, start=6)
    assert open_dataset(path, remember=True, memory_limit=0).fingerprint != first.fingerprint
    assert len(reads) == 12


def test_a_file_that_is_replaced_is_noticed(tmp_path):
    path = write(tmp_path / "a.parquet", 6)
    images = open_dataset(path, val_fraction=0, memory_limit=0).train.images
    images.read(0)
    os.replace(write(tmp_path / "b.parquet", 7), path)
    with pytest.raises(UnreadableImage, match=r"^a.parquet\[1\]: cannot be read: a.parquet has changed since"):
        images.read(1)


def test_a_damaged_row_group_is_told_for_its_rows(tmp_path):
    path = write(tmp_path / "a.parquet", 9, compression="none")
    metadata = pq.read_metadata(path)
    start = metadata.row_group(1).column(0).data_page_offset
    content = bytearray(path.read_bytes())
    content[start : start + 12] = b"\xff" * 12
    path.write_bytes(content)
    dataset = open_dataset(path, val_fraction=0, memory_limit=0)
    assert len(dataset.train) == 6
    assert [entry.path for entry in dataset.skipped] == [f"a.parquet[{row}]" for row in (3, 4, 5)]
    assert all(entry.reason.startswith("cannot be read: row group 1 is damaged (") for entry in dataset.skipped)


def test_large_row_groups_are_told(shards, monkeypatch):
    monkeypatch.setattr("striate.data.parquet.LARGE_GROUP", 100)
    dataset = open_dataset(shards, memory_limit=0)
    assert any("write it anew in smaller ones (row_group_size=100)" in note for note in dataset.notes)
    assert not any("row_group_size" in note for note in open_dataset(shards).notes)


def test_several_labels_in_place(tmp_path):
    images = [{"bytes": png(row), "path": None} for row in range(4)]
    table = pa.table({"image": pa.array(images, IMAGE), "tags": [["a"], ["a", "b"], [], ["b"]]})
    pq.write_table(table, tmp_path / "a.parquet")
    dataset = open_dataset(tmp_path / "a.parquet", val_fraction=0, memory_limit=0)
    assert dataset.train.labels.tolist() == [[1, 0], [1, 1], [0, 0], [0, 1]]
    assert isinstance(dataset.train.images, FileImages)


def test_a_row_that_names_a_file_is_not_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr("striate.data.remembered.SETTLED", -1)
    (tmp_path / "there.png").write_bytes(png(5))
    images = [{"bytes": None, "path": "there.png"}, *({"bytes": png(row), "path": None} for row in range(1, 4))]
    path = write(tmp_path / "a.parquet", 4, images=images)
    first = open_dataset(path, remember=True, memory_limit=0, val_fraction=0)
    (tmp_path / "there.png").write_bytes(png(6))
    again = open_dataset(path, remember=True, memory_limit=0, val_fraction=0)
    assert again.train.facts.contents[1:] == first.train.facts.contents[1:]
    assert again.train.facts.contents[0] != first.train.facts.contents[0]


def test_statistics_that_are_damaged_do_not_matter(tmp_path):
    """To ask pyarrow for them ends the process where the type that stands with them is none."""
    path = write(tmp_path / "a.parquet", 6, compression="none")
    whole, told = path.read_bytes(), []
    for place in range(len(whole) - 8 - int.from_bytes(whole[-8:-4], "little"), len(whole) - 8, 3):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])
        try:
            read_rows(path, "a", in_place=True)
        except StriateError as error:
            told.append(str(error))
    assert told
    assert not any("\n" in line for line in told)


def test_a_row_group_of_other_rows_than_it_says_is_damaged(tmp_path):
    shard = module.Shard(write(tmp_path / "a.parquet", 3), "image", "a", np.array([0, 5]))
    with pytest.raises(OSError, match="row group 0 is damaged \\(it has other rows than it says\\)"):
        shard.content(4)
