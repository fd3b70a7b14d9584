"""Samples of any depth as 8 bits, by one rule."""

from __future__ import annotations

import numpy as np

from striate.data.unreadable import UnreadableImage


def to_eight_bits(values: np.ndarray, bits: int) -> np.ndarray:
    """Scale unsigned integers 0 .. 2^bits - 1 (1 to 16 bits) to 0 .. 255, rounded; 8 bits stay as they are."""
    if bits == 8:
        return values.astype(np.uint8, copy=False)
    most = (1 << bits) - 1
    return ((values.astype(np.uint32) * 255 + most // 2) // most).astype(np.uint8)


def unit_to_eight_bits(values: np.ndarray) -> np.ndarray:
    """Scale floating-point numbers 0 .. 1 to 0 .. 255, rounded. Raises UnreadableImage for any other range."""
    low, high = values.min(), values.max()
    if not (low >= 0 and high <= 1):
        raise UnreadableImage(
            f"floating-point pixels from {low:g} to {high:g}; only 0 to 1 has a known meaning: scale them to that"
        )
    return np.round(values * 255).astype(np.uint8)


def undo_alpha(values: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Colours, uint8 (H, W, C), that were multiplied by `alpha` (H, W, 1), as they were before."""
    whole = np.maximum(alpha, 1).astype(np.uint32)
    return np.minimum((values * np.uint32(255) + whole // 2) // whole, 255).astype(np.uint8)


def wide_integers(kind: str) -> UnreadableImage:
    """The refusal of integers whose range no rule tells."""
    return UnreadableImage(f"{kind} pixels, whose range is not known; save it with 8 or 16 bits, unsigned")
