import math
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from striate.errors import UsageError
from striate.training.recipes import Recipe
from striate.training.schedules import SCHEDULES, Plateau, Schedule, rate_factor


def torch_rates(make, steps: int) -> list[float]:
    """The rates of a torch scheduler before each step and after the last, from a rate of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, rates = make(optimizer), []
    for _ in range(steps + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if len(rates) <= steps:
                scheduler.step()
    return rates


def our_rates(schedule: Schedule, steps: int) -> list[float]:
    return [schedule.factor(step / steps) for step in range(steps + 1)]


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_cosine_is_torchs(steps):
    expected = torch_rates(lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, steps), steps)
    assert our_rates(Schedule("cosine"), steps) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_linear_is_torchs(steps):
    expected = torch_rates(lambda optimizer: lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps), steps)
    assert our_rates(Schedule("linear"), steps) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("milestones", "falls"), [((0.5, 0.75), [20, 30]), ((0.25,), [10]), ((), [])])
def test_step_is_torchs_with_milestones_as_shares(milestones, falls):
    expected = torch_rates(lambda optimizer: lr_scheduler.MultiStepLR(optimizer, falls, 0.2), 40)
    ours = our_rates(Schedule("step", milestones=milestones, gamma=0.2), 40)
    assert ours == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("peak", [0.1, 0.3, 0.5])
def test_one_cycle_is_torchs(peak):
    steps = 100

    def make(optimizer: torch.optim.Optimizer) -> lr_scheduler.LRScheduler:
        share = (peak * steps + 1) / (steps + 1)  # torch counts the last step in
        return lr_scheduler.OneCycleLR(
            optimizer, 1.0, steps + 1, pct_start=share, anneal_strategy="cos", cycle_momentum=False
        )

    assert our_rates(Schedule("one_cycle", peak=peak), steps) == pytest.approx(torch_rates(make, steps), abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(
    losses=st.lists(st.sampled_from([1.0, 0.99995, 0.9995, 0.9, 0.8, 0.5, 2.0, math.nan]), max_size=30),
    patience=st.integers(0, 4),
    gamma=st.sampled_from([0.1, 0.5]),
)
def test_plateau_falls_when_torchs_does(losses, patience, gamma):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    oracle = lr_scheduler.ReduceLROnPlateau(optimizer, factor=gamma, patience=patience, eps=0)
    plateau = Plateau(patience, gamma)
    for loss in losses:
        oracle.step(loss)
        plateau.observe(loss)
        assert plateau.factor == pytest.approx(optimizer.param_groups[0]["lr"])


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_warm_up_climbs_in_a_straight_line_and_the_schedule_takes_the_rest(name):
    plain, warmed = Schedule(name), Schedule(name, warmup=0.2)
    assert [warmed.factor(share) for share in (0.05, 0.1, 0.15)] == pytest.approx([0.28, 0.52, 0.76])
    for share in (0.0, 0.3, 0.7, 1.0):
        assert warmed.factor(0.2 + 0.8 * share) == pytest.approx(plain.factor(share))


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_factors_lie_between_zero_and_one_and_reach_one(name):
    factors = our_rates(Schedule(name, warmup=0.1), 1000)
    assert min(factors) >= 0
    assert max(factors) == pytest.approx(1, abs=1e-4)


def test_plateau_leaves_the_rate_to_the_validation_loss():
    assert set(our_rates(Schedule("plateau"), 10)) == {1.0}


def test_an_extension_restarts_at_its_own_factor_without_warm_up():
    schedule = Schedule("cosine", warmup=0.5)
    phases = [(10, 1.0), (4, 0.1), (4, 0.05)]
    factors = [rate_factor(schedule, step, phases) for step in range(18)]
    assert factors[:5] == pytest.approx([0.04 + 0.96 * share for share in (0, 0.2, 0.4, 0.6, 0.8)])
    assert factors[5] == 1
    half_cosine = [0.5 * (1 + math.cos(math.pi * step / 4)) for step in range(4)]
    assert factors[10:14] == pytest.approx([0.1 * value for value in half_cosine])
    assert factors[14:] == pytest.approx([0.05 * value for value in half_cosine])


def test_an_extension_falls_as_the_recipe_says():
    schedule = Schedule("step", warmup=0.1, milestones=(0.5,), gamma=0.3)
    factors = [rate_factor(schedule, step, [(4, 1.0), (4, 0.1)]) for step in range(4, 8)]
    assert factors == pytest.approx([0.1, 0.1, 0.03, 0.03])
    peaked = Schedule("one_cycle", peak=0.5)
    assert rate_factor(peaked, 6, [(4, 1.0), (4, 0.1)]) == pytest.approx(0.1)


def test_an_extension_does_not_change_the_rates_before_it():
    schedule = Schedule("one_cycle")
    alone = [rate_factor(schedule, step, [(10, 1.0)]) for step in range(10)]
    assert [rate_factor(schedule, step, [(10, 1.0), (5, 0.1)]) for step in range(10)] == alone


def test_the_rate_after_the_last_step_is_the_last_of_the_schedule():
    assert rate_factor(Schedule("linear"), 10, [(10, 1.0)]) == 0
    assert rate_factor(Schedule("linear"), 25, [(10, 1.0)]) == 0


def test_a_recipes_warm_up_is_a_share_of_its_epochs():
    assert Recipe(epochs=20, warmup_epochs=2).rate_schedule().warmup == pytest.approx(0.1)
    assert Recipe(epochs=1, warmup_epochs=5).rate_schedule().warmup < 1


def test_an_unknown_schedule_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="cosine"):
        Recipe(schedule="cosin")
