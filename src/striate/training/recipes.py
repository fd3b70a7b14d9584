"""A recipe: everything about training that is not the network or the data, as a frozen dataclass with a name."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from striate.augment import Augment
from striate.augment.policies import get_policy
from striate.errors import StriateError, unknown
from striate.layers import INITS
from striate.notebook import Facts, Shown
from striate.training.balance import BALANCES, NONE
from striate.training.fields import with_field
from striate.training.limits import check_numbers
from striate.training.losses import LOSSES, OWN, VALUE_LOSSES
from striate.training.optimizers import OPTIMIZERS
from striate.training.schedules import SCHEDULES, Schedule
from striate.training.unfreezing import thaws_in
from striate.units import plural

#: The largest share of training in which the rate may climb.
LONGEST_WARMUP = 0.9

#: What a recipe says when validation is in float32 whatever training is in.
FLOAT32 = "32"

#: What a recipe says when batch norms go on with the statistics that came with the weights.
KEPT = "kept"

#: The words that a field takes, where it takes only some.
CHOICES: dict[str, tuple[str, ...]] = {
    "init": (OWN, *INITS),
    "optimizer": OPTIMIZERS,
    "schedule": tuple(SCHEDULES),
    "loss": (OWN, *LOSSES, *VALUE_LOSSES),
    "balance": BALANCES,
    "norm_statistics": ("batch", KEPT),
    "validation_precision": ("auto", FLOAT32),
}


@dataclass(frozen=True, repr=False)
class Recipe(Shown):
    """How a network is trained.

    `striate recipes` shows what is written here.

    Attributes:
        name: what the recipe is called.
        network: the network that it was made for, taken when none is named; empty for any.
        epochs: passes over the training images.
        batch_size: images per optimizer step, over all devices together.
        init: how the weights of convolutions and dense layers are first drawn: "own" (the network's way), "he" (normal,
            variance 2 / fan-in), "gaussian" (normal, deviation 0.01), "xavier" (uniform in
            +-sqrt(6 / (fan-in + fan-out))) or "fan_in" (uniform in +-1 / fan-in); biases are then 0. Pretrained weights
            stay: only layers that they leave fresh are drawn, such as a new head.
        optimizer: "sgd", "adam" (weight decay is L2 in the gradient), "adamw" (weight decay beside the gradient) or
            "rmsprop".
        learning_rate: the peak rate.
        momentum: SGD's or RMSprop's momentum, Adam's and AdamW's beta 1.
        nesterov: whether SGD's momentum looks ahead (Nesterov, 1983).
        weight_decay: L2 decay of kernels and matrices; biases and norms are spared.
        schedule: what becomes of the rate after its peak: "cosine" and "linear" fall to zero, "one_cycle" climbs first,
            "step" falls at milestones, "staircase" each so many epochs, "plateau" when the validation loss stays,
            "constant" never.
        warmup_epochs: epochs in which the rate climbs to its peak.
        peak: share of training at which a one-cycle schedule is highest.
        milestones: where a step schedule falls: shares of training below 1 (of what follows the warm-up), or whole
            epochs from 1 on (30,60,90: after so many, counted from the first).
        every: epochs between two falls of a staircase schedule: 8 with gamma=0.96 is 4 % less every 8 epochs, 50 with
            gamma=0.5 half every 50.
        gamma: what a step, staircase or plateau schedule multiplies the rate by when it falls.
        patience: epochs in a row without a better validation loss that a plateau schedule lets pass; it falls at the
            next.
        loss: what is minimised: "own" (the one that the network was made for), "cross_entropy", "binary" (a sigmoid for
            each class), "squared_error" (of the softmax, summed over classes: Brier's), "half_squared_error" (half of
            that, 1/2 sum (t - o)^2), "hinge", and "rbf" or "rbf_distance" for LeNet's outputs of 1998. Several labels
            take "binary", the mean over them; values take "mean_squared_error" (their own), "mean_absolute_error" or
            "huber", of the values in standard deviations.
        label_smoothing: share of each label spread over all classes (Szegedy et al., 2016, section 7).
        balance: what is done about classes of few images: "none", "weights" (each class counts in the loss inversely to
            its images) or "sampler" (all classes come equally often, so rare images several times an epoch). Of several
            labels "weights" are for images with and without each label, "sampler" goes by each image's rarest one. A
            classifier of features has the same as weights.
        auxiliary_weight: weight of the loss of each auxiliary head, which are built when it is set; 0 for the weight
            of the network's paper where they are built by its option.
        clip_norm: largest norm of all gradients together; 0 leaves them alone.
        stage_decay: what the rate is multiplied by once for each part that a part lies below the head: the last stage
            by it, the one before by its square, the stem by the most of it; heads have the whole rate (Howard & Ruder,
            2018, section 3.1, where it is 0.385). 1 for one rate.
        unfreeze: when more of a network frozen by --freeze is trained (the same, section 3.3): 5:stage2,10:none freezes
            it from the beginning of epoch 5 on, counted from 1, up to and with stage2, from that of epoch 10 on not at
            all; empty for never.
        average: decay of the exponential moving average of the weights; 0 for none. Where there is one, it is
            what gets validated and saved.
        norm_statistics: what batch norms normalise by in training: "batch" (mean and variance of the batch, whose
            running mean evaluation uses) or "kept" (those that came with pretrained weights, which stay; scale and
            shift are trained): a few images say too little for statistics of their own.
        early_stopping: epochs in a row that bring no better weights before training stops; 0 for never. Better are
            those of higher validation accuracy (of several labels, mAP; of values, R squared), of two equal ones those
            of lower loss; the best are what is saved.
        validation_precision: "auto" (bfloat16 where training is, if its figures agree with those in float32 the first
            time: scores within 0.2 points, losses within 1 %) or "32" (float32). What is measured at the end of a run
            is float32 whatever is said here.
        augment: the random transformations of training images.
    """

    name: str = "default"
    network: str = ""
    epochs: int = 30
    batch_size: int = 64
    init: str = OWN
    optimizer: str = "sgd"
    learning_rate: float = 0.05
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    schedule: str = "cosine"
    warmup_epochs: float = 1.0
    peak: float = 0.3
    milestones: tuple[float, ...] = (0.5, 0.75)
    every: int = 10
    gamma: float = 0.1
    patience: int = 5
    loss: str = OWN
    label_smoothing: float = 0.0
    balance: str = NONE
    auxiliary_weight: float = 0.0
    clip_norm: float = 0.0
    stage_decay: float = 1.0
    unfreeze: str = ""
    average: float = 0.0
    norm_statistics: str = "batch"
    early_stopping: int = 0
    validation_precision: str = "auto"
    augment: Augment = field(default_factory=Augment)

    def __post_init__(self) -> None:
        """Refuse impossible values with one line that names the field."""
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise unknown(name, getattr(self, name), known)
        check_numbers(self)
        thaws_in(self.unfreeze)

    def with_batch_size(self, batch_size: int) -> Recipe:
        """The recipe for another size of batch, its rate adapted.

        SGD's rate goes with the size (Goyal et al., 2017, arXiv:1706.02677, section 2.1), that of optimizers which
        divide by the gradient's size with its root (Krizhevsky, 2014, arXiv:1404.5997, section 5).
        """
        ratio = batch_size / self.batch_size
        rate = self.learning_rate * (ratio if self.optimizer == "sgd" else ratio**0.5)
        return dataclasses.replace(self, batch_size=batch_size, learning_rate=rate)

    def with_optimizer(self, optimizer: str) -> Recipe:
        """The recipe with another optimizer; a weight decay that was meant for AdamW's gives way to the usual one.

        AdamW takes that share of the weights, times the rate, beside the gradient. Others have it in the gradient, of
        which momentum makes ten times as much: a decay of one in twenty would shrink pretrained weights to nothing.
        """
        coupled = self.optimizer == "adamw" and optimizer != "adamw"
        decay = min(self.weight_decay, Recipe.weight_decay) if coupled else self.weight_decay
        return dataclasses.replace(self, optimizer=optimizer, weight_decay=decay)

    def rate_schedule(self) -> Schedule:
        """The learning-rate schedule with the warm-up as a share of training."""
        warmup = min(LONGEST_WARMUP, self.warmup_epochs / self.epochs)
        return Schedule(self.schedule, warmup, self.peak, self.milestones, self.gamma, self.every)

    def never_falls(self) -> str:
        """What of a schedule that counts epochs comes after the last of them, in words; empty where nothing does."""
        if self.schedule == "staircase" and self.every >= self.epochs:
            return f"the rate never falls: it does every {self.every} epochs, and there are {self.epochs}"
        late = [f"{milestone:g}" for milestone in self.milestones if milestone >= max(1, self.epochs)]
        if self.schedule != "step" or not late:
            return ""
        return f"the rate does not fall at {', '.join(late)}: there are {self.epochs} epochs"

    def _facts(self) -> Facts:
        of_fields = [(name, value) for name, value in self.to_dict().items() if name != "augment"]
        of_augment = [(f"augment.{name}", value) for name, value in self.to_dict()["augment"].items()]
        values = {
            "recipe": self.name,
            "length": plural(self.epochs, "epoch"),
            "batches": f"batches of {self.batch_size}",
            "optimizer": f"{self.optimizer} at {self.learning_rate:.3g}, schedule {self.schedule}",
            "loss": f"loss {self.loss}",
        }
        return Facts(values, ("field", "value"), [*of_fields, *of_augment])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Recipe:
        """The recipe that `to_dict` described."""
        values = dict(values)
        try:
            augment = Augment(**values.pop("augment", {}))
            values.setdefault("validation_precision", FLOAT32)  # as earlier versions always had it
            values["milestones"] = tuple(values.get("milestones", cls.milestones))
            return cls(**values, augment=augment)
        except TypeError as error:
            raise StriateError(f"a recipe of another version of striate ({error}).") from error

    def override(self, settings: Mapping[str, Any]) -> Recipe:
        """The recipe with fields set by name, nested ones with a dot: {"epochs": 30, "augment.rotate": "15"}.

        "augment" itself takes the name of a policy, or a policy.

        Raises:
            UsageError: an unknown field (the nearest is offered) or a value that does not fit it.
        """
        recipe = self
        for path, value in settings.items():
            if path == "augment":
                policy = value if isinstance(value, Augment) else get_policy(str(value))
                recipe = dataclasses.replace(recipe, augment=policy)
            else:
                recipe = with_field(recipe, path, value)
        return recipe
