"""What the labels of a data set are: one class for each image, several labels, or numbers to be predicted.

A data set says its kind, and the labels of its splits are one array in the form of that kind:

    single-label  int64 (N,)       the position of each image's class among the classes
    multi-label   bool (N, K)      which of the K labels each image has; it may have none
    regression    float64 (N, T)   the T values of each image
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from striate.data.iterative import iterative_split
from striate.data.split import stratified_split
from striate.errors import unknown

SINGLE_LABEL, MULTI_LABEL, REGRESSION = "single-label", "multi-label", "regression"
KINDS = (SINGLE_LABEL, MULTI_LABEL, REGRESSION)
#: What the outputs of a network are called.
OUTPUTS = {SINGLE_LABEL: "classes", MULTI_LABEL: "labels", REGRESSION: "values"}

#: Values are cut into so many parts of equal numbers, and a split takes its share of each.
QUANTILES = 10


def check_kind(kind: str) -> str:
    """The kind itself. Raises UsageError where there is none of that name."""
    if kind not in KINDS:
        raise unknown("task", kind, KINDS)
    return kind


def in_form(labels: np.ndarray, kind: str) -> np.ndarray:
    """Labels in the type of their kind."""
    return np.asarray(labels, {SINGLE_LABEL: np.int64, MULTI_LABEL: np.bool_, REGRESSION: np.float64}[kind])


def kind_of(labels: np.ndarray) -> str:
    """The kind that an array of labels is of, by its form."""
    return SINGLE_LABEL if labels.ndim == 1 else MULTI_LABEL if labels.dtype == np.bool_ else REGRESSION


def counted(labels: np.ndarray, names: int) -> np.ndarray:
    """How many images each class or label has, or each value is known of, int64 (names,)."""
    if labels.ndim == 1:
        return np.bincount(labels, minlength=names).astype(np.int64)
    return labels.sum(0, dtype=np.int64) if labels.dtype == np.bool_ else np.full(names, len(labels), np.int64)


def held_out(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions kept and positions held, each ascending: `fraction` of all, the same share of everything.

    Of every class (`stratified_split`), of every label and of those without any (`iterative_split`), or of every
    part of the first value's range.
    """
    if labels.ndim == 1:
        return stratified_split(labels, fraction, seed)
    if labels.dtype == np.bool_:
        return iterative_split(labels, fraction, seed)
    bins = min(QUANTILES, max(1, round(len(labels) * fraction)))
    ranks = np.argsort(np.argsort(labels[:, 0], kind="stable"), kind="stable")
    return stratified_split(ranks * bins // max(1, len(labels)), fraction, seed)


def as_bytes(labels: np.ndarray) -> list[bytes]:
    """Each image's label in bytes, for a fingerprint."""
    if labels.ndim == 1:
        return [label.to_bytes(8, "little") for label in labels.tolist()]
    rows = np.packbits(labels, axis=1) if labels.dtype == np.bool_ else labels.astype("<f8")
    return [row.tobytes() for row in rows]


def as_keys(labels: np.ndarray) -> list[int | tuple[float, ...]]:
    """Each image's label as something to compare and to look up with."""
    return labels.tolist() if labels.ndim == 1 else list(map(tuple, labels.tolist()))


def spelt(label: int | tuple[float, ...], names: Sequence[str]) -> str:
    """A label as `as_keys` gives it, in words."""
    if isinstance(label, int):
        return names[label]
    if any(isinstance(value, bool) for value in label):
        return ", ".join(name for name, has in zip(names, label, strict=True) if has) or "none"
    return ", ".join(f"{name} {value:g}" for name, value in zip(names, label, strict=True))
