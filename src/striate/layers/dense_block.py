"""Dense blocks: every layer sees all maps before it (Huang et al., 2016, arXiv:1608.06993, section 3)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from striate.errors import UsageError
from striate.layers.activation import activation as make_activation
from striate.layers.overwriting import in_turn


class DenseLayer(nn.Sequential):
    """Norm, activation, 3x3 to `growth` new maps; with a bottleneck, norm, activation, 1x1 before it.

    Args:
        in_channels: of all maps so far.
        growth: the paper's k.
        bottleneck: width of the 1x1, None for none; the paper's B has 4 k.
        dropout: of the new maps while training; the paper's 0.2 where images are not augmented.
        memory_efficient: in training, join all maps, normalise and reduce them once more in the backward pass
            instead of keeping the result (Pleiss et al., 2017, arXiv:1707.06990): slower, and memory grows with the
            number of layers instead of its square.
        activation: name of the activation function.
        norm_eps: epsilon of the batch norms.

    Raises:
        UsageError: dropout is not a fraction, or the activation unknown.
    """

    def __init__(
        self,
        in_channels: int,
        growth: int,
        *,
        bottleneck: int | None = None,
        dropout: float = 0.0,
        memory_efficient: bool = False,
        activation: str = "relu",
        norm_eps: float = 1e-5,
    ) -> None:
        if not 0 <= dropout < 1:
            raise UsageError(f"dropout is {dropout}; a fraction from 0 up to 1 is needed")
        steps = [(in_channels, growth, 3)]
        if bottleneck is not None:
            steps = [(in_channels, bottleneck, 1), (bottleneck, growth, 3)]
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        for number, (before, width, kernel) in enumerate(steps, 1):
            layers[f"norm{number}"] = nn.BatchNorm2d(before, eps=norm_eps)
            layers[f"act{number}"] = make_activation(activation)
            layers[f"conv{number}"] = nn.Conv2d(before, width, kernel, padding=kernel // 2, bias=False)
        if dropout:
            layers["dropout"] = nn.Dropout(dropout)
        super().__init__(layers)
        self.memory_efficient = memory_efficient

    def forward(self, *maps: Tensor) -> Tensor:
        """Maps (N, C_i, H, W) with `in_channels` in all -> (N, growth, H, W)."""
        if self.memory_efficient and self.training and torch.is_grad_enabled():
            y = checkpoint(self._join, *maps, use_reentrant=False, context_fn=lambda: (nullcontext(), self._counted()))
        else:
            y = self._join(*maps)
        return in_turn(list(self)[3:], y)

    def _join(self, *maps: Tensor) -> Tensor:
        """Norm, activation and convolution of all maps together."""
        return in_turn(list(self)[:3], torch.cat(maps, 1))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """The batch has been counted: the norm's running statistics stay as they are."""
        norm = self.get_submodule("norm1")
        assert isinstance(norm, nn.BatchNorm2d)
        assert norm.num_batches_tracked is not None
        momentum, norm.momentum = norm.momentum, 0.0
        try:
            yield
        finally:
            norm.momentum = momentum
            norm.num_batches_tracked -= 1


class DenseBlock(nn.Sequential):
    """`DenseLayer`s: (N, C, H, W) -> (N, C + layers * growth, H, W), the input's maps and all new ones."""

    def forward(self, x: Tensor) -> Tensor:
        """Each layer sees all maps so far and adds its own."""
        maps = [x]
        for layer in self:
            maps.append(layer(*maps))
        return torch.cat(maps, 1)
