"""What users hold: a trained classifier, and the functions that make or load one."""

from striate.classifier.classifier import Classifier, load
from striate.classifier.prediction import Prediction
from striate.classifier.runs import resume, train

__all__ = ["Classifier", "Prediction", "load", "resume", "train"]
