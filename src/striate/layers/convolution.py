"""The two operations that go by the name of convolution.

Cross-correlation slides the kernel as it stands, y[i] = sum_t w[t] x[i + t]; every deep learning library calls that
convolution. The mathematician's convolution, y[i] = sum_t w[t] x[i - t], flips the kernel in space first. A network
learns either one equally well, its kernels come out flipped.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import UsageError

Size = int | tuple[int, ...]


def flip(kernel: Tensor) -> Tensor:
    """A kernel (C_out, C_in / groups, ...) turned by 180 degrees in space; its channels stay."""
    return kernel.flip(tuple(range(2, kernel.dim())))


def cross_correlate(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation in one or two dimensions with zeros around, floor((n + 2p - d(k-1) - 1) / s) + 1 outputs.

    Args:
        x: (N, C_in, L) or (N, C_in, H, W).
        kernel: (C_out, C_in / groups, k) or (C_out, C_in / groups, k_h, k_w).
        bias: (C_out,).
        stride: between neighbouring outputs, in inputs.
        padding: zeros on each side; d(k-1) gives every place where kernel and input touch.
        dilation: between neighbouring kernel values, in inputs.
        groups: sets of channels that do not see each other.

    Raises:
        UsageError: the shapes do not fit together, or the kernel does not fit into the input.
    """
    if kernel.dim() not in (3, 4) or x.dim() != kernel.dim():
        raise UsageError(
            f"an input of shape {tuple(x.shape)} and a kernel of shape {tuple(kernel.shape)}; wanted are (N, C_in, L) "
            "and (C_out, C_in/groups, k), or (N, C_in, H, W) and (C_out, C_in/groups, k_h, k_w)"
        )
    function = F.conv1d if kernel.dim() == 3 else F.conv2d
    try:
        return function(x, kernel, bias, stride, padding, dilation, groups)
    except (RuntimeError, ValueError) as error:
        raise UsageError(
            f"a kernel of shape {tuple(kernel.shape)} with stride {stride}, padding {padding}, dilation {dilation} and "
            f"{groups} groups cannot run over an input of shape {tuple(x.shape)}: {str(error).splitlines()[0]}"
        ) from error


def convolve(
    x: Tensor,
    kernel: Tensor,
    bias: Tensor | None = None,
    *,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """True convolution: cross-correlation with the flipped kernel; arguments and errors as `cross_correlate`."""
    return cross_correlate(x, flip(kernel), bias, stride=stride, padding=padding, dilation=dilation, groups=groups)


class TrueConv1d(nn.Conv1d):
    """A layer of true convolution, (N, C_in, L) -> (N, C_out, L'); nn.Conv1d's arguments."""

    def forward(self, input: Tensor) -> Tensor:
        """Convolve with the flipped kernel."""
        return self._conv_forward(input, flip(self.weight), self.bias)


class TrueConv2d(nn.Conv2d):
    """A layer of true convolution, (N, C_in, H, W) -> (N, C_out, H', W'); nn.Conv2d's arguments."""

    def forward(self, input: Tensor) -> Tensor:
        """Convolve with the flipped kernel."""
        return self._conv_forward(input, flip(self.weight), self.bias)
