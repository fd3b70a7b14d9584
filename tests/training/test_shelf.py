"""The recipes that have a name: what each sets, what it is for, and what is said of a name that none has."""

import json

import pytest

from striate.errors import UsageError
from striate.models import get_card
from striate.training.recipes import Recipe
from striate.training.shelf import PURPOSES, RECIPES, get_recipe

#: What each recipe sets, written down a second time; the rest is the default.
SET = {
    "photos": {"epochs": 60, "label_smoothing": 0.1, "average": 0.999},
    "finetune": {
        "epochs": 15,
        "batch_size": 32,
        "optimizer": "adamw",
        "learning_rate": 0.0005,
        "weight_decay": 0.05,
        "average": 0.99,
        "label_smoothing": 0.1,
    },
    "tiny": {"batch_size": 32, "schedule": "one_cycle", "warmup_epochs": 0},
    "mnist_fast": {
        "network": "striate_s",
        "epochs": 2,
        "batch_size": 256,
        "optimizer": "adamw",
        "learning_rate": 0.01,
        "weight_decay": 0.05,
        "schedule": "linear",
        "warmup_epochs": 0.4,
    },
    "mnist_accurate": {
        "network": "striate_m",
        "epochs": 11,
        "batch_size": 256,
        "optimizer": "adamw",
        "learning_rate": 0.008,
        "weight_decay": 0.05,
        "schedule": "linear",
        "warmup_epochs": 2.2,
        "label_smoothing": 0.1,
        "average": 0.998,
    },
    "lenet_1998": {
        "network": "lenet5_1998",
        "epochs": 20,
        "optimizer": "adamw",
        "learning_rate": 0.004,
        "weight_decay": 0.01,
        "schedule": "linear",
        "warmup_epochs": 0.3,
        "average": 0.998,
    },
    "transfer_head": {
        "epochs": 6,
        "batch_size": 32,
        "optimizer": "adamw",
        "learning_rate": 5e-4,
        "weight_decay": 0.05,
        "warmup_epochs": 0.5,
    },
    "transfer_all": {
        "epochs": 6,
        "batch_size": 32,
        "optimizer": "adamw",
        "learning_rate": 1e-3,
        "weight_decay": 0.05,
        "warmup_epochs": 0.5,
        "stage_decay": 0.75,
        "norm_statistics": "kept",
        "label_smoothing": 0.1,
        "clip_norm": 1.0,
        "average": 0.98,
    },
    "cifar10_fast": {
        "network": "striate_l",
        "epochs": 10,
        "batch_size": 128,
        "learning_rate": 0.1,
        "schedule": "linear",
        "warmup_epochs": 2.0,
        "label_smoothing": 0.1,
        "average": 0.998,
    },
}
PHOTOS = {"flip": 0.5, "area": 0.25, "brightness": 0.2, "contrast": 0.2, "saturation": 0.2}
MILD = {"flip": 0.5, "area": 0.35, "brightness": 0.15, "contrast": 0.15, "saturation": 0.15}
AUGMENTED = {
    "transfer_head": MILD,
    "transfer_all": MILD,
    "photos": PHOTOS,
    "finetune": PHOTOS,
    "tiny": {"translate": 0.1, "rotate": 10, "scale": 0.1},
    "mnist_accurate": {"rotate": 12, "scale": 0.1, "shear": 6, "translate": 0.07},
    "lenet_1998": {"rotate": 6, "scale": 0.06, "shear": 4, "translate": 0.04},
    "cifar10_fast": {"flip": 0.5, "crop_padding": 4},
}


def changed(values: dict, defaults: dict) -> dict:
    return {name: value for name, value in values.items() if value != defaults[name]}


@pytest.mark.parametrize("name", sorted(SET))
def test_a_recipe_is_the_one_whose_figures_are_published(name):
    found, default = get_recipe(name).to_dict(), Recipe().to_dict()
    augmented, plain = found.pop("augment"), default.pop("augment")
    assert changed(found, default) == {"name": name, **SET[name]}
    assert changed(augmented, plain) == AUGMENTED.get(name, {})


def test_these_recipes_are_all_and_each_is_for_a_network_there_is():
    assert RECIPES.keys() == SET.keys()
    for recipe in RECIPES.values():
        assert not recipe.network or get_card(recipe.network).name == recipe.network


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_recipe_goes_through_json_unchanged(name):
    recipe = RECIPES[name]
    assert recipe.name == name
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    assert get_recipe(name) is recipe


def test_each_says_in_a_line_what_it_is_for():
    assert list(PURPOSES) == list(RECIPES)
    assert len(set(PURPOSES.values())) == len(PURPOSES)
    assert all(10 < len(purpose) < 80 and "\n" not in purpose for purpose in PURPOSES.values())


def test_an_unknown_recipe_offers_the_nearest():
    with pytest.raises(UsageError, match=r"'photo'.*'photos'.*`striate recipes` lists them all"):
        get_recipe("photo")
