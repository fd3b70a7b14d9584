"""The engines by name, each made and compared with the network itself before anything is asked of it."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from striate.engines.compiled import Compiled
from striate.engines.eager import Eager
from striate.engines.frozen import Frozen
from striate.engines.onnxruntime import OnnxRuntime
from striate.engines.openvino import OpenVino
from striate.engines.predictor import Predictor
from striate.errors import StriateError

#: How far the outputs of an engine in float32 may lie from the network's, as a share of the largest of them: float32
#: keeps seven digits, and sums of thousands of products in another order lose three.
EXACT = 1e-4
#: The same of bfloat16, which keeps two to three digits. It is another network, to be chosen knowingly.
COARSE = 0.1
#: What colours words on a terminal.
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


class EngineError(StriateError):
    """An engine that is not here, cannot run a network, or runs it otherwise."""


@runtime_checkable
class Keeping(Protocol):
    """An engine whose conversion can be kept for the next time."""

    was_kept: bool

    def keep(self) -> None:
        """Keep it."""
        ...


@dataclass(frozen=True)
class Kind:
    """One engine.

    Attributes:
        make: builds it; with True anew, whatever is kept of it.
        needs: packages that must be installed.
        seconds: what making it takes, about, the first time.
        again: what it takes where that of another time is kept.
        tolerance: how far its outputs may lie from the network's, as a share of the largest of them.
        devices: kinds of device that it is for.
        hint: what installs `needs`.
    """

    make: Callable[[Frozen, bool], Predictor]
    needs: tuple[str, ...] = ()
    seconds: float = 0.0
    again: float = 0.0
    tolerance: float = EXACT
    devices: tuple[str, ...] = ("cpu", "cuda", "mps")
    hint: str = "pip install 'striate[fast]'"

    @property
    def installed(self) -> bool:
        """Whether it can be had on this machine."""
        return all(importlib.util.find_spec(package) is not None for package in self.needs)


def _folded(frozen: Frozen, dtype: torch.dtype | None = None) -> Predictor:
    engine = Eager(frozen.folded, frozen.normalise, dtype)
    engine.name = "folded" if dtype is None else "folded-bf16"
    return engine


ENGINES: Mapping[str, Kind] = MappingProxyType(
    {
        "eager": Kind(lambda frozen, _: frozen.eager()),
        "folded": Kind(lambda frozen, _: _folded(frozen), seconds=0.3, again=0.3),
        "openvino": Kind(
            lambda frozen, anew: OpenVino(frozen, "32", anew), ("openvino",), seconds=2.0, again=1.0, devices=("cpu",)
        ),
        "onnxruntime": Kind(
            OnnxRuntime, ("onnxruntime", "onnx", "onnxscript"), seconds=8.0, again=1.0, devices=("cpu",)
        ),
        "compiled": Kind(lambda frozen, _: Compiled(frozen), seconds=40.0, again=10.0, devices=("cuda",)),
        "openvino-bf16": Kind(
            lambda frozen, anew: OpenVino(frozen, "bf16", anew), ("openvino",), 2.0, 1.0, COARSE, devices=("cpu",)
        ),
        "folded-bf16": Kind(
            lambda frozen, _: _folded(frozen, torch.bfloat16), seconds=0.3, again=0.3, tolerance=COARSE
        ),
    }
)
#: Those that may be chosen without being asked for: equal to the network.
EQUAL = tuple(name for name, kind in ENGINES.items() if kind.tolerance == EXACT)


def make_engine(name: str, frozen: Frozen, pictures: NDArray[np.uint8]) -> Predictor:
    """An engine that has been compared with the network itself.

    Args:
        name: one of `ENGINES`.
        frozen: what to run.
        pictures: uint8 (N, H, W, C), some of those that it is for.

    Raises:
        EngineError: it is not installed, not for this device, cannot run the network, or does so otherwise than the
            network itself.
    """
    kind = ENGINES[name]
    if not kind.installed:
        raise EngineError(f"engine '{name}' needs {' and '.join(kind.needs)}: {kind.hint}")
    if frozen.device.type not in kind.devices:
        raise EngineError(f"engine '{name}' is for {' and '.join(kind.devices)}, not for {frozen.device.type}")
    wanted = frozen.eager()(pictures)
    engine, off = _compared(name, frozen, pictures, wanted, anew=False)
    if not off <= kind.tolerance and isinstance(engine, Keeping) and engine.was_kept:
        engine, off = _compared(name, frozen, pictures, wanted, anew=True)
    if not off <= kind.tolerance:
        raise EngineError(
            f"engine '{name}' runs {frozen.name} otherwise than PyTorch: outputs differ by {off:.2g} of the largest, "
            f"{kind.tolerance:g} is allowed"
        )
    if isinstance(engine, Keeping) and not engine.was_kept:
        engine.keep()
    return engine


def _compared(
    name: str, frozen: Frozen, pictures: NDArray[np.uint8], wanted: NDArray[np.float32], anew: bool
) -> tuple[Predictor, float]:
    """An engine, and how far its outputs lie from those that are wanted."""
    try:
        engine = ENGINES[name].make(frozen, anew)
        return engine, difference(engine(pictures), wanted)
    except Exception as error:
        raise EngineError(f"engine '{name}' cannot run {frozen.name} ({_reason(error)})") from error


def _reason(error: BaseException) -> str:
    """What went wrong at first, in a line: what is raised in the end often says only that something did."""
    while error.__cause__ is not None:
        error = error.__cause__
    words = COLOURS.sub("", str(error)).strip().splitlines() or [type(error).__name__]
    return words[0][:200]


def difference(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """The largest difference between two outputs (N, K), as a share of the largest value of the second.

    Infinite where their shapes differ or only one of them has values that are no numbers.
    """
    if found.shape != wanted.shape or (np.isfinite(found) != np.isfinite(wanted)).any():
        return float("inf")
    sound = np.isfinite(wanted)
    if not sound.any():
        return 0.0
    largest = float(np.abs(wanted[sound]).max())
    off = float(np.abs(found[sound] - wanted[sound]).max())
    return 0.0 if off == 0 else off / largest if largest else float("inf")
