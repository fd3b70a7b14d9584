"""CIFAR ResNets: the source of the published weights, with or without its data-parallel prefix."""

from __future__ import annotations

from striate.weights.keys import KeyTable
from striate.weights.tables.resnet import renames

TABLES = {"source": KeyTable(renames(r"(?:module\.)?"))}
