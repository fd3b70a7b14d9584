"""CIFAR's binary records, laid out here byte by byte."""

import gzip
import io
import tarfile
import zlib

import numpy as np
import pytest

from striate.data.cifar import list_cifar
from striate.errors import StriateError

TRAIN = {"cifar10": [f"data_batch_{number}.bin" for number in (1, 2, 3, 4, 5)], "cifar100": ["train.bin"]}
TEST = {"cifar10": "test_batch.bin", "cifar100": "test.bin"}
NAMES = {"cifar10": "batches.meta.txt", "cifar100": "fine_label_names.txt"}
CLASSES = ("ant", "bee", "cat", "dog", "eel", "fox")


def record(kind: str, label: int, image: np.ndarray) -> bytes:
    """The label (of CIFAR-100 the coarse one first), then all red bytes, all green ones, all blue ones."""
    coarse = [40] if kind == "cifar100" else []
    return bytes([*coarse, label]) + b"".join(image[..., colour].tobytes() for colour in range(3))


def write(folder, kind: str) -> dict[str, np.ndarray]:
    """Two records a file with labels that count on; the pixels of each file."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, pixels = np.random.default_rng(0), {}
    for number, member in enumerate([*TRAIN[kind], TEST[kind]]):
        pixels[member] = rng.integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
        labels = (number, 5 - number)
        content = [record(kind, label, image) for label, image in zip(labels, pixels[member], strict=True)]
        (folder / member).write_bytes(b"".join(content))
    (folder / NAMES[kind]).write_text("\n".join(CLASSES) + "\n\n")
    return pixels


def packed(folder, compression: str):
    """The folder as an archive, beside folders and a link that are called as its files."""
    path = folder.with_suffix(".tar")
    with tarfile.open(path, f"w:{compression}") as tar:
        for name, type_ in (("a/batches.meta.txt", tarfile.DIRTYPE), ("a/test_batch.bin", tarfile.SYMTYPE)):
            entry = tarfile.TarInfo(name)
            entry.type = type_
            entry.linkname = "nowhere" if type_ == tarfile.SYMTYPE else ""
            tar.addfile(entry)
        tar.addfile(tarfile.TarInfo("a/readme.html"), io.BytesIO())
        tar.add(folder, "a/b")
    return path


@pytest.mark.parametrize("kind", ["cifar10", "cifar100"])
@pytest.mark.parametrize("form", ["folder", "", "gz"])
def test_records_are_read_in_the_order_of_the_files(tmp_path, kind, form):
    pixels = write(tmp_path / "set", kind)
    listing = list_cifar(kind, tmp_path / "set" if form == "folder" else packed(tmp_path / "set", form))
    assert listing.classes == CLASSES
    assert listing.divided
    assert list(listing.parts) == ["train", "test"]
    train, test = listing.parts["train"], listing.parts["test"]
    assert train.labels.tolist() == [label for number in range(len(TRAIN[kind])) for label in (number, 5 - number)]
    assert test.labels.tolist() == ([5, 0] if kind == "cifar10" else [1, 4])
    assert train.names == [f"{member}[{row}]" for member in TRAIN[kind] for row in (0, 1)]
    assert test.names == [f"{TEST[kind]}[0]", f"{TEST[kind]}[1]"]
    np.testing.assert_array_equal(train.items, np.concatenate([pixels[member] for member in TRAIN[kind]]))
    np.testing.assert_array_equal(test.items, pixels[TEST[kind]])
    for part in (train, test):
        assert (part.items.dtype, part.labels.dtype) == (np.uint8, np.int64)
        assert part.items.flags.c_contiguous


@pytest.mark.parametrize("form", ["folder", "gz"])
def test_what_is_missing_is_listed(tmp_path, form):
    folder = tmp_path / "two\nlines"
    write(folder, "cifar10")
    for name in ("data_batch_2.bin", "test_batch.bin", "batches.meta.txt"):
        (folder / name).unlink()
    place = folder
    if form == "gz":
        place = tmp_path / "two\nlines.tar.gz"
        with tarfile.open(place, "w:gz") as tar:
            tar.add(folder, "set")
    with pytest.raises(StriateError) as caught:
        list_cifar("cifar10", place)
    where = str(place).replace("\n", "\ufffd")
    assert str(caught.value) == f"{where} lacks data_batch_2.bin, test_batch.bin, batches.meta.txt; fetch it again"


@pytest.mark.parametrize(("kind", "size"), [("cifar10", 3073), ("cifar100", 3074)])
def test_parts_of_records_are_refused(tmp_path, kind, size):
    folder = tmp_path / "two\nlines"
    write(folder, kind)
    whole = (folder / TEST[kind]).read_bytes()
    for content in (b"", whole[:-1], whole + b"?"):
        (folder / TEST[kind]).write_bytes(content)
        with pytest.raises(StriateError) as caught:
            list_cifar(kind, folder)
        where = f"{tmp_path}/two\ufffdlines/{TEST[kind]}"
        assert str(caught.value) == (f"{where} is truncated: {len(content):,} bytes are no whole records of {size:,}")


@pytest.mark.parametrize("part", [TRAIN["cifar10"][3], TEST["cifar10"]])
def test_a_label_without_a_name_is_refused(tmp_path, part):
    folder = tmp_path / "two\nlines"
    write(folder, "cifar10")
    image = np.zeros((32, 32, 3), np.uint8)
    (folder / part).write_bytes(record("cifar10", 6, image) + record("cifar10", 0, image))
    with pytest.raises(StriateError) as caught:
        list_cifar("cifar10", folder)
    assert str(caught.value) == f"{tmp_path}/two\ufffdlines: label 6 is outside the 6 classes"


def test_an_archive_that_is_none_is_one_line(tmp_path):
    write(tmp_path / "set", "cifar10")
    sound = packed(tmp_path / "set", "gz").read_bytes()
    archive = tmp_path / "two\nlines.tar.gz"
    for content in (b"", b"no archive at all", sound[:-2000], sound[:40] + b"\xff" * 40 + sound[80:]):
        archive.write_bytes(content)
        with pytest.raises(StriateError) as caught:
            list_cifar("cifar10", archive)
        assert str(caught.value).startswith(f"{tmp_path}/two\ufffdlines.tar.gz is damaged or cut short (")
        assert str(caught.value).endswith("); fetch it again")


def broken_off(archive, tail: bytes) -> bytes:
    """The archive packed up to the middle of a file, then the tail."""
    with tarfile.open(archive) as tar:
        half = tar.getmember("a/b/data_batch_1.bin").offset_data + 16_000
    packer = zlib.compressobj(wbits=31)  # 31: as gzip
    return packer.compress(gzip.decompress(archive.read_bytes())[:half]) + packer.flush(zlib.Z_FULL_FLUSH) + tail


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda archive: broken_off(archive, b""), EOFError),
        (lambda archive: broken_off(archive, b"\x07"), zlib.error),  # a last block of the type that there is not
        (lambda archive: b"no archive", tarfile.TarError),
        (None, FileNotFoundError),
    ],
)
def test_whatever_is_wrong_with_an_archive_it_is_to_be_fetched_again(tmp_path, spoil, cause):
    write(tmp_path / "set", "cifar10")
    for member in TRAIN["cifar10"]:  # longer than what is unpacked at once
        (tmp_path / "set" / member).write_bytes(np.random.default_rng(0).integers(0, 4, 3073 * 9, np.uint8).tobytes())
    archive = packed(tmp_path / "set", "gz")
    if spoil is None:
        archive.unlink()
    else:
        archive.write_bytes(spoil(archive))
    with pytest.raises(StriateError, match=r"set\.tar is damaged or cut short \(.*\); fetch it again$") as caught:
        list_cifar("cifar10", archive)
    assert isinstance(caught.value.__cause__, cause)
