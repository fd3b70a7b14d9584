"""The layer between two shapes: what the words leave open of kernel, stride and padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from striate.errors import UsageError
from striate.layers.in_words import SAME, SLIDING, Pair, Words
from striate.layers.window import Window, windows_between

_OPEN = ("kernel", "stride", "padding")


def solve(words: Words, sizes: Sequence[int], outputs: Sequence[int]) -> list[Words]:
    """The layers that turn maps of `sizes` (H, W) into maps of `outputs`, the most usual ones first.

    What the words say holds; what they leave open is the same along height and width.

    Raises:
        UsageError: no layer whose kernel slides, or padding "same", which needs no solving.
    """
    if words.kind not in SLIDING or words.padding == SAME:
        raise UsageError(f"'{words.text}': a kernel that slides is needed, of {', '.join(SLIDING)}, without pad same")
    dilation: Pair = words.dilation or (1, 1)
    rows, columns = (
        windows_between(
            size,
            places,
            kernel=words.kernel[axis] if words.kernel else None,
            stride=words.stride[axis] if words.stride else None,
            padding=words.padding[axis] if isinstance(words.padding, tuple) else None,
            dilation=dilation[axis],
        )
        for axis, (size, places) in enumerate(zip(sizes, outputs, strict=True))
    )
    free = [name for name in _OPEN if getattr(words, name) is None]
    among = {tuple(getattr(window, name) for name in free): window for window in reversed(columns)}
    pairs = [(row, among.get(tuple(getattr(row, name) for name in free))) for row in rows]
    return [_settled(words, row, column) for row, column in pairs if column is not None]


def _settled(words: Words, height: Window, width: Window) -> Words:
    kernel, stride = (height.kernel, width.kernel), (height.stride, width.stride)
    return replace(words, kernel=kernel, stride=stride, padding=(height.padding, width.padding))
