"""What the pictures share: a sheet of paper with a title and its reading, names cut to fit, and writing it whole.

A sheet is drawn at the size at which it is printed, as wide as the text of an A4 page, so that type has the size that
is said here; on a slide it is enlarged. The same input gives the same bytes, whatever the user's matplotlibrc says.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from striate.errors import StriateError, UsageError
from striate.files import write_atomically
from striate.text_tables import shortened, shortened_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

SUFFIXES = (".svg", ".png", ".pdf")
#: Inches: an A4 page between margins of 2 cm.
PAGE_WIDTH = 6.7
DOTS_PER_INCH = 200
#: Points: title, words, and names and numbers in a picture.
TITLE, WORDS, SMALL = 10, 8, 7
#: Inches left and right of words, and from one line to the next for each point of type.
INDENT, LEADING = 0.1, 1.45 / 72
#: Share of that room which words are measured to fill: letters that are fitted to pixels are up to so much wider.
FITTED = 0.96
#: Colours that people tell apart whatever colours they see (Okabe and Ito, 2008), without the yellow.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00")
#: How long the name of a layer or a network may be beside its bar.
LONGEST_NAME = 28


def told_apart(names: Sequence[str], limit: int = LONGEST_NAME, longer: int = 12) -> list[str]:
    """The names cut in their middle to `limit` letters, or where different ones would then be alike, otherwise.

    They may be `longer` by so many letters where nothing else tells them apart.
    """
    for most in (limit, limit + longer):
        for cut in (shortened, shortened_path):
            short = [cut(name, most) for name in names]
            if len(set(short)) == len(set(names)):
                return short
    return [shortened(name, limit) for name in names]


def listed(names: Sequence[str]) -> str:
    """Such as "alexnet, vgg16 and googlenet"."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def literal(text: str) -> str:
    """Text in which a dollar is a dollar, and begins no formula."""
    return text.replace("$", r"\$")


def wrapped(text: str, size: float, weight: str = "normal") -> list[str]:
    """Lines of text that fit a sheet; a word that is too long for one is broken."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    font, measure = FontProperties(size=size, weight=weight), TextToPath()
    room = 72 * (PAGE_WIDTH - 2 * INDENT) * FITTED

    def fits(line: str) -> bool:
        return float(measure.get_text_width_height_descent(line, font, False)[0]) <= room

    lines = [""]
    for word in text.split():
        if lines[-1] and fits(f"{lines[-1]} {word}"):
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for letter in word:
            if not fits(lines[-1] + letter):
                lines.append("")
            lines[-1] += letter
    return [line for line in lines if line]


def log_ticks(axis: Any, low: float, high: float, written: Callable[[float], str] = "{:g}".format) -> None:
    """Ticks for a logarithmic x or y axis from `low` to `high`, a few and in plain type: exponents would be too small.

    Args:
        axis: of matplotlib, such as `axes.xaxis`.
        low: the least value on it.
        high: the greatest.
        written: how a value is written.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    decades = math.log10(high / low)
    several = LogLocator(subs=(1, 2, 5)) if decades > 0.8 else MaxNLocator(4)
    axis.set_major_locator(LogLocator(subs=(1,)) if decades > 2.5 else several)
    axis.set_major_formatter(FuncFormatter(lambda value, _: written(value)))
    axis.set_minor_formatter(NullFormatter())


@contextmanager
def sheet(path: str | Path, height: float, title: str, *, about: str = "", reading: str = "") -> Iterator[SubFigure]:
    """A page-wide figure; what the caller draws below its words is written to `path` when it is done.

    Args:
        path: an .svg, .png or .pdf file.
        height: inches for what the caller draws; the words come on top.
        title: what the picture is of.
        about: how it was measured.
        reading: a sentence on what it shows.

    Raises:
        UsageError: the suffix is none of those.
        StriateError: matplotlib is not installed, or the file cannot be written.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise UsageError(f"cannot draw to '{path}': its name must end in {', '.join(SUFFIXES)}")
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError as error:
        raise StriateError("plot needs matplotlib: pip install matplotlib") from error
    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.simplefilter("ignore", matplotlib.MatplotlibDeprecationWarning)  # of settings among the defaults
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {"font.size": SMALL, "axes.titlesize": WORDS, "axes.labelsize": WORDS, "svg.hashsalt": "striate"}
        )
        lines = _styled(title, about, reading)
        above = 0.14 + LEADING * sum(line.size for line in lines)
        drawn = Figure(figsize=(PAGE_WIDTH, above + height), dpi=DOTS_PER_INCH, layout="constrained")
        words, body = cast("Sequence[SubFigure]", drawn.subfigures(2, 1, height_ratios=[above, height]))
        _write(words, lines, above)
        yield body
        save(drawn, path)


class _Line(NamedTuple):
    """One line of words; its size in points."""

    text: str
    size: int
    weight: str
    colour: str


def _styled(title: str, about: str, reading: str) -> list[_Line]:
    styles = ((title, TITLE, "bold", "black"), (about, WORDS, "normal", "0.35"), (reading, WORDS, "normal", "black"))
    return [
        _Line(line, size, weight, colour)
        for text, size, weight, colour in styles
        for line in wrapped(text, size, weight)
    ]


def _write(words: SubFigure, lines: Sequence[_Line], height: float) -> None:
    """The lines from the top of a part of a figure that is so many inches high."""
    y = height - 0.08
    for line in lines:
        y -= LEADING * line.size
        place = INDENT / PAGE_WIDTH, (y + 0.25 * LEADING * line.size) / height
        words.text(*place, literal(line.text), fontsize=line.size, fontweight=line.weight, color=line.colour)


def save(drawn: Figure, path: str | Path) -> Path:
    """Write the figure in the format of the suffix, without the time of day."""
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    without: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    return write_atomically(path, lambda file: drawn.savefig(file, format=kind, metadata=without))
