"""What users hold: a trained classifier, and the functions that make or load one."""

from typing import TYPE_CHECKING, Any

from striate.classifier.classifier import Classifier
from striate.classifier.loading import load
from striate.classifier.prediction import Prediction, Predictions, Stream

if TYPE_CHECKING:
    from striate.classifier.runs import resume, train

__all__ = ["Classifier", "Prediction", "Predictions", "Stream", "load", "resume", "train"]


def __getattr__(name: str) -> Any:
    """Training on first use: it brings Lightning Fabric, 270 MB that predicting does without."""
    if name not in ("resume", "train"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from striate.classifier import runs

    return getattr(runs, name)
