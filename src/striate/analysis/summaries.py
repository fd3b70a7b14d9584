"""`summary`: what a network is made of, what it costs and what each of its units sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from striate.analysis import tables
from striate.analysis.inputs import Inputs, as_shapes, from_shapes, from_values, own_shape
from striate.analysis.kept import watch_training
from striate.analysis.meta_shapes import fused_attention
from striate.analysis.packed import packed_tensors
from striate.analysis.rows import Row, RowBuilder
from striate.analysis.running import StateKept, name_of, placed, run, uncollected
from striate.analysis.weightless import observers, on_device, uncompiled, weightless
from striate.errors import UsageError, unknown

if TYPE_CHECKING:
    import pandas


#: Values that an optimizer keeps per trained parameter: a running mean of gradients, Adam also one of their squares.
OPTIMIZER_VALUES = {"sgd": 0, "momentum": 1, "adam": 2}


@dataclass(frozen=True)
class Summary:
    """The measured costs of one network on one input; `str()` gives a table.

    Attributes:
        name: of a network of the catalogue its name, else the network's class.
        input_shapes: shapes of the inputs, batch included; the costs are those of the whole batch.
        root: the row of the network, with the rows inside it.
        parameter_bytes: memory of the parameters.
        gradient_bytes: memory of the gradients of those that require one.
        buffers: values in buffers, such as a batch norm's running statistics.
        depth: how deep the table goes; None for every leaf.
        notes: what was done otherwise than asked, or decided where nothing was said.
    """

    name: str
    input_shapes: tuple[tuple[int, ...], ...]
    root: Row
    parameter_bytes: int
    gradient_bytes: int
    buffers: int
    depth: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row per call of a leaf module or run of functional operations, in order."""
        return tuple(self.root.leaves())

    def collapsed(self, depth: int | None) -> tuple[Row, ...]:
        """The rows with everything below `depth` summed up; depth 1 gives the network's direct children.

        Raises:
            UsageError: a negative depth.
        """
        _check_depth(depth)
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
    def not_counted(self) -> dict[str, int]:
        """Operations whose arithmetic is in none of these figures, as no rule counts it, and how often each ran."""
        return dict(self.root.not_counted)

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

    def noted(self, note: str) -> Summary:
        """The same with another note, where there is one to add."""
        return replace(self, notes=(*self.notes, note)) if note else self

    def __str__(self) -> str:
        return self.to_text(self.depth)

    def to_text(self, depth: int | None = None, width: int | None = None) -> str:
        """A table that fits `width` columns of a terminal, and the totals; whole without a width."""
        return tables.text(self, depth, width)

    def to_markdown(self, depth: int | None = None) -> str:
        """A Markdown table."""
        return tables.markdown(self, depth)

    def to_csv(self, depth: int | None = None) -> str:
        """Comma-separated values with plain numbers and a header."""
        return tables.as_csv(self, depth)

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
    input_shape: Sequence[int] | Sequence[Sequence[int]] | Mapping[str, Sequence[int]] | None = None,
    *,
    inputs: Any = None,
    depth: int | None = None,
    device: str = "meta",
) -> Summary:
    """Watch `model` run once, in eval mode and without weights, and tell what every layer costs and sees.

    The model is not touched: a copy without data runs. Its weights may be real or on "meta".

    Args:
        model: any module.
        input_shape: of one input, such as (3, 224, 224) for an image or (2, 1000) for a signal of two channels, or
            with its batch; `striate.analysis.inputs` states the rule. Several shapes, or a mapping from the names of
            arguments to shapes, are several inputs. By default what the model says of itself (`input_shape`, its
            input size and channels).
        inputs: in place of shapes the tensors themselves (they may be on "meta"), with their batch: one; a sequence of
            positional arguments, tensors or nested containers of them; or a mapping, which gives arguments by name
            where `forward` has parameters of those names and else is itself the one argument.
        depth: how deep the printed table goes; by default down to every leaf.
        device: "meta", or "cpu" for a network that reads its own values (`.item()`, NumPy). A network with quantised
            weights, which cannot be weightless, always runs on "cpu".

    Raises:
        UsageError: no input shape is known, or it is not made of positive numbers; a negative depth.
        StriateError: the network fails on this input; the message has its own words and the line.
    """
    if not isinstance(model, nn.Module):
        raise UsageError(f"summary needs a torch.nn.Module, got {type(model).__name__}")
    _check_depth(depth)
    model = uncompiled(model)
    if isinstance(inputs, Inputs):
        given = inputs
    else:
        given = _inputs(model, input_shape) if inputs is None else from_values(model, inputs)
    notes = []
    if device == "meta" and packed_tensors(model):
        device = "cpu"
        notes.append("run on real values, as quantised weights cannot be weightless")
    if left_out := len(observers(model)):
        notes.append(f"run without {left_out} of its hooks, plain functions that could write elsewhere")
    given = given.each(lambda tensor: placed(tensor, device))
    with uncollected(device):
        twin = weightless(model) if device == "meta" else on_device(model, device)
        with StateKept(), fused_attention():
            visit = run(twin.eval(), given, device)
            trained = watch_training(twin, given)
    builder = RowBuilder(twin, given.extents, visit)
    parameters = list(builder.parameters.values())
    return Summary(
        name=name_of(model),
        input_shapes=tuple(tuple(tensor.shape) for tensor in given.tensors),
        root=builder.row(visit, trained, name=name_of(model)),
        parameter_bytes=sum(parameter.numel() * parameter.element_size() for parameter in parameters),
        gradient_bytes=sum(p.numel() * p.element_size() for p in parameters if p.requires_grad),
        buffers=sum(buffer.numel() for buffer in twin.buffers()),
        depth=depth,
        notes=tuple(notes),
    )


def _inputs(model: nn.Module, shape: Any) -> Inputs:
    """Weightless tensors of the shape that is given, else of the network's own."""
    if shape is None:
        shape = own_shape(model)
    if shape is None:
        raise UsageError(
            f"{name_of(model)} does not say what input it takes; give a shape: summary(model, (3, 224, 224))"
        )
    return from_shapes(model, as_shapes(shape))


def _check_depth(depth: int | None) -> None:
    if depth is not None and depth < 0:
        raise UsageError(f"depth is {depth}; it must be 0 (the network as one row) or more")
