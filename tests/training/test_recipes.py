import dataclasses
import json

import pytest

from striate.errors import UsageError
from striate.training.limits import check_validated
from striate.training.recipes import RECIPES, Recipe, get_recipe


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


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_goes_through_json_unchanged(name):
    recipe = RECIPES[name]
    assert recipe.name == name
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert get_recipe(name) is recipe


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


@pytest.mark.parametrize("milestones", ["0.75,0.5", "0.5,0.5", "0,0.5", "0.5,1", "0.5,1.5", "-0.1", "nan"])
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
    with pytest.raises(UsageError, match="adamw"):
        Recipe(optimizer="adam")


def test_an_unknown_recipe_offers_the_nearest():
    with pytest.raises(UsageError, match=r"'photo'.*'photos'"):
        get_recipe("photo")


@pytest.mark.parametrize(("optimizer", "expected"), [("sgd", 0.025), ("adamw", 0.05), ("rmsprop", 0.05)])
def test_the_rate_follows_the_size_of_the_batch(optimizer, expected):
    recipe = Recipe(optimizer=optimizer, batch_size=64, learning_rate=0.1)
    assert recipe.with_batch_size(16).learning_rate == pytest.approx(expected)
    assert recipe.with_batch_size(16).batch_size == 16
