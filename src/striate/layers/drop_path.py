"""Drop path: whole residual branches left out while training (Huang et al., 2016, arXiv:1603.09382)."""

from __future__ import annotations

from torch import Tensor, nn

from striate.errors import UsageError


class DropPath(nn.Module):
    """In training each image's branch is zero with `probability`, else divided by 1 - probability; any shape."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        if not 0 <= probability < 1:
            raise UsageError(f"drop path's probability is {probability}; a fraction from 0 up to 1 is needed")
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        """(N, ...) -> (N, ...); the same tensor in evaluation mode."""
        if not self.training or self.probability == 0:
            return x
        kept = 1 - self.probability
        return x * x.new_empty((len(x), *[1] * (x.dim() - 1))).bernoulli_(kept) / kept

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"probability={self.probability:g}"
