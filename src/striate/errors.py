"""The errors a user sees: one line that says what, where, and how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class StriateError(Exception):
    """Something the user can mend; the message is one clear line. The command line exits with `exit_code`."""

    exit_code = 1


class UsageError(StriateError):
    """The call itself is wrong: an unknown name, an impossible value."""

    exit_code = 2


class Interrupted(StriateError):
    """Ctrl-C came while something was going on that is left in order; the message says what was done."""

    exit_code = 130


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception, Python's, torch's or OpenCV's, says that memory did not suffice."""
    words = str(error).lower()
    return isinstance(error, MemoryError) or any(
        sign in words for sign in ("out of memory", "can't allocate memory", "insufficient memory", "not enough memory")
    )


def nearest(name: str, known: Iterable[str], count: int = 3) -> str:
    """The sentence that offers the names closest to `name`, or an empty string where none is close."""
    close = difflib.get_close_matches(name, list(known), n=count, cutoff=0.5)
    return f" Did you mean {' or '.join(repr(candidate) for candidate in close)}?" if close else ""


def unknown(kind: str, name: str, known: Iterable[str], where: str = "") -> UsageError:
    """The error for an unknown `name` of a `kind` (network, field, optimizer), with the nearest known names.

    `where` names the command that lists them all. Without it the known names are listed in the message when
    none is close.
    """
    known = sorted(known)
    offer = nearest(name, known)
    listed = f" {where}" if where else ("" if offer else f" Known: {', '.join(known)}.")
    return UsageError(f"unknown {kind} '{name}'.{offer}{listed}")
