"""Recipes: everything about training that is not the network or the data, as frozen dataclasses with a name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from striate.augment import Augment
from striate.errors import StriateError, UsageError, unknown
from striate.training.limits import check_numbers
from striate.training.losses import LOSSES, OWN
from striate.training.optimizers import OPTIMIZERS
from striate.training.schedules import SCHEDULES, Schedule

#: The largest share of training in which the rate may climb.
LONGEST_WARMUP = 0.9


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        name: what the recipe is called.
        network: the network that it was made for, taken when none is named; empty for any.
        epochs: passes over the training images.
        batch_size: images per optimizer step, over all devices together.
        optimizer: "sgd", "adamw" or "rmsprop".
        learning_rate: the peak rate.
        momentum: SGD's or RMSprop's momentum, AdamW's beta 1.
        nesterov: whether SGD's momentum looks ahead (Nesterov, 1983).
        weight_decay: L2 decay of kernels and matrices; biases and norms are spared.
        schedule: "cosine", "one_cycle", "linear", "step", "plateau" or "constant".
        warmup_epochs: epochs in which the rate climbs to its peak.
        peak: share of training at which a one-cycle schedule is highest.
        milestones: shares of training at which a step schedule falls.
        gamma: by how much a step or plateau schedule falls.
        patience: epochs in a row without a better validation loss that a plateau schedule lets pass; it falls at the
            next.
        loss: one of `striate.training.losses.LOSSES`, or "own" for the one that the network was made for.
        label_smoothing: share of each label spread over all classes (Szegedy et al., 2016, section 7).
        auxiliary_weight: weight of the loss of each auxiliary head, which are built when it is set; 0 for the weight
            of the network's paper where they are built by its option.
        clip_norm: largest norm of all gradients together; 0 leaves them alone.
        average: decay of the exponential moving average of the weights; 0 for none. Where there is one, it is
            what gets validated and saved.
        early_stopping: epochs in a row that bring no better weights before training stops; 0 for never. Better are
            those of higher validation accuracy, of two equal ones those of lower loss; the best are what is saved.
        augment: the random transformations of training images.
    """

    name: str = "default"
    network: str = ""
    epochs: int = 30
    batch_size: int = 64
    optimizer: str = "sgd"
    learning_rate: float = 0.05
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    schedule: str = "cosine"
    warmup_epochs: float = 1.0
    peak: float = 0.3
    milestones: tuple[float, ...] = (0.5, 0.75)
    gamma: float = 0.1
    patience: int = 5
    loss: str = OWN
    label_smoothing: float = 0.0
    auxiliary_weight: float = 0.0
    clip_norm: float = 0.0
    average: float = 0.0
    early_stopping: int = 0
    augment: Augment = field(default_factory=Augment)

    def __post_init__(self) -> None:
        """Refuse impossible values with one line that names the field."""
        if self.optimizer not in OPTIMIZERS:
            raise unknown("optimizer", self.optimizer, OPTIMIZERS)
        if self.schedule not in SCHEDULES:
            raise unknown("schedule", self.schedule, SCHEDULES)
        if self.loss not in (OWN, *LOSSES):
            raise unknown("loss", self.loss, [OWN, *LOSSES])
        check_numbers(self)

    def with_batch_size(self, batch_size: int) -> Recipe:
        """The recipe for another size of batch, its rate adapted.

        SGD's rate goes with the size (Goyal et al., 2017, arXiv:1706.02677, section 2.1), that of optimizers which
        divide by the gradient's size with its root (Krizhevsky, 2014, arXiv:1404.5997, section 5).
        """
        ratio = batch_size / self.batch_size
        rate = self.learning_rate * (ratio if self.optimizer == "sgd" else ratio**0.5)
        return dataclasses.replace(self, batch_size=batch_size, learning_rate=rate)

    def rate_schedule(self) -> Schedule:
        """The learning-rate schedule with the warm-up as a share of training."""
        warmup = min(LONGEST_WARMUP, self.warmup_epochs / self.epochs)
        return Schedule(self.schedule, warmup, self.peak, self.milestones, self.gamma)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The recipe that `to_dict` described."""
        values = dict(values)
        try:
            augment = Augment(**values.pop("augment", {}))
            values["milestones"] = tuple(values.get("milestones", cls.milestones))
            return cls(**values, augment=augment)
        except TypeError as error:
            raise StriateError(f"a recipe of another version of striate ({error}).") from error

    def override(self, settings: Mapping[str, Any]) -> Recipe:
        """The recipe with fields set by name, nested ones with a dot: {"epochs": 30, "augment.rotate": "15"}.

        Raises:
            UsageError: an unknown field (the nearest is offered) or a value that does not fit it.
        """
        recipe = self
        for path, value in settings.items():
            recipe = _set(recipe, path.split("."), value, path)
        return recipe


def _set(target: Any, path: list[str], value: Any, whole: str) -> Any:
    defaults = {field.name: field.default for field in dataclasses.fields(target)}
    if path[0] not in defaults:
        known = sorted(defaults.keys() | {f"augment.{item.name}" for item in dataclasses.fields(Augment)})
        raise unknown("field", whole, known, "Every field is listed in config.json of a run.")
    current = getattr(target, path[0])
    if dataclasses.is_dataclass(current):
        if len(path) == 1:
            raise UsageError(f"'{whole}' is a group of fields; set one of them, such as {whole}.flip=0.5.")
        return dataclasses.replace(target, **{path[0]: _set(current, path[1:], value, whole)})
    if len(path) > 1:
        raise UsageError(f"'{path[0]}' has no fields, so '{whole}' cannot be set.")
    return dataclasses.replace(target, **{path[0]: _convert(defaults[path[0]], value, whole)})


def _convert(default: Any, value: Any, name: str) -> Any:
    """`value`, perhaps a word of the command line, as the type that the field has, which is that of its default."""
    try:
        if isinstance(default, bool):
            words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
            return words[str(value).lower()]
        if isinstance(default, tuple):
            return tuple(float(item) for item in (value.split(",") if isinstance(value, str) else value))
        if isinstance(value, bool):
            raise TypeError
        converted = type(default)(value)
        if isinstance(converted, int) and converted != float(value):
            raise ValueError
        return converted
    except (KeyError, OverflowError, TypeError, ValueError):
        wanted = {"bool": "true or false", "tuple": "numbers with commas"}.get(
            type(default).__name__, {"int": "a whole number", "float": "a number"}.get(type(default).__name__)
        )
        raise UsageError(f"{name}={value} does not fit: {name} takes {wanted or 'a word'}.") from None


#: Crops and mirror images for photographs, as ResNet's authors used them with Szegedy's crop.
_PHOTOS = Augment(flip=0.5, area=0.25, brightness=0.2, contrast=0.2, saturation=0.2)

#: Crooked, shifted and resized digits, as hands write them.
_DIGITS = Augment(rotate=12, scale=0.1, shear=6, translate=0.07)

RECIPES: dict[str, Recipe] = {
    recipe.name: recipe
    for recipe in (
        Recipe(name="photos", epochs=60, label_smoothing=0.1, average=0.999, augment=_PHOTOS),
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
        Recipe(
            name="tiny",
            epochs=30,
            batch_size=32,
            schedule="one_cycle",
            warmup_epochs=0,
            augment=Augment(translate=0.1, rotate=10, scale=0.1),
        ),
        # 99.2 % on MNIST as soon as two processor cores can.
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
        # 99.6 % on MNIST in minutes.
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
        # LeNet on MNIST in the paper's 20 passes, with distortions as in its section III.C; for both forms of the
        # network. Adam stands in for the paper's diagonal second-order method.
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
        # CIFAR-10 in five minutes on two processor cores.
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
    )
}


def get_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        UsageError: no such recipe; the nearest names are offered.
    """
    if name not in RECIPES:
        raise unknown("recipe", name, RECIPES)
    return RECIPES[name]
