"""Networks: one family per file, the catalogue with its cards, and the one class that runs them all."""

from striate.models.card import Card, Family, ModelSpec, Paper
from striate.models.catalogue import get_card, list_models, register
from striate.models.comparison import compare
from striate.models.convnet import ConvNet
from striate.models.create import create_model
from striate.models.foreign import Foreign
from striate.models.fpn import FeaturePyramid
from striate.models.fully_convolutional import to_fully_convolutional
from striate.models.imagenet import (
    ImageNetClass,
    find_imagenet_class,
    imagenet_classes,
    imagenet_ids,
    imagenet_names,
)
from striate.models.network import COPIED, InputError, Network
from striate.models.obtain import obtain, rebuild
from striate.models.origin import Handed, Trust
from striate.models.outline import Outline, outline_of

__all__ = [
    "COPIED",
    "Card",
    "ConvNet",
    "Family",
    "FeaturePyramid",
    "Foreign",
    "Handed",
    "ImageNetClass",
    "InputError",
    "ModelSpec",
    "Network",
    "Outline",
    "Paper",
    "Trust",
    "compare",
    "create_model",
    "find_imagenet_class",
    "get_card",
    "imagenet_classes",
    "imagenet_ids",
    "imagenet_names",
    "list_models",
    "obtain",
    "outline_of",
    "rebuild",
    "register",
    "to_fully_convolutional",
]
