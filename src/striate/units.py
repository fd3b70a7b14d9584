"""How figures are written: counts, shares, bytes and times, each in one way wherever it is printed.

Letters are the SI's: k, M, G and T are powers of 1,000, so that 1 kB is 1,000 bytes; Ki, Mi and Gi are powers of 1,024.
What is in a computer's memory is told in KiB, a file on a disk in kB. A unit is written with the figures that it has
room for, and a figure that would be rounded to the next unit is written in that: never "1000 k".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

#: Letters that shorten a count, and what each stands for.
PREFIXES = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}


def whole(value: float) -> str:
    """An exact whole number with its thousands separated: "61,706"."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.0f}"


def count(value: float, *, tenths: bool = False) -> str:
    """A large number to three figures with its letter: "61.7 k", "4.09 G", "138 M"; below a thousand as it is.

    Args:
        value: the number.
        tenths: keep one decimal also from a hundred on, for columns of figures: "138.4 M".
    """
    return _scaled(value, tuple(PREFIXES), 1000, (2, 1, 1 if tenths else 0))


def decimal_size(value: float) -> str:
    """Bytes by thousands, as files are measured: "512 B", "246 kB", "98.0 MB"."""
    return _scaled(value, ("B", "kB", "MB", "GB", "TB"), 1000, (2, 1, 0))


def binary_size(value: float) -> str:
    """Bytes by 1,024, as memory is measured: "512 B", "784 KiB", "3.1 MiB"."""
    decimals = (0, 0, 0) if abs(value) < 1023.5 * 1024 else (1, 1, 0)
    return _scaled(value, ("B", "KiB", "MiB", "GiB"), 1024, decimals)


def _scaled(value: float, units: Sequence[str], step: int, decimals: tuple[int, int, int]) -> str:
    """`value` in the first unit in which it is not rounded to a whole of the next one.

    `decimals` are those of figures below 10, below 100 and above; what needs no unit has none.
    """
    place, size = 0, float(value)
    while place < len(units) - 1 and abs(size) >= _last(step, decimals[-1] if place else 0):
        place, size = place + 1, size / step
    if place == 0:
        return f"{size:.0f} {units[0]}".rstrip()
    edges = (_last(10, decimals[0]), _last(100, decimals[1]))
    return f"{size:.{decimals[sum(abs(size) >= edge for edge in edges)]}f} {units[place]}"


def _last(limit: int, decimals: int) -> float:
    """From here on a figure with so many decimals is rounded to `limit`."""
    return limit - 0.5 * 10.0**-decimals


def trimmed(text: str) -> str:
    """Without the zeros that measure nothing, for figures that somebody gave: "50 MB" for "50.0 MB"."""
    return re.sub(r"\.0+(?!\d)|(\.\d*?[1-9])0+(?!\d)", r"\1", text)


def percent(share: float, decimals: int = 1) -> str:
    """A share of one in percent: "96.4%"."""
    return f"{share:.{decimals}%}"


def plural(amount: int, one: str, many: str = "") -> str:
    """An amount with its noun: "1 image", "2,000 images"."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def tally(counts: Mapping[Any, int]) -> str:
    """How often each of several things occurs: "sort (1), cumsum (12,345)"."""
    return ", ".join(f"{thing} ({times:,})" for thing, times in counts.items())


def sizes(values: Sequence[float]) -> str:
    """Numbers along axes: "3×224×224"."""
    return "×".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)


def along_axes(values: Sequence[float] | None) -> str:
    """The one number that holds along every axis, else all of them: "3", "3×5"; nothing for none."""
    return sizes(values[:1] if len(set(values)) == 1 else values) if values else ""


def duration(seconds: float) -> str:
    """Seconds in a sentence: "4.2 s", "3 min 20 s" or "2 h 5 min"."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def clock(seconds: float) -> str:
    """Seconds in a line that changes as they pass: "12s", "3m05s" or "2h07m"."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"
    return f"{minutes // 60}h{minutes % 60:02d}m"
