"""How many pictures go through a network together when nothing is learnt from them."""

from __future__ import annotations

#: On a processor so many pixels: 10 pictures of 224 x 224. More gain nothing, and the feature maps of many more are so
#: large that the allocator gives them back to the kernel after every layer (`striate.allocator`).
PIXELS_AT_ONCE = 1 << 19

#: Pictures at once, at most, where nothing else is said.
MOST_AT_ONCE = 64


def images_at_once(size: tuple[int, int], most: int = MOST_AT_ONCE, device: str = "cpu") -> int:
    """How many pictures of this height and width, from 1 to `most`, which an accelerator is always given."""
    height, width = size
    return most if device != "cpu" else max(1, min(most, PIXELS_AT_ONCE // (height * width)))
