"""Digests of files that were read once, so that a list of what is at hand does not read all of them again.

They are kept in the cache folder, each for a path, a size and a time of the last change; a file that differs in any of
these is read anew. Before weights are put into a network their file is always read.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from striate.errors import StriateError
from striate.files import Checksum, cache_folder, digest_of, make_folder_of, write_atomically

#: In the cache folder.
FILE = "digests.json"


def remembered_digest(path: Path, algorithm: str = "sha256") -> str:
    """The file's digest in hexadecimal, as it was when a file of this size and time was read last.

    Raises:
        OSError: the file cannot be read.
    """
    key, state = f"{algorithm}:{path.absolute()}", path.stat()
    known = _read()
    match known.get(key):
        case [state.st_size, state.st_mtime_ns, str(digest)]:
            return digest
    digest = digest_of(path, algorithm)
    _write({**_read(), key: [state.st_size, state.st_mtime_ns, digest]})
    return digest


def is_of(path: Path, checksum: Checksum) -> bool:
    """Whether the file had this checksum when it was read last; without digits any file has it."""
    return not checksum.digits or checksum.fits(remembered_digest(path, checksum.algorithm))


def _read() -> dict[str, Any]:
    try:
        known = json.loads((cache_folder() / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, StriateError):
        return {}
    return known if isinstance(known, dict) else {}


def _write(known: dict[str, Any]) -> None:
    with suppress(StriateError):  # where nothing can be kept, files are read again
        path = cache_folder() / FILE
        make_folder_of(path)
        write_atomically(path, json.dumps(known, indent=0))
