"""striate: train, explain and deploy image classifiers, and see what a convolutional network is made of.

The public names are loaded when first used, so that `import striate` stays cheap.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from striate.version import __version__ as __version__

if TYPE_CHECKING:
    from striate.allocator import keep_memory as keep_memory
    from striate.analysis import effective_receptive_field as effective_receptive_field
    from striate.analysis import summary as summary
    from striate.classifier import Classifier as Classifier
    from striate.classifier import load as load
    from striate.classifier import resume as resume
    from striate.classifier import train as train
    from striate.data import Dataset as Dataset
    from striate.data import open_dataset as open_dataset
    from striate.errors import StriateError as StriateError
    from striate.models import ConvNet as ConvNet
    from striate.models import compare as compare
    from striate.models import create_model as create_model
    from striate.models import get_card as get_card
    from striate.models import list_models as list_models
    from striate.models import register as register

_HOMES = {
    "keep_memory": "striate.allocator",
    "effective_receptive_field": "striate.analysis",
    "summary": "striate.analysis",
    "Classifier": "striate.classifier",
    "load": "striate.classifier",
    "resume": "striate.classifier",
    "train": "striate.classifier",
    "Dataset": "striate.data",
    "open_dataset": "striate.data",
    "StriateError": "striate.errors",
    "ConvNet": "striate.models",
    "compare": "striate.models",
    "create_model": "striate.models",
    "get_card": "striate.models",
    "list_models": "striate.models",
    "register": "striate.models",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'striate' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
