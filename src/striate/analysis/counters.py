"""How many multiply-adds each operation takes: one rule per kind, from the shapes of what goes in and comes out.

Names are those of aten's operations; others carry their library's name before two colons.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import log2, prod
from typing import Any

import torch
from torch import Tensor

from striate.analysis.packed import weights_in

Counter = Callable[[Sequence[Any], Tensor], int]


def _convolution(args: Sequence[Any], output: Tensor) -> int:
    is_transposed = len(args) > 6 and args[6] is True
    return _transposed(args, output) if is_transposed else _window(args, output)


def _window(args: Sequence[Any], output: Tensor) -> int:
    """Each output unit meets one column of the weight."""
    return output.numel() * prod(args[1].shape[1:])


def _transposed(args: Sequence[Any], output: Tensor) -> int:
    """Each input unit meets one column of the weight."""
    return args[0].numel() * prod(args[1].shape[1:])


def _in_time(args: Sequence[Any], output: Tensor) -> int:
    """A convolution with the time first; its weight is (width, in, out)."""
    return output.numel() * prod(args[1].shape[:2])


def _product(position: int) -> Counter:
    """A matrix product whose first factor is that argument."""
    return lambda args, output: output.numel() * args[position].shape[-1]


def _grouped_product(args: Sequence[Any], output: Tensor) -> int:
    """Products of groups; of two matrices the inner side is what is cut into groups, and they share it."""
    matrices = args[0].dim() == args[1].dim() == 2
    return (output[0] if matrices else output).numel() * args[0].shape[-1]


def _trilinear(args: Sequence[Any], output: Tensor) -> int:
    """A sum over products of three: one for each value of all that is summed, as one per weight of `nn.Bilinear`."""
    shapes = []
    for operand, expanded in zip(args[:3], args[3:6], strict=True):
        shape = list(operand.shape)
        for dim in sorted(expanded):
            shape.insert(dim, 1)
        shapes.append(shape)
    return prod(map(max, zip(*shapes, strict=True)))


def _distances(args: Sequence[Any], output: Tensor) -> int:
    """One for each coordinate of each pair."""
    return output.numel() * args[0].shape[-1]


def _fourier(args: Sequence[Any], output: Tensor) -> int:
    """5 n log2(n) floating-point operations for n complex values, half as many where one side is real."""
    sizes = [max(args[0].shape[dim], output.shape[dim]) for dim in args[1]]
    count, transforms = prod(sizes), prod(output.shape) // prod(output.shape[dim] for dim in args[1])
    flops = 5 * transforms * count * log2(count)
    is_real = not (args[0].is_complex() and output.is_complex())
    return round(flops / (4 if is_real else 2))


def _attention(args: Sequence[Any], output: Tensor) -> int:
    query, key, value = args[:3]
    scores = prod(query.shape[:-1]) * key.shape[-2]
    return scores * (query.shape[-1] + value.shape[-1])


def _mkldnn_rnn_layer(args: Sequence[Any], output: Tensor) -> int:
    inputs, weight_input, weight_hidden = args[:3]
    return prod(inputs.shape[:-1]) * (weight_input.numel() + weight_hidden.numel())


def _packed_recurrence(args: Sequence[Any], output: Tensor) -> int:
    """Each step of each sequence meets every weight."""
    return prod(args[0].shape[:-1]) * sum(weight.numel() for weight in weights_in(args))


def _packed_window(args: Sequence[Any], output: Tensor) -> int:
    return output.numel() * prod(weights_in(args)[0].shape[1:])


def _packed_transposed(args: Sequence[Any], output: Tensor) -> int:
    return args[0].numel() * prod(weights_in(args)[0].shape[1:])


def _table() -> dict[str, Counter]:
    windows = "mkldnn_convolution cudnn_convolution cudnn_convolution_relu cudnn_convolution_add_relu"
    windows += " miopen_convolution miopen_convolution_relu miopen_convolution_add_relu miopen_depthwise_convolution"
    windows += " _slow_conv2d_forward slow_conv3d_forward slow_conv_dilated2d slow_conv_dilated3d _conv_depthwise2d"
    windows += " conv_depthwise3d _nnpack_spatial_convolution _mps_convolution"
    transposed = "cudnn_convolution_transpose miopen_convolution_transpose _mps_convolution_transpose"
    transposed += " slow_conv_transpose2d slow_conv_transpose3d"
    first = "mm bmm mv linear mkldnn_linear _int_mm _scaled_mm _scaled_mm_v2 _weight_int8pack_mm _weight_int4pack_mm"
    first += " _weight_int4pack_mm_for_cpu _weight_int4pack_mm_with_scales_and_zeros _dyn_quant_matmul_4bit"
    first += " _mixed_dtypes_linear"
    attentions = "flash_attention flash_attention_for_cpu efficient_attention cudnn_attention"
    attentions += " fused_attention_overrideable attention_math_for_mps"
    recurrent = "lstm gru rnn_relu rnn_tanh"
    packed = "conv1d conv2d conv3d"
    table: dict[str, Counter] = {
        "addbmm": lambda args, output: prod(args[1].shape) * args[2].shape[-1],
        "addr": lambda args, output: output.numel(),
        "conv_tbc": _in_time,
        "dot": lambda args, output: args[0].numel(),
        "vdot": lambda args, output: args[0].numel(),
        "mkldnn_rnn_layer": _mkldnn_rnn_layer,
        "_trilinear": _trilinear,
        "quantized_lstm": _packed_recurrence,
        "quantized_gru": _packed_recurrence,
        "quantized::matmul": _product(0),
        "quantized::linear_dynamic_fp16_unpacked_weight": _product(0),
        "torchvision::deform_conv2d": _window,
    }
    for names, counter in (
        ("convolution _convolution convolution_overrideable", _convolution),
        (windows, _window),
        (transposed, _transposed),
        (first, _product(0)),
        ("addmm addmv baddbmm _addmm_activation", _product(1)),
        ("_grouped_mm _scaled_grouped_mm _scaled_grouped_mm_v2", _grouped_product),
        ("_cdist_forward _euclidean_dist _pdist_forward", _distances),
        ("_fft_c2c _fft_r2c _fft_c2r", _fourier),
    ):
        table.update(dict.fromkeys(names.split(), counter))
    for name in attentions.split():
        table[f"_scaled_dot_product_{name}"] = _attention
    for cell in recurrent.split():
        table[f"quantized::quantized_{cell}_cell_dynamic"] = _packed_recurrence
    for layer in packed.split():
        for form in ("", "_relu", "_dynamic", "_add", "_add_relu"):
            table[f"quantized::{layer}{form}"] = _packed_window
        table[f"quantized::conv_transpose{layer[4:]}"] = _packed_transposed
        table[f"quantized::conv_transpose{layer[4:]}_dynamic"] = _packed_transposed
    for form in (
        "",
        "_relu",
        "_leaky_relu",
        "_tanh",
        "_dynamic",
        "_relu_dynamic",
        "_dynamic_fp16",
        "_relu_dynamic_fp16",
    ):
        table[f"quantized::linear{form}"] = _packed_window
    return table


#: Multiply-adds of an operation by its name, from its arguments and its first output.
COUNTERS = _table()


def is_sparse(tensor: Tensor) -> bool:
    """Whether values are left out of it; the rules are for tensors that hold all of them."""
    return tensor.layout is not torch.strided and str(tensor.layout).startswith("torch.sparse")


def counted(name: str, args: Sequence[Any], output: Tensor) -> int | None:
    """Multiply-adds of an operation; None where there is no rule for it, or none for these tensors."""
    counter = COUNTERS.get(name)
    if counter is None or any(isinstance(arg, Tensor) and is_sparse(arg) for arg in args):
        return None
    return counter(args, output)
