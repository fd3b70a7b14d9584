"""Paths as users write them and as systems take them: `~`, letters beyond ASCII, names that Windows forbids."""

from __future__ import annotations

import os
import re
from pathlib import Path

#: What a name cannot hold on Windows, and the names that are devices there, whatever follows a dot.
FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')
DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(?=\s*(\.|$))", re.IGNORECASE)


def is_address(source: object) -> bool:
    """Whether a source is an address of the web rather than a path."""
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def at_home(path: str | Path) -> Path:
    """A path as this system spells it, a leading `~` or `~user` written out where there is such a user."""
    return Path(os.path.expanduser(as_spelt_here(os.fspath(path))))


def portable_name(text: str) -> str:
    """`text` as a name of a file or folder that every system takes; as it is where it is one already."""
    name = FORBIDDEN.sub("_", text).rstrip(". ")
    return DEVICES.sub(r"\1_", name, count=1) if DEVICES.match(name) else name


def as_spelt_here(text: str) -> str:
    """The path that text names, in letters that this system's file names take.

    Where Python takes names for ASCII (the locale C) "café" is a file's name only in its bytes, as Python spells them.
    """
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return os.fsdecode(text.encode("utf-8", "surrogateescape"))
    return text
