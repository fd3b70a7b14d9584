"""Engines: a network in evaluation mode, from pictures to logits, whatever runs it."""

from striate.engines.batching import images_at_once
from striate.engines.choosing import AUTO, Chosen, Lazy, check_engine, choose
from striate.engines.eager import Eager, evaluating
from striate.engines.engines import ENGINES, EngineError, make_engine
from striate.engines.frozen import Frozen
from striate.engines.predictor import Predictor
from striate.engines.state import state_of

__all__ = [
    "AUTO",
    "ENGINES",
    "Chosen",
    "Eager",
    "EngineError",
    "Frozen",
    "Lazy",
    "Predictor",
    "check_engine",
    "choose",
    "evaluating",
    "images_at_once",
    "make_engine",
    "state_of",
]
