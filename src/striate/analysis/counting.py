"""Multiply-adds of one aten operation: those of convolutions and matrix products, attention's included.

A bias, a normalisation, an activation, a pooling or an addition counts nothing, as in the tables of most papers and in
`torch.utils.flop_counter`. One multiply-add is two FLOPs, a multiplication and an addition; so our FLOPs are what
`torch.utils.flop_counter` calls FLOPs, and our multiply-adds what fvcore calls flops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch

#: What a table says under its figures.
COUNTED = (
    "counted       1 mult-add = 1 multiplication and 1 addition = 2 FLOPs, in convolutions and matrix products (also\n"
    "              attention's); nothing for bias, normalisation, activation, pooling and addition\n"
    "memory        of each new output; views and in-place operations take none\n"
    "training      of the tensors that autograd keeps for the backward pass, each at the first layer that keeps it"
)


def _convolution(args: Sequence[Any], output: torch.Tensor) -> int:
    inputs, weight, is_transposed = args[0], args[1], args[6]
    # each output unit (each input unit of a transposed one) meets one column of the weight
    return (inputs if is_transposed else output).numel() * prod(weight.shape[1:])


def _product(inputs: torch.Tensor, output: torch.Tensor) -> int:
    return output.numel() * inputs.shape[-1]


def _attention(args: Sequence[Any], output: torch.Tensor) -> int:
    query, key, value = args[:3]
    scores = prod(query.shape[:-1]) * key.shape[-2]
    return scores * (query.shape[-1] + value.shape[-1])


def _mkldnn_rnn_layer(args: Sequence[Any], output: torch.Tensor) -> int:
    inputs, weight_input, weight_hidden = args[:3]
    return prod(inputs.shape[:-1]) * (weight_input.numel() + weight_hidden.numel())


COUNTERS: dict[str, Callable[[Sequence[Any], torch.Tensor], int]] = {
    "convolution": _convolution,
    "_convolution": _convolution,
    "convolution_overrideable": _convolution,
    "mm": lambda args, output: _product(args[0], output),
    "bmm": lambda args, output: _product(args[0], output),
    "mv": lambda args, output: _product(args[0], output),
    "dot": lambda args, output: args[0].numel(),
    "vdot": lambda args, output: args[0].numel(),
    "addmm": lambda args, output: _product(args[1], output),
    "addmv": lambda args, output: _product(args[1], output),
    "baddbmm": lambda args, output: _product(args[1], output),
    "addbmm": lambda args, output: prod(args[1].shape) * args[2].shape[-1],
    "_int_mm": lambda args, output: _product(args[0], output),
    "_scaled_mm": lambda args, output: _product(args[0], output),
    "linear": lambda args, output: _product(args[0], output),
    "mkldnn_rnn_layer": _mkldnn_rnn_layer,
    "_scaled_dot_product_flash_attention": _attention,
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "_scaled_dot_product_efficient_attention": _attention,
    "_scaled_dot_product_cudnn_attention": _attention,
    "_scaled_dot_product_fused_attention_overrideable": _attention,
}


def multiply_adds(name: str, args: Sequence[Any], output: torch.Tensor) -> int:
    """Multiply-adds of the aten operation `name` (without its overload) called with `args`."""
    counter = COUNTERS.get(name.rstrip("_"))
    return counter(args, output) if counter is not None else 0
