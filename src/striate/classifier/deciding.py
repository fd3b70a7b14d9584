"""What `auto` decides once the features are taken, and the evidence that it goes by."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from striate.caller import either
from striate.classifier.advice import Advice
from striate.classifier.network_choice import accuracy_of
from striate.classifier.run_config import RunConfig
from striate.data import Dataset
from striate.data.targets import SINGLE_LABEL
from striate.engines import evaluating
from striate.models import Network
from striate.training.intervals import wilson_interval
from striate.transfer.decision import Decision, decide
from striate.transfer.evidence import Evidence, distance_of, looked_at, probes_of
from striate.transfer.features import Features
from striate.transfer.probing import Forecast
from striate.transfer.regimes import FEATURES
from striate.transfer.shallow import Shallow
from striate.units import clock, percent

#: Seconds of training that nobody is surprised with who set no limit.
LONGEST = 1200.0


def decided(
    network: Network,
    config: RunConfig,
    dataset: Dataset,
    features: Features,
    shallow: Shallow,
    seconds: float,
    limit: float = math.inf,
) -> tuple[Decision, Advice | None]:
    """How much of a network to train, and why; of other labels than one class an image there are no probes.

    Args:
        network: with pretrained weights.
        config: of the run.
        dataset: its images.
        features: of those for training.
        shallow: the classifier that was fitted to them.
        seconds: that both took.
        limit: seconds that are left; where there is no limit training is one of 20 minutes at most.
    """
    with evaluating(network):
        far, side = distance_of(network, config.preprocessing, dataset.train), min(config.preprocessing.size)
    if dataset.task != SINGLE_LABEL:
        return decide(len(dataset.train), 1, far, side), None
    known = np.isfinite(shallow.expected[:, 0])[: len(dataset.train)]
    labels = dataset.train.labels[known]
    right = shallow.expected[: len(dataset.train)][known].argmax(1) == labels
    told = float(right.mean()) if len(right) else math.nan
    decision = decide(len(dataset.train), len(dataset.classes), far, side, told)
    rows = looked_at(dataset.train, config.seed)
    if rows is None or not len(right):
        return decision, None
    evidence = Evidence(
        network=network.spec.name,
        imagenet=math.nan if network.spec.origin else accuracy_of(network.spec.name),
        probes=probes_of(features.of_rows(rows), dataset.train.labels[rows]),
        forecast=Forecast(float(right.mean()), wilson_interval(int(right.sum()), len(right)), len(dataset.train)),
        distance=far,
        side=side,
        images=len(rows),
        seconds=seconds,
    )
    look, weights = config.preprocessing, config.weights or ""
    advice = Advice.on(dataset, [evidence], network, look, decision, weights, config.precision)
    return _in_time(advice, limit if math.isfinite(limit) else LONGEST)


def _in_time(advice: Advice, limit: float) -> tuple[Decision, Advice]:
    """The decision, but for training that would take too long; advice says what it would come to."""
    regime, why = advice.decision
    (plan,) = (plan for plan in advice.plans if plan.regime == regime)
    if regime == FEATURES.name or plan.seconds <= limit:
        return advice.decision, advice
    gain, takes = percent(plan.accuracy, 1), clock(plan.seconds)
    longer = f"{why}; {either(f'--transfer {regime}', f'transfer={regime!r}')} would come to {gain}, in {takes}"
    decision = Decision(FEATURES.name, longer)
    return decision, replace(advice, decision=decision)
