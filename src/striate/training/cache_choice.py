"""Whether decoded pictures are kept in memory, in a file or not at all: what was asked for, where there is room.

Unasked, memory is taken where they fit into a quarter of what is free, else a disk where they fit into half of its free
space and are read sooner than decoded, which they are where the operating system has memory for them beside.
"""

from __future__ import annotations

import time

import numpy as np

from striate.caller import either
from striate.data.block_file import MOST
from striate.data.decode import decode
from striate.data.filling import Wanted
from striate.data.kept import MEMORY_LIMIT
from striate.data.room import free_disk, free_memory
from striate.data.workers import worker_count
from striate.errors import StriateError
from striate.files import cache_folder
from striate.units import decimal_size, plural

AUTO, RAM, DISK, OFF = WAYS = ("auto", "ram", "disk", "off")
#: The share of free memory that is taken unasked, and the most of it; likewise of a disk.
SAFE, MOST_MEMORY, SAFE_DISK = 1 / 4, 1 / 2, 1 / 2
#: Bytes of a disk that are left free.
LEFT = 1 << 30
#: Bytes a second that a disk is taken to give where its files do not stay in memory.
DISK_SPEED = 400e6
#: Pictures by which the speed of decoding is measured.
TRIED = 8


def choose(way: str, wanted: Wanted, epochs: int, processes: int = 1) -> tuple[str, str]:
    """Where pictures are kept, one of `WAYS` but "auto", and why nowhere, in words.

    Args:
        way: what was asked for.
        wanted: the pictures.
        epochs: how often each image is read.
        processes: that keep them in a memory of their own each.
    """
    size, memory = wanted.bytes, free_memory()
    room = (2 * MEMORY_LIMIT if memory is None else memory) / processes
    pictures = f"{decimal_size(size)} of decoded pictures"
    if way == AUTO and epochs <= wanted.scales.sum() / max(1, len(wanted.items)):
        return OFF, f"{plural(epochs, 'epoch')} would not make up for filling it"
    if way == RAM:
        if size <= MOST_MEMORY * room:
            return RAM, ""
        instead = either(f"--cache {DISK}", f"cache='{DISK}'")
        return OFF, f"{pictures} do not fit into half of the free memory, {decimal_size(room)}; {instead} may help"
    if way == AUTO and size <= SAFE * room:
        return RAM, ""
    try:
        disk = free_disk(cache_folder())
    except (OSError, StriateError) as error:
        return OFF, f"there is no cache folder: {error}"
    if size > MOST:
        return OFF, f"{pictures} are more than the {decimal_size(MOST)} that the cache folder may hold"
    if size > (SAFE_DISK * disk if way == AUTO else disk - LEFT):
        return OFF, f"{pictures} do not fit into the free space of {cache_folder()}, {decimal_size(disk)}"
    if way == AUTO and size > MOST_MEMORY * room and _decoding_speed(wanted) > DISK_SPEED:
        return OFF, f"{pictures} are decoded sooner than read from a disk"
    return DISK, ""


def _decoding_speed(wanted: Wanted) -> float:
    """Bytes of pictures that all processors together decode in a second."""
    rows = np.random.default_rng(0).permutation(len(wanted.items))[:TRIED].tolist()
    began = time.perf_counter()
    done = sum(decode(wanted.items[row], wanted.channels).nbytes for row in rows)
    return done * worker_count() / (time.perf_counter() - began)
