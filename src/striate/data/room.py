"""How much room there is for what need not be kept: bytes of memory and of a disk that nobody uses."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

#: Where Linux tells of the machine's memory, and of a container's (control groups of version 2).
MACHINE, CONTAINER = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


def free_memory() -> int | None:
    """Bytes that could be taken without anything having to go, files that are read again aside; None if not known."""
    found = []
    with suppress(OSError, ValueError, KeyError):
        rows = dict(line.split(":") for line in MACHINE.read_text(encoding="ascii").splitlines())
        found.append(int(rows["MemAvailable"].split()[0]) << 10)
    with suppress(OSError, ValueError, KeyError):
        most, used = (int((CONTAINER / f"memory.{name}").read_text(encoding="ascii")) for name in ("max", "current"))
        rows = dict(line.split() for line in (CONTAINER / "memory.stat").read_text(encoding="ascii").splitlines())
        found.append(max(0, most - used + int(rows["inactive_file"])))
    return min(found, default=None)


def free_disk(folder: Path) -> int:
    """Bytes that may still be written below a folder, which need not be there yet.

    Raises:
        OSError: what the operating system says.
    """
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free
