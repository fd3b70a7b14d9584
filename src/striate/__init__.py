"""striate: train, explain and deploy image classifiers, and see what a convolutional network is made of.

The public names are loaded when first used, so that `import striate` stays cheap. What else their signatures name, for
annotations, is in `striate.types`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from striate.version import __version__ as __version__

if TYPE_CHECKING:
    from striate.allocator import keep_memory as keep_memory
    from striate.analysis import Summary as Summary
    from striate.analysis import effective_receptive_field as effective_receptive_field
    from striate.analysis import summary as summary
    from striate.analysis.gradients import gradient_norms
    from striate.augment import Augment as Augment
    from striate.classifier import Classifier as Classifier
    from striate.classifier import Prediction as Prediction
    from striate.classifier import Predictions as Predictions
    from striate.classifier import Stream as Stream
    from striate.classifier import load as load
    from striate.classifier import resume as resume
    from striate.classifier import train as train
    from striate.classifier.advising import advise as advise
    from striate.classifier.checking import check as check
    from striate.data import Dataset as Dataset
    from striate.data import Preprocessing as Preprocessing
    from striate.data import Split as Split
    from striate.data import open_dataset as open_dataset
    from striate.errors import StriateError as StriateError
    from striate.errors import UsageError as UsageError
    from striate.experiments import experiment as experiment
    from striate.models import Card as Card
    from striate.models import ConvNet as ConvNet
    from striate.models import Family as Family
    from striate.models import ModelSpec as ModelSpec
    from striate.models import Network as Network
    from striate.models import compare as compare
    from striate.models import create_model as create_model
    from striate.models import get_card as get_card
    from striate.models import list_models as list_models
    from striate.models import register as register
    from striate.models.by_numbers import by_numbers
    from striate.models.recommendation import recommend as recommend
    from striate.models.scaling import scale as scale
    from striate.training import Evaluation as Evaluation
    from striate.training import Recipe as Recipe
    from striate.training import get_recipe as get_recipe

    gradients, layer = gradient_norms, by_numbers

#: Where each public name lives.
_HOMES = {
    "Summary": "striate.analysis",
    "keep_memory": "striate.allocator",
    "effective_receptive_field": "striate.analysis",
    "summary": "striate.analysis",
    "gradients": "striate.analysis.gradients",
    "Augment": "striate.augment",
    "Classifier": "striate.classifier",
    "Prediction": "striate.classifier",
    "Predictions": "striate.classifier",
    "Stream": "striate.classifier",
    "load": "striate.classifier",
    "resume": "striate.classifier",
    "train": "striate.classifier",
    "advise": "striate.classifier.advising",
    "check": "striate.classifier.checking",
    "Dataset": "striate.data",
    "Preprocessing": "striate.data",
    "Split": "striate.data",
    "open_dataset": "striate.data",
    "StriateError": "striate.errors",
    "UsageError": "striate.errors",
    "experiment": "striate.experiments",
    "Card": "striate.models",
    "ConvNet": "striate.models",
    "Family": "striate.models",
    "ModelSpec": "striate.models",
    "Network": "striate.models",
    "compare": "striate.models",
    "create_model": "striate.models",
    "get_card": "striate.models",
    "list_models": "striate.models",
    "register": "striate.models",
    "layer": "striate.models.by_numbers",
    "recommend": "striate.models.recommendation",
    "scale": "striate.models.scaling",
    "Evaluation": "striate.training",
    "Recipe": "striate.training",
    "get_recipe": "striate.training",
}
#: What is called otherwise at home.
_CALLED = {"gradients": "gradient_norms", "layer": "by_numbers"}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'striate' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), _CALLED.get(name, name))
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
