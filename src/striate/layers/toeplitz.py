"""A convolution written out as a matrix: sparse, with the kernel's values repeated along its diagonals (Toeplitz).

    matrix @ vec(x)  = vec(layer(x))              without the bias
    matrix.T @ vec(g) = vec(transposed layer(g))  and the gradient with respect to x where g is that of the output

vec() lays out channels, rows, columns in this order, as `Tensor.flatten` does.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import UsageError
from striate.layers.conv import SameConv2d, same_padding
from striate.layers.convolution import TrueConv1d, TrueConv2d, flip

#: Values that a matrix may have; one takes 24 bytes, and several times that while the matrix is built.
MOST_VALUES = 20_000_000

_MODES = {"zeros": "constant", "circular": "circular", "reflect": "reflect", "replicate": "replicate"}


def toeplitz(
    weight: Tensor,
    input_size: Sequence[int],
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] | Sequence[tuple[int, int]] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    padding_mode: str = "zeros",
) -> Tensor:
    """The matrix of a cross-correlation, sparse (COO) of (C_out * outputs, C_in * inputs), without a gradient.

    Args:
        weight: (C_out, C_in / groups, k) or (C_out, C_in / groups, k_h, k_w).
        input_size: (L,) or (H, W).
        stride: one number, or one per axis; so with dilation.
        padding: one number, one per axis, or (before, after) per axis.
        dilation: distance of the kernel's values.
        groups: blocks along the matrix's diagonal.
        padding_mode: torch's: "zeros", "circular", "reflect", "replicate". All are linear, so all have a matrix.

    Raises:
        UsageError: the kernel does not fit, or the matrix would have more than `MOST_VALUES` values.
    """
    axes = len(input_size)
    if axes not in (1, 2) or weight.dim() != axes + 2:
        raise UsageError(
            f"a kernel of shape {tuple(weight.shape)} over an input of size {tuple(input_size)}: a kernel (C_out, "
            "C_in/groups, k) goes with a size (L,), one (C_out, C_in/groups, k_h, k_w) with (H, W)"
        )
    if padding_mode not in _MODES:
        raise UsageError(f"unknown padding mode {padding_mode!r}; known are {', '.join(_MODES)}")
    out_channels, _, *kernel = weight.shape
    if groups < 1 or out_channels % groups:
        raise UsageError(f"{groups} groups cannot divide {out_channels} output channels")
    strides, dilations = _per_axis(stride, axes), _per_axis(dilation, axes)
    pads = [(item, item) if isinstance(item, int) else item for item in _per_axis(padding, axes)]
    sides = list(zip(input_size, kernel, strides, pads, dilations, strict=True))
    _refuse_giants([_outputs(*side) for side in sides], weight)

    met = [_sources(*side, _MODES[padding_mode]) for side in sides]
    outputs = [len(inputs) for inputs in met]
    width = input_size[1] if axes == 2 else 1
    rows, columns = met[0][:, :, None, None], (met[1] if axes == 2 else torch.zeros(1, 1, dtype=torch.long))
    # (outputs, kernel values) for one pair of channels: the input that each kernel value meets at each output
    read = torch.where((rows >= 0) & (columns >= 0), rows * width + columns, -1)
    read = read.transpose(1, 2).reshape(math.prod(outputs), math.prod(kernel))
    place, tap = (read >= 0).nonzero(as_tuple=True)
    return _assembled(weight.detach().flatten(2), place, tap, read[place, tap], groups, outputs, input_size)


def toeplitz_of(layer: nn.Conv1d | nn.Conv2d, input_size: Sequence[int]) -> Tensor:
    """The matrix of a convolution layer, whatever its stride, padding, dilation and groups.

    vec(layer(x)) = matrix @ vec(x) + the bias, each repeated for its map's positions.

    Raises:
        UsageError: as `toeplitz`, or the layer is of another kind.
    """
    if not isinstance(layer, (nn.Conv1d, nn.Conv2d)):
        raise UsageError(f"a Toeplitz matrix is for Conv1d and Conv2d layers, not for {type(layer).__name__}")
    axes = len(layer.kernel_size)
    if isinstance(layer, SameConv2d):
        numbers = zip(input_size, layer.kernel_size, layer.stride, layer.dilation, strict=True)
        sums = [same_padding(*side) for side in numbers]
        pads = [(total // 2, total - total // 2) for total in sums]
    else:  # torch keeps (before, after) from the last axis backwards; it covers padding="same" too
        flat = layer._reversed_padding_repeated_twice
        pads = [(flat[2 * axis], flat[2 * axis + 1]) for axis in reversed(range(axes))]
    return toeplitz(
        flip(layer.weight) if isinstance(layer, (TrueConv1d, TrueConv2d)) else layer.weight,
        input_size,
        stride=layer.stride,
        padding=pads,
        dilation=layer.dilation,
        groups=layer.groups,
        padding_mode=layer.padding_mode,
    )


def _per_axis(value: int | Sequence, axes: int) -> list:
    """One entry per axis."""
    return [value] * axes if isinstance(value, int) else list(value)


def _outputs(size: int, kernel: int, stride: int, pads: tuple[int, int], dilation: int) -> int:
    """Output positions along one axis."""
    if min(size, kernel, stride, dilation) < 1 or min(pads) < 0:
        raise UsageError("sizes, kernel, stride and dilation must be at least 1, padding at least 0")
    count = (size + sum(pads) - dilation * (kernel - 1) - 1) // stride + 1
    if count < 1:
        reach = dilation * (kernel - 1) + 1
        raise UsageError(f"a kernel that reaches over {reach} values does not fit into {size} with padding {pads}")
    return count


def _refuse_giants(outputs: list[int], weight: Tensor) -> None:
    positions = math.prod(outputs)
    values = weight.numel() * positions
    if values > MOST_VALUES:
        raise UsageError(
            f"the matrix would have {values:,} values ({weight.numel():,} weights at {positions:,} positions), "
            f"more than {MOST_VALUES:,}; take a smaller input or fewer channels"
        )


def _sources(size: int, kernel: int, stride: int, pads: tuple[int, int], dilation: int, mode: str) -> Tensor:
    """(outputs, kernel): the input that each kernel value meets at each output along one axis, -1 in the padding."""
    numbers = torch.arange(size, dtype=torch.float64)[None, None]
    try:
        padded = F.pad(numbers, pads, mode, -1.0 if mode == "constant" else None)[0, 0].long()
    except RuntimeError as error:
        raise UsageError(f"padding {pads} of {size} values: {str(error).splitlines()[0]}") from error
    return padded.unfold(0, dilation * (kernel - 1) + 1, stride)[:, ::dilation]


def _assembled(
    weight: Tensor,
    place: Tensor,
    tap: Tensor,
    source: Tensor,
    groups: int,
    outputs: Sequence[int],
    input_size: Sequence[int],
) -> Tensor:
    """Put (C_out, C_in / groups, taps) at every place: the spatial pattern, once for each pair of channels."""
    out_channels, in_per_group, _ = weight.shape
    positions, inputs = math.prod(outputs), math.prod(input_size)
    out_channel = torch.arange(out_channels)[:, None, None]
    in_channel = out_channel // (out_channels // groups) * in_per_group + torch.arange(in_per_group)[None, :, None]
    rows = (out_channel * positions + place).expand(out_channels, in_per_group, -1)
    columns = in_channel * inputs + source
    return torch.sparse_coo_tensor(
        torch.stack([rows.flatten(), columns.flatten()]).to(weight.device),
        weight[:, :, tap.to(weight.device)].flatten(),
        (out_channels * positions, groups * in_per_group * inputs),
        check_invariants=False,
    ).coalesce()  # padding that repeats pixels lets one input meet several kernel values: these add up
