"""Residual blocks (He et al., 2015, arXiv:1512.03385, figure 5; 2016, arXiv:1603.05027, figure 4)."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from torch import Tensor, nn

from striate.errors import unknown
from striate.layers.activation import activation as make_activation
from striate.layers.overwriting import Chain, activate
from striate.layers.shortcuts import make_addition, make_shortcut

#: Where batch norms and activations stand in a block, as in the second paper's figure 4:
#: (a) convolutions each with norm and activation, the last activation after the addition; (b) the last norm too;
#: (c) the last activation before the addition; (d) an activation before each convolution and a norm after it;
#: (e) norm and activation before each convolution.
PLACEMENTS = (
    "original",
    "bn_after_addition",
    "relu_before_addition",
    "relu_only_preactivation",
    "full_preactivation",
)
#: The placements whose blocks begin with an activation.
PREACTIVATED = ("relu_only_preactivation", "full_preactivation")
#: For whom a block activates its input: "own", for the branch alone; "shared", for the shortcut too, as where
#: shapes differ and in a network's first block; "none", for nobody: it arrives activated.
PREACTIVATIONS = ("own", "shared", "none")


class Residual(nn.Module):
    """after(residual(before(x)) + shortcut(x)); without a shortcut a plain network's layers.

    Args:
        residual: the branch, with children conv1, norm1, act1, ...
        shortcut: to the branch's output shape; None for none.
        before: norm and activation of the input, in pre-activation blocks.
        shared: the shortcut begins behind `before`.
        addition: called with (input, shortcut, branch); None adds.
        after: what follows the addition; None for nothing.
    """

    def __init__(
        self,
        residual: nn.Sequential,
        shortcut: nn.Module | None,
        *,
        before: nn.Module | None = None,
        shared: bool = False,
        addition: nn.Module | None = None,
        after: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.before = before
        self.residual = residual
        self.shortcut = shortcut
        self.addition = addition
        self.after = after
        self.shared = shared

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C', ceil(H/s), ceil(W/s))."""
        activated = x if self.before is None else self.before(x)
        y = self.residual(activated)
        if self.shortcut is not None:
            if self.shared:
                x = activated
            if self.addition is None:
                y = y + self.shortcut(x)
                return y if self.after is None else activate(self.after, y)
            y = self.addition(x, self.shortcut(x), y)
        return y if self.after is None else self.after(y)


def residual_block(
    convolutions: Sequence[nn.Conv2d],
    shortcut: nn.Module | None,
    *,
    addition: nn.Module | None = None,
    placement: str = "original",
    preactivation: str = "own",
    activation: str = "relu",
    norm_eps: float = 1e-5,
) -> Residual:
    """A block of these convolutions, with norms and activations where `placement` puts them.

    Args:
        convolutions: of the branch, in order.
        shortcut: see `striate.layers.make_shortcut`.
        addition: see `striate.layers.make_addition`.
        placement: one of `PLACEMENTS`.
        preactivation: one of `PREACTIVATIONS`, where the placement is one of `PREACTIVATED`.
        activation: name of the activation function.
        norm_eps: epsilon of the batch norms.

    Raises:
        UsageError: unknown placement, preactivation or activation.
    """
    if placement not in PLACEMENTS:
        raise unknown("placement", placement, PLACEMENTS)
    if preactivation not in PREACTIVATIONS:
        raise unknown("preactivation", preactivation, PREACTIVATIONS)
    last_norm = placement not in ("bn_after_addition", "full_preactivation")
    last_act = placement == "relu_before_addition"
    residual: OrderedDict[str, nn.Module] = OrderedDict()
    for number, convolution in enumerate(convolutions, 1):
        inner = number < len(convolutions)
        residual[f"conv{number}"] = convolution
        if inner or last_norm:
            residual[f"norm{number}"] = nn.BatchNorm2d(convolution.out_channels, eps=norm_eps)
        if inner or last_act:
            residual[f"act{number}"] = make_activation(activation)
    before: nn.Module | None = None
    after: nn.Module | None = None
    if placement in PREACTIVATED and preactivation != "none":
        norm = placement == "full_preactivation"
        before = norm_act(convolutions[0].in_channels if norm else None, activation, norm_eps)
    elif placement == "bn_after_addition":
        after = norm_act(convolutions[-1].out_channels, activation, norm_eps)
    elif placement == "original":
        after = make_activation(activation)
    return Residual(
        Chain(residual),
        shortcut,
        before=before,
        shared=before is not None and preactivation == "shared",
        addition=addition,
        after=after,
    )


def norm_act(channels: int | None, activation: str, norm_eps: float = 1e-5) -> nn.Sequential:
    """Children norm (left out where there are no channels) and act."""
    norm = {} if channels is None else {"norm": nn.BatchNorm2d(channels, eps=norm_eps)}
    return Chain(OrderedDict(**norm, act=make_activation(activation)))


def _block(
    convolutions: Sequence[nn.Conv2d],
    stride: int,
    shortcut: str,
    activation: str,
    placement: str,
    preactivation: str | None,
) -> Residual:
    channels = convolutions[0].in_channels, convolutions[-1].out_channels
    if preactivation is None:
        preactivation = "own" if stride == 1 and channels[0] == channels[1] else "shared"
    return residual_block(
        convolutions,
        make_shortcut(shortcut, *channels, stride, norm=placement != "full_preactivation"),
        addition=make_addition(shortcut, *channels, stride),
        placement=placement,
        preactivation=preactivation,
        activation=activation,
    )


def basic(
    in_channels: int,
    width: int,
    *,
    stride: int = 1,
    shortcut: str = "B",
    activation: str = "relu",
    placement: str = "original",
    preactivation: str | None = None,
) -> Residual:
    """Two 3x3 convolutions, the first of which has the stride (figure 5, left); out channels = width.

    Args:
        in_channels: of the input.
        width: of both convolutions.
        stride: of the block.
        shortcut: one of `striate.layers.SHORTCUTS`.
        activation: name of the activation function.
        placement: one of `PLACEMENTS`.
        preactivation: one of `PREACTIVATIONS`; None shares where shapes differ.
    """
    convolutions = [
        nn.Conv2d(in_channels, width, 3, stride=stride, padding=1, bias=False),
        nn.Conv2d(width, width, 3, padding=1, bias=False),
    ]
    return _block(convolutions, stride, shortcut, activation, placement, preactivation)


def bottleneck(
    in_channels: int,
    width: int,
    *,
    out_channels: int | None = None,
    groups: int = 1,
    stride: int = 1,
    shortcut: str = "B",
    activation: str = "relu",
    stride_in: str = "1x1",
    placement: str = "original",
    preactivation: str | None = None,
) -> Residual:
    """1x1 down to `width`, 3x3, 1x1 up to 4 width or `out_channels` (figure 5, right).

    `stride_in` says which convolution has the stride: "1x1", the first, as in the paper, or "3x3", the form
    known as v1.5 for which most published weights were trained. `groups` are those of the 3x3. The others are
    as in `basic`.

    Raises:
        UsageError: `stride_in` is neither, or an option of `basic` is unknown.
    """
    convolutions = bottleneck_convolutions(
        in_channels, width, out_channels or 4 * width, groups=groups, stride=stride, stride_in=stride_in
    )
    return _block(convolutions, stride, shortcut, activation, placement, preactivation)


def bottleneck_convolutions(
    in_channels: int,
    width: int,
    out_channels: int,
    *,
    groups: int = 1,
    stride: int = 1,
    stride_in: str = "1x1",
    last_bias: bool = False,
) -> list[nn.Conv2d]:
    """The three convolutions of a bottleneck, without biases but for the last one's where asked for.

    Raises:
        UsageError: `stride_in` is neither "1x1" nor "3x3".
    """
    if stride_in not in ("1x1", "3x3"):
        raise unknown("stride_in", stride_in, ("1x1", "3x3"))
    first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
    return [
        nn.Conv2d(in_channels, width, 1, stride=first, bias=False),
        nn.Conv2d(width, width, 3, stride=second, padding=1, groups=groups, bias=False),
        nn.Conv2d(width, out_channels, 1, bias=last_bias),
    ]
