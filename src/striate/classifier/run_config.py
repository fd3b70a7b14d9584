"""RunConfig: everything that decides a run, as one value that config.json keeps."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from striate.classifier import values
from striate.classifier.growth import read_growth
from striate.data import Preprocessing
from striate.errors import StriateError, unknown
from striate.models import ModelSpec, create_model
from striate.training.balance import NONE
from striate.training.cache_choice import AUTO as AUTO_CACHE
from striate.training.cache_choice import WAYS
from striate.training.hardware import PRECISIONS
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder
from striate.transfer.regimes import REGIMES
from striate.transfer.shallow import KINDS as KINDS_OF_SHALLOW

FORMAT = "striate run 2"
#: The first form has the same fields, but for those that have a default here.
READABLE = (FORMAT, "striate run 1")

#: What of a run decides its weights: a checkpoint of a run that differs in one of these is another's.
DECISIVE = ("network", "recipe", "preprocessing", "fingerprint", "seed", "freeze")

#: What a field that says nothing holds; it is left out of config.json.
NOTHING: tuple[Any, ...] = (None, "", {})


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """A run as it was planned.

    Attributes:
        network: what rebuilds the network.
        weights: the pretrained weights it starts from: a name on the network's card or an absolute path.
        grown: from which run it grew instead, by which rule, and the names of its layers that were copied, that are
            new, and that are fresh for other outputs; nothing where it did not.
        freeze: the part up to which it is frozen, or "copied" for the layers that the other network gave.
        preprocessing: what brings an image to the network.
        recipe: how it is trained.
        classes: class names, in the order of the outputs.
        fingerprint: of the images.
        source: the images as they were called.
        absolute_source: where they lay; empty for a known name or images in memory.
        task: what is learnt, as `Task.to_dict` says it; nothing for one class per image.
        target: the columns of a table that say it; none for those that are called so.
        transfer: how it uses its pretrained weights: one of `striate.transfer.regimes.REGIMES`; empty where the recipe
            alone says.
        views: augmented copies of each training image that the classifier of its features is fitted to as well; None
            for as many as suit.
        shallow: that classifier: one of `striate.transfer.shallow.KINDS`; empty for what suits.
        val_fraction: share set aside for validation.
        seed: decides split, first weights, order and augmentations.
        device: "cpu", "cuda" or "mps".
        devices: how many.
        precision: in Lightning Fabric's words.
        workers: processes that read images; they change nothing of the result.
        cache: where decoded pictures are kept, one of `striate.training.cache_choice.WAYS`; likewise.
        threads: that PyTorch had.
        versions: of striate, torch and Python.
        notes: what was decided for the user, a line each.
        command: the command line, if there was one.
        created: when.
        checkpoint: why last.ckpt was dropped, where it was.
        identity: `DECISIVE`, in a few letters.
    """

    network: ModelSpec
    weights: str | None
    freeze: str | None
    preprocessing: Preprocessing
    recipe: Recipe
    fingerprint: str
    source: str
    absolute_source: str
    val_fraction: float
    seed: int
    device: str
    devices: int
    precision: str
    workers: int
    versions: Mapping[str, str]
    notes: tuple[str, ...]
    command: str
    created: str
    classes: tuple[str, ...] = ()
    threads: int = 0
    checkpoint: str = ""
    task: Mapping[str, Any] = field(default_factory=dict)
    grown: Mapping[str, Any] = field(default_factory=dict)
    target: tuple[str, ...] = ()
    transfer: str = ""
    views: int | None = None
    shallow: str = ""
    cache: str = AUTO_CACHE
    identity: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.identity:
            object.__setattr__(self, "identity", identity(self.to_dict()))

    @property
    def way_of_transfer(self) -> dict[str, Any]:
        """How pretrained weights are used, as far as it was said or decided, in plain values."""
        said = {"transfer": self.transfer, "views": self.views, "shallow": self.shallow}
        if self.transfer and self.recipe.balance != NONE:
            said["balance"] = self.recipe.balance  # of features there is no recipe
        return {name: value for name, value in said.items() if value not in NOTHING}

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for config.json."""
        found = {each.name: getattr(self, each.name) for each in dataclasses.fields(self)}
        plain = {name: value.to_dict() if hasattr(value, "to_dict") else value for name, value in found.items()}
        plain |= {"classes": list(self.classes), "notes": list(self.notes), "versions": dict(self.versions)}
        plain |= {"task": dict(self.task), "target": list(self.target)}
        plain |= {"grown": dict(self.grown)}
        for name in ("checkpoint", "transfer", "grown", "views", "shallow"):
            if plain[name] in NOTHING:
                del plain[name]
        del plain["identity"]  # it follows from the others
        return {"format": FORMAT, **plain}

    @classmethod
    def read(cls, run: RunFolder) -> RunConfig:
        """The configuration of a run, once it is sure that all is in it that going on needs.

        Raises:
            UsageError: no run lies there.
            StriateError: the file is damaged or was edited.
        """
        written = run.existing().read_config()
        if written.get("format") not in READABLE:
            raise StriateError(f"{run.config}: does not say how the run is trained, so it cannot go on.")
        wrong = [name for name, kind in KINDS.items() if not isinstance(written.get(name, ...), kind)]
        found = {each.name: written[each.name] for each in dataclasses.fields(cls) if each.name in written}
        problems = [] if wrong else [line for name in READERS if (line := _read(name, found))]
        if wrong or problems:
            raise StriateError(
                f"{run.config}: was edited or is another version's ({', '.join(wrong or problems)}), so the run "
                "cannot go on. Bring the file back as it was."
            )
        return cls(**found | {"identity": identity(written)})


def identity(written: Mapping[str, Any]) -> str:
    """What decides a run, in a few letters, from the plain values of its configuration.

    From those as they stand in the file: a later version, whose recipes have more fields, finds the same.
    """
    parts = [written[name] for name in DECISIVE]
    parts += [written[name] for name in ("transfer", "grown", "views", "shallow") if written.get(name) not in NOTHING]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


#: What going on needs of config.json, and the type of each.
KINDS: dict[str, type | tuple[type, ...]] = {
    "network": dict,
    "weights": (str, type(None)),
    "freeze": (str, type(None)),
    "preprocessing": dict,
    "recipe": dict,
    "fingerprint": str,
    "seed": int,
    "device": str,
    "devices": int,
    "precision": str,
    "workers": int,
    "versions": dict,
    "source": str,
    "absolute_source": str,
    "val_fraction": (int, float),
    "command": str,
    "created": str,
    "notes": list,
}


def _one_of(kind: str, known: Collection[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in known:
            raise unknown(kind, value, known)
        return value

    return check


def _spec(written: Mapping[str, Any]) -> ModelSpec:
    spec = ModelSpec.from_dict(written)
    if not spec.origin:  # nobody's code is run before it is trusted
        with torch.device("meta"):  # no weight is made
            create_model(written["name"], **written["arguments"])
    return spec


#: What makes something of the plain values, or refuses.
READERS: dict[str, Callable[[Any], Any]] = {
    "network": _spec,
    "preprocessing": Preprocessing.from_dict,
    "recipe": Recipe.from_dict,
    "classes": tuple,
    "notes": tuple,
    "task": dict,
    "grown": read_growth,
    "target": tuple,
    "transfer": _one_of("transfer", REGIMES),
    "views": lambda views: values.whole("it", views, 0, values.VIEWS),
    "shallow": _one_of("shallow", KINDS_OF_SHALLOW),
    "seed": lambda seed: values.whole("it", seed, 0, values.SEEDS),
    "device": _one_of("device", ("cpu", "cuda", "mps")),
    "devices": lambda devices: values.whole("it", devices, 1, values.DEVICES),
    "precision": _one_of("precision", set(PRECISIONS.values()) - {"auto"}),
    "workers": lambda workers: values.whole("it", workers, 0, values.WORKERS),
    "cache": _one_of("cache", WAYS),
    "val_fraction": lambda share: values.share("it", share),
}


def _read(name: str, found: dict[str, Any]) -> str:
    """Put what a field's plain values stand for in their place; what is wrong with them, empty where nothing is."""
    try:
        if name in found:
            found[name] = READERS[name](found[name])
    except KeyError as error:
        return f"{name}: {error.args[0]} is missing"
    except (StriateError, AttributeError, TypeError, ValueError) as error:
        return f"{name}: {str(error).rstrip('.')}"
    return ""
