"""What a check can find, in the order in which it matters, and one thing that it has found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from striate.data.survey import Place
from striate.errors import unknown


class Kind(NamedTuple):
    """A kind of thing amiss.

    Attributes:
        words: what is wrong, to stand before the images.
        why: why it matters and what to do, in a sentence or two.
        grave: whether what is measured or learnt on such data is wrong, so that `--strict` fails.
        per_image: whether a finding is of single images that can be set aside.
    """

    words: str
    why: str
    grave: bool = False
    per_image: bool = True


LEAK, NEAR_LEAK = "leak", "near-leak"
CONTRADICTION, NEAR_CONTRADICTION = "contradiction", "near-contradiction"
UNREADABLE, EMPTY_CLASS, SPLITS_DIFFER = "unreadable", "empty-class", "splits-differ"
LABEL_ERROR, DUPLICATE, NEAR_DUPLICATE, ODD = "label-error", "duplicate", "near-duplicate", "odd"
BLANK, TINY, THIN, MISNAMED, IMBALANCE = "blank", "tiny", "thin", "misnamed", "imbalance"
TURNED, INKS, DEEP = "turned", "inks", "deep"

_FLATTERED = "What is measured on them is flattered: the network has seen them in training."
_BOTH = "One of the labels is wrong, or the classes overlap. Nothing can be learnt of them."
_ONCE = "They count twice in training, and a split made of them leaks. Keep one of each."

#: What matters most comes first.
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        LEAK: Kind("the same picture in two splits", _FLATTERED, grave=True),
        NEAR_LEAK: Kind("nearly the same picture in two splits", _FLATTERED, grave=True),
        CONTRADICTION: Kind("the same picture under two labels", _BOTH, grave=True),
        NEAR_CONTRADICTION: Kind("nearly the same picture under two labels", _BOTH, grave=True),
        UNREADABLE: Kind("unreadable", "They are left out of training.", grave=True),
        EMPTY_CLASS: Kind("empty class", "Training refuses it.", grave=True, per_image=False),
        SPLITS_DIFFER: Kind(
            "splits differ",
            "What is measured on a split holds for its own mixture of classes only.",
            grave=True,
            per_image=False,
        ),
        LABEL_ERROR: Kind(
            "probably another class",
            "A classifier that has not seen the image says so. Look at them; some are hard, not wrong.",
        ),
        DUPLICATE: Kind("the same picture again", _ONCE),
        NEAR_DUPLICATE: Kind("nearly the same picture again", _ONCE),
        ODD: Kind("unlike all others", "They may not belong here, or be the only ones of their kind."),
        BLANK: Kind("one colour only", "They show nothing."),
        TINY: Kind("too small to show anything", "Enlarged, they are a blur."),
        THIN: Kind("far longer than wide", "A square cut from them shows a small part, squashed they show nothing."),
        MISNAMED: Kind("with the extension of another format", "Here they are read by content, elsewhere perhaps not."),
        IMBALANCE: Kind("unbalanced", "Rare classes are learnt badly and count little in accuracy.", per_image=False),
        TURNED: Kind("turned upright as the EXIF data say", "Programs that ignore EXIF see them lying."),
        INKS: Kind("in printing inks (CMYK)", "They are turned to RGB; the colours are approximate."),
        DEEP: Kind("of another bit depth than the rest", "They are scaled to 8 bits."),
    }
)


@dataclass(frozen=True)
class Finding:
    """One thing amiss.

    Attributes:
        kind: a key of `KINDS`.
        text: what it is, in one line without the kind's words.
        places: the images that it is about; of a picture that occurs again all of them.
        figures: what was measured: "likeness", "mirrored", "suggested", "probability", "own", "deviations", "reason".
    """

    kind: str
    text: str
    places: tuple[Place, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)


def check_kinds(names: str) -> tuple[str, ...]:
    """The kinds that are named with commas. Raises UsageError for one that there is not."""
    wanted = tuple(dict.fromkeys(name.strip() for name in names.split(",") if name.strip()))
    for name in wanted:
        if name not in KINDS:
            raise unknown("kind of finding", name, KINDS)
    return wanted
