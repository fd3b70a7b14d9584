"""The manners of Windows with files, on any system that has /proc: for tests of what striate writes there.

A folder cannot be opened; only what is open for writing can be flushed; what is open (by anyone) can be neither
removed nor replaced; nothing is renamed onto what is there. What these do is told from the system's documentation,
not from what striate does about it.
"""

import errno
import fcntl
import os
from pathlib import Path

import pytest


def is_open(path: str | Path) -> bool:
    """Whether this process has the file open or mapped."""
    path = os.path.realpath(path)
    names = [entry.path for entry in os.scandir("/proc/self/fd")]
    targets = []
    for name in names:
        try:
            targets.append(os.readlink(name))
        except FileNotFoundError:  # it was the scan's own
            continue
    maps = Path("/proc/self/maps").read_text(encoding="utf-8")
    return path in targets or f" {path}\n" in maps


def behave_like_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `os` refuse what Windows refuses, until the test is over."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("open files are looked up in /proc, which is not here")
    real = {name: getattr(os, name) for name in ("open", "fsync", "replace", "rename", "unlink", "remove", "rmdir")}

    def denied(path: object) -> PermissionError:
        return PermissionError(errno.EACCES, "Access is denied", str(path))

    def open_file(path, flags, *arguments, **options):
        if isinstance(path, (str, os.PathLike)) and os.path.isdir(path) and not flags & getattr(os, "O_DIRECTORY", 0):
            raise denied(path)
        return real["open"](path, flags, *arguments, **options)

    def fsync(descriptor):
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "Bad file descriptor")
        real["fsync"](descriptor)

    def unless_open(name):
        def call(path, *others, **options):
            for each in (path, *others):
                if isinstance(each, (str, os.PathLike)) and os.path.isfile(each) and is_open(each):
                    raise denied(each)
            return real[name](path, *others, **options)

        return call

    def rename(path, other, **options):
        if os.path.exists(other):
            raise FileExistsError(errno.EEXIST, "File exists", str(other))
        unless_open("rename")(path, other, **options)

    monkeypatch.setattr(os, "open", open_file)
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "rename", rename)
    for name in ("replace", "unlink", "remove"):
        monkeypatch.setattr(os, name, unless_open(name))
