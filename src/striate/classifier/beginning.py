"""How a transfer begins: a classifier of the frozen network's features, put into its head."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from striate.classifier.costs import costs_of
from striate.classifier.run_config import RunConfig
from striate.data import Dataset, Split
from striate.data.targets import SINGLE_LABEL
from striate.data.views import CENTRE, View
from striate.engines import evaluating
from striate.errors import StriateError, UsageError
from striate.models import Network
from striate.training.measured import Measured
from striate.training.progress import Quiet, score
from striate.training.selection import BEGINNING, figures_of
from striate.training.tables import metrics_row
from striate.training.tasks import Task, task_of
from striate.transfer.copies import VIEWS, Copy, cheap_views
from striate.transfer.decision import Decision
from striate.transfer.features import Extractor, Features
from striate.transfer.fitted import fit_once
from striate.transfer.head import UnfitHead, check_head, has_bias, put_in_head
from striate.transfer.regimes import FEATURES
from striate.transfer.shallow import COSINE, Shallow, by_means
from striate.units import clock, percent, plural, whole
from striate.weights.loading import AUXILIARY

if TYPE_CHECKING:
    from striate.classifier.advice import Advice

#: Of fewer images of some class their mean says more than a boundary.
FEW = 5
#: Pictures that go through the network itself once more, to see that what was kept of them is what it gives.
COMPARED = 8


@dataclass(frozen=True)
class Beginning:
    """What a classifier of features comes to.

    Attributes:
        shallow: the classifier.
        evaluation: what it says of the validation images; None where there are none.
        measured: of the images that a run is measured on at its end: test, else validation, else training images.
        views: augmented copies of each training image that the classifier was fitted to as well.
        lines: what was done, for whoever watches and for the report.
        task: what is learnt.
        decision: how much of the network to train, where that was to be decided.
        advice: the evidence for it, where there are probes.
    """

    shallow: Shallow
    evaluation: Measured | None
    measured: Measured
    views: int
    lines: tuple[str, ...]
    task: Task
    decision: Decision | None = None
    advice: Advice | None = None

    @property
    def best(self) -> dict[str, float]:
        """What is kept of the weights that are saved: those before the first epoch, and their validation figures."""
        return {"epoch": BEGINNING} | ({} if self.evaluation is None else figures_of(self.evaluation))

    @property
    def row(self) -> dict[str, Any]:
        """The row of metrics.csv."""
        return metrics_row(0, 0, 0.0, {}, self.task, self.evaluation)


def goes_on(config: RunConfig, beginning: Beginning) -> bool:
    """Whether a run trains by steps once it has begun: a regime that does, and by itself where more can be gained."""
    if beginning.decision is None:
        return config.transfer != FEATURES.name
    perfect = beginning.evaluation is not None and beginning.evaluation.score == 1
    return beginning.decision.regime != FEATURES.name and not perfect


class TimeIsUp(StriateError):
    """The time limit passed before there was a classifier."""


def begin(network: Network, config: RunConfig, dataset: Dataset, progress: Quiet, until: float = math.inf) -> Beginning:
    """Take the features of all images, fit a classifier to those for training, and put it into the network's head.

    Args:
        network: with pretrained weights and a head for the classes; its head is changed.
        config: of the run.
        dataset: its images.
        progress: shows what goes on.
        until: when the time limit passes, by `time.monotonic`.

    Raises:
        TimeIsUp: it passed; features that were taken are kept.
        UnfitHead: the head is no linear classifier; it is as it was.
        StriateError: an image cannot be read.
    """
    began, task = time.perf_counter(), task_of(dataset)
    if network.num_classes != len(task.classes):
        raise UnfitHead(
            f"{network.spec.name} has {network.num_classes} outputs for {len(task.classes)} names "
            "(--transfer head trains it)"
        )
    _check_known(network)
    decision, advice = None, None
    with evaluating(network):
        extractor = Extractor(network, config.preprocessing)
        taken = {split.name: _take(extractor, split, progress, until) for split in dataset.splits if len(split)}
        copies = [taken["train"]]
        _add_copies(copies, _views(network, config, dataset), extractor, config, dataset.train, progress, until)
        shallow = _fitted(network, task, config, copies, dataset.train)
        if config.transfer == "auto":
            from striate.classifier.deciding import decided

            spent = time.perf_counter() - began
            left = until - time.monotonic()
            decision, advice = decided(network, config, dataset, taken["train"], shallow, spent, left)
        if (config.transfer if decision is None else decision.regime) != FEATURES.name and config.views is None:
            _add_copies(copies, VIEWS, extractor, config, dataset.train, progress, until)
            shallow = _fitted(network, task, config, copies, dataset.train)
        before = {name: tensor.clone() for name, tensor in network.last_layer.state_dict().items()}
        try:
            put_in_head(network, shallow)
            _compare(network, config, dataset.train, shallow(taken["train"].of()))
        except UnfitHead:
            network.last_layer.load_state_dict(before)
            raise
    final = dataset.test or dataset.val or dataset.train
    told = {split.name: split for split in (final, dataset.val) if split}
    measured = {name: _measured(task, shallow, taken[name], split) for name, split in told.items()}
    seconds = time.perf_counter() - began
    lines = _lines(network, extractor, config, dataset, len(copies) - 1, shallow, measured.get("val"), seconds)
    if decision is not None:
        lines.append(_choice(decision, advice))
    return Beginning(
        shallow, measured.get("val"), measured[final.name], len(copies) - 1, tuple(lines), task, decision, advice
    )


def _views(network: Network, config: RunConfig, dataset: Dataset) -> int:
    """Augmented copies before it is known whether a run trains by steps."""
    if config.views is not None:
        return config.views
    return cheap_views(costs_of(network, config.preprocessing).multiply_adds, len(dataset.train))


def _add_copies(
    copies: list[Features],
    views: int,
    extractor: Extractor,
    config: RunConfig,
    split: Split,
    progress: Quiet,
    until: float,
) -> None:
    """Take the features of augmented copies until there are so many, or, where none were asked for, time is up."""
    while len(copies) <= views:
        try:
            copies.append(_take(extractor, split, progress, until, Copy(len(copies), config.recipe.augment)))
        except TimeIsUp:
            if config.views is not None:
                raise
            return


def _choice(decision: Decision, advice: Advice | None) -> str:
    """What was chosen, and what else there was to choose."""
    line = f"transfer auto: {decision.regime}, for {decision.why}"
    if advice is None:
        return line
    plans = ", ".join(f"{plan.regime} {percent(plan.accuracy, 1)} in {clock(plan.seconds)}" for plan in advice.plans)
    return f"{line}; forecast: {plans}"


def _check_known(network: Network) -> None:
    """Raise where no layer makes the outputs, or those before it have random weights: their features tell little."""
    try:
        last = network.last_layer
    except UsageError as error:
        raise UnfitHead(str(error)) from error
    named = [name for name in network.fresh if not name.startswith(AUXILIARY)]
    unknown = [name for name in named if network.get_submodule(name) is not last]
    if unknown:
        raise UnfitHead(
            f"{network.spec.name}: {' and '.join(unknown)} would be random, so there are no features for a linear "
            "classifier (--transfer head trains all of the head)"
        )


def _fitted(network: Network, task: Task, config: RunConfig, copies: list[Features], split: Split) -> Shallow:
    """The classifier that was asked for, else that which suits the task and so many images; of all their copies."""
    vectors, outputs = np.concatenate([features.of() for features in copies]), len(task.classes)
    labels = np.concatenate([task.learnt(split.labels)] * len(copies))
    few = task.kind == SINGLE_LABEL and split.counts(outputs).min() < FEW
    kind = config.shallow or (COSINE if few else task.shallow)
    if kind == COSINE:
        return by_means(vectors, labels, outputs, len(copies))
    return fit_once(vectors, labels, outputs, kind, seed=config.seed, bias=has_bias(network), copies=len(copies))


def _take(extractor: Extractor, split: Split, progress: Quiet, until: float, view: View | Copy = CENTRE) -> Features:
    with progress.counting(f"taking features of{' augmented' if isinstance(view, Copy) else ''}") as shown:

        def in_time(done: int, total: int) -> None:
            shown(done, total)
            if time.monotonic() > until and done < total:
                raise TimeIsUp(
                    f"the time limit passed when {whole(done)} of {plural(total, f'{split.name} image')} had gone "
                    "through the network; their features are kept, so the same command goes on from there"
                )

        return extractor.take(split, view=view, shown=in_time)


def _measured(task: Task, shallow: Shallow, features: Features, split: Split) -> Measured:
    logits = torch.from_numpy(shallow(features.of()))
    return task.measure(task.logits(logits)[:, None], split)


@torch.inference_mode()
def _compare(network: Network, config: RunConfig, split: Split, expected: NDArray[np.float32]) -> None:
    """Raise where the network does not give of some pictures what its classifier gives of their features."""
    look, rows = config.preprocessing, np.linspace(0, len(split) - 1, min(COMPARED, len(split))).astype(int)
    pictures = np.stack([look(split.images.read(int(row), look.serving)) for row in rows])
    weight = next(network.parameters())
    batch = look.normalise(torch.from_numpy(pictures).permute(0, 3, 1, 2).to(weight.device)).to(weight.dtype)
    check_head(network.spec.name, network(batch).float().cpu().numpy(), expected[rows])


def _kind(shallow: Shallow, asked: bool) -> str:
    if shallow.loss == COSINE:
        return "the nearest class mean by angle" + ("" if asked else ", as a class has few images")
    return f"{shallow.loss}, strength {shallow.strength:.2g} by cross-validation"


def _lines(
    network: Network,
    extractor: Extractor,
    config: RunConfig,
    dataset: Dataset,
    views: int,
    shallow: Shallow,
    evaluation: Measured | None,
    seconds: float,
) -> list[str]:
    images = sum(map(len, dataset.splits)) + views * len(dataset.train)
    known = images - extractor.reckoned
    how = f"; {whole(known)} were known" if known else ""
    copies = f" (with {plural(views, 'augmented copy', 'augmented copies')} of each to train on)" if views else ""
    if extractor.chosen is not None and extractor.chosen.words:
        how += f"; engine {extractor.chosen.words}"
    line = (
        f"features of {plural(images, 'image')}{copies} by {network.spec.name}{how}; a linear classifier of them "
        f"({_kind(shallow, bool(config.shallow))}) in {clock(seconds)}"
    )
    if evaluation is not None:
        line += f": {score(evaluation.figures())} on the validation images"
    notes = [] if extractor.chosen is None else [*extractor.chosen.notes]
    if extractor.unkept:
        notes.append(f"the features are not kept, so that the next run takes them anew ({extractor.unkept})")
    return [line, *notes]
