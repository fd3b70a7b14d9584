"""NumPy's `.npy` files as images of any number of channels."""

from __future__ import annotations

import io
import math

import numpy as np

from striate.data.scaling import to_eight_bits
from striate.data.unreadable import UnreadableImage, check_size

MAGIC = b"\x93NUMPY"


def read_array(data: bytes, channels: int | None) -> tuple[np.ndarray, str]:
    """A `.npy` file of uint8 or uint16 (H, W) or (H, W, C) as uint8 (H, W, C), and its bit depth.

    Other types are refused, as their range is not known: floats, signed and wider integers, booleans, objects (which
    would be unpickled). So is an array that looks as if its channels came first, unless exactly the last axis is asked
    for by `channels`.

    Raises:
        UnreadableImage: the reason in words.
    """
    stream = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read_header(stream)
    except Exception as error:  # a damaged header can raise anything
        raise UnreadableImage(f"damaged .npy file: {' '.join(str(error).split())}") from error
    if dtype.hasobject:
        raise UnreadableImage("a .npy file of Python objects, which is not loaded; save a uint8 array (H, W, C)")
    if len(shape) not in (2, 3) or 0 in shape:
        raise UnreadableImage(f"an array of shape {shape} is not (height, width, channels)")
    if dtype.kind != "u" or dtype.itemsize > 2:
        raise UnreadableImage(f"an array of {dtype}; images are uint8 (0 to 255) or uint16 (0 to 65,535): convert it")
    if len(shape) == 3 and channels != shape[2] and _channels_come_first(shape):
        raise UnreadableImage(
            f"an array of shape {shape} looks as if its channels came first; images are (height, width, channels): "
            f"save array.transpose(1, 2, 0), of shape {(*shape[1:], shape[0])}"
        )
    samples = shape[2] if len(shape) == 3 else 1
    check_size(shape[1], shape[0], samples * (1 if dtype.itemsize == 1 else 9), len(data))  # 16 bits are scaled in 32
    start, count = stream.tell(), math.prod(shape)
    if len(data) - start < count * dtype.itemsize:
        raise UnreadableImage("truncated")
    array = np.frombuffer(data, dtype, count, start).reshape(shape, order="F" if fortran else "C")
    image = np.ascontiguousarray(to_eight_bits(array, 8 * dtype.itemsize))
    return image if image.ndim == 3 else image[..., None], str(8 * dtype.itemsize)


def _channels_come_first(shape: tuple[int, ...]) -> bool:
    """Whether (C, H, W) is likelier than (H, W, C)."""
    first, second, last = shape
    if first in (1, 3, 4):
        return last > 4
    if last in (1, 3, 4):
        return False
    return first != second == last or (first < 16 and min(second, last) >= 32)
