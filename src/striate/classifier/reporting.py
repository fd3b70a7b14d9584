"""Fill in the report of a run: evaluate, measure, pick pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from striate.analysis.latency import measure_latency
from striate.classifier import run_facts
from striate.classifier.classifier import Classifier
from striate.classifier.costs import costs_of
from striate.classifier.preparing import colour_axes
from striate.classifier.run_config import RunConfig
from striate.data import Dataset, KeptImages, Preprocessing
from striate.data.duplicates import contradictions, cross_split_duplicates, same_pictures
from striate.data.targets import OUTPUTS, SINGLE_LABEL, spelt
from striate.models import Network, get_card
from striate.models.origin import about
from striate.report import Mistake, ReportContent, write_report
from striate.training.batches import Batches
from striate.training.label_metrics import MultiLabelEvaluation
from striate.training.measured import Measured
from striate.training.recipes import Recipe
from striate.training.run_folder import RunFolder
from striate.training.selection import beginning_line
from striate.training.state import Position
from striate.transfer.regimes import FEATURES
from striate.units import plural

WORST = 24
#: Labels whose own mistakes are shown, and how many of each.
LABELS, WORST_OF_LABEL = 12, 4
#: Seconds that measuring the network's speed may take; and where the whole run took hardly longer.
LATENCY, QUICK_LATENCY = 1.5, 0.3
SAMPLES, VERSIONS = 6, 6


def report_run(run: RunFolder, config: RunConfig, dataset: Dataset, classifier: Classifier, position: Position) -> None:
    """Write report.html from what `classifier.evaluation` measured."""
    evaluation = classifier.evaluation
    assert evaluation is not None
    recipe, by_steps = config.recipe, config.transfer != FEATURES.name
    trained = run_facts.as_trained(classifier.model, config.freeze, config.grown.get("copied", ()))
    frozen = run_facts.frozen(trained)
    unfrozen = run_facts.unfrozen(trained, recipe, position)
    write_report(
        run.report,
        ReportContent(
            title=run.path.name,
            created=config.created,
            network=config.network.name,
            card=_about(config),
            start=run_facts.start(config),
            frozen=frozen,
            unfrozen=unfrozen,
            source=config.source,
            command=config.command,
            extensions=run_facts.extensions(run.path, position.extensions),
            kept=beginning_line(position) if by_steps else "",
            stopped_by=position.stopped_by,
            versions=config.versions,
            advice=run.read_advice(),
            recipe=_recipe(config),
            history=position.history if by_steps else [],
            timing=position.timing,
            differences=run_facts.loss_differences(recipe, trained, classifier.task) if by_steps else [],
            evaluation=evaluation,
            split=evaluation.split,
            **_sizes(dataset),
            worst=_mistakes(dataset, evaluation, config.preprocessing),
            worst_of_labels=_label_mistakes(dataset, evaluation, config.preprocessing),
            augmented=_augmented(recipe, dataset, classifier) if by_steps else [],
            cost=_cost(run, classifier, trained, LATENCY if by_steps else QUICK_LATENCY),
            skipped=dataset.skipped,
            notes=[*dataset.notes, *config.notes, *position.notes],
            duplicates=cross_split_duplicates(dataset),
            contradictions=[
                [(place.name, spelt(place.label, dataset.classes)) for place in places]
                for places in contradictions(same_pictures(dataset))
            ],
        ),
    )


def _recipe(config: RunConfig) -> dict[str, Any]:
    """How it was trained, in plain values; a classifier of features alone has no recipe."""
    recipe = {} if config.transfer == FEATURES.name else config.recipe.to_dict()
    return config.way_of_transfer | recipe | {"seed": config.seed, "precision": config.precision}


def _sizes(dataset: Dataset) -> dict[str, Any]:
    """Images of each split: by class, or all together where an image has several labels, or values."""
    names = dataset.classes
    if dataset.task != SINGLE_LABEL:
        outputs = plural(len(names), OUTPUTS[dataset.task][:-1])
        return {"sizes": {each.name: len(each) for each in dataset.splits}, "outputs": outputs}
    counts = {each.name: each.counts(len(names)).tolist() for each in dataset.splits}
    return {"split_sizes": {split: dict(zip(names, found, strict=True)) for split, found in counts.items()}}


def _about(config: RunConfig) -> str:
    """A line on the network."""
    if config.network.origin:
        return about(config.network.origin)
    card = get_card(config.network.name)
    return f"{card.introduces} {card.paper}"


def _mistakes(dataset: Dataset, evaluation: Measured, look: Preprocessing) -> list[Mistake]:
    """The images that it is most wrong about, as the network sees them."""
    images = getattr(dataset, evaluation.split).images
    mistakes = []
    for index in evaluation.worst(WORST).tolist():
        told = evaluation.mistake(index)
        mistakes.append(Mistake(look(images.read(index, look.serving)), images.name(index), *told))
    return mistakes


def _label_mistakes(dataset: Dataset, evaluation: Measured, look: Preprocessing) -> list[tuple[str, list[Mistake]]]:
    """Of several labels the surest mistakes of each, the label of the lowest F1 first."""
    if not isinstance(evaluation, MultiLabelEvaluation):
        return []
    images, scores = getattr(dataset, evaluation.split).images, evaluation.per_class()
    found: list[tuple[str, list[Mistake]]] = []
    for place in sorted(range(len(scores)), key=lambda place: scores[place].f1):
        rows = evaluation.worst_of(place, WORST_OF_LABEL).tolist()
        mistakes = []
        for row in rows if len(found) < LABELS else ():
            has, chance = bool(evaluation.labels[row, place]), float(evaluation.probabilities[row, place])
            told = ("has it", "not said") if has else ("has it not", "said")
            mistakes.append(Mistake(look(images.read(row, look.serving)), images.name(row), *told, chance))
        if rows:
            found.append((evaluation.classes[place], mistakes))
    return found


def _augmented(recipe: Recipe, dataset: Dataset, classifier: Classifier) -> list[tuple[np.ndarray, list[np.ndarray]]]:
    """A few training images, each with versions of it as the network sees them."""
    look, axes = classifier.description.preprocessing, colour_axes(recipe.augment, dataset)
    rows = []
    for index in np.linspace(0, len(dataset.train) - 1, SAMPLES).astype(int):
        picture, alike = dataset.train.images.read(int(index)), dataset.train.subset(np.full(VERSIONS, index))
        one = replace(alike, images=KeptImages([picture] * VERSIONS, alike.images))  # decoded once
        batches = Batches(one, look, VERSIONS, recipe.augment, int(index), classes=len(dataset.classes), axes=axes)
        versions = next(batches.epoch(0)).images.permute(0, 2, 3, 1).numpy()
        rows.append((look(picture), list(versions)))
    return rows


def _cost(run: RunFolder, classifier: Classifier, trained: Network, seconds: float) -> dict[str, Any]:
    shape = (classifier.model.in_channels, *classifier.description.preprocessing.size)
    costs = costs_of(trained, classifier.description.preprocessing)
    together = classifier.model.memory_format is torch.channels_last
    latency = measure_latency(classifier.model, shape, channels_last=together, time_limit=seconds)
    return {
        "parameters": costs.parameters,
        "trainable_parameters": costs.trainable_parameters,
        "multiply_adds": costs.multiply_adds,
        "size_bytes": run.model.stat().st_size,
        "latency_ms": latency.milliseconds,
        "latency_setup": latency.setup,
    }
