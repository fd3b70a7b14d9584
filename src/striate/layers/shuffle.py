"""Channel shuffle: what one group computed goes to all groups of the next layer (arXiv:1707.01083, section 3.1)."""

from __future__ import annotations

from torch import Tensor, nn


class ChannelShuffle(nn.Module):
    """Channels seen as (groups, C / groups) are transposed, (N, C, H, W) -> the same shape; no arithmetic."""

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, x: Tensor) -> Tensor:
        """Deal the channels of each group out in turn."""
        x = x.unflatten(1, (self.groups, x.shape[1] // self.groups))  # (N, g, C/g, H, W)
        return x.transpose(1, 2).flatten(1, 2)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"groups={self.groups}"
