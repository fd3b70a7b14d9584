"""Numbers, names and dates as a report prints them."""

from __future__ import annotations

import math
import re
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

ARXIV = re.compile(r"arXiv:\s*(\d{4}\.\d{4,5})", re.IGNORECASE)


def number(value: Any) -> float:
    """`value` as a float; NaN for what is no number: None, an empty CSV cell."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def percent(value: Any, images: int = 0) -> str:
    """A share as "96.4 %", with a second decimal where there are `images` enough; a dash for NaN."""
    share = number(value)
    decimals = 2 if images >= 10_000 else 1
    return f"{share * 100:.{decimals}f}\u00a0%" if math.isfinite(share) else "–"


def count(value: Any) -> str:
    """An exact whole number with thousands separated, "61,706"; a dash for what is no number."""
    return f"{round(number(value)):,}" if math.isfinite(number(value)) else "–"


def rounded(
    value: Any, units: tuple[str, ...] = ("", "\u00a0k", "\u00a0M", "\u00a0G", "\u00a0T"), base: int = 1000
) -> str:
    """A large number to three figures with its unit: "61.7 k", "4.09 G"."""
    size = number(value)
    if not math.isfinite(size):
        return "–"
    place = 0
    while abs(size) >= base * 0.9995 and place < len(units) - 1:
        size, place = size / base, place + 1
    if place == 0:
        return f"{size:.0f}{units[0]}"
    decimals = 2 if abs(size) < 9.995 else 1 if abs(size) < 99.95 else 0
    return f"{size:.{decimals}f}{units[place]}"


def size_of(value: Any) -> str:
    """Bytes in decimal units: "246 kB"."""
    return rounded(value, ("\u00a0B", "\u00a0kB", "\u00a0MB", "\u00a0GB", "\u00a0TB"))


def figure(value: Any) -> str:
    """A measured number to four significant figures; "not finite" for NaN, a dash for none."""
    if value is None or value == "":
        return "–"
    parsed = number(value)
    return f"{parsed:.4g}" if math.isfinite(parsed) else "not finite"


def duration(seconds: float) -> str:
    """Seconds as "4.2 s", "3 min 20 s" or "2 h 5 min"."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def when(moment: datetime | str) -> str:
    """A date to the minute; text as it is."""
    return moment.strftime("%Y-%m-%d %H:%M %Z").strip() if isinstance(moment, datetime) else moment


def short(text: Any, length: int = 60) -> str:
    """`text` cut in its middle to `length` characters, for class names and paths of any length."""
    text = str(text)
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[-(length - 1 - head) :]}"


def plural(amount: int, one: str, many: str = "") -> str:
    """An amount with its noun: "1 image", "2,000 images"."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


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
