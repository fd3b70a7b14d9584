"""Which stem for which size of image.

A stem made for 224 pixels throws away three quarters of a small image's rows before the first block sees it.
So networks made for large images have a "small" stem beside the "paper" one. The rule: images whose shorter
side is at most 64 pixels get the small stem; without an `input_size` the stem is the paper's. `stem="paper"`
or `stem="small"` overrules it, and pretrained weights bring the stem they were trained with.
"""

from __future__ import annotations

from striate.errors import unknown

STEMS = ("paper", "small")
SMALL_SIDE = 64


def stem_for(input_size: tuple[int, int] | None, stem: str | None = None) -> str:
    """The stem asked for, else the one the image size calls for.

    Raises:
        UsageError: the stem is not in `STEMS`.
    """
    if stem is None:
        return "small" if input_size is not None and min(input_size) <= SMALL_SIDE else "paper"
    if stem not in STEMS:
        raise unknown("stem", stem, STEMS)
    return stem
