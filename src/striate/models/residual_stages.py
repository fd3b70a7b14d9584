"""What residual networks share: the stem for large images, stages of blocks, and the way they are put together."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

from torch import nn

from striate.layers import Chain, gate_bias_, he_normal_, zero_last_gamma_
from striate.layers import activation as make_activation
from striate.models.convnet import ConvNet
from striate.models.heads import pooled

#: Of the first convolution for large images.
STEM_WIDTH = 64

#: Of gates on shortcuts: the best that He et al. (2016, arXiv:1603.05027, section 3.1) found.
GATE_BIAS = -6.0


def large_stem(
    in_channels: int,
    *,
    small: bool = False,
    norm: bool = True,
    activation: str = "relu",
    bias: bool = False,
    zero_padded_pool: bool = False,
) -> nn.Sequential:
    """7x7 of stride 2, norm, activation, 3x3 max-pool of stride 2: (N, C, H, W) -> (N, 64, H/4, W/4).

    Args:
        in_channels: C.
        small: for small images, a 3x3 of stride 1 and no pool.
        norm: with norm and activation; without, the first block brings them.
        activation: name of the activation function.
        bias: of the convolution.
        zero_padded_pool: zeros around the map take part in the maxima, as in Keras Applications.
    """
    kernel, stride = (3, 1) if small else (7, 2)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv=nn.Conv2d(in_channels, STEM_WIDTH, kernel, stride=stride, padding=kernel // 2, bias=bias)
    )
    if norm:
        layers["norm"] = nn.BatchNorm2d(STEM_WIDTH)
        layers["act"] = make_activation(activation)
    if not small:
        if zero_padded_pool:
            layers["pad"] = nn.ZeroPad2d(1)
        layers["pool"] = nn.MaxPool2d(3, stride=2, padding=0 if zero_padded_pool else 1)
    return Chain(layers)


def stack(
    block: Callable[..., nn.Module], in_channels: int, widths: Sequence[int], depths: Sequence[int]
) -> dict[str, nn.Sequential]:
    """Stages "stage1", ... of `depths` blocks; the first block of each but the first stage has stride 2.

    Args:
        block: called with (in_channels, out_channels, stride).
        in_channels: of the first block.
        widths: the stages' output channels.
        depths: blocks in each stage.
    """
    channels, stages = in_channels, {}
    for number, (width, depth) in enumerate(zip(widths, depths, strict=True), 1):
        blocks = []
        for position in range(depth):
            blocks.append(block(channels, width, 2 if position == 0 and number > 1 else 1))
            channels = width
        stages[f"stage{number}"] = nn.Sequential(*blocks)
    return stages


def residual_network(
    stem: nn.Module,
    stages: dict[str, nn.Sequential],
    channels: int,
    *,
    num_classes: int,
    in_channels: int,
    zero_init_residual: bool = False,
    gate_bias: float = GATE_BIAS,
) -> ConvNet:
    """Stem, stages and a pooled head on their `channels`, with He et al.'s first weights.

    Args:
        stem: see `large_stem`.
        stages: see `stack`.
        channels: of the last stage.
        num_classes: outputs.
        in_channels: channels of the images.
        zero_init_residual: start every block as its shortcut.
        gate_bias: first bias of gates on shortcuts, where there are any.

    Raises:
        UsageError: `zero_init_residual` with blocks that do not end in a batch norm.
    """
    model = ConvNet(stem, stages, pooled(channels, num_classes), in_channels=in_channels)
    he_normal_(model)
    gate_bias_(model, gate_bias)
    if zero_init_residual:
        zero_last_gamma_(model)
    return model


def keras_habits_(model: nn.Module, *, conv_bias: bool, norm_eps: float) -> None:
    """Give every convolution a bias of zeros, if asked for, and every batch norm this epsilon."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.bias is None and conv_bias:
            module.bias = nn.Parameter(module.weight.new_zeros(module.out_channels))
        elif isinstance(module, nn.BatchNorm2d):
            module.eps = norm_eps
