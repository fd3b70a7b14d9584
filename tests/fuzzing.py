"""Small whole files of every kind that is read, ways to spoil them, and what must hold of what is still read.

A child process reads them, so that a crash or a hang is a failure with the number of the file, and not the end of the
tests. `python tests/fuzzing.py KIND NUMBER [FILE]` makes the same spoilt file again, and writes it down.
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
import io
import json
import multiprocessing
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image, features

from striate.data import open_dataset
from striate.data.decode import UnreadableImage, decode
from striate.errors import StriateError

SPEC = importlib.util.spec_from_file_location("packing", Path(__file__).parent / "packing.py")
packing = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(packing)

SEED = 20_261_129
#: Seconds that one file may take.
PATIENCE = 20.0

LABELS = ("cat", "dog", "cat", "fox", "dog", "cat")
PICTURES = [packing.png(row, (9, 7)) for row in range(len(LABELS))]


def picture(mode: str = "RGB", side: int = 40, seed: int = 0) -> Image.Image:
    """A picture with gradients and noise, so that every coder has something to do."""
    generator = np.random.default_rng(seed)
    ramp = np.add.outer(np.arange(side), np.arange(side))[..., None] * np.array([3, 5, 2])
    pixels = (ramp + generator.integers(0, 40, (side, side, 3))).astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def saved(image: Image.Image, form: str, **options: object) -> bytes:
    """The content of an image file."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return stream.getvalue()


def deep(dtype: str = "uint16") -> np.ndarray:
    """Samples of 16 bits or of fractions."""
    values = np.add.outer(np.arange(40), np.arange(40)) * 700
    return (values % 65_536).astype(dtype) if dtype == "uint16" else (values % 65_536 / 65_536).astype(dtype)


@functools.cache
def image_files() -> dict[str, bytes]:
    """An image file of each kind that can be written here."""
    stream = io.BytesIO()
    np.save(stream, np.asarray(picture()))
    sixteen = io.BytesIO()
    np.save(sixteen, deep())
    found = {
        "jpeg": saved(picture(), "JPEG"),
        "jpeg progressive": saved(picture(), "JPEG", progressive=True, quality=90),
        "jpeg grey": saved(picture("L"), "JPEG"),
        "jpeg cmyk": saved(picture("CMYK"), "JPEG"),
        "jpeg restart": saved(picture(), "JPEG", restart_marker_rows=1),
        "png": saved(picture(), "PNG"),
        "png palette": saved(picture("P"), "PNG"),
        "png alpha": saved(picture("RGBA"), "PNG"),
        "png sixteen": saved(Image.fromarray(deep()), "PNG"),
        "png one bit": saved(picture("1"), "PNG"),
        "png animated": saved(picture(), "PNG", save_all=True, append_images=[picture(seed=1)]),
        "gif": saved(picture("P"), "GIF"),
        "gif animated": saved(picture("P"), "GIF", save_all=True, append_images=[picture("P", seed=1)]),
        "bmp": saved(picture(), "BMP"),
        "bmp palette": saved(picture("P"), "BMP"),
        "ppm": saved(picture(), "PPM"),
        "pgm": saved(picture("L"), "PPM"),
        "pbm": saved(picture("1"), "PPM"),
        "ico": saved(picture("RGBA"), "ICO", sizes=[(32, 32)]),
        "npy": stream.getvalue(),
        "npy sixteen": sixteen.getvalue(),
        "tiff": saved(picture(), "TIFF"),
        "tiff grey sixteen": saved(Image.fromarray(deep()), "TIFF"),
        "tiff float": saved(Image.fromarray(deep("float32")), "TIFF"),
        "tiff pages": saved(picture("L"), "TIFF", save_all=True, append_images=[picture("L", seed=1)]),
        **{
            f"tiff {kind}": saved(picture(mode), "TIFF", compression=kind)
            for kind, mode in (
                *(("tiff_lzw", "RGB"), ("tiff_adobe_deflate", "RGB"), ("packbits", "L"), ("jpeg", "RGB")),
                *(("group4", "1"), ("tiff_deflate", "P")),
            )
        },
    }
    for name, form, options in (
        ("webp", "WEBP", {}),
        ("webp lossless", "WEBP", {"lossless": True}),
        ("avif", "AVIF", {"quality": 60}),
        ("jp2", "JPEG2000", {}),
    ):
        if features.check({"JPEG2000": "jpg_2000"}.get(form, form.lower())):
            found[name] = saved(picture(), form, **options)
    try:
        import pillow_heif
    except ImportError:
        return found
    pillow_heif.register_heif_opener()
    stream = io.BytesIO()
    pillow_heif.from_pillow(picture(side=64)).save(stream)
    return {**found, "heic": stream.getvalue()}


def spoilt(content: bytes, generator: np.random.Generator, first: int = 0, last: int | None = None) -> bytes:
    """The content cut short, with bits turned over, bytes overwritten, a piece left out or one put in twice."""
    last = len(content) if last is None else last
    changed = bytearray(content)
    kind = int(generator.integers(6))
    if last <= first:
        return content
    place = int(generator.integers(first, last))
    if kind == 0 and last == len(content):
        return bytes(changed[:place])
    if kind == 1 and last == len(content):
        length = int(generator.integers(1, 64))
        return bytes(changed[:place] + changed[place + length :])
    if kind == 2 and last == len(content):
        length = int(generator.integers(1, 64))
        return bytes(changed[:place] + changed[place : place + length] + changed[place:])
    if kind == 3:
        value = int(generator.choice([0, 0xFF, 0x7F, 0x80]))
        for position in range(place, min(last, place + int(generator.integers(1, 9)))):
            changed[position] = value
        return bytes(changed)
    ends = min(last, first + 400) if kind == 4 else last  # headers stand at the beginning
    for _ in range(int(generator.integers(1, 9))):
        changed[int(generator.integers(first, ends))] ^= 1 << int(generator.integers(8))
    return bytes(changed)


@dataclass(frozen=True)
class Container:
    """A file or folder of several images.

    Attributes:
        files: by their paths in a folder; the first one is spoilt.
        opened: which of them, or "." for the folder, is opened.
        part: the bytes that are spoilt; all by default.
        holds: what the labels of the images must be that are still read: by name, for those whose record is whole.
    """

    files: dict[str, bytes]
    opened: str
    part: tuple[int, int | None] = (0, None)
    holds: Callable[[bytes], dict[str, str]] = lambda content: {}


def named(row: int) -> str:
    """The path of a picture."""
    return f"{LABELS[row]}/{row}.png"


def _in_folders(content: bytes) -> dict[str, str]:
    return {named(row): label for row, label in enumerate(LABELS)}


def _by_lines(whole: bytes, separator: str) -> Callable[[bytes], dict[str, str]]:
    """The labels of pictures whose lines stand in the spoilt text as they were, where the first line does, too."""
    lines = whole.decode().split("\n")

    def holds(content: bytes) -> dict[str, str]:
        text = content.decode("utf-8", "replace")
        left = text.split("\n")
        if left[0] != lines[0] or '"' in text:  # which may swallow lines
            return {}
        kept = [line.split(separator)[0] for line in left if line in lines and ".png" in line]
        return {name: LABELS[int(name.split("/")[1][0])] for name in kept if text.count(name) == 1}

    return holds


def _idx(values: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


@functools.cache
def containers() -> dict[str, Container]:
    """Each kind of source, with the part of it that is spoilt."""
    by_path = {named(row): content for row, content in enumerate(PICTURES)}
    csv = "path,label\n" + "".join(f"{named(row)},{label}\n" for row, label in enumerate(LABELS))
    listed = "".join(f"{named(row)} {label}\n" for row, label in enumerate(LABELS))
    rows = [json.dumps({"file_name": named(row), "label": label}) + "\n" for row, label in enumerate(LABELS)]
    lines = "".join(rows)
    shard = {f"{row}.png": content for row, content in enumerate(PICTURES)}
    shard |= {f"{row}.cls": label.encode() for row, label in enumerate(LABELS)}
    shard = dict(sorted(shard.items()))
    tables = {}
    for compression in ("none", "snappy", "zstd"):
        stream = io.BytesIO()
        table = pa.table({"image": PICTURES, "label": list(LABELS)})
        pq.write_table(table, stream, row_group_size=2, compression=compression)
        tables[compression] = stream.getvalue()
    images = np.arange(6 * 5 * 5, dtype=np.uint8).reshape(6, 5, 5)
    numbers = np.array([0, 1, 0, 2, 1, 0], np.uint8)
    pixels, words = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        zipped = packing.zipped(place / "a.zip", by_path).read_bytes()
        stored = packing.zipped(place / "b.zip", by_path, 0).read_bytes()
        tarred = packing.tarred(place / "a.tar", by_path).read_bytes()
        shards = packing.tarred(place / "b.tar", shard).read_bytes()
    return {
        "zip": Container({"a.zip": zipped}, "a.zip", holds=_in_folders),
        "zip stored": Container({"a.zip": stored}, "a.zip", holds=_in_folders),
        "zip index": Container({"a.zip": zipped}, "a.zip", (zipped.index(b"PK\1\2"), None), _in_folders),
        "tar": Container({"a.tar": tarred}, "a.tar", holds=_in_folders),
        "tar.gz": Container({"a.tar.gz": gzip.compress(tarred)}, "a.tar.gz", holds=_in_folders),
        "shard": Container({"a.tar": shards}, "a.tar"),
        "csv": Container({"a.csv": csv.encode(), **by_path}, "a.csv", holds=_by_lines(csv.encode(), ",")),
        "list": Container({"a.txt": listed.encode(), **by_path}, "a.txt", holds=_by_lines(listed.encode(), " ")),
        "metadata": Container({"metadata.jsonl": lines.encode(), **by_path}, "."),
        **{f"parquet {kind}": Container({"a.parquet": made}, "a.parquet") for kind, made in tables.items()},
        "parquet images": _images_of(tables["none"]),
        "idx images": Container({pixels: _idx(images), words: _idx(numbers)}, "."),
        "idx labels": Container({words: _idx(numbers), pixels: _idx(images)}, "."),
        "idx gz": Container({f"{pixels}.gz": gzip.compress(_idx(images)), words: _idx(numbers)}, "."),
    }


def _images_of(content: bytes) -> Container:
    """A Parquet file of which only the bytes of the images in its last row group are spoilt."""
    column = pq.ParquetFile(io.BytesIO(content)).metadata.row_group(2).column(0)
    start = min(column.data_page_offset, column.dictionary_page_offset or column.data_page_offset)
    part = (start, start + column.total_compressed_size)
    labels = {f"a.parquet[{row}]": label for row, label in enumerate(LABELS)}
    return Container({"a.parquet": content}, "a.parquet", part, lambda content: labels)


def demand(holds: bool, words: object) -> None:
    """Raise AssertionError where something does not hold."""
    if not holds:
        raise AssertionError(words)


def check_image(content: bytes) -> None:
    """Reading ends with an image, or says why there is none."""
    try:
        image = decode(content)
    except UnreadableImage as error:
        demand(bool(error.reason) and "\n" not in str(error), error)
        return
    demand(image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3, (image.dtype, image.shape))


def check_container(container: Container, content: bytes, folder: Path) -> None:
    """Opening ends with images under their own labels, or says why not."""
    first = next(iter(container.files))
    (folder / first).write_bytes(content)
    place, cache = folder / container.opened, folder / ".cache"
    try:
        dataset = open_dataset(place, val_fraction=0, memory_limit=0, workers=1, cache=cache)
    except StriateError as error:
        demand("\n" not in str(error), error)
        return
    expected = container.holds(content)
    for split in dataset.splits:
        for row, label in enumerate(split.labels.tolist()):
            name = split.images.name(row)
            known = expected.get(name) or expected.get("/".join(name.split("/")[-2:]))
            if known is not None and isinstance(label, int):
                demand(dataset.classes[label] == known, f"{name} is {dataset.classes[label]}, not {known}")
            split.images.read(row)


def spoilt_files(kind: str, count: int) -> Iterator[bytes]:
    """So many spoilt files of a kind, always the same."""
    images, sources = image_files(), containers()
    container = sources.get(kind)
    whole = images[kind] if container is None else next(iter(container.files.values()))
    first, last = (0, None) if container is None else container.part
    for number in range(count):
        yield spoilt(whole, np.random.default_rng([SEED, number, *kind.encode()]), first, last)


def read_all(kinds: dict[str, int], said: multiprocessing.connection.Connection) -> None:
    """Read spoilt files of some kinds, telling of each before and of what went wrong."""
    sources = containers()
    for kind, count in kinds.items():
        with tempfile.TemporaryDirectory() as place:
            folder, container = Path(place), sources.get(kind)
            for name, content in (container.files if container else {}).items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
            for number, content in enumerate(spoilt_files(kind, count)):
                said.send((kind, number, ""))
                try:
                    check_image(content) if container is None else check_container(container, content, folder)
                except BaseException:
                    said.send((kind, number, traceback.format_exc(limit=-6)))
    said.send(("", 0, ""))


def failures(kinds: dict[str, int]) -> list[str]:
    """What went wrong with so many files of each kind."""
    found: list[str] = []
    left = dict(kinds)
    while left:
        here, there = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.get_context("fork").Process(target=read_all, args=(left, there), daemon=True)
        child.start()
        there.close()
        kind, number = "", 0
        try:
            while here.poll(PATIENCE):
                kind, number, words = here.recv()
                if words:
                    found.append(f"{kind} {number}: {words}")
                if not kind:
                    break
            else:
                found.append(f"{kind} {number}: hangs")
                child.kill()
        except EOFError:
            child.join()
            found.append(f"{kind} {number}: crashes ({child.exitcode})")
        child.join(5)
        names = list(left)
        left = {name: left[name] for name in names[names.index(kind) + 1 :]} if kind else {}
    return found


if __name__ == "__main__":
    kind, number, *file = sys.argv[1:]
    made = list(spoilt_files(kind, int(number) + 1))[-1]
    if file:
        Path(file[0]).write_bytes(made)
    source = containers().get(kind)
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        for name, content in (source.files if source else {}).items():
            (Path(place) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(place) / name).write_bytes(content)
        check_image(made) if source is None else check_container(source, made, Path(place))
    print(f"{kind} {number}: well, in {time.perf_counter() - began:.2f} s")
