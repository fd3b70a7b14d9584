"""Resizing as torch does it, with antialiasing: the pixels that torchvision's `Resize` gives."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image


def resize_image(image: np.ndarray, height: int, width: int, interpolation: str = "bilinear") -> np.ndarray:
    """Resize uint8 (H, W, C) to uint8 (height, width, C), bilinear or bicubic, with antialiasing.

    It is the operation behind torchvision's `Resize(antialias=True)` and gives the same pixels.
    """
    if image.shape[:2] == (height, width):
        return image
    image = np.ascontiguousarray(image)
    if not image.flags.writeable:  # torch warns about sharing read-only memory
        image = image.copy()
    # (1, C, H, W); the batch comes first, or PyTorch does not take it for channels-last, and needs thrice the time
    batch = torch.from_numpy(image)[None].permute(0, 3, 1, 2)
    resized = F.interpolate(batch, (height, width), mode=interpolation, antialias=True, align_corners=False)
    return np.ascontiguousarray(resized[0].permute(1, 2, 0).numpy())


def resize_window(
    image: np.ndarray, size: tuple[int, int], window: tuple[int, int, int, int], interpolation: str = "bilinear"
) -> np.ndarray:
    """The window (top, left, height, width) of what `resize_image` to `size` gives, without making the rest.

    Equal within two grey levels, the rounding of two passes, but where bicubic goes beyond black or white between them.
    A thin image blown up to the height of a network's input would otherwise be thousands of inputs wide.
    """
    top, left, height, width = window
    down, across = image.shape[0] / size[0], image.shape[1] / size[1]  # source pixels per pixel
    # All that the window's edges look at: the kernel reaches 2 pixels (bicubic), or 2 of the larger kind.
    reach_down, reach_across = 3 * max(1.0, down), 3 * max(1.0, across)
    first_row, first_column = max(0, int(top * down - reach_down)), max(0, int(left * across - reach_across))
    last_row, last_column = (top + height) * down + reach_down, (left + width) * across + reach_across
    part = image[first_row : int(last_row) + 1, first_column : int(last_column) + 1]
    box = (
        left * across - first_column,
        top * down - first_row,
        min((left + width) * across - first_column, part.shape[1]),
        min((top + height) * down - first_row, part.shape[0]),
    )
    method = Image.Resampling[interpolation.upper()]
    bands = [
        np.asarray(Image.fromarray(np.ascontiguousarray(part[..., band])).resize((width, height), method, box))
        for band in range(image.shape[2])
    ]
    return np.stack(bands, axis=2)


def centred(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """An image (H, W, C) in the middle of black of `size`, which it fits into."""
    top, left = (size[0] - image.shape[0]) // 2, (size[1] - image.shape[1]) // 2
    canvas = np.zeros((*size, image.shape[2]), image.dtype)
    canvas[top : top + image.shape[0], left : left + image.shape[1]] = image
    return canvas
