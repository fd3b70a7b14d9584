"""Request: what a caller asks of a new run, refused where it is impossible before an image is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from striate.classifier import values
from striate.classifier.choices import USUAL
from striate.classifier.growth import check_asked, starting_file
from striate.data import Dataset
from striate.data.asked import column_names
from striate.data.preprocessing import RESIZE_RULES
from striate.data.targets import check_kind
from striate.errors import UsageError, unknown
from striate.files import at_home
from striate.models import Handed, InputError, ModelSpec, Trust, create_model, get_card, outline_of
from striate.models.catalogue import cards
from striate.models.choice import is_named
from striate.models.hub import hub_model
from striate.models.obtain import adapt
from striate.models.recognition import belongs_elsewhere, network_of
from striate.models.references import reference_to
from striate.models.signature import KNOWN
from striate.training.cache_choice import AUTO as AUTO_CACHE
from striate.training.cache_choice import WAYS
from striate.training.hardware import choose_precision, device_type
from striate.training.recipes import Recipe
from striate.training.shelf import get_recipe
from striate.training.trained_set import check_parts
from striate.transfer import RULES
from striate.transfer.regimes import REGIMES, SCRATCH
from striate.transfer.shallow import KINDS
from striate.weights.files import weights_file
from striate.weights.hub import is_hub


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked of a new run; `striate.train` says what each means. None is left open, for `plan_run` to decide.

    Raises:
        UsageError: an unknown name or an impossible value.
        StriateError: weights or a device that are not there.
    """

    source: str | Path | Dataset
    model: str | Handed | None = None
    weights: str | Path | None = None
    grow_from: str | Path | None = None
    grow_rule: str = RULES[0]
    recipe: str | Recipe | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    size: int | None = None
    resize: str | None = None
    freeze: str | None = None
    transfer: str | None = None
    views: int | None = None
    shallow: str | None = None
    task: str | None = None
    target: str | Sequence[str] | None = None
    val_fraction: float = 0.1
    seed: int = 0
    run: str | Path | None = None
    device: str = "auto"
    devices: int = 1
    precision: str = "auto"
    workers: int | None = None
    cache: str = AUTO_CACHE
    command: str = ""

    def __post_init__(self) -> None:
        """Check every value, those by themselves first, and keep it in one form."""
        whole, place = values.whole, values.place
        keep = self._keep
        keep(source=self.source if isinstance(self.source, Dataset) else place("source", self.source))
        keep(seed=whole("seed", self.seed, 0, values.SEEDS), devices=whole("devices", self.devices, 1, values.DEVICES))
        keep(size=None if self.size is None else whole("size", self.size, 1, values.SIDES))
        if self.resize is not None and self.resize not in RESIZE_RULES:
            raise unknown("resize rule", self.resize, RESIZE_RULES)
        keep(workers=None if self.workers is None else whole("workers", self.workers, 0, values.WORKERS))
        keep(val_fraction=values.share("val_fraction", self.val_fraction), precision=str(self.precision))
        keep(options=values.network_options(self.options), settings=values.fields("settings", self.settings))
        keep(freeze=None if self.freeze is None else values.word("freeze", self.freeze))
        keep(target=column_names(self.target), task=None if self.task is None else check_kind(self.task))
        keep(weights=None if self.weights is None else _weights(place("weights", self.weights)))
        keep(run=None if self.run is None else place("run", self.run), command=self.command or "")
        keep(views=None if self.views is None else whole("views", self.views, 0, values.VIEWS))
        check_transfer(self.transfer, self.weights, self.grow_from)
        check_shallow(self.shallow, self.views, self.transfer)
        check_hardware(self.device, self.precision)
        check_cache(self.cache)
        recipe = check_recipe(self.recipe, self.settings)
        keep(model=recipe.network or None if self.model is None else values.network("model", self.model))
        if self.model is None and self.weights is not None and (is_hub(self.weights) or _is_file(self.weights)):
            spec = _network_of(self.weights)
            further = {name: value for name, value in spec.arguments.items() if name not in KNOWN}
            keep(model=spec.name, options={**further, **self.options} if spec.origin else self.options)
        keep(grow_from=None if self.grow_from is None else place("grow_from", self.grow_from))
        grown, copied = check_asked(self.grow_from, self.grow_rule, self.model, self.weights, self.options)
        keep(options=grown)
        if isinstance(self.model, str) and reference_to(self.model) is None:
            check_network(self.model, self.weights, self.options, self.size, self.freeze, recipe, copied)
        elif self.model is not None:
            check_foreign(self.model, self.options, self.size, self.freeze, recipe)

    @property
    def trust(self) -> Trust:
        """Whose code makes the network: that of whoever asks for it."""
        if self.model is None:
            return Trust()
        if not isinstance(self.model, str):
            return Trust(handed=self.model)
        reference = reference_to(self.model)
        return Trust((reference.place,)) if reference and reference.is_named_code else Trust()

    @property
    def starting_file(self) -> str | Path | None:
        """Where the weights that training starts from say how they want their images; None for random ones."""
        return starting_file(self.grow_from, self.weights)

    @property
    def columns(self) -> tuple[str, ...]:
        """`target` as names of columns."""
        return column_names(self.target)

    def _keep(self, **fields: Any) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)


def _is_file(weights: str | Path) -> bool:
    return at_home(weights).is_file()


def _network_of(weights: str | Path) -> ModelSpec:
    """The network to which weights belong; of the Hub's also one of timm's."""
    return ModelSpec(hub_model(str(weights)).network) if is_hub(weights) else network_of(weights)


def _weights(weights: str | Path) -> str | Path:
    """A run folder stands for its weights; a name on a card is one, whatever folder is called so too."""
    if isinstance(weights, str) and any(is_named(card, weights) for card in cards().values()):
        return weights
    return weights_file(weights) if at_home(weights).is_dir() else weights


def check_recipe(recipe: str | Recipe | None, settings: Mapping[str, Any]) -> Recipe:
    """The recipe with its settings, as far as it is known; refuses as `check_network` does."""
    if isinstance(recipe, str):
        recipe = get_recipe(recipe)
    if not isinstance(recipe, Recipe | None):
        raise UsageError(f"recipe is a {type(recipe).__name__}; give a Recipe or the name of one.")
    wanted = (recipe or Recipe()).override(settings)
    if wanted.network:
        get_card(wanted.network)
    return wanted


def check_network(
    model: str,
    weights: str | Path | None,
    options: Mapping[str, Any],
    size: int | None,
    freeze: str | None,
    recipe: Recipe,
    copied: tuple[str, ...] = (),
) -> None:
    """Refuse what can be seen to be wrong of a network by its name alone, and of a recipe with it.

    `copied` are the layers that it will have from a shallower one.

    Raises:
        UsageError: an unknown name or an impossible value.
        StriateError: weights that are not there.
    """
    card = get_card(model)
    with torch.device("meta"):  # no weight is made
        network = create_model(model, input_size=size, **options)
        network.copied = copied
        check_parts(network, freeze, recipe)
        if weights and not is_named(card, weights) and (not _is_file(weights) or belongs_elsewhere(card, weights)):
            create_model(model, weights=weights)  # says what is wrong with them


def check_foreign(
    model: str | Handed, options: Mapping[str, Any], size: int | None, freeze: str | None, recipe: Recipe
) -> None:
    """Refuse a network that cannot be made, and what is asked of parts that it does not have.

    Its parts are found by running it once on images of zeros, of the size that it is likely to see; what it cannot
    work on is left to the images that it does see.

    Raises:
        UsageError: an unknown name or an impossible value.
        StriateError: its code fails.
    """
    outline = outline_of(model, options)
    if not freeze and recipe.stage_decay == 1 and not recipe.unfreeze:
        return
    side = size or outline.input_size or USUAL
    known = {"num_classes": 2, "in_channels": outline.in_channels or 3, "input_size": [side, side]}
    with torch.random.fork_rng(devices=()), suppress(InputError):
        network = adapt(model, {**known, **options})
        check_parts(network, freeze, recipe)
        network.unfreeze()  # a module that was handed over is to be as it was


def check_transfer(transfer: str | None, weights: str | Path | None, grow_from: str | Path | None) -> None:
    """Refuse a regime that there is not.

    Raises:
        UsageError: an unknown name, or weights or a network to grow from where none are wanted.
    """
    if transfer is None:
        return
    if transfer not in (*REGIMES, SCRATCH):
        raise unknown("transfer", str(transfer), (*REGIMES, SCRATCH))
    if grow_from is not None:
        raise UsageError("a network that grows has no features of its own yet: give grow_from or transfer, not both.")
    if transfer == SCRATCH and weights is not None:
        raise UsageError("transfer is scratch, which starts from random weights; leave the weights out.")


def check_shallow(shallow: str | None, views: int | None, transfer: str | None) -> None:
    """Refuse a classifier of features that there is not, or one where there are no features.

    Raises:
        UsageError: an unknown name, or training from scratch.
    """
    if shallow is not None and shallow not in KINDS:
        raise unknown("shallow classifier", str(shallow), KINDS)
    if transfer == SCRATCH and (shallow or views):
        raise UsageError("views and shallow are for a classifier of pretrained features, and transfer is scratch.")


def check_hardware(device: str, precision: str) -> None:
    """Refuse a device or a precision.

    Raises:
        UsageError: an unknown name.
        StriateError: a device that is not there.
    """
    choose_precision(precision, device_type(device), 0, 1)


def check_cache(cache: str) -> None:
    """Refuse a place for decoded pictures that there is not.

    Raises:
        UsageError: it is none of "auto", "ram", "disk" and "off".
    """
    if cache not in WAYS:
        raise unknown("cache", str(cache), WAYS)
