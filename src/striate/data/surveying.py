"""From the facts of single images to the survey of a data set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from striate.data.dataset import Split
from striate.data.duplicates import find_same_pictures
from striate.data.facts import Facts
from striate.data.survey import Sizes, Survey, size_text
from striate.data.whole import Whole

#: A side below so many pixels shows nothing,
TINY = 4
#: and a side so many times shorter than the middle one of the set shows nothing beside the rest.
TINY_BESIDE = 16
#: Strays that are named.
_NAMED_STRAYS = 5


def survey_of(splits: Sequence[Split]) -> Survey:
    """Survey splits with one image at least, of which all facts are known."""
    whole, facts = Whole(splits), Facts.joined([split.facts for split in splits if split.facts is not None])
    sizes = Sizes.of(facts.sizes)
    channels, first, counts = np.unique(facts.channels, return_index=True, return_counts=True)
    return Survey(
        sizes=sizes,
        file_channels=dict(zip(channels.tolist(), counts.tolist(), strict=True)),
        bit_depths=_ordered(facts.bit_depths),
        formats=_ordered(facts.formats),
        examples={number: whole.name(row) for number, row in zip(channels.tolist(), first.tolist(), strict=True)},
        strays=_strays(whole, facts.sizes, sizes) if sizes.has_strays else (),
        blank=tuple(whole.name(number) for number in np.flatnonzero(facts.blank).tolist()),
        tiny=tuple(whole.name(number) for number in np.flatnonzero(tiny_rows(facts.sizes)).tolist()),
        same_pictures=find_same_pictures(splits),
    )


def _ordered(values: Sequence[str]) -> dict[str, int]:
    """How often each value occurs, the commonest first."""
    return dict(sorted(Counter(values).items(), key=lambda entry: (-entry[1], entry[0])))


def _strays(whole: Whole, all_sizes: np.ndarray, sizes: Sizes) -> tuple[str, ...]:
    odd = np.flatnonzero((all_sizes != sizes.commonest).any(axis=1))[:_NAMED_STRAYS].tolist()
    return tuple(f"{whole.name(number)} ({size_text(tuple(all_sizes[number].tolist()))})" for number in odd)


def tiny_rows(sizes: np.ndarray) -> np.ndarray:
    """Which images of these heights and widths (N, 2) are too small to show anything, bool (N,)."""
    shorter = sizes.min(axis=1)
    return np.asarray(shorter < max(TINY, np.median(shorter) / TINY_BESIDE))
