"""Measured latency: plausible, short and without effect on the model."""

import platform
import re
import time

import pytest
import torch
from torch import nn

from striate.analysis import latency as latencies
from striate.analysis import measure_latency
from striate.errors import StriateError, UsageError


class Sleeper(nn.Module):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.weight, self.seconds = nn.Parameter(torch.zeros(1)), seconds

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        time.sleep(self.seconds)
        return x


def test_a_known_time_is_measured() -> None:
    latency = measure_latency(Sleeper(0.02), (3, 4, 4), batch_size=4, repeats=5)
    assert 20 <= latency.milliseconds < 500  # more than it sleeps where others work too
    assert latency.low <= latency.milliseconds <= latency.high
    assert latency.per_image == latency.milliseconds / 4
    assert (latency.batch_size, latency.repeats) == (4, 5)


def test_slow_networks_are_timed_a_few_times_only() -> None:
    begun = time.perf_counter()
    assert measure_latency(Sleeper(0.15), (3, 4, 4), time_limit=0.2).repeats <= 3
    assert time.perf_counter() - begun < 3


def test_setup_is_told_and_the_model_left_alone() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    latency = measure_latency(model, (3, 16, 16), repeats=3)
    assert "CPU" in latency.setup
    assert (
        f"{torch.get_num_threads()} thread{'s' * (torch.get_num_threads() > 1)}, float32, channels-last"
        in latency.setup
    )
    assert "contiguous" in measure_latency(model, (3, 16, 16), repeats=1, channels_last=False).setup
    assert model.training
    assert model[0].weight.is_contiguous()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_bad_counts_and_weightless_models_are_refused() -> None:
    with pytest.raises(UsageError, match="positive"):
        measure_latency(nn.Conv2d(3, 8, 3), (3, 16, 16), batch_size=0)
    with pytest.raises(StriateError, match="real weights"):
        measure_latency(nn.Conv2d(3, 8, 3, device="meta"), (3, 16, 16))


def test_weights_that_hooks_make_anew_are_no_obstacle():
    layer = nn.utils.spectral_norm(nn.Conv2d(3, 4, 3))
    layer(torch.rand(1, 3, 8, 8))  # the weight is no leaf now, which Python's own copying refuses
    assert measure_latency(layer, (3, 8, 8), repeats=2).milliseconds > 0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still unless it is put on; its time is the one value."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


def takes(clock: list[float], *seconds: float) -> tuple[nn.Module, list[torch.Tensor]]:
    """A network whose runs take so long by that clock, the last of them again and again; and what it was given."""
    given: list[torch.Tensor] = []

    class Takes(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            assert not self.training
            assert torch.is_inference_mode_enabled()
            clock[0] += seconds[min(len(given), len(seconds) - 1)]
            given.append(x)
            return x

    return Takes(2, 2), given


def test_it_is_the_median_of_the_runs_after_a_warm_up_of_two(clock: list[float]) -> None:
    # of the five that count 2 ms is the least, 250 the most and 62 the mean
    model, given = takes(clock, 0.1, 0.1, 0.02, 0.25, 0.02, 0.002, 0.02)
    latency = measure_latency(model, (3, 4, 4), repeats=5)
    assert (latency.milliseconds, latency.low, latency.high) == pytest.approx((20, 2, 250))
    assert (latency.repeats, len(given)) == (5, 7)


@pytest.mark.parametrize(
    ("seconds", "limit", "runs", "warm_up"),
    [
        (1 / 64, 1.5, 50, 2),
        (1 / 16, 1.5, 23, 2),  # the last of them ends after 1.5 s and a sixteenth
        (1 / 8, 1.25, 10, 1),  # a tenth of the limit is no longer short
        (0.5, 1.5, 3, 1),
        (0.75, 1.5, 3, 1),
        (1.25, 1.5, 2, 1),
        (1.5, 1.5, 2, 1),  # twice the limit to the letter
        (4.0, 1.5, 1, 1),
        (0.25, 0.5, 3, 1),
    ],
)
def test_as_many_runs_as_fit_into_the_limit_or_up_to_three_into_twice_of_it(
    clock: list[float], seconds: float, limit: float, runs: int, warm_up: int
) -> None:
    model, given = takes(clock, seconds)
    latency = measure_latency(model, (3, 4, 4), time_limit=limit)
    assert (latency.repeats, len(given) - warm_up) == (runs, runs)
    assert latency.milliseconds == latency.low == latency.high == 1000 * seconds
    model, given = takes(clock, seconds)
    assert measure_latency(model, (3, 4, 4), repeats=4, time_limit=limit).repeats == len(given) - warm_up == 4


def test_the_limit_is_a_second_and_a_half_and_one_image_a_batch(clock: list[float]) -> None:
    model, given = takes(clock, 1 / 16)
    latency = measure_latency(model, (3, 4, 4))
    assert (latency.repeats, latency.batch_size, tuple(given[0].shape)) == (23, 1, (1, 3, 4, 4))


def test_a_tenth_of_the_runs_is_quicker_and_a_tenth_slower(clock: list[float]) -> None:
    model, _ = takes(clock, 1, *(number / 8 for number in (5, 1, 11, 7, 3, 9, 2, 8, 4, 6, 10)))
    latency = measure_latency(model, (3, 4, 4), batch_size=5, repeats=11)
    assert (latency.milliseconds, latency.low, latency.high) == (750, 250, 1250)
    assert latency.per_image == 150
    assert str(latency) == f"750.00 ms (250.00 to 1250.00) for a batch of 5; {latency.setup}"
    assert latency.setup.startswith(f"CPU ({platform.machine()}), ")


@pytest.mark.parametrize(
    ("shape", "channels_last", "words"),
    [((3, 4, 5), True, "channels-last"), ((3, 4, 5), False, "contiguous"), ((3, 8), True, "contiguous")],
)
def test_images_are_the_same_each_time_and_laid_out_as_is_said(
    clock: list[float], shape: tuple[int, ...], channels_last: bool, words: str
) -> None:
    model, given = takes(clock, 1.0)
    latency = measure_latency(model.double(), shape, 2, 1, channels_last=channels_last, device="cpu")
    assert latency.setup.endswith(f", float64, {words}")
    x = given[0]
    assert (tuple(x.shape), x.dtype) == ((2, *shape), torch.double)
    assert x.is_contiguous(memory_format=torch.channels_last if words == "channels-last" else torch.contiguous_format)
    wanted = torch.rand((2, *shape), generator=torch.Generator().manual_seed(0)).double()
    assert torch.equal(x, wanted)


def test_a_network_without_weights_runs_in_float32(clock: list[float]) -> None:
    assert measure_latency(nn.Tanh(), (3, 4, 4), repeats=1).setup.endswith(", float32, channels-last")


@pytest.mark.parametrize(
    ("shape", "batch_size", "repeats"), [((3, 4, 4), 0, None), ((3, 4, 4), 1, 0), ((3, 0, 4), 1, 1), ((3, 4, 4), -1, 2)]
)
def test_counts_below_one_are_refused(shape: tuple[int, ...], batch_size: int, repeats: int | None) -> None:
    with pytest.raises(UsageError, match=re.escape(f"batch_size {batch_size}, repeats {repeats} and shape {shape}")):
        measure_latency(nn.Tanh(), shape, batch_size, repeats)


class Elsewhere:
    """Images on another kind of device."""

    def __init__(self, device: str) -> None:
        self.device = torch.device(device)


@pytest.mark.parametrize(("device", "waits"), [("cpu", []), ("cuda:1", ["cuda:1"]), ("mps", ["mps"])])
def test_a_run_ends_when_its_device_has_done_the_work(
    device: str, waits: list[str], clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[str] = []

    def wait(which: object = "mps") -> None:
        waited.append(str(which))
        clock[0] += 0.25

    monkeypatch.setattr(torch.cuda, "synchronize", wait)
    monkeypatch.setattr(torch.mps, "synchronize", wait)
    assert latencies._once(lambda images: None, Elsewhere(device)) == 250 * len(waits)  # type: ignore[arg-type]
    assert waited == waits


@pytest.mark.parametrize(
    ("device", "threads", "where"),
    [
        ("cpu", 1, f"CPU ({platform.machine()}), 1 thread, "),
        ("cpu", 3, f"CPU ({platform.machine()}), 3 threads, "),
        ("cuda:1", 1, "a card called cuda:1, "),
        ("mps", 1, "mps, "),
    ],
)
def test_the_place_is_told_by_its_name(device: str, threads: int, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda place: f"a card called {place}")
    for dtype, layout, rest in (
        (torch.float32, torch.channels_last, "float32, channels-last"),
        (torch.bfloat16, torch.contiguous_format, "bfloat16, contiguous"),
    ):
        assert latencies._setup(torch.device(device), dtype, layout) == where + rest
