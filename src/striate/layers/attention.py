"""Self-attention, and the block of it that transformers stack (Dosovitskiy et al., 2020, arXiv:2010.11929)."""

from __future__ import annotations

from collections import OrderedDict

import torch.nn.functional as F
from torch import Tensor, nn

from striate.layers.activation import activation as make_activation


class SelfAttention(nn.Module):
    """Every token a mean of all tokens' values, weighed by softmax(q k / sqrt(d)) in each head (appendix A).

    (N, T, D) -> (N, T, D).
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Attend."""
        count, tokens, width = x.shape
        # (N, T, 3 D) -> three times (N, heads, T, D / heads)
        q, k, v = self.qkv(x).view(count, tokens, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        return self.projection(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(count, tokens, width))


class AttentionBlock(nn.Module):
    """Attention, then two dense layers on each token, both normalised before and added (equations 2 and 3)."""

    def __init__(
        self, width: int, hidden: int, heads: int, *, norm_eps: float, dropout: float, activation: str
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=norm_eps)
        self.attention = SelfAttention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=norm_eps)
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            dense1=nn.Linear(width, hidden), act=make_activation(activation)
        )
        if dropout:
            layers["dropout1"] = nn.Dropout(dropout)
        layers["dense2"] = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout) if dropout else None
        if dropout:
            layers["dropout2"] = nn.Dropout(dropout)
        self.mlp = nn.Sequential(layers)

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, D) -> (N, T, D)."""
        y = self.attention(self.norm1(x))
        x = x + (y if self.dropout is None else self.dropout(y))
        return x + self.mlp(self.norm2(x))
