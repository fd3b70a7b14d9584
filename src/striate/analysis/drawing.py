"""What the pictures share: a figure of matplotlib, and writing it whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from striate.errors import StriateError, UsageError
from striate.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUFFIXES = (".svg", ".png", ".pdf")


def figure(path: str | Path, width: float, height: float) -> Figure:
    """An empty figure of that many inches, once it is sure that `path` is a picture's name.

    Raises:
        UsageError: the suffix is none of .svg, .png, .pdf.
        StriateError: matplotlib is not installed.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise UsageError(f"cannot draw to '{path}': its name must end in {', '.join(SUFFIXES)}")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise StriateError("plot needs matplotlib: pip install matplotlib") from error
    return Figure(figsize=(width, height), layout="constrained")


def save(drawn: Figure, path: str | Path) -> Path:
    """Write the figure in the format of the suffix."""
    path = Path(path)
    kind = path.suffix.lower().removeprefix(".")
    return write_atomically(path, lambda file: drawn.savefig(file, format=kind, dpi=120))
