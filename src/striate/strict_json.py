"""JSON that every reader takes: RFC 8259 knows no NaN and no infinity, and neither do the files and output here."""

from __future__ import annotations

import json
import math
from typing import Any


def to_json(value: Any, indent: int | None = None, ascii_only: bool = False) -> str:
    """Plain values as JSON text; a number that is none becomes null.

    Bytes of a file name that are no UTF-8 are written as escapes, so that the text can always be encoded.

    Args:
        value: dictionaries, lists, tuples, text, numbers (NumPy's too), truth values and None.
        indent: spaces for each level; None for one line.
        ascii_only: write every other character as an escape.
    """
    text = json.dumps(_finite(value), ensure_ascii=ascii_only, indent=indent, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode()


def _finite(value: Any) -> Any:
    if getattr(value, "ndim", None) == 0:  # a number of NumPy or PyTorch
        value = value.item()
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
