"""Vision Transformer: an image as a sentence of patches (Dosovitskiy et al., 2020, arXiv:2010.11929).

No convolutional network, and here to be compared with them: the stem cuts the image into patches, the stages let
all patches look at each other, and a token of its own, the class token, gathers what the classifier sees. What
stages hand on and `features` returns are tokens (N, 1 + h * w, D); `feature_maps` returns the patches' tokens as
maps (N, D, h, w), the form that heat maps and pyramids want. Of the last block the classifier reads the class token
alone: no logit depends on its map, and whoever asks for a gradient asks the block before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import StriateError, UsageError
from striate.layers import normal_, xavier_uniform_
from striate.layers.attention import AttentionBlock
from striate.models.card import Card, Family, Paper
from striate.models.convnet import ConvNet
from striate.models.erratum import Erratum, macs
from striate.models.stem import stem_for
from striate.weights import costs, errors, weights_of

PAPER = Paper(
    "An image is worth 16x16 words: Transformers for image recognition at scale",
    "Dosovitskiy et al.",
    2020,
    "2010.11929",
)
DEIT = Paper(
    "Training data-efficient image transformers and distillation through attention",
    "Touvron et al.",
    2020,
    "2012.12877",
)

#: The papers' table 1: layers, width D, width of the MLP, heads.
SIZES = {
    "ti": (12, 192, 768, 3),
    "s": (12, 384, 1536, 6),
    "b": (12, 768, 3072, 12),
    "l": (24, 1024, 4096, 16),
}
POSITIONS = "stem.positions"


class PatchTokens(nn.Module):
    """Each patch through one dense layer, a class token before them, positions added (equation 1).

    (N, C, H, W) -> (N, 1 + h * w, width) for a grid of h x w patches; pixels that fill no patch are not seen.
    """

    def __init__(self, in_channels: int, width: int, patch: int, grid: tuple[int, int], dropout: float) -> None:
        super().__init__()
        self.patches = nn.Conv2d(in_channels, width, patch, stride=patch)
        self.class_token = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.empty(1, 1 + grid[0] * grid[1], width))
        self.dropout = nn.Dropout(dropout) if dropout else None

    def forward(self, x: Tensor) -> Tensor:
        """Cut, embed, add."""
        x = self.patches(x).flatten(2).transpose(1, 2)  # (N, D, h, w) -> (N, h * w, D)
        x = torch.cat([self.class_token.expand(len(x), -1, -1), x], 1) + self.positions
        return x if self.dropout is None else self.dropout(x)


class ClassToken(nn.Module):
    """The first token: (N, T, D) -> (N, D)."""

    def forward(self, x: Tensor) -> Tensor:
        """Pick it."""
        return x[:, 0]


class VisionTransformer(ConvNet):
    """Stem, stages and head like a ConvNet's, on tokens; `grid` is (rows, columns) of patches."""

    grid: tuple[int, int]

    def map_of(self, y: Tensor) -> Tensor:
        """Tokens as a map without the class token: (N, 1 + h * w, D) -> (N, D, h, w)."""
        return y[:, 1:].transpose(1, 2).unflatten(2, self.grid)

    def features_of(self, y: Tensor) -> Tensor:
        """All tokens (N, 1 + h * w, D): the head reads the class token."""
        return y

    def through_map(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """The patches' tokens as a map, and all tokens, joined anew behind it where there is a gradient to take."""
        patches = self.map_of(y)
        if not (y.requires_grad or torch.jit.is_tracing()):  # a trace is checked without gradients and used with them
            return patches, y
        return patches, torch.cat([y[:, :1], patches.flatten(2).transpose(1, 2)], 1)

    def fitted(self, state: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """`state` with its positions resized to this network's grid."""
        if POSITIONS not in state:
            return state
        return {**state, POSITIONS: resize_positions(state[POSITIONS], self.grid)}


def resize_positions(positions: Tensor, grid: tuple[int, int]) -> Tensor:
    """Position embeddings of a square grid for another one: (1, 1 + s * s, D) -> (1, 1 + h * w, D).

    Bicubic with the corners kept in their places, as in torchvision; the class token's stays. Section 3.2 of the
    paper: it lets a network work at another resolution than it was trained on.

    Raises:
        StriateError: the embeddings are of no square grid.
    """
    side = math.isqrt(positions.shape[1] - 1)
    if side * side != positions.shape[1] - 1:
        raise StriateError(f"{positions.shape[1] - 1} position embeddings fill no square; those of a square image do")
    if (side, side) == tuple(grid):
        return positions
    old = positions[:, 1:].transpose(1, 2).unflatten(2, (side, side))  # (1, D, s, s)
    new = F.interpolate(old, size=grid, mode="bicubic", align_corners=True)
    return torch.cat([positions[:, :1], new.flatten(2).transpose(1, 2)], 1)


def build(
    name: str,
    *,
    num_classes: int,
    in_channels: int,
    input_size: tuple[int, int] | None,
    stem: str | None = None,
    patch_size: int | None = None,
    norm_eps: float = 1e-6,
    dropout: float = 0.0,
    activation: str = "gelu",
) -> ConvNet:
    """Assemble one row of `SIZES`.

    Args:
        name: "vit_" size "_" side of a patch.
        num_classes: outputs.
        in_channels: channels of the images.
        input_size: (height, width) of the images, 224 by default: there is one position embedding per patch. It also
            chooses the stem when `stem` is None, see `striate.models.stem`.
        stem: "paper"; or "small", with patches of a quarter of the side, 4 pixels for a "_16".
        patch_size: side of the patches, in place of the stem's.
        norm_eps: epsilon of the layer norms.
        dropout: after the positions and every dense layer but attention's q, k, v (appendix B.1: 0.1 without
            pretraining, else none).
        activation: name of the activation function.

    Raises:
        UsageError: an impossible value, or patches larger than the image.
    """
    if not 0 <= dropout < 1:
        raise UsageError(f"dropout is {dropout}; a fraction from 0 up to 1 is needed")
    size, side = name.split("_")[1:3]
    depth, width, hidden, heads = SIZES[size]
    height, columns = input_size or (224, 224)
    own = int(side) // (4 if stem_for(input_size, stem) == "small" else 1)
    patch = own if patch_size is None else patch_size
    if not 1 <= patch <= min(height, columns):
        raise UsageError(f"patch_size is {patch}; images of {height}x{columns} need one from 1 to their smaller side")
    grid = height // patch, columns // patch
    stages = {
        f"block{i}": AttentionBlock(width, hidden, heads, norm_eps=norm_eps, dropout=dropout, activation=activation)
        for i in range(depth)
    }
    head: dict[str, nn.Module] = {"token": ClassToken(), "norm": nn.LayerNorm(width, eps=norm_eps)}
    model = VisionTransformer(
        PatchTokens(in_channels, width, patch, grid, dropout),
        stages,
        head | {"classifier": nn.Linear(width, num_classes)},
        in_channels=in_channels,
        min_size=patch,
        fixed_size=(height, columns),
    )
    model.grid = grid
    xavier_uniform_(model)
    normal_(model.head, 0.01)
    positions = model.get_parameter(POSITIONS)
    if not positions.is_meta:
        nn.init.normal_(positions, std=0.02)
    return model


#: Exact parameters, and what the papers print: millions, and errors without other images, at which size of image.
FIGURES = {
    "vit_ti_16": (5_717_416, "5 M", 27.8, 224),
    "vit_s_16": (22_050_664, "22 M", 20.2, 224),
    "vit_b_16": (86_567_656, "86 M", 22.1, 384),
    "vit_b_32": (88_224_232, "86 M", 26.6, 384),
    "vit_l_16": (304_326_632, "307 M", 23.5, 384),
    "vit_l_32": (306_535_400, "307 M", 28.8, 384),
}
TORCHINFO = Erratum(
    "173 M multiply-adds for one image (torchinfo 1.8)",
    "17.6 G; it counts a dense layer on tokens once and leaves functional calls out",
    (macs(17.6e9, "vit_b_16"),),
)
WORDS = {"ti": "tiny", "s": "small", "b": "base", "l": "large"}


def _card(name: str) -> Card:
    size, side = name.split("_")[1:]
    parameters, millions, error, measured_at = FIGURES[name]
    patch = int(side)
    spelled = f"vit_{WORDS[size]}_patch{side}_224"
    own = size in ("b", "l")
    plain = {"vit_ti_16": ("vit_tiny",), "vit_s_16": ("vit_small",), "vit_b_16": ("vit",)}
    peers = ({"torchvision": name} if own else {}) | {"timm": spelled}
    return Card(
        name=name,
        family="vit",
        paper=PAPER if own else DEIT,
        introduces=f"Attention in place of convolution, on {side}x{side} patches as words of a sentence."
        if own
        else f"A smaller Vision Transformer ({SIZES[size][1]} wide), trained on ImageNet alone.",
        input_size=224,
        parameters=parameters,
        min_size=patch,
        small_min_size=patch // 4,
        fixed_size=True,
        published=(*costs(millions), *errors(error, input_size=measured_at)),
        peers=peers,
        weights=weights_of(name, peers),
        deviations=(
            f"With input_size of 64 pixels or less a patch has {patch // 4}x{patch // 4} pixels.",
            "The classifier starts from N(0, 0.01^2); the authors' from zero, with which its first gradient stops.",
            "The hidden layer that the authors' head has in pretraining is left out, as they do in fine-tuning.",
            "Pixels right and below that fill no patch are not seen; the authors take multiples of the patch only.",
        ),
        errata=(
            Erratum("Listed among CNNs", "no CNN: past the patches only attention joins one place to another"),
            *((TORCHINFO,) if name == "vit_b_16" else ()),
        ),
        aliases=(spelled, spelled.removesuffix("_224"), *plain.get(name, ())),
    )


FAMILY = Family("vit", build, tuple(_card(name) for name in FIGURES))
