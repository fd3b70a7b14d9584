"""What an operation costs: multiply-adds where there is a rule for it, and by name what no rule counts.

A bias, a normalisation, an activation, a pooling or an addition counts nothing, as in the tables of most papers and in
`torch.utils.flop_counter`. One multiply-add is two FLOPs, a multiplication and an addition; so our FLOPs are what
`torch.utils.flop_counter` calls FLOPs, and our multiply-adds what fvcore calls flops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from torch import Tensor

from striate.analysis.counters import counted, is_sparse
from striate.analysis.free_operations import is_free, is_outer_product
from striate.text_tables import described

#: What a table says under its figures.
WHAT_IS_COUNTED = (
    (
        "counted",
        "1 mult-add = 1 multiplication and 1 addition = 2 FLOPs, in convolutions and matrix products (also of "
        "attention, recurrent, quantised and deformable layers), one per weight of a bilinear layer and per coordinate "
        "of a distance, 5 n log2 n FLOPs in a Fourier transform (half of it on real values); nothing for bias, "
        "normalisation, activation, pooling, addition and other arithmetic value by value",
    ),
    ("memory", "of each new output; none for views and in-place operations, one for a local response normalisation"),
    (
        "training",
        "of the tensors that autograd keeps for the backward pass, each at the first layer that keeps it",
    ),
)
#: The columns in which that is told where there is room.
READABLE = 112


def counted_text(width: int | None = None) -> str:
    """`WHAT_IS_COUNTED` in lines of at most `width`."""
    return described(WHAT_IS_COUNTED, min(width or READABLE, READABLE), least=12)


COUNTED = counted_text()

#: What the count of an operation leaves out.
PARTS = {"torchvision::deform_conv2d": "sampling of deform_conv2d"}


@dataclass(frozen=True)
class Cost:
    """What one operation costs.

    Attributes:
        multiply_adds: those that a rule counts.
        missing: the operation, or the part of it, that no rule counts; empty where nothing is left out.
    """

    multiply_adds: int = 0
    missing: str = ""


NOTHING = Cost()


@cache
def full_name(func: Any) -> str:
    """Name of an operation without its overload: "mm", and of another library "torchvision::nms"."""
    name = func.overloadpacket.__name__
    plain = name if name.startswith("__") else name.rstrip("_")
    return plain if func.namespace == "aten" else f"{func.namespace}::{plain}"


def cost_of(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], tracked: list[Tensor], output: Tensor) -> Cost:
    """What `func` costs; `tracked` are those of its operands that depend on the network's input."""
    name = full_name(func)
    if kwargs:
        args = _in_order(func, args, kwargs)
    multiply_adds = counted(name, args, output)
    if multiply_adds is not None:
        return Cost(multiply_adds, PARTS.get(name, ""))
    if is_outer_product(name, tracked, output):
        return Cost(missing="mul of an outer product")
    if is_free(func, name):
        return NOTHING
    sparse = any(isinstance(arg, Tensor) and is_sparse(arg) for arg in args)
    return Cost(missing=name.strip("_") + (" of sparse values" if sparse else ""))


def _in_order(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Sequence[Any]:
    """The arguments by position, those that were named included as far as none is left out between."""
    ordered = list(args)
    for argument in func._schema.arguments[len(args) :]:
        if argument.name not in kwargs:
            break
        ordered.append(kwargs[argument.name])
    return ordered
