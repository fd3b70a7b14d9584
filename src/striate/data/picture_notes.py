"""What the user should know about the pictures themselves, in words."""

from __future__ import annotations

from collections.abc import Sequence

from striate.data.few import few
from striate.data.survey import SamePicture, Survey, size_text
from striate.data.targets import spelt
from striate.units import plural

#: From so many times on, the same picture probably stands in for pictures that were not to be had.
MANY_TIMES = 4


def picture_notes(survey: Survey, classes: Sequence[str], channels: int) -> list[str]:
    """Notes on channels that had to change, on stray sizes, and on the `oddities`, one line each.

    Args:
        survey: what the data set holds.
        classes: its class names.
        channels: the channels that every image has been given.
    """
    notes = [
        f"{plural(count, 'image')} {text} (first: {survey.examples[own]})"
        for own, count in survey.file_channels.items()
        if (text := _change(own, channels))
    ]
    if survey.sizes.has_strays:
        strays = survey.sizes.images - survey.sizes.with_commonest
        notes.append(
            f"{strays:,} of {survey.sizes.images:,} images {'is' if strays == 1 else 'are'} not "
            f"{size_text(survey.sizes.commonest)} (height x width) like the rest: {few(survey.strays, total=strays)}"
        )
    return notes + oddity_notes(survey, classes)


def oddity_notes(survey: Survey, classes: Sequence[str]) -> list[str]:
    """The `oddities`, one line for each kind with the first that were found."""
    found = oddities(survey, classes)
    return [f"{kind}: {few(entries, separator=_separator(kind))}" for kind, entries in found.items()]


def oddities(survey: Survey, classes: Sequence[str]) -> dict[str, list[str]]:
    """Pictures that should not be there as they are, named, under what is wrong with them."""
    found = {"one colour only": list(survey.blank), "too small to show anything": list(survey.tiny)}
    for places in survey.same_pictures:
        text = _same_text(places, classes)
        for kind in _kinds(places):
            found.setdefault(f"{_SAME} {kind}", []).append(text)
    return {kind: entries for kind, entries in found.items() if entries}


_SAME = "the same picture"


def _kinds(places: SamePicture) -> list[str]:
    """In which ways it matters that a picture occurs again."""
    kinds = {
        "under two labels": len({place.label for place in places}) > 1,
        "in two splits": len({place.split for place in places}) > 1,
        "many times, perhaps in place of what was not to be had": len(places) >= MANY_TIMES,
    }
    return [kind for kind, holds in kinds.items() if holds] or ["again"]


def _same_text(places: SamePicture, classes: Sequence[str]) -> str:
    """The places of a picture, with split and class where they differ."""
    splits = len({place.split for place in places}) > 1
    labels = len({place.label for place in places}) > 1
    words = []
    for place in places:
        details = [place.split] * splits + [spelt(place.label, classes)] * labels
        words.append(f"{place.name} ({', '.join(details)})" if details else place.name)
    return few(words, separator=" = ")


def _change(own: int, channels: int) -> str:
    """What was done to the channels of a file that holds `own`; empty where nothing was."""
    if own in (2, 4) and channels in (1, 3):
        return "with transparency, laid on white"
    if own <= 2 < channels:
        return f"in grey, repeated over {channels} channels"
    if own == 3 and channels == 1:
        return "in colour, turned to grey"
    return "given an opaque fourth channel" if own == 3 and channels == 4 else ""


def _separator(kind: str) -> str:
    return "; " if kind.startswith(_SAME) else ", "
