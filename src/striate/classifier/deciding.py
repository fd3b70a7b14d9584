"""What `auto` decides once the features are taken, and the evidence that it goes by."""

from __future__ import annotations

import math

import numpy as np

from striate.classifier.advice import Advice
from striate.classifier.run_config import RunConfig
from striate.classifier.transfer_choice import accuracy_of
from striate.data import Dataset
from striate.data.targets import SINGLE_LABEL
from striate.engines import evaluating
from striate.models import Network
from striate.training.intervals import wilson_interval
from striate.transfer.decision import Decision, decide
from striate.transfer.evidence import Evidence, distance_of, looked_at, probes_of
from striate.transfer.features import Features
from striate.transfer.probing import Forecast
from striate.transfer.shallow import Shallow


def decided(
    network: Network, config: RunConfig, dataset: Dataset, features: Features, shallow: Shallow, seconds: float
) -> tuple[Decision, Advice | None]:
    """How much of a network to train, and why; of other labels than one class an image there are no probes.

    Args:
        network: with pretrained weights.
        config: of the run.
        dataset: its images.
        features: of those for training.
        shallow: the classifier that was fitted to them.
        seconds: that both took.
    """
    with evaluating(network):
        far = distance_of(network, config.preprocessing, dataset.train)
    if dataset.task != SINGLE_LABEL:
        return decide(len(dataset.train), 1, far), None
    known = np.isfinite(shallow.expected[:, 0])[: len(dataset.train)]
    labels = dataset.train.labels[known]
    right = shallow.expected[: len(dataset.train)][known].argmax(1) == labels
    decision = decide(len(dataset.train), len(dataset.classes), far, float(right.mean()) if len(right) else math.nan)
    rows = looked_at(dataset.train, config.seed)
    if rows is None or not len(right):
        return decision, None
    evidence = Evidence(
        network=network.spec.name,
        imagenet=math.nan if network.spec.origin else accuracy_of(network.spec.name),
        probes=probes_of(features.of_rows(rows), dataset.train.labels[rows]),
        forecast=Forecast(float(right.mean()), wilson_interval(int(right.sum()), len(right)), len(dataset.train)),
        distance=far,
        images=len(rows),
        seconds=seconds,
    )
    return decision, Advice.on(dataset, [evidence], network, config.preprocessing, decision, config.weights or "")
