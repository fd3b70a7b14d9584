"""What is said of how a transfer began: to whoever watches, and in the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.models import Network
from striate.training.measured import Measured
from striate.training.progress import score
from striate.transfer.decision import Decision
from striate.transfer.features import Extractor
from striate.transfer.shallow import COSINE, Shallow
from striate.units import clock, percent, plural, whole

if TYPE_CHECKING:
    from striate.classifier.advice import Advice


def features_taken(
    network: Network,
    extractor: Extractor,
    images: int,
    views: int,
    shallow: Shallow,
    asked: str,
    evaluation: Measured | None,
    seconds: float,
) -> list[str]:
    """The features that were taken and the classifier that was fitted to them, a line; and what else is to be known.

    Args:
        network: whose features they are.
        extractor: what took them.
        images: how many features there are, those of copies among them.
        views: augmented copies of each training image.
        shallow: the classifier.
        asked: its kind, where one was asked for.
        evaluation: what it says of the validation images.
        seconds: that all of it took.
    """
    known = images - extractor.reckoned
    how = f"; {whole(known)} were known" if known else ""
    copies = f" (with {plural(views, 'augmented copy', 'augmented copies')} of each to train on)" if views else ""
    if extractor.chosen is not None and extractor.chosen.words:
        how += f"; engine {extractor.chosen.words}"
    line = (
        f"features of {plural(images, 'image')}{copies} by {network.spec.name}{how}; a linear classifier of them "
        f"({_kind(shallow, bool(asked))}) in {clock(seconds)}"
    )
    if evaluation is not None:
        line += f": {score(evaluation.figures())} on the validation images"
    notes = [] if extractor.chosen is None else [*extractor.chosen.notes]
    if extractor.unkept:
        notes.append(f"the features are not kept, so that the next run takes them anew ({extractor.unkept})")
    return [line, *notes]


def choice(decision: Decision, advice: Advice | None) -> str:
    """What was chosen, and what else there was to choose."""
    line = f"transfer auto: {decision.regime}, for {decision.why}"
    if advice is None:
        return line
    plans = ", ".join(f"{plan.regime} {percent(plan.accuracy, 1)} in {clock(plan.seconds)}" for plan in advice.plans)
    return f"{line}; forecast: {plans}"


def _kind(shallow: Shallow, asked: bool) -> str:
    if shallow.loss == COSINE:
        return "the nearest class mean by angle" + ("" if asked else ", as a class has few images")
    return f"{shallow.loss}, strength {shallow.strength:.2g} by cross-validation"
