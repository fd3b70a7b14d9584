"""Networks: one family per file, the catalogue with its cards, and the one class that runs them all."""

from striate.models.card import Card, Family, ModelSpec, Paper
from striate.models.catalogue import get_card, list_models
from striate.models.comparison import compare
from striate.models.convnet import ConvNet, InputError
from striate.models.create import create_model
from striate.models.fpn import FeaturePyramid
from striate.models.fully_convolutional import to_fully_convolutional
from striate.models.imagenet import (
    ImageNetClass,
    find_imagenet_class,
    imagenet_classes,
    imagenet_ids,
    imagenet_names,
)

__all__ = [
    "Card",
    "ConvNet",
    "Family",
    "FeaturePyramid",
    "ImageNetClass",
    "InputError",
    "ModelSpec",
    "Paper",
    "compare",
    "create_model",
    "find_imagenet_class",
    "get_card",
    "imagenet_classes",
    "imagenet_ids",
    "imagenet_names",
    "list_models",
    "to_fully_convolutional",
]
