"""One filtered pixel's arithmetic in words, and for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.text_tables import clipped, wrapped

if TYPE_CHECKING:
    import numpy as np

    from striate.layers.filtering import Arithmetic


def channel_names(channels: int) -> list[str]:
    """What the channels of a picture are called."""
    return {1: ["grey"], 3: ["red", "green", "blue"]}.get(channels, [f"channel {number}" for number in range(channels)])


def words(values: np.ndarray) -> list[list[str]]:
    """A matrix as short words."""
    return [[f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}" for value in row] for row in values + 0.0]


def side_by_side(*tables: list[list[str]]) -> str:
    """Tables side by side, each right-aligned."""
    widths = [max(len(word) for row in table for word in row) for table in tables]
    return "\n".join(
        "    ".join(" ".join(f"{word:>{width}}" for word in row) for row, width in zip(rows, widths, strict=True))
        for rows in zip(*tables, strict=True)
    )


def _placed(named: list[tuple[str, list[list[str]]]], width: int | None) -> list[str]:
    """Named tables side by side, or below each other where they would be wider than `width`."""
    names, tables = zip(*named, strict=True)
    aside = side_by_side(*tables)
    if width is None or max(map(len, aside.splitlines())) <= width:
        return [", ".join(names), aside]
    return [line for name, table in named for line in (name, *_within(side_by_side(table).splitlines(), width))]


def _within(lines: list[str], width: int) -> list[str]:
    """Lines that `width` has room for, and whether all of them is shown."""
    cut = ["(cut; a wider terminal or a pipe shows all)"] if max(map(len, lines)) > width else []
    return [clipped(line, width) for line in lines] + cut


def text(arithmetic: Arithmetic, shown: np.ndarray, width: int | None = None) -> str:
    """One pixel's arithmetic: for each channel window, kernel, products and sum; [ ] marks what the border gave."""
    (y, x), (row, column) = arithmetic.pixel, arithmetic.centre
    lines = [f"pixel x {x}, y {y} of the result; the kernel's centre lies on x {column}, y {row} of the picture"]
    if arithmetic.border.any():
        lines[0] += "; [ ] are values beyond the edge"
    lines[0] = wrapped(lines[0], width, "  ")
    for number, name in enumerate(channel_names(len(arithmetic.sums))):
        window = words(arithmetic.window[..., number])
        if arithmetic.border.any():
            window = [
                [f"[{word}]" if outside else f"{word} " for word, outside in zip(row, outsides, strict=True)]
                for row, outsides in zip(window, arithmetic.border, strict=True)
            ]
        products = arithmetic.products[..., number]
        kernel = "kernel" if number else "kernel as it is slid"
        tables = (f"{name}: window", window), (kernel, words(arithmetic.kernel)), ("products", words(products))
        lines += ["", *_placed([*tables], width)]
        lines.append(f"sum {arithmetic.sums[number]:.6g}, shown as {shown[number]}")
    return "\n".join([*lines, ""])


def plain(arithmetic: Arithmetic, shown: np.ndarray) -> dict[str, Any]:
    """The same for a program."""
    return {
        "x": arithmetic.pixel[1],
        "y": arithmetic.pixel[0],
        "centre": {"x": arithmetic.centre[1], "y": arithmetic.centre[0]},
        "kernel": arithmetic.kernel.tolist(),
        "beyond_the_edge": arithmetic.border.tolist(),
        "channels": [
            {
                "name": name,
                "window": arithmetic.window[..., number].tolist(),
                "products": arithmetic.products[..., number].tolist(),
                "sum": float(arithmetic.sums[number]),
                "shown": int(shown[number]),
            }
            for number, name in enumerate(channel_names(len(arithmetic.sums)))
        ],
    }
