"""How the caller is spoken to: of Python's arguments, or of the flags that stand on a command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_flags: ContextVar[Mapping[str, str] | None] = ContextVar("flags", default=None)


@contextmanager
def by_flags(given: Mapping[str, str]) -> Iterator[None]:
    """While it runs the caller is a command line, on which these arguments stand: {"batch_size": "--batch-size"}."""
    token = _flags.set(given)
    try:
        yield
    finally:
        _flags.reset(token)


def said(name: str) -> str:
    """What the caller wrote for an argument: its flag where that stands on the command line, else its name."""
    return (_flags.get() or {}).get(name, name)


def either(flags: str, arguments: str) -> str:
    """What the caller can write: `flags` on a command line, else Python's `arguments`."""
    return arguments if _flags.get() is None else flags
