import dataclasses
import json
import math

import pytest

from striate.augment import Augment
from striate.augment.policies import get_policy
from striate.errors import StriateError, UsageError
from striate.training.limits import check_validated
from striate.training.recipes import Recipe
from striate.training.schedules import Schedule
from striate.training.shelf import get_recipe


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("epochs", "12", 12),
        ("epochs", 12, 12),
        ("learning_rate", "0.3", 0.3),
        ("learning_rate", "3e-4", 3e-4),
        ("learning_rate", 1, 1.0),
        ("nesterov", "false", False),
        ("nesterov", "True", True),
        ("nesterov", "0", False),
        ("nesterov", False, False),
        ("milestones", "0.2,0.4,0.9", (0.2, 0.4, 0.9)),
        ("milestones", [0.5], (0.5,)),
        ("milestones", "30,60,90", (30.0, 60.0, 90.0)),
        ("every", "8", 8),
        ("init", "xavier", "xavier"),
        ("schedule", "step", "step"),
        ("augment.rotate", "15", 15.0),
        ("augment.crop_padding", "4", 4),
        ("augment.border", "reflect", "reflect"),
    ],
)
def test_fields_are_set_by_name_with_the_fields_own_type(path, value, expected):
    target = Recipe().override({path: value})
    for name in path.split("."):
        target = getattr(target, name)
    assert target == expected
    assert type(target) is type(expected)


def test_other_fields_stay_and_the_recipe_itself_is_not_changed():
    recipe = get_recipe("photos")
    changed = recipe.override({"augment.rotate": "15", "epochs": "3"})
    assert changed.augment == dataclasses.replace(recipe.augment, rotate=15.0)
    assert dataclasses.replace(changed, augment=recipe.augment, epochs=recipe.epochs) == recipe
    assert recipe.augment.rotate == 0
    assert recipe.override({}) == recipe


@pytest.mark.parametrize(
    ("path", "offered"),
    [("epoch", "epochs"), ("learning-rate", "learning_rate"), ("augment.rotat", "augment.rotate")],
)
def test_a_wrong_field_offers_the_nearest(path, offered):
    with pytest.raises(UsageError, match=f"'{path}'.*'{offered}'"):
        Recipe().override({path: "1"})


@pytest.mark.parametrize(
    ("path", "value", "wanted"),
    [
        ("epochs", "many", "a whole number"),
        ("epochs", "2.5", "a whole number"),
        ("learning_rate", "fast", "a number"),
        ("nesterov", "perhaps", "true or false"),
        ("milestones", "0.5;0.7", "numbers with commas"),
        ("augment.rotate", "left", "a number"),
    ],
)
def test_a_wrong_value_says_what_fits(path, value, wanted):
    with pytest.raises(UsageError) as error:
        Recipe().override({path: value})
    assert f"{path}={value}" in str(error.value)
    assert wanted in str(error.value)


@pytest.mark.parametrize("path", ["augment", "epochs.first", "augment.rotate.left"])
def test_groups_and_fields_are_not_mistaken_for_each_other(path):
    with pytest.raises(UsageError, match=path.split(".")[0]):
        Recipe().override({path: "1"})


def test_every_field_goes_through_json():
    values = {"name": "other", "schedule": "step", "optimizer": "adamw", "milestones": (0.1, 0.2), "nesterov": False}
    recipe = Recipe(**values).override({"augment.hue": 20, "augment.border": "edge"})
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("learning_rate", -0.1),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("weight_decay", -1e-4),
        ("warmup_epochs", -1.0),
        ("gamma", -0.1),
        ("patience", -1),
        ("patience", 0),
        ("learning_rate", 1e9),
        ("weight_decay", 1e9),
        ("momentum", 1.5),
        ("gamma", 1.5),
        ("label_smoothing", 1.5),
        ("auxiliary_weight", -0.3),
        ("peak", 1.5),
        ("clip_norm", -1.0),
        ("clip_norm", float("nan")),
        ("early_stopping", -1),
        ("momentum", 1.0),
        ("momentum", -0.1),
        ("label_smoothing", 1.0),
        ("average", 1.0),
    ],
)
def test_impossible_values_are_refused_by_name(field, value):
    with pytest.raises(UsageError, match=field):
        Recipe(**{field: value})
    with pytest.raises(UsageError, match=field):
        Recipe().override({field: str(value)})


@pytest.mark.parametrize("milestones", ["0.75,0.5", "0.5,0.5", "0,0.5", "0.5,1", "0.5,1.5", "-0.1", "nan", "30,60.5"])
def test_milestones_out_of_order_or_bounds_are_refused(milestones):
    with pytest.raises(UsageError, match="milestones"):
        Recipe().override({"milestones": milestones})


@pytest.mark.parametrize(
    ("field", "value"), [("epochs", 2.5), ("epochs", "3"), ("batch_size", True), ("learning_rate", "fast")]
)
def test_values_of_another_kind_are_refused_by_name(field, value):
    with pytest.raises(UsageError, match=f"{field} is {value!r}; it must be a"):
        Recipe(**{field: value})


def test_the_largest_values_are_taken():
    largest = {"learning_rate": 100, "weight_decay": 100, "gamma": 1, "early_stopping": 0, "patience": 1}
    recipe = Recipe(**largest, milestones=())
    assert {name: getattr(recipe, name) for name in largest} == largest
    assert recipe.milestones == ()


@pytest.mark.parametrize("fields", [{"early_stopping": 3}, {"schedule": "plateau"}])
def test_what_goes_by_validation_figures_needs_images_to_validate_on(fields):
    check_validated(Recipe(**fields), True)
    with pytest.raises(UsageError, match="no images are set aside"):
        check_validated(Recipe(**fields), False)
    check_validated(Recipe(), False)


def test_impossible_values_of_other_fields_are_refused():
    with pytest.raises(UsageError, match="peak"):
        Recipe(schedule="one_cycle", peak=1.0)
    with pytest.raises(UsageError, match=r"augment\.flip"):
        Recipe().override({"augment.flip": "2"})
    with pytest.raises(UsageError, match="'adamw'"):
        Recipe(optimizer="adamW")


@pytest.mark.parametrize(
    ("optimizer", "expected"), [("sgd", 0.025), ("adam", 0.05), ("adamw", 0.05), ("rmsprop", 0.05)]
)
def test_the_rate_follows_the_size_of_the_batch(optimizer, expected):
    recipe = Recipe(optimizer=optimizer, batch_size=64, learning_rate=0.1)
    assert recipe.with_batch_size(16).learning_rate == pytest.approx(expected)
    assert recipe.with_batch_size(16).batch_size == 16


@pytest.mark.parametrize(
    ("before", "decay", "after", "expected"),
    [
        ("adamw", 0.05, "sgd", 5e-4),
        ("adamw", 0.05, "adam", 5e-4),
        ("adamw", 0.05, "adamw", 0.05),
        ("adamw", 1e-5, "sgd", 1e-5),
        ("sgd", 0.05, "adamw", 0.05),
        ("sgd", 0.05, "rmsprop", 0.05),
    ],
)
def test_the_decay_of_adamw_is_not_that_of_others(before, decay, after, expected):
    recipe = Recipe(optimizer=before, weight_decay=decay).with_optimizer(after)
    assert (recipe.optimizer, recipe.weight_decay) == (after, expected)


def test_what_a_recipe_leaves_out_is_as_documented():
    found = Recipe().to_dict()
    assert set(found.pop("augment").values()) == {0.0, 4 / 3, "zero", "any"}
    assert found == {
        "name": "default",
        "network": "",
        "epochs": 30,
        "batch_size": 64,
        "init": "own",
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "momentum": 0.9,
        "nesterov": True,
        "weight_decay": 5e-4,
        "schedule": "cosine",
        "warmup_epochs": 1.0,
        "peak": 0.3,
        "milestones": (0.5, 0.75),
        "every": 10,
        "gamma": 0.1,
        "patience": 5,
        "loss": "own",
        "label_smoothing": 0.0,
        "auxiliary_weight": 0.0,
        "balance": "none",
        "clip_norm": 0.0,
        "stage_decay": 1.0,
        "unfreeze": "",
        "average": 0.0,
        "norm_statistics": "batch",
        "early_stopping": 0,
        "validation_precision": "auto",
    }


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("true", True),
        ("TRUE", True),
        ("1", True),
        ("yes", True),
        ("false", False),
        ("False", False),
        ("0", False),
        ("No", False),
        (1, True),
        (0, False),
    ],
)
def test_words_for_yes_and_no(word, value):
    assert Recipe(nesterov=not value).override({"nesterov": word}).nesterov is value


@pytest.mark.parametrize(
    ("path", "value", "wanted"),
    [
        ("epochs", True, "a whole number"),
        ("epochs", None, "a whole number"),
        ("epochs", 2.5, "a whole number"),
        ("epochs", "1e3", "a whole number"),
        ("epochs", math.inf, "a whole number"),
        ("learning_rate", 10**400, "a number"),
        ("learning_rate", False, "a number"),
        ("learning_rate", None, "a number"),
        ("nesterov", "on", "true or false"),
        ("nesterov", 2, "true or false"),
        ("milestones", 0.5, "numbers with commas"),
        ("milestones", [0.5, "x"], "numbers with commas"),
        ("name", True, "a word"),
    ],
)
def test_a_value_of_another_kind_is_told_what_fits(path, value, wanted):
    with pytest.raises(UsageError, match=f"^{path}=.* does not fit: {path} takes {wanted}\\.$") as error:
        Recipe().override({path: value})
    assert f"{path}={value} " in str(error.value)


@pytest.mark.parametrize("path", ["warmup_epochs", "augment.rotate", "learning_rate"])
def test_a_number_stays_one_where_a_recipe_has_a_whole_one(path):
    whole = Recipe(warmup_epochs=0, learning_rate=1, augment=Augment(rotate=10))
    for recipe in (whole, get_recipe("tiny")):
        for value in (0.75, "0.75"):
            found = recipe.override({path: value})
            assert {
                "warmup_epochs": found.warmup_epochs,
                "augment.rotate": found.augment.rotate,
                "learning_rate": found.learning_rate,
            }[path] == 0.75


def test_a_whole_number_may_be_written_as_another():
    assert Recipe().override({"epochs": 3.0}).epochs == 3
    assert Recipe().override({"epochs": " 3 "}).epochs == 3
    assert type(Recipe().override({"epochs": 3.0}).epochs) is int


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("epochs.first", "'epochs' has no fields, so 'epochs.first' cannot be set."),
        ("augment.flip.left", "'flip' has no fields, so 'augment.flip.left' cannot be set."),
    ],
)
def test_a_path_that_ends_too_soon_or_too_late_is_told(path, said):
    with pytest.raises(UsageError) as error:
        Recipe().override({path: 1})
    assert str(error.value) == said


def test_a_policy_is_set_by_name_or_as_it_is_and_then_any_strength_of_it():
    strong = Recipe().override({"augment": "strong", "augment.rotate": "3", "epochs": 2})
    assert strong.augment == dataclasses.replace(get_policy("strong"), rotate=3.0)
    assert strong.epochs == 2
    assert Recipe().override({"augment": Augment(flip=0.5)}).augment == Augment(flip=0.5)
    with pytest.raises(UsageError, match="policy"):
        Recipe().override({"augment": "stong"})


@pytest.mark.parametrize(("path", "offered"), [("flip", "augment.flip"), ("augment.flp", "augment.flip")])
def test_a_field_of_the_group_is_offered_with_its_path(path, offered):
    with pytest.raises(
        UsageError,
        match=f"^unknown field '{path}'. Did you mean '{offered}'.* `striate recipes --fields` lists them all",
    ):
        Recipe().override({path: 1})


def test_what_another_version_wrote_is_filled_up_or_refused():
    assert Recipe.from_dict({}) == Recipe(validation_precision="32")  # as it was before there was a choice
    kept = {"epochs": 2, "augment": {"flip": 0.5}}
    read = Recipe.from_dict(kept)
    assert (read.epochs, read.augment.flip, read.milestones) == (2, 0.5, (0.5, 0.75))
    assert kept == {"epochs": 2, "augment": {"flip": 0.5}}  # what was given stays as it was
    for strange in ({"colour": 1}, {"augment": {"colour": 1}}):
        with pytest.raises(StriateError, match=r"^a recipe of another version of striate \(.*colour.*\)\.$"):
            Recipe.from_dict(strange)


def test_a_schedule_has_the_numbers_of_its_recipe():
    numbers = {"peak": 0.4, "milestones": (0.2, 0.6), "every": 3, "gamma": 0.5}
    recipe = Recipe(epochs=10, warmup_epochs=2, schedule="step", **numbers)
    assert recipe.rate_schedule() == Schedule("step", warmup=0.2, **numbers)
    assert Recipe(epochs=10, warmup_epochs=9.5).rate_schedule().warmup == 0.9


@pytest.mark.parametrize(
    ("fields", "kind", "names"),
    [
        ({"init": "xyz"}, "init", "fan_in, gaussian, he, own, xavier"),
        ({"optimizer": "xyz"}, "optimizer", "adam, adamw, rmsprop, sgd"),
        ({"schedule": "xyz"}, "schedule", "constant, cosine, linear, one_cycle, plateau, staircase, step"),
        (
            {"loss": "xyz"},
            "loss",
            "binary, cross_entropy, half_squared_error, hinge, huber, mean_absolute_error, mean_squared_error, own, "
            "rbf, rbf_distance, squared_error",
        ),
    ],
)
def test_an_unknown_name_is_told_with_those_there_are(fields, kind, names):
    with pytest.raises(UsageError, match=f"^unknown {kind} 'xyz'. Known: {names}.$"):
        Recipe(**fields)
