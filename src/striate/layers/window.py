"""A window that slides along one axis: how many places it takes, and which windows take so many.

The rule is that of every convolution and pooling: from n values, padded by p at both ends, a kernel of k values, d
apart, takes floor((n + 2p - d(k - 1) - 1) / s) + 1 places at stride s (Dumoulin & Visin, 2016, arXiv:1603.07285,
relation 15).
"""

from __future__ import annotations

from dataclasses import dataclass

from striate.errors import UsageError

#: The longest kernel that `windows_between` looks for: none in the literature's networks is longer.
LONGEST = 15


@dataclass(frozen=True)
class Window:
    """One axis of a sliding kernel.

    Attributes:
        kernel: values that it holds.
        stride: from one place to the next.
        padding: values added at each end.
        dilation: from one value of the kernel to the next.
    """

    kernel: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    @property
    def extent(self) -> int:
        """Values from the kernel's first to its last, both counted."""
        return self.dilation * (self.kernel - 1) + 1

    def places(self, size: int) -> int:
        """How many places it takes on `size` values; 0 where it does not fit."""
        room = size + 2 * self.padding - self.extent
        return room // self.stride + 1 if room >= 0 else 0

    def left_over(self, size: int) -> int:
        """Values at the end, padding among them, that no place reaches."""
        return max(0, size + 2 * self.padding - self.extent) % self.stride

    def arithmetic(self, size: int) -> str:
        """The rule with its numbers: "(227 - 11) / 4 + 1 = 55"."""
        padded = f"{size} + 2*{self.padding}" if self.padding else f"{size}"
        divided = f"({padded} - {self.extent})" + (f" / {self.stride}" if self.stride > 1 else "")
        down = f", rounded down: {self.left_over(size)} at the end not seen" if self.left_over(size) else ""
        return f"{divided} + 1 = {self.places(size)}{down}"


def windows_between(
    size: int,
    places: int,
    *,
    kernel: int | None = None,
    stride: int | None = None,
    padding: int | None = None,
    dilation: int = 1,
) -> list[Window]:
    """The windows that take so many places on `size` values, the most usual ones first; what is given holds.

    Those of a stride beyond the kernel, which would pass values over, and of more padding than keeps the size at stride
    1 are left out unless they are asked for.

    Raises:
        UsageError: a number below 1 (padding: 0).
    """
    for name, value, least in (
        ("size", size, 1),
        ("places", places, 1),
        ("kernel", kernel, 1),
        ("stride", stride, 1),
        ("padding", padding, 0),
        ("dilation", dilation, 1),
    ):
        if value is not None and value < least:
            raise UsageError(f"{name} is {value}; it must be {least} or more")
    found = [
        window
        for k in ([kernel] if kernel is not None else range(1, LONGEST + 1))
        for s in ([stride] if stride is not None else range(1, k + 1))
        for p in ([padding] if padding is not None else range((Window(k, dilation=dilation).extent + 1) // 2))
        for window in [Window(k, s, p, dilation)]
        if window.places(size) == places
    ]
    return sorted(found, key=lambda window: _oddity(window, size))


def _oddity(window: Window, size: int) -> tuple[bool, bool, bool, bool, int, int, int]:
    """How far from what people use: gaps, padding that neither is none nor keeps the size, lost rows, even kernels."""
    usual_padding = window.padding in (0, (window.extent - 1) // 2)
    left_over = window.left_over(size)
    even = window.kernel % 2 == 0 and window.kernel != 2
    gaps = window.stride > window.extent
    return (gaps, not usual_padding, left_over > 1, even, left_over, window.kernel, window.stride)
