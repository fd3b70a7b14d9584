"""Gradual unfreezing: epochs from which on more of a network trains (Howard & Ruder, 2018, arXiv:1801.06146, 3.3).

A recipe writes them as "5:layer3,10:none": the fifth epoch begins with the network frozen up to and with layer3, as
`freeze="layer3"` has it, the tenth with nothing frozen. Epochs are counted from 1, as progress and tables count them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from striate.caller import either
from striate.errors import UsageError
from striate.models import COPIED, Network

#: What stands for nothing being frozen any more.
NOTHING = "none"

#: The first epoch is freeze's own, and no run is longer than the last.
FIRST, LAST = 2, 1_000_000


@dataclass(frozen=True)
class Thaw:
    """From the beginning of this epoch on, counted from 1, the network is frozen up to and with this part, or none."""

    epoch: int
    until: str


def thaws_in(text: str) -> tuple[Thaw, ...]:
    """What the text of a recipe asks for, in order; nothing where it is empty or "none".

    Raises:
        UsageError: it is written otherwise, or its epochs do not rise.
    """
    if not isinstance(text, str):
        raise _unreadable(repr(text))
    if text.strip() in ("", NOTHING):
        return ()
    found = []
    for step in text.split(","):
        match = re.fullmatch(r"\s*(\d+)\s*:\s*(\S+)\s*", step)
        if match is None:
            raise _unreadable(text)
        found.append(Thaw(int(match[1]), match[2]))
    rises = all(first.epoch < second.epoch for first, second in pairwise(found))
    if not rises or found[0].epoch < FIRST or found[-1].epoch > LAST:
        raise UsageError(
            f"unfreeze is {text}; its epochs are counted from 1 and rise, from {FIRST} (what is frozen before says "
            f"{either('--freeze', 'freeze')}) to {LAST:,}."
        )
    return tuple(found)


def _unreadable(text: str) -> UsageError:
    return UsageError(
        f"unfreeze is {text}; write EPOCH:PART, with commas between several, such as 5:stage2,10:{NOTHING}: from the "
        "beginning of epoch 5 on the network is frozen up to and with stage2, from that of epoch 10 on not at all."
    )


def check_thaws(network: Network, freeze: str | None, thaws: Sequence[Thaw]) -> None:
    """Refuse steps that this network cannot take.

    Args:
        network: whose parts they name.
        freeze: the part up to which it is frozen at first.
        thaws: the steps.

    Raises:
        UsageError: nothing is frozen at first, a part that there is not, or a step that frees nothing.
    """
    if not thaws:
        return
    if not freeze:
        raise UsageError(
            f"unfreeze frees what is frozen at first, and nothing is: give {either('--freeze', 'freeze')} with it, "
            f"one of {', '.join(network.parts())} or all."
        )
    parts, before = network.parts(), (freeze, len(network.up_to(freeze)))
    for thaw in thaws:
        if freeze == COPIED and thaw.until != NOTHING:
            raise UsageError(
                f"unfreeze names '{thaw.until}' where copied layers are frozen, which lie among new ones; write "
                f"{thaw.epoch}:{NOTHING}, which frees them all."
            )
        if thaw.until not in (NOTHING, "all", *parts):
            raise UsageError(
                f"unfreeze names '{thaw.until}', and {network.spec.name} has no such part; its parts are "
                f"{', '.join(parts)} ({NOTHING}: nothing stays frozen)."
            )
        frozen = 0 if thaw.until == NOTHING else len(network.up_to(thaw.until))
        if frozen >= before[1]:
            raise UsageError(
                f"unfreeze frees nothing in epoch {thaw.epoch}: up to '{thaw.until}' no less is frozen than up to "
                f"'{before[0]}' before; the parts of {network.spec.name} are, in order, {', '.join(parts)}."
            )
        before = thaw.until, frozen


def thaw_of(thaws: Sequence[Thaw], epoch: int) -> Thaw | None:
    """The step that holds in an epoch, counted from 1: the last that came; None before the first."""
    return next((thaw for thaw in reversed(thaws) if thaw.epoch <= epoch), None)


def never_thaws(thaws: Sequence[Thaw], epochs: int) -> str:
    """What of the steps comes after the last epoch, in words; empty where nothing does."""
    late = [str(thaw.epoch) for thaw in thaws if thaw.epoch > epochs]
    return f"nothing is unfrozen in epoch {', '.join(late)}: there are {epochs}" if late else ""


def span(names: Sequence[str]) -> str:
    """Parts that follow each other, in words."""
    if tuple(names) == (COPIED,):
        return "the copied layers"
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
