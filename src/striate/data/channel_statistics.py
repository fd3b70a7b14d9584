"""Mean and standard deviation of each channel, out of sums that are exact and do not depend on any order."""

from __future__ import annotations

import numpy as np

from striate.data.dataset import Split
from striate.data.facts import channel_sums, level_sums
from striate.data.images import ArrayImages, Images
from striate.data.workers import reading_threads
from striate.errors import StriateError

#: Rows and columns of a picture from which its colours are taken.
SIDE = 128

#: Mean and standard deviation of each channel, pixels in [0, 1].
Statistics = tuple[tuple[float, ...], tuple[float, ...]]


def split_statistics(split: Split) -> Statistics:
    """Mean and standard deviation of each channel of a split.

    Where the check has read the images, all of them count and none is read again; else see `channel_statistics`.
    """
    facts = split.facts
    if facts is None or facts.sums is None or not len(split):
        return channel_statistics(split.images)
    return _from_sums(facts.sums.sum(axis=0))


def channel_statistics(images: Images, sample: int = 5000) -> Statistics:
    """Mean and standard deviation of each channel, pixels in [0, 1].

    `sample` images at most are looked at, evenly spaced, so that the result depends on the data alone.
    A constant channel gets the deviation of one grey level, so that it can be divided by.
    """
    if not len(images):
        raise StriateError("there are no images to take the mean of")
    indices = _evenly_spaced(len(images), sample)
    if isinstance(images, ArrayImages):
        _, _, width, channels = images.array.shape
        chunks = np.array_split(indices, -(-len(indices) // 256))
        sums = [np.asarray(level_sums(images.array[chunk].reshape(-1, width, channels))) for chunk in chunks]
    else:
        with reading_threads() as pool:
            sums = list(pool.map(lambda row: channel_sums(images.read(row)), indices.tolist()))
    return _from_sums(np.sum(sums, axis=0))


def colour_covariance(images: Images, sample: int = 500) -> np.ndarray:
    """The covariance (3, 3) of red, green and blue over the pixels of images of three channels, in [0, 1].

    `sample` images at most are looked at, evenly spaced, each pixel of them counting alike.
    """
    indices = _evenly_spaced(len(images), sample)
    with reading_threads() as pool:
        moments = np.sum(list(pool.map(lambda row: _moments(images.read(row)), indices.tolist())), axis=0)
    moments /= moments[3, 3]
    return moments[:3, :3] - np.outer(moments[:3, 3], moments[:3, 3])


def _evenly_spaced(count: int, sample: int) -> np.ndarray:
    """The places of `sample` of so many images, or of all, the first and the last among them."""
    return np.unique(np.linspace(0, count - 1, min(sample, count)).round().astype(np.int64))


def _moments(image: np.ndarray) -> np.ndarray:
    """Sums of the products (4, 4) of red, green, blue and 1 over pixels of uint8 (H, W, 3), of a large image a part."""
    step = max(1, image.shape[0] // SIDE)
    pixels = image[::step, ::step].reshape(-1, 3) / 255
    whole = np.column_stack([pixels, np.ones(len(pixels))])
    return whole.T @ whole


def _from_sums(sums: np.ndarray) -> Statistics:
    """From sums over all images, whose first three columns are `level_sums`."""
    pixels, total, squares = sums.T[:3]
    mean = total / pixels
    std = np.sqrt(np.maximum(squares / pixels - mean**2, 1.0))
    return tuple((mean / 255).tolist()), tuple((std / 255).tolist())
