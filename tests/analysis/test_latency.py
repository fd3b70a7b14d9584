"""Measured latency: plausible, short and without effect on the model."""

import time

import pytest
import torch
from torch import nn

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
    assert latency.milliseconds == pytest.approx(20, rel=0.5)
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


class Uneven(Sleeper):
    """Sleeps as long as the list says, run by run."""

    def __init__(self, seconds: list[float]) -> None:
        super().__init__(0.0)
        self.all = iter(seconds)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.seconds = next(self.all)
        return super().forward(x)

    def __deepcopy__(self, memo: dict) -> "Uneven":
        return Uneven(list(self.all))


def test_it_is_the_median_of_the_runs_after_a_warm_up_of_two() -> None:
    # of the five that count 2 ms is the least, 250 the most and 62 the mean
    latency = measure_latency(Uneven([0.1, 0.1, 0.02, 0.25, 0.02, 0.002, 0.02]), (3, 4, 4), repeats=5)
    assert 15 < latency.milliseconds < 45
    assert 1 < latency.low < 15
    assert latency.high > 240
    assert latency.repeats == 5


def test_weights_that_hooks_make_anew_are_no_obstacle():
    layer = nn.utils.spectral_norm(nn.Conv2d(3, 4, 3))
    layer(torch.rand(1, 3, 8, 8))  # the weight is no leaf now, which Python's own copying refuses
    assert measure_latency(layer, (3, 8, 8), repeats=2).milliseconds > 0
