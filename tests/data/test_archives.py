import importlib.util
import io
import os
import pickle
import stat
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

from striate.data import UnreadableImage, open_dataset, zip_files
from striate.data.archives import Archive
from striate.data.folder import list_folder
from striate.errors import StriateError

SPEC = importlib.util.spec_from_file_location("packing", Path(__file__).parents[1] / "packing.py")
packing = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(packing)
files_below, packed, png, tarred, zipped = (
    packing.files_below,
    packing.packed,
    packing.png,
    packing.tarred,
    packing.zipped,
)

KINDS = ("zip", "tar")


def pets(count: int = 3) -> dict[str, bytes]:
    return {
        f"{name}/{row}.png": png(10 * kind + row) for kind, name in enumerate(("cat", "dog")) for row in range(count)
    }


def told(source, **options) -> str:
    with pytest.raises(StriateError) as caught:
        open_dataset(source, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_is_the_folder_that_was_packed(make_folder, tmp_path, kind):
    folder = make_folder({"cat": 3, "dog": 4, "fox": 2})
    peer = ImageFolder(folder)
    archive = packed(tmp_path / f"photos.{kind}", files_below(folder))
    unpacked, read = open_dataset(folder, val_fraction=0), open_dataset(archive, val_fraction=0)
    assert list(read.classes) == peer.classes
    assert read.train.labels.tolist() == peer.targets
    assert read.fingerprint == unpacked.fingerprint
    for row, (path, _) in enumerate(peer.samples):
        assert np.array_equal(read.train.images.read(row), np.asarray(Image.open(path)))
        assert read.train.images.name(row) == f"{archive}/{os.path.relpath(path, folder)}"


@pytest.mark.parametrize("kind", KINDS)
def test_splits_and_wrappings_are_found_as_in_folders(tmp_path, kind):
    files = {f"data/pets/{split}/{name}": content for split in ("train", "val") for name, content in pets(2).items()}
    dataset = open_dataset(packed(tmp_path / f"pets.{kind}", files | {"__MACOSX/data/._x": b"x"}))
    assert [(split.name, len(split)) for split in dataset.splits] == [("train", 4), ("val", 4)]
    assert dataset.divided


def test_a_single_class_is_not_taken_for_a_wrapping(tmp_path):
    assert "one class only, 'cat'" in told(zipped(tmp_path / "a.zip", {"cat/1.png": png(1), "cat/2.png": png(2)}))


@pytest.mark.parametrize("kind", KINDS)
def test_the_walk_finds_in_an_archive_what_it_finds_on_the_disk(tmp_path, kind):
    files = pets(2) | {
        "cat/deep/er/x.png": png(77),
        "cat/notes.txt": b"no",
        "dog/.hidden.png": png(3),
        "dog/plain": png(5),
    }
    for name, content in files.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(content)
    root = Archive(packed(tmp_path / f"a.{kind}", files)).root
    inside, outside = list_folder(root), list_folder(tmp_path / "folder")
    assert [member.inner for member in inside.parts["train"].items] == [
        path.relative_to(tmp_path / "folder").as_posix() for path in outside.parts["train"].items
    ]
    assert [note.replace(str(root), "") for note in inside.notes] == [
        note.replace(str(tmp_path / "folder"), "") for note in outside.notes
    ]


def test_an_empty_class_folder_is_refused_as_on_the_disk(tmp_path):
    assert "class 'fox' has no images" in told(zipped(tmp_path / "a.zip", pets() | {"fox/": b""}))


@pytest.mark.parametrize("ending", ["tar.gz", "tgz", "tar.bz2", "tar.xz"])
def test_a_compressed_tar_is_unpacked_once(tmp_path, ending):
    path, cache = packed(tmp_path / f"pets.{ending}", pets()), tmp_path / "cache"
    first = open_dataset(path, cache=cache, val_fraction=0)
    (plain,) = cache.rglob("pets.tar")
    made = plain.stat().st_mtime_ns
    again = open_dataset(path, cache=cache, val_fraction=0)
    assert plain.stat().st_mtime_ns == made
    assert first.notes[0] == again.notes[0]
    assert first.notes[0].startswith(f"{path} is compressed, so it was unpacked once: ")
    assert first.train.images.name(0) == f"{path}/cat/0.png"
    assert len(again.train) == 6
    packed(path, pets(4))
    os.utime(path, ns=(1, 1))
    assert len(open_dataset(path, cache=cache, val_fraction=0).train) == 8


def test_a_compressed_tar_that_is_cut_short_leaves_nothing(tmp_path):
    path = packed(tmp_path / "a.tar.gz", pets())
    path.write_bytes(path.read_bytes()[:-20])
    assert told(path, cache=tmp_path / "cache").startswith(f"{path} is damaged or cut short (")
    assert not list((tmp_path / "cache").rglob("*.tar*"))


def _read(images, row):
    return images.read(row)


@pytest.mark.parametrize("way", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", KINDS)
def test_members_are_read_by_other_processes(tmp_path, kind, way):
    images = open_dataset(packed(tmp_path / f"a.{kind}", pets()), val_fraction=0, memory_limit=0).train.images
    expected = [images.read(row) for row in range(6)]
    with get_context(way).Pool(2) as pool:
        found = pool.starmap(_read, [(images, row) for row in range(6)])
        pool.close()
        pool.join()  # a signal that ends them may be caught where another test has been
    assert all(np.array_equal(*pair) for pair in zip(found, expected, strict=True))
    assert len(pickle.loads(pickle.dumps(images))) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_an_archive_that_is_replaced_is_noticed_where_it_is_read(tmp_path, kind):
    path = packed(tmp_path / f"a.{kind}", pets())
    images = open_dataset(path, val_fraction=0, memory_limit=0).train.images
    images.read(0)
    other = packed(tmp_path / f"b.{kind}", pets(2))
    os.replace(other, path)
    with pytest.raises(UnreadableImage) as caught:
        images.read(0)
    assert str(caught.value) == (
        f"{path}/cat/0.png: cannot be read: a.{kind} has changed since it was looked at; "
        "leave it as it is, or begin anew"
    )
    path.unlink()
    with pytest.raises(UnreadableImage, match="no such file"):
        images.read(0)


def test_what_is_remembered_of_an_archive_is_forgotten_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr("striate.data.remembered.SETTLED", -1)
    path = zipped(tmp_path / "a.zip", pets())
    reads = []
    real = Archive.read
    monkeypatch.setattr(Archive, "read", lambda self, inner: reads.append(inner) or real(self, inner))
    first = open_dataset(path, remember=True)
    assert len(reads) == 6
    again = open_dataset(path, remember=True)
    assert len(reads) == 6
    assert again.fingerprint == first.fingerprint
    zipped(path, pets(4))
    assert len(open_dataset(path, remember=True, val_fraction=0).train) == 8
    assert len(reads) == 14


@pytest.mark.parametrize("kind", KINDS)
def test_names_that_lead_out_are_skipped_with_their_reason(tmp_path, kind):
    bad = {"../out.png": png(1), "/abs/cat/1.png": png(2), "cat/../../up.png": png(3), "C:/x.png": png(4)}
    dataset = open_dataset(packed(tmp_path / f"a.{kind}", pets() | bad), val_fraction=0)
    assert len(dataset.train) == 6
    assert [entry.path.removeprefix(f"{tmp_path}/a.{kind}/") for entry in dataset.skipped] == list(bad)
    assert {entry.reason for entry in dataset.skipped} == {"its name leads out of the archive"}


@pytest.mark.parametrize("kind", KINDS)
def test_of_two_members_of_a_name_the_last_is_used_as_in_unpacking(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    again = ("cat/0.png", png(99))
    if kind == "zip":
        with zipfile.ZipFile(packed(path, pets()), "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(*again)
    else:
        with tarfile.open(packed(path, pets()), "a") as archive:
            entry = tarfile.TarInfo(again[0])
            entry.size = len(again[1])
            archive.addfile(entry, io.BytesIO(again[1]))
    dataset = open_dataset(path, val_fraction=0)
    assert np.array_equal(dataset.train.images.read(0), np.asarray(Image.open(io.BytesIO(png(99)))))
    assert dataset.notes[0] == f"{path}: 1 name more than once, the last file of each is used (first: cat/0.png)"


def test_links_and_devices_are_skipped_and_hard_links_followed(tmp_path):
    path = tarred(tmp_path / "a.tar", pets())
    with tarfile.open(path, "a") as archive:
        for name, kind, target in (
            ("cat/soft.png", tarfile.SYMTYPE, "/etc/passwd"),
            ("cat/hard.png", tarfile.LNKTYPE, "dog/0.png"),
            ("cat/gone.png", tarfile.LNKTYPE, "dog/9.png"),
            ("cat/pipe.png", tarfile.FIFOTYPE, ""),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, target
            archive.addfile(entry)
    dataset = open_dataset(path, val_fraction=0)
    assert [(entry.path.rpartition("/")[2], entry.reason) for entry in dataset.skipped] == [
        ("soft.png", "a link, which is not followed in an archive"),
        ("gone.png", "a link, which is not followed in an archive"),
        ("pipe.png", "neither a file nor a folder"),
    ]
    assert [dataset.train.images.name(row).rpartition("/")[2] for row in range(4)] == [
        "0.png",
        "1.png",
        "2.png",
        "hard.png",
    ]
    assert np.array_equal(dataset.train.images.read(3), dataset.train.images.read(4))
    path = zipped(tmp_path / "a.zip", pets())
    with zipfile.ZipFile(path, "a") as archive:
        entry = zipfile.ZipInfo("cat/soft.png")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    assert [entry.reason for entry in open_dataset(path).skipped] == ["a link, which is not followed in an archive"]


def test_an_encrypted_zip_is_one_line(tmp_path):
    path = zipped(tmp_path / "a.zip", pets())
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        start = 0
        while (start := content.find(mark, start)) >= 0:
            content[start + place] |= 1
            start += 4
    path.write_bytes(content)
    assert told(path) == f"{path} is encrypted (the first: cat/0.png); unpack it and give the folder"


@pytest.mark.parametrize("kind", KINDS)
def test_empty_archives_and_what_is_none(tmp_path, kind):
    path = packed(tmp_path / f"a.{kind}", {})
    assert told(path) == f"{path} is an empty archive"
    path = packed(tmp_path / f"b.{kind}", {"../x.png": png(1)})
    assert told(path) == (
        f"{path} is an empty archive: no member can be read (the first: ../x.png: its name leads out of the archive)"
    )
    path.write_bytes(b"<html>not here</html>" * 100)
    assert told(path).startswith(f"{path} is ")
    assert told(path).endswith("; fetch it again")


def test_truncated_archives_are_one_line_wherever_they_end(tmp_path):
    for kind in KINDS:
        path = packed(tmp_path / f"a.{kind}", pets(1))
        whole = path.read_bytes()
        end = len(whole) if kind == "zip" else len(whole.rstrip(b"\0"))
        for length in sorted({0, 1, 4, 30, 511, 512, 700, end // 2, end - 30, end - 1}):
            path.write_bytes(whole[:length])
            message = told(path)
            assert message.startswith(str(path)), message
            assert "fetch it again" in message or "empty" in message, message


def test_a_tar_without_its_end_is_noted(tmp_path):
    path = tarred(tmp_path / "a.tar", pets())
    with tarfile.open(path) as archive:
        last = archive.getmembers()[-1]
    end = last.offset_data + -(-last.size // 512) * 512
    path.write_bytes(path.read_bytes()[:end])
    assert open_dataset(path).notes[0] == f"{path}: no mark at its end: it may be cut short"


def test_a_tar_that_is_spoilt_in_its_middle_loses_nothing_in_silence(tmp_path):
    path = tarred(tmp_path / "a.tar", pets())
    with tarfile.open(path) as archive:
        third = archive.getmembers()[2].offset
    content = bytearray(path.read_bytes())
    content[third + 148 : third + 156] = b"999999\0 "  # its checksum
    path.write_bytes(content)
    assert told(path) == f"{path} is a damaged tar file (no header at byte {third:,}); fetch it again"


def test_a_damaged_member_of_a_zip_is_skipped_by_its_checksum(tmp_path):
    path = zipped(tmp_path / "a.zip", pets(), zipfile.ZIP_STORED)
    with zipfile.ZipFile(path) as archive:
        second = archive.infolist()[1]
    content = bytearray(path.read_bytes())
    content[second.header_offset + 30 + len(second.filename) + 100] ^= 1
    path.write_bytes(content)
    dataset = open_dataset(path, val_fraction=0)
    assert [(entry.path, entry.reason) for entry in dataset.skipped] == [
        (f"{path}/cat/1.png", "cannot be read: damaged in the archive: its checksum is another")
    ]


def test_members_that_promise_too_much_are_not_unpacked(tmp_path, monkeypatch):
    bomb = zlib.compress(bytes(1 << 22))
    path = zipped(tmp_path / "a.zip", pets() | {"cat/bomb.png": bytes(1 << 22)})
    assert path.stat().st_size < len(bomb) + (1 << 16)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1 << 19)
    reads = []
    real = Archive.read
    monkeypatch.setattr(Archive, "read", lambda self, inner: reads.append(inner) or real(self, inner))
    (entry,) = open_dataset(path).skipped
    assert entry.reason == "a file of 4.19 MB, 1.73 MB are allowed; make the picture smaller"
    assert "cat/bomb.png" not in reads
    content = bytearray(path.read_bytes())
    start = content.rfind(b"cat/bomb.png") - 46  # its record in the index
    content[start + 24 : start + 28] = struct.pack("<I", 1000)  # the size that its index says
    path.write_bytes(content)
    (entry,) = open_dataset(path).skipped
    assert entry.reason == "cannot be read: damaged in the archive: its checksum is another"


def test_a_table_in_an_archive_names_its_pictures(tmp_path):
    table = b"path,label\nimages/0.png,cat\nimages/1.png,dog\nimages/2.png,cat\n"
    files = {f"images/{row}.png": png(row) for row in range(3)}
    dataset = open_dataset(zipped(tmp_path / "a.zip", files | {"labels.csv": table}), val_fraction=0)
    assert dataset.classes == ("cat", "dog")
    assert dataset.train.labels.tolist() == [0, 1, 0]
    listed = open_dataset(
        zipped(tmp_path / "b.zip", files | {"list.txt": b"images/0.png 0\nimages/1.png 1\n"}), val_fraction=0
    )
    assert listed.classes == ("0", "1")


def test_a_part_of_an_archive_is_named_by_its_path(tmp_path):
    files = {f"train/{name}": content for name, content in pets().items()} | {
        "t.csv": b"path,label\ntrain/cat/0.png,a\ntrain/dog/0.png,b\n"
    }
    path = zipped(tmp_path / "a.zip", files)
    assert open_dataset(path / "train", val_fraction=0).classes == ("cat", "dog")
    assert open_dataset(path / "t.csv", val_fraction=0).classes == ("a", "b")
    assert told(path / "gone").startswith(f"there is no '{path}/gone'")


def test_backslashes_of_old_packers_part_folders(tmp_path):
    files = {name.replace("/", "\\"): content for name, content in pets().items()}
    assert open_dataset(zipped(tmp_path / "a.zip", files), val_fraction=0).classes == ("cat", "dog")


def test_a_long_name_in_a_zip_is_read_past(tmp_path):
    name = f"cat/{'a' * 250}/{'b' * 250}/{'c' * 200}.png"
    dataset = open_dataset(zipped(tmp_path / "a.zip", pets() | {name: png(50)}, zipfile.ZIP_STORED), val_fraction=0)
    assert np.array_equal(dataset.train.images.read(3), np.asarray(Image.open(io.BytesIO(png(50)))))
    assert dataset.skipped == ()


@pytest.mark.parametrize("kind", KINDS)
def test_parquet_metadata_and_idx_are_read_in_archives(tmp_path, kind):
    stream = io.BytesIO()
    pq.write_table(pa.table({"image": [png(0), png(1), png(2)], "label": ["a", "b", "a"]}), stream)
    parquet = {"set/data/train-00000-of-00001.parquet": stream.getvalue(), "set/data/test.parquet": stream.getvalue()}
    rows = [f'{{"file_name": "{row}.png", "label": "{"ab"[row % 2]}"}}' for row in range(3)]
    metadata = {f"train/{row}.png": png(row) for row in range(3)} | {"train/metadata.jsonl": "\n".join(rows).encode()}
    lists = {f"x/{row}.png": png(row) for row in range(3)} | {"train.txt": b"x/0.png a\nx/1.png b\nx/2.png a\n"}
    pixels = b"\0\0\x08\x03" + struct.pack(">3I", 3, 5, 5) + bytes(range(75))
    idx = {"train-images-idx3-ubyte": pixels, "train-labels-idx1-ubyte": b"\0\0\x08\x01\0\0\0\3\0\1\0"}
    for number, files in enumerate((parquet, metadata, lists, idx)):
        for limit in (None, 0):
            path = packed(tmp_path / f"{number}.{kind}", files)
            dataset = open_dataset(path, val_fraction=0, memory_limit=limit)
            assert len(dataset.classes) == 2
            assert dataset.train.labels.tolist() == [0, 1, 0]
            assert dataset.train.images.read(2).shape[2] == dataset.channels


def test_a_part_of_a_compressed_archive_says_where_it_was_unpacked(tmp_path):
    path = packed(tmp_path / "a.tgz", {f"train/{name}": content for name, content in pets().items()})
    dataset = open_dataset(path / "train", cache=tmp_path / "cache", val_fraction=0)
    assert dataset.notes[0].startswith(f"{path} is compressed, so it was unpacked once")


def test_a_member_is_not_unpacked_beyond_the_size_that_it_says(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a": bytes(1 << 26)})
    archive = Archive(path)
    extent = archive.extent("a")._replace(size=1000)
    tracemalloc.start()
    try:
        with pytest.raises(OSError, match="its checksum is another"):
            zip_files.content(archive.pieces, extent)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 22
