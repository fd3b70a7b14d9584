"""How a transfer begins: a classifier of the frozen network's features, put into its head."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from striate.classifier.beginning_words import choice, features_taken
from striate.classifier.costs import costs_of
from striate.classifier.run_config import RunConfig
from striate.classifier.taking import Taking
from striate.data import Dataset, Split
from striate.data.targets import SINGLE_LABEL
from striate.engines import evaluating
from striate.errors import UsageError
from striate.models import Network
from striate.training.balance import NONE, SAMPLER
from striate.training.measured import Measured
from striate.training.progress import Quiet
from striate.training.selection import BEGINNING, figures_of
from striate.training.tables import metrics_row
from striate.training.tasks import Task, task_of
from striate.transfer.copies import VIEWS, cheap_views
from striate.transfer.decision import Decision
from striate.transfer.features import Extractor, Features
from striate.transfer.fitted import fit_once
from striate.transfer.head import UnfitHead, check_head, has_bias, put_in_head
from striate.transfer.regimes import AUTO, FEATURES
from striate.transfer.shallow import COSINE, Shallow, by_means
from striate.weights.loading import AUXILIARY

if TYPE_CHECKING:
    from striate.classifier.advice import Advice

#: Of fewer images of some class their mean says more than a boundary.
FEW = 5
#: Pictures that go through the network itself once more, to see that what was kept of them is what it gives.
COMPARED = 8


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What a classifier of features comes to.

    Attributes:
        shallow: the classifier.
        evaluation: what it says of the validation images; None where there are none.
        measured: of the images that a run is measured on at its end: test, else validation, else training images.
        views: augmented copies of each training image that the classifier was fitted to as well.
        lines: what was done, for whoever watches and for the report.
        task: what is learnt, with what was fitted to the validation images.
        decision: how much of the network to train, where that was to be decided.
        advice: the evidence for it, where there are probes.
    """

    shallow: Shallow
    evaluation: Measured | None
    measured: Measured
    views: int
    lines: tuple[str, ...]
    task: Task
    decision: Decision | None
    advice: Advice | None

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
    _check_fit(network, task)
    decision, advice = None, None
    with evaluating(network):
        taking = Taking(Extractor(network, config.preprocessing), config.recipe.augment, progress, until)
        taken = {"train": taking.train(dataset.train)}
        taken |= {split.name: taking.take(split) for split in dataset.splits if len(split) and split.name not in taken}
        taking.augmented(dataset.train, _views(network, config, dataset), config.views is not None)
        shallow = _fitted(network, task, config, taking, dataset.train)
        if config.transfer == AUTO:
            from striate.classifier.deciding import decided

            spent = time.perf_counter() - began
            left = until - time.monotonic()
            decision, advice = decided(network, config, dataset, taken["train"], shallow, spent, left)
        if (config.transfer if decision is None else decision.regime) != FEATURES.name and config.views is None:
            taking.augmented(dataset.train, VIEWS, asked_for=False)
            shallow = _fitted(network, task, config, taking, dataset.train)
        _put_in(network, config, dataset.train, shallow, taken["train"])
    final = dataset.test or dataset.val or dataset.train
    views, evaluation = len(taking.copies) - 1, None
    if dataset.val is not None:
        task = task.fitted(_measured(task, shallow, taken["val"], dataset.val))
        evaluation = _measured(task, shallow, taken["val"], dataset.val)
    images = sum(map(len, dataset.splits)) + views * len(dataset.train)
    seconds = time.perf_counter() - began
    lines = features_taken(network, taking.extractor, images, views, shallow, config.shallow, evaluation, seconds)
    if decision is not None:
        lines.append(choice(decision, advice))
    return Beginning(
        shallow=shallow,
        evaluation=evaluation,
        measured=_measured(task, shallow, taken[final.name], final),
        views=views,
        lines=tuple(lines),
        task=task,
        decision=decision,
        advice=advice,
    )


def _check_fit(network: Network, task: Task) -> None:
    """Raise where no dense layer makes the outputs, or those before it have random weights: they tell little."""
    if network.num_classes != len(task.classes):
        raise UnfitHead(
            f"{network.spec.name} has {network.num_classes} outputs for {len(task.classes)} names "
            "(--transfer head trains it)"
        )
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


def _views(network: Network, config: RunConfig, dataset: Dataset) -> int:
    """Augmented copies before it is known whether a run trains by steps."""
    if config.views is not None:
        return config.views
    return cheap_views(costs_of(network, config.preprocessing).multiply_adds, len(dataset.train))


def _fitted(network: Network, task: Task, config: RunConfig, taking: Taking, split: Split) -> Shallow:
    """The classifier that was asked for, else that which suits the task and so many images; of all their copies."""
    vectors, outputs, copies = taking.vectors, len(task.classes), len(taking.copies)
    labels = np.concatenate([task.learnt(split.labels)] * copies)
    few = task.kind == SINGLE_LABEL and split.counts(outputs).min() < FEW
    kind = config.shallow or (COSINE if few else task.shallow)
    if kind == COSINE:
        return by_means(vectors, labels, outputs, copies)  # to which all classes count alike
    weights = _weights(task, config, split)
    if weights is not None:
        weights = np.concatenate([weights] * copies)
    return fit_once(
        vectors, labels, outputs, kind, seed=config.seed, bias=has_bias(network), copies=copies, weights=weights
    )


def _weights(task: Task, config: RunConfig, split: Split) -> NDArray[np.float32] | None:
    """What each image counts, (N, 1) or by output (N, K), or as often as it would come; None where all count alike."""
    if config.recipe.balance == NONE:
        return None
    sampled = config.recipe.balance == SAMPLER
    found = task.times(split.labels)[:, None] if sampled else task.weights(split.labels)
    return found.astype(np.float32)


def _put_in(network: Network, config: RunConfig, split: Split, shallow: Shallow, features: Features) -> None:
    """Make the classifier the network's last layer, which stays as it was where that gives other outputs."""
    before = {name: tensor.clone() for name, tensor in network.last_layer.state_dict().items()}
    try:
        put_in_head(network, shallow)
        _compare(network, config, split, shallow(features.of()))
    except UnfitHead:
        network.last_layer.load_state_dict(before)
        raise


@torch.inference_mode()
def _compare(network: Network, config: RunConfig, split: Split, expected: NDArray[np.float32]) -> None:
    """Raise where the network does not give of some pictures what its classifier gives of their features."""
    look, rows = config.preprocessing, np.linspace(0, len(split) - 1, min(COMPARED, len(split))).astype(int)
    pictures = np.stack([look(split.images.read(int(row), look.serving)) for row in rows])
    weight = next(network.parameters())
    batch = look.normalise(torch.from_numpy(pictures).permute(0, 3, 1, 2).to(weight.device)).to(weight.dtype)
    check_head(network.spec.name, network(batch).float().cpu().numpy(), expected[rows])


def _measured(task: Task, shallow: Shallow, features: Features, split: Split) -> Measured:
    logits = torch.from_numpy(shallow(features.of()))
    return task.measure(task.logits(logits)[:, None], split)
