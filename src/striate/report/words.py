"""Numbers, names and dates as a report prints them: as everywhere, but for its missing values and unbroken units."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from striate import units
from striate.text_tables import shortened

NO_BREAK = "\u00a0"
ARXIV = re.compile(r"arXiv:\s*(\d{4}\.\d{4,5})", re.IGNORECASE)


def number(value: Any) -> float:
    """`value` as a float; NaN for what is no number: None, an empty CSV cell."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _unbroken(write: Callable[[float], str], value: Any) -> str:
    """A figure with a space before its unit that does not break; a dash for what is no finite number."""
    parsed = number(value)
    return write(parsed).replace(" ", NO_BREAK) if math.isfinite(parsed) else "–"


def percent(value: Any, images: int = 0) -> str:
    """A share as "96.4 %", with a second decimal where there are `images` enough."""
    decimals = 2 if images >= 10_000 else 1
    return _unbroken(lambda share: units.percent(share, decimals).replace("%", " %"), value)


def whole(value: Any) -> str:
    """An exact whole number with thousands separated: "61,706"."""
    return _unbroken(units.whole, value)


def count(value: Any) -> str:
    """A large number to three figures with its unit: "61.7 k", "4.09 G"."""
    return _unbroken(units.count, value)


def file_size(value: Any) -> str:
    """Bytes in decimal units: "246 kB"."""
    return _unbroken(units.decimal_size, value)


def figure(value: Any) -> str:
    """A measured number to four significant figures; "not finite" for NaN, a dash for none."""
    if value is None or value == "":
        return "–"
    parsed = number(value)
    return f"{parsed:.4g}" if math.isfinite(parsed) else "not finite"


def when(moment: datetime | str) -> str:
    """A date to the minute; text as it is."""
    return moment.strftime("%Y-%m-%d %H:%M %Z").strip() if isinstance(moment, datetime) else moment


def short(text: Any, length: int = 60) -> str:
    """`text` cut in its middle to `length` characters, for class names and paths of any length."""
    return shortened(str(text), length)


def ranges(values: list[int]) -> str:
    """Sorted whole numbers as "3, 5–8"."""
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], value]
        else:
            runs.append([value, value])
    return ", ".join(str(first) if first == last else f"{first}–{last}" for first, last in runs)


def setting(value: Any) -> str:
    """A recipe's value as one would type it: true, none, 0.1, (0.9, 0.99)."""
    if value is None or value == {}:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ", ".join(setting(item) for item in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def linked(text: str) -> Markup:
    """Escaped text whose arXiv ids are links to the papers."""
    return Markup(ARXIV.sub(r'<a href="https://arxiv.org/abs/\1">arXiv:\1</a>', str(escape(text))))
