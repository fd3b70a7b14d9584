"""One filtered pixel's arithmetic in words, and for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def text(arithmetic: Arithmetic, shown: np.ndarray) -> str:
    """One pixel's arithmetic: for each channel window, kernel, products and sum; [ ] marks what the border gave."""
    (y, x), (row, column) = arithmetic.pixel, arithmetic.centre
    lines = [f"pixel x {x}, y {y} of the result; the kernel's centre lies on x {column}, y {row} of the picture"]
    if arithmetic.border.any():
        lines[0] += "; [ ] are values beyond the edge"
    for number, name in enumerate(channel_names(len(arithmetic.sums))):
        window = words(arithmetic.window[..., number])
        if arithmetic.border.any():
            window = [
                [f"[{word}]" if outside else f"{word} " for word, outside in zip(row, outsides, strict=True)]
                for row, outsides in zip(window, arithmetic.border, strict=True)
            ]
        products = arithmetic.products[..., number]
        lines.append(f"\n{name}: window, kernel{'' if number else ' as it is slid'}, products")
        lines.append(side_by_side(window, words(arithmetic.kernel), words(products)))
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
