"""A linear classifier that was fitted to the same features before is not fitted again.

It is known by all that decides it: every bit of the features and the labels, and how it was to be fitted.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from striate.errors import StriateError
from striate.files import cache_folder
from striate.files.keeping import used_now
from striate.files.kept_arrays import keep_arrays, read_arrays
from striate.transfer.shallow import Shallow, fit
from striate.version import __version__

#: Bytes that all of them may take.
MOST = 1 << 28
#: Changes with how a classifier is fitted.
_FORM = 1
_NAMES = ("weight", "bias", "expected", "compared")


def fit_once(
    features: NDArray[np.float32],
    labels: NDArray,
    outputs: int,
    loss: str,
    weights: NDArray[np.float32] | None = None,
    **options: Any,
) -> Shallow:
    """`fit`, whose result is kept in the cache folder and taken from there the next time.

    Raises:
        UsageError: as `fit` does.
    """
    try:
        folder = cache_folder() / "fitted" / _key(features, labels, outputs, loss, weights, options)
    except StriateError:  # no home folder
        return fit(features, labels, outputs, loss, weights=weights, **options)
    path = folder / "classifier.safetensors"
    if read := read_arrays(path, _NAMES):
        used_now(folder)
        arrays, said = read
        compared = dict(arrays["compared"].tolist())
        return Shallow(arrays["weight"], arrays["bias"], loss, said[0], compared, arrays["expected"], said[1])
    found = fit(features, labels, outputs, loss, weights=weights, **options)
    arrays = {"weight": found.weight, "bias": found.bias, "expected": found.expected}
    arrays["compared"] = np.array(list(found.compared.items()), np.float64).reshape(-1, 2)
    with suppress(OSError, StriateError):
        keep_arrays(path, arrays, MOST, [found.strength, found.temperature])
    return found


def _key(
    features: NDArray[np.float32],
    labels: NDArray,
    outputs: int,
    loss: str,
    weights: NDArray[np.float32] | None,
    options: dict[str, Any],
) -> str:
    told = f"{_FORM} {__version__} {np.__version__} {features.shape} {features.dtype} {labels.shape} {labels.dtype} "
    told += f"{outputs} {loss} {sorted(options.items())}"
    digest = hashlib.sha256(told.encode(), usedforsecurity=False)
    for array in (features, labels, *([] if weights is None else [weights])):
        digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()[:32]
