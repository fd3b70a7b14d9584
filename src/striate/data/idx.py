"""IDX files, the format of MNIST (LeCun, Cortes & Burges, yann.lecun.com/exdb/mnist), plain or gzipped."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Mapping
from typing import cast

import numpy as np

from striate.data.images import printable
from striate.data.listing import Listing, Part, numbers_note
from striate.data.split_names import split_and_rest
from striate.data.tree import P, Place, child
from striate.data.walk import files_in, subfolders
from striate.errors import StriateError

_UINT8 = 0x08


def read_idx(path: Place) -> np.ndarray:
    """Read an IDX file of unsigned bytes, of any number of dimensions.

    Raises StriateError for a wrong magic number, another type, or a length that the header does not promise.
    """
    where = printable(path)
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise StriateError(f"{where}: the gzip stream is damaged or cut short ({error}); fetch it again") from error
    except OSError as error:
        raise StriateError(f"{where} cannot be read: {error.strerror or error}") from error
    if len(data) < 4 or data[:2] != b"\0\0" or not 1 <= data[3] <= 4:
        raise StriateError(f"{where} is not an IDX file: it begins with {data[:4].hex(' ') or 'nothing'}")
    if data[2] != _UINT8:
        raise StriateError(f"{where}: IDX type 0x{data[2]:02x}; images and labels are unsigned bytes (0x08)")
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise StriateError(f"{where} is truncated: it ends within its header")
    shape = struct.unpack_from(f">{data[3]}I", data, 4)
    if len(data) - start != math.prod(shape):
        kind = "truncated" if len(data) - start < math.prod(shape) else "longer than its header says"
        raise StriateError(f"{where} is {kind}: {len(data) - start:,} bytes of {math.prod(shape):,} ({shape})")
    return np.frombuffer(data, dtype=np.uint8, offset=start).reshape(shape)


def is_idx_name(name: str) -> bool:
    """Whether a file name is that of IDX images or labels (`train-images-idx3-ubyte.gz`)."""
    name = name.lower()
    return name.removesuffix(".gz").endswith(("-ubyte", ".idx", "idx3", "idx1")) or "-idx" in name


def idx_pairs(folder: P) -> dict[str, tuple[P, P]]:
    """Images and labels of each split in `folder`, its `raw`, or the `raw` one deeper (`MNIST/raw`).

    Raises StriateError for an images file without its labels.
    """
    if not folder.is_dir():
        return {}
    for place in (folder, child(folder, "raw"), *(child(inner, "raw") for inner in subfolders(folder))):
        if not place.is_dir():
            continue
        images = [path for path in files_in(place) if _is_images(path)]
        if images:
            found: dict[str, tuple[P, P]] = {}
            for path in images:  # a plain file sorts before its .gz, and is quicker to read
                split = _split_of(path)
                first, _ = found.setdefault(split, (path, labels_beside(path)))
                if first.name.removesuffix(".gz") != path.name.removesuffix(".gz"):
                    raise StriateError(
                        f"{printable(place)} holds the {split} images of several sets ({first.name}, {path.name}); "
                        "give a folder that holds one set"
                    )
            return found if "train" in found or len(found) > 1 else {"train": next(iter(found.values()))}
    return {}


def labels_beside(images: P) -> P:
    """The labels that belong to a file of images. Raises StriateError where there are none."""
    plain = images.name.removesuffix(".gz")
    name = plain.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1")
    for candidate in (images.with_name(name), images.with_name(name + ".gz")):
        if candidate.is_file() and name != plain:
            return cast(P, candidate)
    raise StriateError(f"the labels of {printable(images)} are missing: {name} should lie beside it")


def list_idx(pairs: Mapping[str, tuple[Place, Place]], classes: tuple[str, ...] | None = None) -> Listing:
    """List IDX images (N, H, W) or (N, H, W, C) with their labels; classes default to the numbers there are.

    Raises StriateError where counts differ, dimensions are wrong, or a label is outside the class names.
    """
    arrays = {}
    for split, (images_path, labels_path) in pairs.items():
        images, labels = read_idx(images_path), read_idx(labels_path)
        if images.ndim not in (3, 4):
            raise StriateError(f"{printable(images_path)} holds {images.ndim} dimensions; images have 3 or 4")
        if labels.ndim != 1:
            raise StriateError(f"{printable(labels_path)} holds {labels.ndim} dimensions; labels have 1")
        if len(images) != len(labels):
            raise StriateError(
                f"{printable(images_path)} holds {len(images):,} images, but {printable(labels_path)} "
                f"{len(labels):,} labels"
            )
        arrays[split] = (images if images.ndim == 4 else images[..., None], labels.astype(np.int64))
    notes: tuple[str, ...] = ()
    if classes is None:
        numbers = np.unique(np.concatenate([labels for _, labels in arrays.values()]))
        classes = tuple(map(str, numbers))
        notes = numbers_note(classes)
        arrays = {split: (images, np.searchsorted(numbers, labels)) for split, (images, labels) in arrays.items()}
    parts = {}
    for split, (images, labels) in arrays.items():
        images_path, labels_path = pairs[split]
        if len(labels) and labels.max() >= len(classes):
            raise StriateError(f"{printable(labels_path)}: label {labels.max()} is outside the {len(classes)} classes")
        name = images_path.name.removesuffix(".gz")
        parts[split] = Part(images, [f"{name}[{row}]" for row in range(len(labels))], labels)
    return Listing(classes, parts, notes=notes, divided=len(pairs) > 1)


def _is_images(path: Place) -> bool:
    return "images" in path.name and is_idx_name(path.name) and not path.name.startswith(".") and path.is_file()


def _split_of(path: Place) -> str:
    return split_and_rest(path.name)[0] or "train"
