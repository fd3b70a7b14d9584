"""Local response normalisation: neighbouring maps inhibit each other (Krizhevsky et al., 2012, section 3.3)."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import UsageError


class LocalResponseNorm(nn.Module):
    """x_i / (k + alpha * sum of x_j^2 over the `size` maps around map i)^beta, (N, C, ...) -> the same shape.

    The defaults are AlexNet's constants in AlexNet's formula, where alpha multiplies the *sum* of squares, as in
    TensorFlow. PyTorch and Caffe multiply their *mean*: there the same alpha is `size` times weaker. Weights
    trained in those two, and networks that print Caffe's constants, need `mean=True`.

    Args:
        size: n, the number of maps summed. Beyond the first and the last map there is nothing to sum. An even
            size looks one map further down than up, as PyTorch does.
        alpha: weight of the squares.
        beta: exponent.
        k: what a map without neighbours is divided by, to the power of beta.
        mean: PyTorch's and Caffe's meaning of alpha, alpha / size for each square.

    Raises:
        UsageError: size is below 1, or k is not above 0 (a map of zeros would be divided by zero).
    """

    def __init__(
        self, size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0, *, mean: bool = False
    ) -> None:
        super().__init__()
        if size < 1:
            raise UsageError(f"local response normalisation over {size} maps; at least 1 is needed")
        if not k > 0:
            raise UsageError(f"local response normalisation with k {k:g}; a number above 0 is needed")
        self.size, self.alpha, self.beta, self.k, self.mean = size, alpha, beta, k, mean

    def forward(self, x: Tensor) -> Tensor:
        """Divide each value by what its neighbours in the other maps say."""
        alpha = self.alpha if self.mean else self.alpha * self.size  # torch divides by size
        return F.local_response_norm(x, self.size, alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        meaning = ", mean=True" if self.mean else ""
        return f"size={self.size}, alpha={self.alpha:g}, beta={self.beta:g}, k={self.k:g}{meaning}"
