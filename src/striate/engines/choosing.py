"""Choosing an engine: by measuring those at hand on the very pictures, remembered for the next time.

One after the other is tried, where making it costs less than a quarter of the time that the fastest so far would take.
What was found out is kept in the cache folder, for each kind of network, size of picture and machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from striate.engines.engines import ENGINES, EQUAL, EngineError, make_engine
from striate.engines.frozen import Frozen
from striate.engines.memory import recall, remember
from striate.engines.predictor import Predictor
from striate.errors import unknown

AUTO = "auto"
#: The network as it is, which needs no making.
PLAIN = "eager"
#: Seconds for which each engine is measured.
MEASURED = 0.2
#: Times that each runs at least, but where that takes more seconds than `PATIENCE`; and at most.
LEAST, PATIENCE, MOST = 3, 2.0, 50
#: An engine that was chosen for so many pictures serves this many times as many.
ENOUGH = 4
#: Making an engine may cost this share of the work by the fastest so far, and measuring all of them the same.
SHARE = 0.25
#: Times that an engine runs when it was made: enough to know whether another can pay.
GLANCES = 2
#: One picture of so many is one to measure with.
TASTED = 16


@dataclass(frozen=True)
class Chosen:
    """An engine, and why it was taken.

    Attributes:
        engine: what runs the network.
        words: name, speed and reason, in a clause; empty where there is nothing to say.
        notes: engines that are not used and why, a line each.
    """

    engine: Predictor
    words: str = ""
    notes: tuple[str, ...] = ()


def choose(frozen: Frozen, pictures: NDArray[np.uint8], expected: int, wanted: str = AUTO) -> Chosen:
    """The engine that is asked for, or the fastest that equals the network.

    Args:
        frozen: what to run.
        pictures: uint8 (N, H, W, C), the first of those that will come, at least one.
        expected: how many pictures will come, about.
        wanted: one of `ENGINES`, or "auto".

    Raises:
        UsageError: there is no engine of that name.
        EngineError: the engine that was asked for is not installed. One that cannot run the network, or does so
            otherwise, is told of in the notes, and the network runs as it is.
    """
    check_engine(wanted)
    if wanted != AUTO:
        return _asked_for(wanted, frozen, pictures)
    pictures = pictures[: max(1, min(frozen.together, expected // TASTED))]
    others = _usable(frozen)
    known = {name: taken for name, taken in recall(frozen).items() if name in others}
    if PLAIN in known and all(name in known or not _pays(name, min(known.values()) * expected) for name in others):
        name = min(known, key=lambda name: ENGINES[name].again + known[name] * expected)
        with suppress(EngineError):
            return Chosen(make_engine(name, frozen, pictures), _words(name, known, " (measured before)"))
    return _measured(frozen, pictures, expected)


def _usable(frozen: Frozen) -> list[str]:
    """Engines that may be chosen without being asked for, the network as it is first."""
    return [name for name in EQUAL if ENGINES[name].installed and frozen.device.type in ENGINES[name].devices]


def _pays(name: str, work: float) -> bool:
    """Whether making an engine may pay where the rest takes so many seconds without it."""
    return ENGINES[name].seconds <= SHARE * work


def check_engine(wanted: str) -> None:
    """Raise `UsageError` where there is no engine of that name."""
    if wanted != AUTO and wanted not in ENGINES:
        raise unknown("engine", wanted, [*ENGINES, AUTO])


class Lazy:
    """A predictor that chooses its engine when the first pictures come.

    Args:
        frozen: what to run.
        expected: how many pictures will come, about.
        wanted: one of `ENGINES`, or "auto".

    Attributes:
        chosen: what was chosen; None before the first pictures.
    """

    def __init__(self, frozen: Frozen, expected: int, wanted: str = AUTO) -> None:
        check_engine(wanted)
        self.frozen, self.expected, self.wanted = frozen, expected, wanted
        self.chosen: Chosen | None = None

    def serves(self, expected: int) -> bool:
        """Whether it was made for about so many pictures; for many more another engine may pay."""
        return expected <= ENOUGH * self.expected

    @property
    def name(self) -> str:
        """What runs the network, or who will decide."""
        return self.wanted if self.chosen is None else self.chosen.engine.name

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Outputs (N, K) of pictures uint8 (N, H, W, C)."""
        if self.chosen is None:
            self.chosen = choose(self.frozen, images, self.expected, self.wanted)
        return self.chosen.engine(images)


def _asked_for(wanted: str, frozen: Frozen, pictures: NDArray[np.uint8]) -> Chosen:
    if not ENGINES[wanted].installed:
        make_engine(wanted, frozen, pictures)  # raises
    try:
        return Chosen(make_engine(wanted, frozen, pictures), wanted)
    except EngineError as error:
        return Chosen(frozen.eager(), "eager", (f"{error}; eager is used",))


def _measured(frozen: Frozen, pictures: NDArray[np.uint8], expected: int) -> Chosen:
    """The fastest of the engines that pay."""
    notes: list[str] = []
    plain: Predictor = frozen.eager()
    made, work = [plain], expected * _glance(plain, pictures, runs=1)
    whole = work
    for name in _usable(frozen):
        if name != PLAIN and _pays(name, work) and (engine := _try(name, frozen, pictures, notes)) is not None:
            made.append(engine)
            work = min(work, expected * _glance(engine, pictures))
    if len(made) == 1:
        return Chosen(plain, "", tuple(notes))
    seconds = _seconds(made, pictures, min(MEASURED, SHARE * whole / len(made)))
    best = min(made, key=lambda engine: seconds[engine.name])
    if len(pictures) == frozen.together:  # fewer do not tell how fast a converted network is
        remember(frozen, seconds)
    return Chosen(best, _words(best.name, seconds), tuple(notes))


def _glance(engine: Predictor, pictures: NDArray[np.uint8], runs: int = GLANCES) -> float:
    """Seconds a picture, roughly: the least of a few runs."""
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        engine(pictures)
        times.append(time.perf_counter() - began)
    return min(times) / len(pictures)


def _try(name: str, frozen: Frozen, pictures: NDArray[np.uint8], notes: list[str]) -> Predictor | None:
    try:
        return make_engine(name, frozen, pictures)
    except EngineError as error:
        notes.append(f"{error}; it is not used")
        return None


def _seconds(engines: Sequence[Predictor], pictures: NDArray[np.uint8], each: float) -> dict[str, float]:
    """Seconds a picture of each engine, by turns: the median of several runs, of `each` seconds in all."""
    times: dict[str, list[float]] = {engine.name: [] for engine in engines}
    began = time.perf_counter()
    for turn in range(MOST):
        passed = time.perf_counter() - began
        if passed > each * len(engines) and (turn >= LEAST or passed > PATIENCE):
            break
        for engine in engines:
            start = time.perf_counter()
            engine(pictures)
            times[engine.name].append(time.perf_counter() - start)
    return {name: statistics.median(taken) / len(pictures) for name, taken in times.items()}


def _words(name: str, seconds: Mapping[str, float], more: str = "") -> str:
    """Name and speed of an engine, in a clause."""
    against = "" if name == PLAIN else f" against {seconds[PLAIN] * 1000:.2g} by PyTorch"
    return f"{name}, {seconds[name] * 1000:.2g} ms an image{against}{more}"
