"""Freed memory stays with the process: on a CPU the page faults of getting it anew can cost more than the arithmetic.

glibc's `malloc` takes every block beyond a threshold, which by itself never grows above 32 MiB, from the kernel by
`mmap` and returns it when it is freed, and it shrinks the heap whenever much of its end is free. A network frees its
feature maps after every operation; the next one gets pages that the kernel has to clear, 4 KiB at a time. `keep_memory`
moves both thresholds out of the way by `mallopt(3)`, so that the next operation writes where the last one has read. No
number changes: the same arithmetic runs in other places of memory.

It is a setting of the whole process and stays until its end, so importing striate never makes it. The `striate` command
makes it for those of its jobs that gain by it (`bench/allocator.py` measures which); in a program of one's own it is a
call, before the first tensor:

    import striate

    striate.keep_memory()
"""

from __future__ import annotations

import ctypes
import os
from dataclasses import dataclass
from pathlib import Path

from striate.errors import UsageError

#: The environment variable that turns it off, here and in the command: STRIATE_MALLOC=off.
VARIABLE = "STRIATE_MALLOC"

#: Bytes of the largest block that is kept: MobileNet v2's widest feature map of 32 images of 224 pixels (147 MiB) fits.
#: Freed blocks seldom fit the next ones to the byte, so memory grows by a few such blocks at most.
LARGEST_KEPT = 160 << 20
#: The most that older glibc takes for that threshold.
LARGEST_OF_OLDER = 32 << 20
#: What `mallopt` takes: a C int.
LARGEST_OF_ALL = (1 << 31) - 1
#: As a threshold of trimming: never.
NEVER = -1
#: Of glibc's <malloc.h>, where they are part of the interface.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3

#: What sets the same by other means: whoever did so knows better.
ALREADY_SET = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_MMAP_MAX_", "MALLOC_TOP_PAD_")
TUNABLES = ("glibc.malloc.trim_threshold", "glibc.malloc.mmap_threshold", "glibc.malloc.mmap_max")

#: Bytes of memory below which what is kept may be missed by the rest of the machine.
SMALLEST_MACHINE = 4 << 30
#: Where a container's limit stands: control groups of version 2, and of version 1.
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

#: Bytes for which `make_room` makes room; below, nobody misses what is kept.
MUCH = 64 << 20

_kept = False


@dataclass(frozen=True)
class MemorySetting:
    """What became of `keep_memory`; true where freed memory is kept.

    Attributes:
        kept: whether freed memory stays with the process from now on.
        reason: why, in a clause: what was set, or what stood in the way.
    """

    kept: bool
    reason: str

    def __bool__(self) -> bool:
        return self.kept


def keep_memory(largest: int = LARGEST_KEPT) -> MemorySetting:
    """Keep freed memory in this process from now on, which makes networks on a CPU up to twice as fast.

    Call it before the first tensor is made and before any thread is started (glibc calls `mallopt` unsafe beside other
    threads). Results are the same bit for bit. The process keeps the most memory that it has ever used until it ends,
    and its peak grows by what falls between the blocks: a tenth as a rule, a quarter at worst in `bench/RESULTS.md`.

    Nothing is done, and the reason told, where the C library is another than glibc (musl, macOS, Windows), where
    another allocator stands in its place (jemalloc, tcmalloc), where the environment sets glibc's thresholds already,
    where the machine has less than 4 GiB, and where STRIATE_MALLOC is "off".

    Args:
        largest: bytes of the largest block that is kept; larger ones go back to the kernel as ever. Feature maps of
            large batches gain by more, and cost more. Older glibc takes 32 MiB at most, and has that then.

    Raises:
        UsageError: `largest` is no number of bytes up to 2 GiB; STRIATE_MALLOC is neither "on" nor "off".
    """
    global _kept
    if isinstance(largest, bool) or not isinstance(largest, int) or not 0 < largest <= LARGEST_OF_ALL:
        raise UsageError(f"largest is {largest!r}; it is a number of bytes from 1 to {LARGEST_OF_ALL:,}.")
    if obstacle := _obstacle():
        return MemorySetting(False, obstacle)
    mallopt = ctypes.CDLL(None).mallopt
    taken = next((size for size in (largest, LARGEST_OF_OLDER) if mallopt(M_MMAP_THRESHOLD, size)), 0)
    if not (taken and mallopt(M_TRIM_THRESHOLD, NEVER)):
        return MemorySetting(False, "mallopt refuses the thresholds")
    _kept = True
    return MemorySetting(True, f"freed blocks of up to {taken / 2**20:g} MiB are kept")


def make_room(wanted: float) -> None:
    """Give back to the kernel what is kept and free, before as many bytes are taken as make it count.

    Where nothing is kept, or `wanted` is little, nothing happens.
    """
    if _kept and wanted >= MUCH:
        ctypes.CDLL(None).malloc_trim(0)


def _obstacle() -> str:
    """Why nothing can or should be set; empty where it should."""
    if _turned_off():
        return f"{VARIABLE} is off"
    if not _is_glibc():
        return "the C library is not glibc"
    if _is_replaced():
        return "another allocator stands in for glibc's"
    if taken := _set_already():
        return f"the environment sets {taken}"
    if (size := _memory()) < SMALLEST_MACHINE:
        return f"there are {size / 2**30:.1f} GiB of memory, less than {SMALLEST_MACHINE >> 30}"
    return ""


def _turned_off() -> bool:
    word = os.environ.get(VARIABLE, "").strip().lower()
    if word not in ("", "on", "off"):
        raise UsageError(f"{VARIABLE} is '{word}'; it is on or off.")
    return word == "off"


def _is_glibc() -> bool:
    try:
        return bool(os.confstr("CS_GNU_LIBC_VERSION"))
    except (AttributeError, ValueError, OSError):  # Windows; macOS; musl
        return False


def _is_replaced() -> bool:
    """Whether the `malloc` of this process is another than glibc's own, which was loaded before it."""
    try:
        own, used = ctypes.CDLL("libc.so.6").malloc, ctypes.CDLL(None).malloc
    except (OSError, AttributeError):
        return True
    return ctypes.cast(own, ctypes.c_void_p).value != ctypes.cast(used, ctypes.c_void_p).value


def _set_already() -> str:
    """What the environment says of glibc's thresholds; empty where it leaves them alone."""
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    return ", ".join(
        [*(name for name in ALREADY_SET if name in os.environ), *(one for one in TUNABLES if one in tunables)]
    )


def _memory() -> int:
    """Bytes of memory that this process may use: the machine's, or its container's where that has less."""
    sizes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in LIMITS:
        try:
            sizes.append(int(path.read_text(encoding="ascii")))
        except (OSError, ValueError):  # none of that version, or "max"
            continue
    return min(sizes)
