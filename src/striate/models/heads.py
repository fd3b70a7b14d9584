"""The head that most networks since Network in Network share: pool the whole map, then one dense layer."""

from __future__ import annotations

from torch import nn


def pooled(
    channels: int, num_classes: int, *, pool: type[nn.Module] = nn.AdaptiveAvgPool2d, dropout: float | None = None
) -> dict[str, nn.Module]:
    """Children of a head: (N, channels, H, W) -> (N, num_classes) (Lin et al., 2013, arXiv:1312.4400, section 3.2).

    Args:
        channels: of the last feature map.
        num_classes: outputs.
        pool: an adaptive pool.
        dropout: before the classifier; None leaves the layer out.
    """
    head: dict[str, nn.Module] = {"pool": pool(1), "flatten": nn.Flatten()}  # (N, C, 1, 1) -> (N, C)
    if dropout is not None:
        head["dropout"] = nn.Dropout(dropout)
    return head | {"classifier": nn.Linear(channels, num_classes)}
