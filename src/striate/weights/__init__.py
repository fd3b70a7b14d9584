"""Weights of others: checked records of where they are, tables of key renames, and loading that is loud."""

from striate.weights.figure import CIFAR10, IMAGENET, ONE_CROP, THE_PAPER, Figure, costs, count, errors
from striate.weights.files import describe, read_state, read_tensors
from striate.weights.keys import KeyTable, key_tables, recognise, rename
from striate.weights.loading import adapt_channels, load_state
from striate.weights.published import source_called, weights_for_cifar, weights_of
from striate.weights.source import WeightSource
from striate.weights.sources import sources_of
from striate.weights.store import locate

__all__ = [
    "CIFAR10",
    "IMAGENET",
    "ONE_CROP",
    "THE_PAPER",
    "Figure",
    "KeyTable",
    "WeightSource",
    "adapt_channels",
    "costs",
    "count",
    "describe",
    "errors",
    "key_tables",
    "load_state",
    "locate",
    "read_state",
    "read_tensors",
    "recognise",
    "rename",
    "source_called",
    "sources_of",
    "weights_for_cifar",
    "weights_of",
]
