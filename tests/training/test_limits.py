"""Every number of a recipe has its bounds: the last that is taken and the first that is refused, on both sides."""

import dataclasses
import math

import pytest

from striate.caller import by_flags
from striate.errors import UsageError
from striate.training.limits import ABOVE, check_validated
from striate.training.recipes import Recipe

#: The least and the largest value that is taken, written down a second time, and whether only whole ones are.
BOUNDS = {
    "epochs": (1, 1_000_000, True),
    "batch_size": (1, 10_000_000, True),
    "learning_rate": (0, 100, False),
    "momentum": (0, math.nextafter(1, 0), False),
    "weight_decay": (0, 100, False),
    "warmup_epochs": (0, 1_000_000, False),
    "peak": (0, 1, False),
    "every": (1, 1_000_000, True),
    "gamma": (0, 1, False),
    "patience": (1, 1_000_000, True),
    "label_smoothing": (0, math.nextafter(1, 0), False),
    "auxiliary_weight": (0, 100, False),
    "clip_norm": (0, 1e9, False),
    "stage_decay": (math.nextafter(0, 1), 1, False),
    "average": (0, math.nextafter(1, 0), False),
    "early_stopping": (0, 1_000_000, True),
}


def test_every_number_of_a_recipe_has_bounds():
    numbers = {field.name for field in dataclasses.fields(Recipe) if type(field.default) in (int, float)}
    assert numbers == BOUNDS.keys()


@pytest.mark.parametrize("name", BOUNDS)
def test_values_are_taken_up_to_their_bounds_and_refused_beyond(name):
    least, most, whole = BOUNDS[name]
    for value in (least, most):
        assert getattr(Recipe(**{name: value}), name) == value
    below, above = (least - 1, most + 1) if whole else (math.nextafter(least, -1), math.nextafter(most, 2 * most))
    kind = "a whole number" if whole else "a number"
    for value in (below, above, math.nan, math.inf, -math.inf, None, "1", True):
        with pytest.raises(UsageError, match=rf"^{name} is ") as error:
            Recipe(**{name: value})
        if value != 1 and (value != 0 or name not in ABOVE):
            assert str(error.value).startswith(f"{name} is {value!r}; it must be {kind} from "), value
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", BOUNDS)
def test_only_counts_have_to_be_whole(name):
    least, _, whole = BOUNDS[name]
    if whole:
        with pytest.raises(UsageError, match=rf"^{name} is {least + 1}\.0; it must be a whole number from "):
            Recipe(**{name: float(least + 1)})
    else:
        assert getattr(Recipe(**{name: 0.5}), name) == 0.5
        assert getattr(Recipe(**{name: 1 if name in ABOVE else 0}), name) == (name in ABOVE)


def test_the_bounds_are_told_as_people_read_them():
    with pytest.raises(UsageError, match=r"^epochs is 0; it must be a whole number from 1 to 1,000,000\.$"):
        Recipe(epochs=0)
    with pytest.raises(UsageError, match=r"^gamma is 2; it must be a number from 0 to 1\.$"):
        Recipe(gamma=2)
    with pytest.raises(UsageError, match=r"^average is 1\.0; it must be at least 0 and below 1\.$"):
        Recipe(average=1.0)
    with pytest.raises(UsageError, match=r"^stage_decay is 0\.0; it must be above 0 and at most 1\.$"):
        Recipe(stage_decay=0.0)


@pytest.mark.parametrize("peak", [0, 1, 0.0, 1.0])
def test_a_peak_lies_within_training_where_there_is_one(peak):
    with pytest.raises(UsageError, match=f"^peak is {peak}; it must lie between 0 and 1"):
        Recipe(schedule="one_cycle", peak=peak)
    assert Recipe(schedule="one_cycle", peak=0.01).peak == 0.01
    for schedule in ("cosine", "linear", "step", "plateau", "constant"):
        assert Recipe(schedule=schedule, peak=peak).peak == peak


@pytest.mark.parametrize(
    "milestones", [(), (0.5,), (0.1, 0.2, 0.9), (1e-9, 1 - 1e-9), (1,), (30.0, 60.0, 90.0), (1, 1_000_000)]
)
def test_milestones_are_shares_or_epochs_that_rise(milestones):
    assert Recipe(milestones=milestones).milestones == milestones


@pytest.mark.parametrize(
    "milestones",
    [
        *((0.0,), (0, 0.5), (0, 30), (0.5, 0.5), (0.2, 0.5, 0.4), (30, 30), (60, 30)),
        *((0.5, 1), (0.5, 30), (1, 1.5), (30.5,), (1.1,)),  # of both kinds, or parts of an epoch
    ],
)
def test_milestones_of_no_kind_or_out_of_order_are_told(milestones):
    told = ", ".join(f"{milestone:g}" for milestone in milestones)
    said = f"milestones are {told}; they are shares of training, below 1, or whole epochs, from 1 on, in rising order."
    with pytest.raises(UsageError) as error:
        Recipe(milestones=milestones)
    assert str(error.value) == said


@pytest.mark.parametrize("wrong", ["0.5", True, math.nan, math.inf, -0.1, 1_000_001, None])
def test_a_milestone_that_is_no_number_or_out_of_bounds_is_told_by_itself(wrong):
    said = f"^one of the milestones is {wrong!r}; it must be a number from 0 to 1,000,000"
    with pytest.raises(UsageError, match=said):
        Recipe(milestones=(0.25, wrong))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"early_stopping": 1}, "early_stopping goes by validation figures"),
        ({"schedule": "plateau"}, "schedule=plateau goes by validation figures"),
        ({"schedule": "step"}, ""),
        ({"patience": 3}, ""),
        ({}, ""),
    ],
)
def test_validation_figures_need_images(fields, told):
    check_validated(Recipe(**fields), True)
    if told:
        with pytest.raises(UsageError, match=f"^{told}, and no images are set aside; give val_fraction"):
            check_validated(Recipe(**fields), False)
        with (
            pytest.raises(UsageError, match=f"^{told}, and no images are set aside; give --val-fraction"),
            by_flags({}),
        ):
            check_validated(Recipe(**fields), False)
    else:
        check_validated(Recipe(**fields), False)
