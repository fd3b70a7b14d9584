"""The recipes that have a name, each with what it is for."""

from __future__ import annotations

from striate.augment.policies import POLICIES
from striate.errors import unknown
from striate.training.recipes import KEPT, Recipe

_SHELF: tuple[tuple[str, Recipe], ...] = (
    (
        "photographs, from random first weights",
        Recipe(name="photos", epochs=60, label_smoothing=0.1, average=0.999, augment=POLICIES["photos"]),
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
            augment=POLICIES["photos"],
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
            augment=POLICIES["mild"],
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
            augment=POLICIES["mild"],
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
            augment=POLICIES["tiny"],
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
            augment=POLICIES["digits"],
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
            augment=POLICIES["lenet_1998"],
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
            augment=POLICIES["cifar"],
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
