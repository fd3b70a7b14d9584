"""How long a network takes on this machine: the median of repeated runs."""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from striate.analysis.weightless import duplicate
from striate.errors import StriateError, UsageError
from striate.units import plural


@dataclass(frozen=True)
class Latency:
    """Time of one forward pass of a batch.

    Attributes:
        milliseconds: median over the runs, for the whole batch.
        low, high: tenth and ninetieth percentile, in milliseconds.
        batch_size: images per run.
        repeats: runs that were timed.
        setup: what it ran on, such as "CPU, 2 threads, float32, channels-last".
    """

    milliseconds: float
    low: float
    high: float
    batch_size: int
    repeats: int
    setup: str

    @property
    def per_image(self) -> float:
        """Milliseconds per image."""
        return self.milliseconds / self.batch_size

    def __str__(self) -> str:
        spread = f"{self.low:.2f} to {self.high:.2f}"
        return f"{self.milliseconds:.2f} ms ({spread}) for a batch of {self.batch_size}; {self.setup}"


def measure_latency(
    model: nn.Module,
    input_shape: Sequence[int],
    batch_size: int = 1,
    repeats: int | None = None,
    *,
    device: str | torch.device | None = None,
    channels_last: bool = True,
    time_limit: float = 1.5,
) -> Latency:
    """Time `model` in eval mode on random images; the model is left as it was.

    Args:
        model: a module with real weights.
        input_shape: of one image, (C, H, W).
        batch_size: images per run.
        repeats: runs to time; by default as many (up to 50) as fit in `time_limit`.
        device: where to run; by default where the model is.
        channels_last: lay images and weights out channel by channel, the faster way on most machines.
        time_limit: seconds for warm-up and runs; up to twice that where three runs need it, one at least.

    Raises:
        UsageError: a count is not positive.
        StriateError: the model has no real weights (device "meta").
    """
    if batch_size < 1 or (repeats is not None and repeats < 1) or not all(size > 0 for size in input_shape):
        raise UsageError(f"batch_size {batch_size}, repeats {repeats} and shape {tuple(input_shape)} must be positive")
    parameter = next(model.parameters(), None)
    if parameter is not None and parameter.is_meta:
        raise StriateError("latency needs real weights, and this model is on 'meta'; build it on a device")
    home = parameter.device if parameter is not None else torch.device("cpu")
    place = torch.device(device) if device is not None else home
    dtype = parameter.dtype if parameter is not None else torch.float32
    layout = torch.channels_last if channels_last and len(input_shape) == 3 else torch.contiguous_format
    twin = duplicate(model, place).eval()
    twin = twin.to(memory_format=layout)
    generator = torch.Generator().manual_seed(0)
    images = torch.rand((batch_size, *input_shape), generator=generator)
    images = images.to(place, dtype, memory_format=layout)
    times = _timed(twin, images, repeats, time_limit)
    ordered = sorted(times)
    return Latency(
        milliseconds=statistics.median(times),
        low=ordered[int(0.1 * (len(ordered) - 1))],
        high=ordered[-1 - int(0.1 * (len(ordered) - 1))],
        batch_size=batch_size,
        repeats=len(times),
        setup=_setup(place, dtype, layout),
    )


def _timed(model: nn.Module, images: torch.Tensor, repeats: int | None, time_limit: float) -> list[float]:
    """Milliseconds of each run after a warm-up."""
    begun = time.perf_counter()
    times: list[float] = []
    with torch.inference_mode():
        if _once(model, images) < 100 * time_limit:  # milliseconds: a tenth of the limit
            _once(model, images)
        while len(times) < (repeats or 50):
            elapsed = time.perf_counter() - begun
            if repeats is None and times and elapsed > time_limit * (1 if len(times) >= 3 else 2):
                break
            times.append(_once(model, images))
    return times


def _once(model: nn.Module, images: torch.Tensor) -> float:
    start = time.perf_counter()
    model(images)
    if images.device.type == "cuda":
        torch.cuda.synchronize(images.device)
    elif images.device.type == "mps":
        torch.mps.synchronize()
    return 1000 * (time.perf_counter() - start)


def _setup(place: torch.device, dtype: torch.dtype, layout: torch.memory_format) -> str:
    if place.type == "cpu":
        threads = torch.get_num_threads()
        where = f"CPU ({platform.machine()}), {plural(threads, 'thread')}"
    elif place.type == "cuda":
        where = torch.cuda.get_device_name(place)
    else:
        where = str(place)
    order = "channels-last" if layout is torch.channels_last else "contiguous"
    return f"{where}, {str(dtype).removeprefix('torch.')}, {order}"
