"""What libraries print while they decode, heard instead of shown.

libjpeg tells of damage by a line on C's `stderr` and then fills what is missing with grey; OpenCV returns that picture
as if it were whole, and so does Pillow. The line is the only sign, and it carries no file name, so it must neither be
lost nor reach a terminal. `listen` runs a decoder and returns what was printed.

C's `stderr` is a variable (glibc's manual says that it may be set "just like any other"); while anything decodes it
points at a file in memory. Python's own standard error is untouched, and decoders run side by side in threads: whoever
finds that something was printed meanwhile decodes once more, alone, and so knows whose line it was. Where `stderr`
cannot be set (musl, Windows), descriptor 2 is turned to the file instead, for one decoder at a time.
"""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def listen(work: Callable[[], T]) -> tuple[T, str]:
    """Run `work`, which decodes and may be run twice; return its result and what C libraries printed."""
    with _ear as before:
        result = _without_warnings(work)
        silent = _ear.heard() == before
    if silent:
        return result, ""
    with _ear.alone():
        result = _without_warnings(work)
        return result, _ear.text()


_thread = threading.local()


def _without_warnings(work: Callable[[], T]) -> T:
    _thread.decodes = True
    try:
        return work()
    finally:
        _thread.decodes = False


class _Warnings:
    """Stands in for `warnings.showwarning`; other threads' warnings go where they went."""

    def __init__(self) -> None:
        self.usual = warnings.showwarning

    def __call__(self, *arguments: Any, **options: Any) -> None:
        if not getattr(_thread, "decodes", False):
            self.usual(*arguments, **options)


class _Ear:
    """The file that C libraries print to while at least one decoder runs."""

    def __init__(self) -> None:
        self.turn = threading.Condition()
        self.running = 0
        self.exclusive = False
        self.file = -1
        self.output: _Pointer | _Descriptor

    def heard(self) -> int:
        """How many bytes have been printed."""
        return os.lseek(self.file, 0, os.SEEK_CUR)

    def text(self) -> str:
        """What was printed since no decoder was running."""
        return os.pread(self.file, self.heard(), 0).decode("utf-8", "replace")

    def __enter__(self) -> int:
        with self.turn:
            self.turn.wait_for(lambda: not self.exclusive)
            if self.file < 0:
                self.file = _memory_file()
                self.output = _Pointer(self.file) if _stderr_variable() else _Descriptor(self.file)
            if self.running == 0:
                self.output.turn()
                if not isinstance(warnings.showwarning, _Warnings):
                    warnings.showwarning = _Warnings()
            self.exclusive = not self.output.shared
            self.running += 1
        return self.heard()

    def __exit__(self, *_: object) -> None:
        with self.turn:
            self.running -= 1
            self.exclusive = False
            if self.running == 0:
                self.output.turn_back()
                if isinstance(warnings.showwarning, _Warnings):
                    warnings.showwarning = warnings.showwarning.usual
                if self.heard():
                    os.ftruncate(self.file, 0)
                    os.lseek(self.file, 0, os.SEEK_SET)
                self.turn.notify_all()

    def alone(self) -> _Alone:
        """The same with no other decoder running."""
        return _Alone(self)

    def restart_in_child(self) -> None:
        """Start anew after a fork: threads that were decoding are gone, and the file would be the parent's too."""
        if self.running:
            self.output.turn_back()
        self.__init__()  # type: ignore[misc]


class _Alone:
    def __init__(self, ear: _Ear) -> None:
        self.ear = ear

    def __enter__(self) -> None:
        with self.ear.turn:
            self.ear.turn.wait_for(lambda: self.ear.running == 0)
            self.ear.__enter__()
            self.ear.exclusive = True

    def __exit__(self, *exception: object) -> None:
        self.ear.__exit__(*exception)


class _Pointer:
    """Sets C's variable `stderr`."""

    shared = True

    def __init__(self, file: int) -> None:
        libc = ctypes.CDLL(None)
        libc.fdopen.restype = ctypes.c_void_p
        libc.setvbuf.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t]
        self.stream = libc.fdopen(os.dup(file), b"w")
        libc.setvbuf(self.stream, None, 2, 0)  # _IONBF, as stderr has it
        self.variable = ctypes.c_void_p.in_dll(libc, _stderr_variable())

    def turn(self) -> None:
        self.usual, self.variable.value = self.variable.value, self.stream

    def turn_back(self) -> None:
        self.variable.value = self.usual


class _Descriptor:
    """Turns descriptor 2."""

    shared = False

    def __init__(self, file: int) -> None:
        self.file = file

    def turn(self) -> None:
        self.usual = os.dup(2)
        os.dup2(self.file, 2)

    def turn_back(self) -> None:
        os.dup2(self.usual, 2)
        os.close(self.usual)


def _stderr_variable() -> str:
    """The name of C's variable, or "" where it is none that may be set."""
    if sys.platform == "darwin":
        return "__stderrp"
    try:
        return "stderr" if os.confstr("CS_GNU_LIBC_VERSION") else ""
    except (AttributeError, ValueError, OSError):
        return ""


def _memory_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("striate-stderr")
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


_ear = _Ear()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ear.restart_in_child)
