"""`summary`: what a network is made of, what it costs and what each of its units sees."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from striate.analysis import tables
from striate.analysis.kept import watch_training
from striate.analysis.meta_shapes import fused_attention
from striate.analysis.rows import Row, RowBuilder
from striate.analysis.visits import tensors_in
from striate.analysis.watcher import watch
from striate.analysis.weightless import emptied, on_device, weightless
from striate.errors import StriateError, UsageError, unknown

if TYPE_CHECKING:
    import pandas


#: Values that an optimizer keeps per trained parameter: a running mean of gradients, Adam also one of their squares.
OPTIMIZER_VALUES = {"sgd": 0, "momentum": 1, "adam": 2}


@dataclass(frozen=True)
class Summary:
    """The measured costs of one network on one input; `str()` gives a table.

    Attributes:
        name: class of the network.
        input_shapes: shapes of the inputs, batch included; the costs are those of the whole batch.
        root: the row of the network, with the rows inside it.
        parameter_bytes: memory of the parameters.
        gradient_bytes: memory of the gradients of those that require one.
        buffers: values in buffers, such as a batch norm's running statistics.
        depth: how deep the table goes; None for every leaf.
    """

    name: str
    input_shapes: tuple[tuple[int, ...], ...]
    root: Row
    parameter_bytes: int
    gradient_bytes: int
    buffers: int
    depth: int | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row per call of a leaf module or run of functional operations, in order."""
        return tuple(self.root.leaves())

    def collapsed(self, depth: int | None) -> tuple[Row, ...]:
        """The rows with everything below `depth` summed up; depth 1 gives the network's direct children."""
        return tuple(self.root.leaves(depth))

    @property
    def parameters(self) -> int:
        """Values in weights and biases; a shared one counts once."""
        return self.root.parameters

    @property
    def trainable_parameters(self) -> int:
        """Those of the parameters that require a gradient."""
        return self.root.trainable

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of one run, in convolutions and matrix products."""
        return self.root.multiply_adds

    @property
    def flops(self) -> int:
        """Floating-point operations of one run: two per multiply-add, nothing for other operations."""
        return self.root.flops

    @property
    def activation_bytes(self) -> int:
        """Memory of all outputs; views and in-place operations take none."""
        return self.root.activation_bytes

    @property
    def kept_bytes(self) -> int | None:
        """Memory of the tensors that autograd keeps for the backward pass, parameters apart.

        None where the network could not run in training mode.
        """
        return self.root.kept_bytes

    def optimizer_bytes(self, optimizer: str) -> int:
        """Memory of an optimizer's state: "sgd" none, "momentum" one value per trained parameter, "adam" two.

        Raises:
            UsageError: another optimizer.
        """
        if optimizer not in OPTIMIZER_VALUES:
            raise unknown("optimizer", optimizer, OPTIMIZER_VALUES)
        return OPTIMIZER_VALUES[optimizer] * self.gradient_bytes

    def training_bytes(self, optimizer: str = "momentum") -> int | None:
        """Memory of one training step: parameters, gradients, the optimizer's state and what autograd keeps.

        Work space of single operations and the gradients of activations come on top.
        """
        fixed = self.parameter_bytes + self.gradient_bytes + self.optimizer_bytes(optimizer)
        return None if self.kept_bytes is None else fixed + self.kept_bytes

    @property
    def receptive_field(self) -> tuple[int, ...] | None:
        """Extent in pixels that a unit of the last feature map sees, per axis, not clipped at the image.

        The last map is the one before global pooling or flattening. None where it is not known.
        """
        row = self._last_map()
        return row.receptive_field if row is not None else None

    @property
    def sees_all(self) -> bool:
        """Whether a unit of the last feature map sees the whole image."""
        row = self._last_map()
        return row is not None and row.sees_all

    def _last_map(self) -> Row | None:
        last = None
        for row in self.rows:
            shape = row.output_shape
            if shape is not None and (row.stride is not None or sum(size > 1 for size in shape[1:]) >= 2):
                last = row
        return last

    def __str__(self) -> str:
        return tables.text(self, self.depth)

    def to_markdown(self, depth: int | None = None) -> str:
        """A Markdown table."""
        return tables.markdown(self, depth)

    def to_csv(self, depth: int | None = None) -> str:
        """Comma-separated values with plain numbers and a header."""
        return tables.csv_text(self, depth)

    def to_dict(self, depth: int | None = None) -> dict[str, Any]:
        """Totals and rows in plain types that JSON can hold."""
        return tables.plain(self, depth)

    def to_pandas(self, depth: int | None = None) -> pandas.DataFrame:
        """A data frame with one line per row.

        Raises:
            StriateError: pandas is not installed.
        """
        return tables.data_frame(self, depth)

    def plot(self, path: str | Path, depth: int | None = None) -> Path:
        """Bar charts of memory, parameters and multiply-adds by layer, to an .svg or .png file."""
        from striate.analysis.plots import plot_summaries

        return plot_summaries([self], path, depth)


def summary(
    model: nn.Module,
    input_shape: Sequence[int] | None = None,
    *,
    inputs: Tensor | Sequence[Any] | None = None,
    depth: int | None = None,
    device: str = "meta",
) -> Summary:
    """Watch `model` run once, in eval mode and without weights, and tell what every layer costs and sees.

    The model is not touched: a copy without data runs. Its weights may be real or on "meta".

    Args:
        model: any module.
        input_shape: (C, H, W) for one image, (N, C, H, W) for a batch; any other number of sizes but one is
            taken with its batch. By default what the model says of itself (`input_shape`, or its card).
        inputs: in place of a shape, the tensors themselves (they may be on "meta"): integers, several inputs.
        depth: how deep the printed table goes; by default down to every leaf.
        device: "meta", or "cpu" for a network that reads its own values (`.item()`, NumPy).

    Raises:
        UsageError: no input shape is known, or it is not made of positive numbers.
        StriateError: the network fails on this input; the message has its own words and the line.
    """
    if not isinstance(model, nn.Module):
        raise UsageError(f"summary needs a torch.nn.Module, got {type(model).__name__}")
    model = getattr(model, "_orig_mod", model)  # what torch.compile wraps
    if inputs is None:
        shape = _checked_shape(model, input_shape)
        given: tuple[Any, ...] = (torch.empty(shape, dtype=_dtype(model), device="meta"),)
    else:
        given = (inputs,) if isinstance(inputs, Tensor) else tuple(inputs)
    given = tuple(_placed(value, device) for value in given)
    twin = weightless(model) if device == "meta" else on_device(model, device)
    with _RandomStateKept(), fused_attention():
        visit = _run(twin.eval(), given, device)
        trained = watch_training(twin, given)
    shapes = tuple(tuple(tensor.shape) for tensor in tensors_in(given))
    extents = max(shapes, key=len, default=())[2:]
    parameters = list(twin.parameters())
    return Summary(
        name=type(model).__name__,
        input_shapes=shapes,
        root=RowBuilder(twin, extents, visit).row(visit, trained),
        parameter_bytes=sum(parameter.numel() * parameter.element_size() for parameter in parameters),
        gradient_bytes=sum(p.numel() * p.element_size() for p in parameters if p.requires_grad),
        buffers=sum(buffer.numel() for buffer in twin.buffers()),
        depth=depth,
    )


def _checked_shape(model: nn.Module, input_shape: Sequence[int] | None) -> tuple[int, ...]:
    shape = _own_shape(model) if input_shape is None else input_shape
    if shape is None:
        raise UsageError(
            f"{type(model).__name__} does not say what input it takes; give a shape: summary(model, (3, 224, 224))"
        )
    sizes = tuple(shape)
    if not sizes or not all(isinstance(size, int) and size > 0 for size in sizes):
        raise UsageError(f"input shape {sizes} must be positive whole numbers, such as (3, 224, 224)")
    return (1, *sizes) if len(sizes) in (1, 3) else sizes


def _own_shape(model: nn.Module) -> Sequence[int] | None:
    """What the model says of its input: `input_shape`, or its card's input size with its channels."""
    shape = getattr(model, "input_shape", None)
    if shape is not None:
        return shape
    card = getattr(model, "card", None)
    channels = getattr(model, "in_channels", getattr(card, "in_channels", None))
    size = getattr(model, "input_size", getattr(card, "input_size", None))
    if channels is None or size is None:
        return None
    return (channels, size, size) if isinstance(size, int) else (channels, *size)


def _dtype(model: nn.Module) -> torch.dtype:
    kinds = (parameter.dtype for parameter in model.parameters() if parameter.is_floating_point())
    return next(kinds, torch.get_default_dtype())


def _placed(value: Any, device: str) -> Any:
    if not isinstance(value, Tensor):
        return value
    if device == "meta":
        return emptied(value)
    if value.is_meta:
        return torch.zeros(value.shape, dtype=value.dtype, device=device)
    return value.detach().to(device)


class _RandomStateKept:
    """Puts the generators of torch and Python back, and torch's switch for fused attention layers."""

    def __enter__(self) -> None:
        self.torch_state = torch.get_rng_state()
        self.python_state = random.getstate()
        self.fastpath = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)  # the fused layer would hide its products

    def __exit__(self, *exception: object) -> None:
        torch.set_rng_state(self.torch_state)
        random.setstate(self.python_state)
        torch.backends.mha.set_fastpath_enabled(self.fastpath)


def _run(twin: nn.Module, given: tuple[Any, ...], device: str) -> Any:
    try:
        return watch(twin, given, {})
    except StriateError:
        raise
    except Exception as error:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in tensors_in(given))
        place = _users_line(error.__traceback__)
        words = str(error).strip().splitlines() or [type(error).__name__]
        layer = "; ".join(getattr(error, "__notes__", [])[:1])
        message = f"{type(twin).__name__} fails on an input of shape {shapes} in {layer}: {words[0]}{place}"
        if device == "meta" and "meta" in str(error).lower():
            message += (
                '; this line needs real values, which a weightless run has not: device="cpu" (or --device cpu)'
                " runs it on real tensors"
            )
        raise StriateError(message) from error


def _users_line(trace: TracebackType | None) -> str:
    """Where the last frame outside torch and this package is."""
    inner = tuple(f"{Path(file).parent}{os.sep}" for file in (torch.__file__, __file__))
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        if not code.co_filename.startswith(inner):
            place = f" ({code.co_filename}:{trace.tb_lineno}, in {code.co_name})"
        trace = trace.tb_next
    return place
