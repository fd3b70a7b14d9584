"""Arrays that can be made again, kept in a file: written whole or not at all, and read only where nothing is amiss."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from striate.files.keeping import prune, sweep
from striate.files.writing import make_folder_of, write_atomically


def keep_arrays(path: Path, arrays: Mapping[str, NDArray], most: int, said: Any = None) -> None:
    """Write arrays in place of an older file, and make room for them.

    Args:
        path: the file, in a folder among others of its kind, of which those not used for the longest time go.
        arrays: by name.
        most: bytes that all these folders may take together.
        said: what is to be said of the arrays, anything JSON can hold.

    Raises:
        OSError, StriateError: it cannot be written; nothing is left.
    """
    given = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = json.dumps(said)
    make_folder_of(path)
    write_atomically(path, save(given, {"said": text, "crc32": _checksum(given, text)}))
    sweep(path.parent)
    prune(path.parent.parent, most, spared=path.parent)


def read_arrays(path: Path, names: Iterable[str]) -> tuple[dict[str, NDArray], Any] | None:
    """The arrays, and what is said of them; None where there is no such file, or it is damaged and so removed."""
    try:
        with safe_open(path, framework="numpy") as file:
            about = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in names}
        text = about["said"]
        if about["crc32"] != _checksum(arrays, text):
            raise ValueError("damaged")
        return arrays, json.loads(text)
    except FileNotFoundError:
        return None
    except (SafetensorError, OSError, ValueError, KeyError):
        with suppress(OSError):
            path.unlink()
        return None


def _checksum(arrays: Mapping[str, NDArray], text: str) -> str:
    total = zlib.crc32(text.encode())
    for _, array in sorted(arrays.items()):
        total = zlib.crc32(array.reshape(-1).view(np.uint8).data, total)
    return str(total)
