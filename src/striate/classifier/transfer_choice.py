"""What a run starts from where nobody said: pretrained weights that can be had, and a regime that suits the images."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from striate.classifier.choices import typical_side_of
from striate.classifier.looking import MOST_NETWORKS, TAKE, suited
from striate.classifier.network_choice import USUAL_NETWORK, by_accuracy, is_imagenets
from striate.classifier.request import Request
from striate.classifier.values import DECIDED
from striate.data import Dataset
from striate.data.preprocessing import SMALL
from striate.data.targets import SINGLE_LABEL
from striate.errors import StriateError, UsageError
from striate.files import at_home
from striate.models import get_card
from striate.models.at_hand import AtHand, weights_at_hand
from striate.models.references import reference_to
from striate.training.watch import Watch
from striate.transfer.regimes import AUTO, FULL, SCRATCH
from striate.weights.files import classes_in, has_metadata
from striate.weights.store import locate

#: Settings that a classifier of features goes by, too.
OF_FEATURES = ("augment", "balance")


class Choice(NamedTuple):
    """What was decided.

    Attributes:
        asked: the request, with model and weights filled in.
        regime: one of `REGIMES`; empty where the recipe alone says how to train.
        notes: why, a line each.
    """

    asked: Request
    regime: str
    notes: tuple[str, ...] = ()


def choose_transfer(asked: Request, dataset: Dataset, watch: Watch | None = None) -> Choice:
    """Fill in network, weights and regime.

    Args:
        asked: the request.
        dataset: its images.
        watch: shows what takes a while, and how much of that there may be.

    Raises:
        StriateError: a regime was asked for, and no weights can be had.
        UsageError: a classifier of features was asked for where there are none, or one that is not for these labels.
    """
    chosen = _chosen(asked, dataset, watch or Watch())
    if not chosen.regime and (asked.views or asked.shallow):
        why = "".join(f" ({note})" for note in chosen.notes)
        raise UsageError(f"views and shallow are for a classifier of pretrained features, and this run has none{why}.")
    if asked.shallow and dataset.task != SINGLE_LABEL:
        raise UsageError(f"shallow is {asked.shallow}, which is for one class an image, and these have other labels.")
    return chosen


def _chosen(asked: Request, dataset: Dataset, watch: Watch) -> Choice:
    wish = asked.transfer
    told: tuple[str, ...] = ()
    if wish == SCRATCH or (wish is None and (_is_custom(asked) or _goes_on(asked, dataset))):
        return Choice(asked, "")
    if asked.weights is None:
        if wish is None and not _is_photographic(dataset):
            return Choice(asked, "")
        named, told = _with_network(asked, dataset, watch) if asked.model is None else (asked, ())
        try:
            asked = _with_weights(named) if named.weights is None else named
        except StriateError as error:
            if wish is not None:
                raise
            return Choice(asked, "", (f"no pretrained weights, so it starts from random ones: {error}",))
        if asked.weights is None:
            if wish is None:
                return Choice(asked, "")
            told += ("transfer builds on the weights that the network is made with; --weights FILE gives it others",)
    regime, why = (wish, ()) if wish is not None else _by_settings(asked)
    return Choice(asked, regime, told + why)


def _is_custom(asked: Request) -> bool:
    """Whether the weights to begin with, or how to train, were said otherwise, so that nothing is done beside it."""
    said = asked.recipe or asked.freeze or asked.grow_from or "init" in asked.settings
    return bool(said or not (asked.model is None or asked.weights is not None or _is_catalogue(asked)))


def _goes_on(asked: Request, dataset: Dataset) -> bool:
    """Whether settings say how to train on a classifier of these very classes, whose head a new one would undo."""
    if not asked.settings or asked.weights is None:
        return False
    file = at_home(asked.weights)
    return file.is_file() and has_metadata(file) and classes_in(file) == tuple(dataset.classes)


def _by_settings(asked: Request) -> tuple[str, tuple[str, ...]]:
    """The regime where none was said, and why: who sets epochs wants them; other settings hold where there are any."""
    if "epochs" in asked.settings:
        return FULL.name, ("transfer full, since epochs are set; --transfer scratch begins at random weights",)
    names = ", ".join(name for name in asked.settings if name not in OF_FEATURES and not name.startswith("augment."))
    why = f"for training by steps, should there be any: {names}; --transfer full trains in any case"
    return AUTO, (why,) if names else ()


def _is_catalogue(asked: Request) -> bool:
    return isinstance(asked.model, str) and reference_to(asked.model) is None


def _is_photographic(dataset: Dataset) -> bool:
    """Whether the images are like those that weights were trained on: large, and grey or in colour."""
    side = typical_side_of(dataset)
    return side is not None and side > SMALL and dataset.channels in (1, 3)


def _with_network(asked: Request, dataset: Dataset, watch: Watch) -> tuple[Request, tuple[str, ...]]:
    """The request with a network, and with its weights where they are on this machine; and why this one."""
    usable = by_accuracy(len(dataset.train))
    first = next(usable, None)
    if first is None:
        return replace(asked, model=USUAL_NETWORK), ()
    others = islice(usable, MOST_NETWORKS - 1) if not 0 < watch.time_limit < TAKE else ()
    found, why = suited(first, others, dataset, asked.seed, watch.progress.message)
    return replace(_from(found, asked), model=found.network), why


def _from(at_hand: AtHand, asked: Request) -> Request:
    """The request with weights that are on this machine, and the options that they need but for what images decide."""
    needed = {name: value for name, value in at_hand.options.items() if name not in DECIDED}
    return replace(asked, weights=at_hand.path, options={**needed, **asked.options})


def _with_weights(asked: Request) -> Request:
    """The request with weights that can be had: those on this machine first, else those of the card are fetched.

    A network of one's own may be made with its weights in it, so that none are added.

    Raises:
        StriateError: they cannot be fetched.
        UsageError: the network that was asked for has none, and a regime was asked for.
    """
    if not _is_catalogue(asked):
        reference = reference_to(asked.model) if isinstance(asked.model, str) else None
        if reference is not None and not reference.is_named_code:
            raise UsageError(
                f"{asked.model} would begin at random weights, which have nothing to transfer; give a file of weights "
                "with --weights, or leave transfer out."
            )
        return asked
    assert isinstance(asked.model, str)
    card = get_card(asked.model)
    for at_hand in weights_at_hand():
        if at_hand.network == card.name and is_imagenets(at_hand):
            return _from(at_hand, asked)
    if not card.weights:
        if asked.transfer is not None:
            raise UsageError(f"{card.name} has no pretrained weights; give some with --weights, or another --model.")
        return asked
    locate(card.weights[0])
    return replace(asked, weights=card.weights[0].name)
