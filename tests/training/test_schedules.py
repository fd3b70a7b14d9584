import math
import warnings
from dataclasses import replace

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


def our_rates(schedule: Schedule, steps: int, epochs: int = 1) -> list[float]:
    return [schedule.factor(step / steps, epochs) for step in range(steps + 1)]


def of_each_step(rates: list[float], steps: int) -> list[float]:
    """Rates of epochs as those of their steps, and the one after the last."""
    return [rate for rate in rates[:-1] for _ in range(steps)] + rates[-1:]


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


@settings(max_examples=30, deadline=None)
@given(epochs=st.integers(1, 150), steps=st.integers(1, 20), seed=st.randoms())
def test_step_is_torchs_with_milestones_in_epochs(epochs, steps, seed):
    """Exactly at the end of an epoch, though it is a share of all steps that is asked for."""
    milestones = sorted(seed.sample(range(1, 250), seed.randint(1, 6)))
    expected = torch_rates(lambda optimizer: lr_scheduler.MultiStepLR(optimizer, milestones, 0.1), epochs)
    schedule = Schedule("step", milestones=tuple(map(float, milestones)))
    ours = [rate_factor(schedule, step, steps, [(epochs, 1.0)]) for step in range(epochs * steps + 1)]
    assert ours == pytest.approx(of_each_step(expected, steps), rel=1e-9)


@settings(max_examples=30, deadline=None)
@given(epochs=st.integers(1, 150), steps=st.integers(1, 20), every=st.integers(1, 60))
def test_staircase_is_torchs_step_after_step(epochs, steps, every):
    expected = torch_rates(lambda optimizer: lr_scheduler.StepLR(optimizer, every, 0.96), epochs)
    schedule = Schedule("staircase", every=every, gamma=0.96)
    ours = [rate_factor(schedule, step, steps, [(epochs, 1.0)]) for step in range(epochs * steps + 1)]
    assert ours == pytest.approx(of_each_step(expected, steps), rel=1e-9)


def test_the_schedules_of_the_lectures():
    """GoogLeNet's 4 % less every 8 epochs; halved every 50; the last step before and the first after each fall."""
    googlenet = Recipe(epochs=100, schedule="staircase", every=8, gamma=0.96, warmup_epochs=0).rate_schedule()
    halved = Recipe(epochs=200, schedule="staircase", every=50, gamma=0.5, warmup_epochs=0).rate_schedule()
    for schedule, epochs, every, gamma in ((googlenet, 100, 8, 0.96), (halved, 200, 50, 0.5)):
        for fall in range(1, epochs // every):
            before, after = (
                rate_factor(schedule, fall * every * 7 - back, 7, [(epochs, 1.0)]) for back in (1, 0)
            )  # 7 steps an epoch
            assert (before, after) == (pytest.approx(gamma ** (fall - 1)), pytest.approx(gamma**fall))


@pytest.mark.parametrize(
    "schedule", [Schedule("step", milestones=(3.0, 6.0)), Schedule("staircase", every=3)], ids=lambda each: each.name
)
def test_epochs_are_counted_from_the_first_one_warmed_up_or_not(schedule):
    """Goyal et al. (2017, section 2.2) fall after the epochs that they would have fallen after without warm-up."""
    plain = [rate_factor(schedule, step, 10, [(8, 1.0)]) for step in range(80)]
    warmed = [rate_factor(replace(schedule, warmup=1.5 / 8), step, 10, [(8, 1.0)]) for step in range(80)]
    assert warmed[15:] == plain[15:]
    assert warmed[:15] == pytest.approx([0.04 + 0.96 * step / 15 for step in range(15)])
    assert {step for step in range(1, 80) if plain[step] < plain[step - 1]} == {30, 60}


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


@pytest.mark.parametrize("name", sorted(SCHEDULES.keys() - {"staircase"}))  # which counts epochs, see above
def test_warm_up_climbs_in_a_straight_line_and_the_schedule_takes_the_rest(name):
    plain, warmed = Schedule(name), Schedule(name, warmup=0.2)
    assert [warmed.factor(share, 10) for share in (0.05, 0.1, 0.15)] == pytest.approx([0.28, 0.52, 0.76])
    for share in (0.0, 0.3, 0.7, 1.0):
        assert warmed.factor(0.2 + 0.8 * share, 10) == pytest.approx(plain.factor(share, 10))


@pytest.mark.parametrize("name", sorted(SCHEDULES))
def test_factors_lie_between_zero_and_one_and_reach_one(name):
    factors = our_rates(Schedule(name, warmup=0.1), 1000, epochs=50)
    assert min(factors) >= 0
    assert max(factors) == pytest.approx(1, abs=1e-4)


def test_plateau_leaves_the_rate_to_the_validation_loss():
    assert set(our_rates(Schedule("plateau"), 10)) == {1.0}


def test_an_extension_restarts_at_its_own_factor_without_warm_up():
    schedule = Schedule("cosine", warmup=0.5)
    phases = [(10, 1.0), (4, 0.1), (4, 0.05)]
    factors = [rate_factor(schedule, step, 1, phases) for step in range(18)]
    assert factors == [rate_factor(schedule, step, 2, [(5, 1.0), (2, 0.1), (2, 0.05)]) for step in range(18)]
    assert factors[:5] == pytest.approx([0.04 + 0.96 * share for share in (0, 0.2, 0.4, 0.6, 0.8)])
    assert factors[5] == 1
    half_cosine = [0.5 * (1 + math.cos(math.pi * step / 4)) for step in range(4)]
    assert factors[10:14] == pytest.approx([0.1 * value for value in half_cosine])
    assert factors[14:] == pytest.approx([0.05 * value for value in half_cosine])


def test_an_extension_falls_as_the_recipe_says():
    schedule = Schedule("step", warmup=0.1, milestones=(0.5,), gamma=0.3)
    factors = [rate_factor(schedule, step, 1, [(4, 1.0), (4, 0.1)]) for step in range(4, 8)]
    assert factors == pytest.approx([0.1, 0.1, 0.03, 0.03])
    peaked = Schedule("one_cycle", peak=0.5)
    assert rate_factor(peaked, 6, 1, [(4, 1.0), (4, 0.1)]) == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("schedule", "falls"),
    [
        (Schedule("step", milestones=(2.0, 3.0)), [0.1, 0.1, 0.01, 0.001, 0.001]),
        (Schedule("staircase", every=2), [0.1, 0.1, 0.01, 0.01, 0.001]),
    ],
)
def test_an_extension_counts_its_own_epochs(schedule, falls):
    """Four epochs of three steps are extended by five."""
    factors = [rate_factor(replace(schedule, warmup=0.25), step, 3, [(4, 1.0), (5, 0.1)]) for step in range(12, 27)]
    assert factors == pytest.approx([factor for factor in falls for _ in range(3)])


def test_an_extension_does_not_change_the_rates_before_it():
    schedule = Schedule("one_cycle")
    alone = [rate_factor(schedule, step, 2, [(5, 1.0)]) for step in range(10)]
    assert [rate_factor(schedule, step, 2, [(5, 1.0), (3, 0.1)]) for step in range(10)] == alone


def test_the_rate_after_the_last_step_is_the_last_of_the_schedule():
    assert rate_factor(Schedule("linear"), 10, 1, [(10, 1.0)]) == 0
    assert rate_factor(Schedule("linear"), 25, 1, [(10, 1.0)]) == 0


def test_a_recipes_warm_up_is_a_share_of_its_epochs():
    assert Recipe(epochs=20, warmup_epochs=2).rate_schedule().warmup == pytest.approx(0.1)
    assert Recipe(epochs=1, warmup_epochs=5).rate_schedule().warmup < 1


def test_an_unknown_schedule_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="cosine"):
        Recipe(schedule="cosin")
