"""Engines: a network in evaluation mode, from pictures to logits, whatever runs it."""

from striate.engines.batching import images_at_once
from striate.engines.eager import Eager, evaluating
from striate.engines.predictor import Predictor

__all__ = ["Eager", "Predictor", "evaluating", "images_at_once"]
