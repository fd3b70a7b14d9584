"""The recipes that have a name, each with what it is for."""

from __future__ import annotations

from striate.augment import Augment
from striate.errors import unknown
from striate.training.recipes import KEPT, Recipe

#: Crops and mirror images for photographs, as ResNet's authors used them with Szegedy's crop.
_PHOTOS = Augment(flip=0.5, area=0.25, brightness=0.2, contrast=0.2, saturation=0.2)

#: The same, milder: stronger crops would spoil what is known already.
_MILD = Augment(flip=0.5, area=0.35, brightness=0.15, contrast=0.15, saturation=0.15)

#: Crooked, shifted and resized digits, as hands write them.
_DIGITS = Augment(rotate=12, scale=0.1, shear=6, translate=0.07)

_SHELF: tuple[tuple[str, Recipe], ...] = (
    (
        "photographs, from random first weights",
        Recipe(name="photos", epochs=60, label_smoothing=0.1, average=0.999, augment=_PHOTOS),
    ),
    (
        "photographs, from pretrained weights",
        Recipe(
            name="finetune",
            epochs=15,
            batch_size=32,
            optimizer="adamw",
            learning_rate=5e-4,
            weight_decay=0.05,
            average=0.99,
            label_smoothing=0.1,
            augment=_PHOTOS,
        ),
    ),
    (
        "the head of a pretrained network: --transfer head",
        Recipe(
            name="transfer_head",
            epochs=6,
            batch_size=32,
            optimizer="adamw",
            learning_rate=5e-4,
            weight_decay=0.05,
            warmup_epochs=0.5,
            augment=_MILD,
        ),
    ),
    (
        "a pretrained network or its last stages: --transfer top, full",
        Recipe(
            name="transfer_all",
            epochs=6,
            batch_size=32,
            optimizer="adamw",
            learning_rate=1e-3,
            weight_decay=0.05,
            warmup_epochs=0.5,
            stage_decay=0.75,
            norm_statistics=KEPT,
            label_smoothing=0.1,
            clip_norm=1.0,
            average=0.98,
            augment=_MILD,
        ),
    ),
    (
        "pictures of 64 pixels a side or less",
        Recipe(
            name="tiny",
            epochs=30,
            batch_size=32,
            schedule="one_cycle",
            warmup_epochs=0,
            augment=Augment(translate=0.1, rotate=10, scale=0.1),
        ),
    ),
    (
        "99.2 % on MNIST as soon as two processor cores can",
        Recipe(
            name="mnist_fast",
            network="striate_s",
            epochs=2,
            batch_size=256,
            optimizer="adamw",
            learning_rate=0.01,
            weight_decay=0.05,
            schedule="linear",
            warmup_epochs=0.4,
        ),
    ),
    (
        "99.6 % on MNIST in minutes",
        Recipe(
            name="mnist_accurate",
            network="striate_m",
            epochs=11,
            batch_size=256,
            optimizer="adamw",
            learning_rate=0.008,
            weight_decay=0.05,
            schedule="linear",
            warmup_epochs=2.2,
            label_smoothing=0.1,
            average=0.998,
            augment=_DIGITS,
        ),
    ),
    # With distortions as in the paper's section III.C. Adam stands in for its diagonal second-order method.
    (
        "LeNet on MNIST in the paper's 20 passes, either form of the network",
        Recipe(
            name="lenet_1998",
            network="lenet5_1998",
            epochs=20,
            batch_size=64,
            optimizer="adamw",
            learning_rate=0.004,
            weight_decay=0.01,
            schedule="linear",
            warmup_epochs=0.3,
            average=0.998,
            augment=Augment(rotate=6, scale=0.06, shear=4, translate=0.04),
        ),
    ),
    (
        "CIFAR-10 in five minutes on two processor cores",
        Recipe(
            name="cifar10_fast",
            network="striate_l",
            epochs=10,
            batch_size=128,
            learning_rate=0.1,
            weight_decay=5e-4,
            schedule="linear",
            warmup_epochs=2.0,
            label_smoothing=0.1,
            average=0.998,
            augment=Augment(flip=0.5, crop_padding=4),
        ),
    ),
)

RECIPES: dict[str, Recipe] = {recipe.name: recipe for _, recipe in _SHELF}

#: What each is for.
PURPOSES: dict[str, str] = {recipe.name: purpose for purpose, recipe in _SHELF}


def get_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UsageError: no such recipe; the nearest names are offered.
    """
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES, "`striate recipes` lists them all.")
    return RECIPES[name]
