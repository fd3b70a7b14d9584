"""The decoded pictures of a training are kept in memory, in a file of the cache folder, or nowhere.

A picture is kept as the decoder gave it, at the scales at which training and validation often read it; what is not kept
is decoded. So no number of a training depends on the cache, on whether it was there before, or on how full the disk is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL import __version__ as pillow_version

from striate.augment import Augment
from striate.augment.policy import GEOMETRY
from striate.data import EncodedImages, FileImages, Images, Preprocessing, Split
from striate.data.block import Block
from striate.data.block_file import NotKept, stored
from striate.data.block_images import BlockImages, origin
from striate.data.filling import Wanted, fill, items_of
from striate.data.kept import in_memory
from striate.files import cache_folder
from striate.training.cache_choice import AUTO, DISK, OFF, RAM, choose
from striate.training.often import scales_looked_at, scales_trained_at
from striate.training.progress import Quiet
from striate.units import decimal_size, plural
from striate.version import __version__

#: Changes with what is kept.
_FORM = 1

Sources = Sequence[FileImages | EncodedImages]


@dataclass(frozen=True, eq=False)
class Cached:
    """The splits of a training as their images will be read.

    Attributes:
        splits: those that were given.
        way: where their pictures are: "ram", "disk" or "off"; "" of pixels that were given, not read.
        words: that in a line, where there is something to say.
    """

    splits: tuple[Split, ...]
    way: str = ""
    words: str = ""


@dataclass(frozen=True)
class Setting:
    """What a cache depends on, beside the images.

    Attributes:
        policy: how training images are augmented.
        look: what the network sees.
        epochs: how often each is read, about.
        place: where the images lie; empty where that is not known.
        processes: that train together on this machine, each with a memory of its own.
    """

    policy: Augment
    look: Preprocessing
    epochs: int
    place: str = ""
    processes: int = 1


def cached(splits: Sequence[Split], way: str, setting: Setting, progress: Quiet) -> Cached:
    """Splits, the first of them trained on, with their pictures where `way` says, or where there is room.

    Raises:
        StriateError: a file cannot be read, or has changed since it was checked.
    """
    sources = [source for split in splits if (source := origin(split.images)) is not None]
    if len(sources) < len(splits) or any(split.facts is None for split in splits):
        return Cached(_with(splits, [in_memory(split.images) for split in splits]))
    if way == OFF:
        return Cached(_with(splits, sources), OFF, "cache: off, pictures are decoded anew each time")
    wanted = _wanted(splits, sources, setting)
    if way in (AUTO, RAM) and _stay(splits, wanted):
        return Cached(_with(splits, [in_memory(split.images) for split in splits]), RAM, _said(wanted, "in memory"))
    way, why = choose(way, wanted, setting.epochs, setting.processes)
    if way == OFF:
        return Cached(_with(splits, sources), OFF, f"cache: off, {why}")
    folder = _folder(wanted, setting) if way == DISK else None
    with progress.counting("decoding") as shown:
        try:
            block, rows = _in_memory(wanted, shown) if folder is None else stored(folder, wanted, shown)
        except NotKept as error:
            return Cached(_with(splits, sources), OFF, f"cache: off, {error}")
    images, start = [], 0
    for source in sources:
        part = slice(start, start + len(source))
        images.append(BlockImages(block, rows[part], wanted.sizes[part], source))
        start += len(source)
    return Cached(_with(splits, images), way, _said(wanted, "in memory" if folder is None else f"in {block.path}"))


def _with(splits: Sequence[Split], images: Sequence[Images]) -> tuple[Split, ...]:
    pairs = zip(splits, images, strict=True)
    return tuple(split if split.images is each else replace(split, images=each) for split, each in pairs)


def _wanted(splits: Sequence[Split], sources: Sources, setting: Setting) -> Wanted:
    """What training or validation reads of every image, whichever of them has it this time."""
    facts = [split.facts for split in splits if split.facts is not None]
    sizes = np.concatenate([each.sizes for each in facts])
    scales = scales_trained_at(setting.policy, setting.look, sizes)
    if len(splits) > 1:
        scales |= scales_looked_at(setting.look, sizes)
    one_only = np.array([name != "JPEG" for each in facts for name in each.formats], bool)
    scales[one_only] = [True, False, False, False]
    found = [items_of(source) for source in sources]
    return Wanted(
        items=[item for items, _ in found for item in items],
        names=[name for _, names in found for name in names],
        digests=[digest for each in facts for digest in each.contents],
        sizes=sizes,
        scales=scales,
        one_only=one_only,
        channels=sources[0].channels,
    )


def _stay(splits: Sequence[Split], wanted: Wanted) -> bool:
    """Whether pictures are in memory already, or are to be there, as they are read."""
    in_files = any(type(split.images) in (FileImages, EncodedImages) for split in splits)
    return not in_files and not wanted.scales[:, 1:].any()


def _in_memory(wanted: Wanted, shown: Callable[[int, int], object]) -> tuple[Block, NDArray[np.int64]]:
    pixels, place = np.empty(wanted.bytes, np.uint8), 0

    def write(picture: NDArray[np.uint8]) -> None:
        nonlocal place
        pixels[place : place + picture.size] = picture
        place += picture.size

    index = fill(wanted, write, shown=shown)
    pixels.flags.writeable = False
    return Block(pixels, index), np.arange(len(wanted.items))


def _folder(wanted: Wanted, setting: Setting) -> Path:
    """Where the pictures of a set of images lie, as one network and policy want them."""
    look, policy = setting.look, setting.policy
    moves = [(name, getattr(policy, name)) for name in (*GEOMETRY, "ratio", "choose", "magnitude")]
    reader = f"{_FORM} {__version__} {cv2.__version__} {pillow_version} {Image.MAX_IMAGE_PIXELS} {wanted.channels}"
    shown = f"{look.size} {look.resize} {look.crop_fraction} {moves}"
    place = setting.place or hashlib.sha256(b"".join(sorted(wanted.digests))).hexdigest()
    key = f"{reader} {shown} {place}".encode("utf-8", "surrogateescape")
    return cache_folder() / "pictures" / hashlib.sha256(key).hexdigest()[:32]


def _said(wanted: Wanted, where: str) -> str:
    return f"cache: {plural(len(wanted.items), 'decoded picture')} {where}, {decimal_size(wanted.bytes)}"
