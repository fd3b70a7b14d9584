"""`summary`: what a network is made of, what it costs and what each of its units sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import nn

from striate.analysis import plots, tables
from striate.analysis.costs import Costs, check_depth
from striate.analysis.inputs import Inputs, as_shapes, from_shapes, from_values, own_shape
from striate.analysis.kept import watch_training
from striate.analysis.meta_shapes import fused_attention
from striate.analysis.packed import packed_tensors
from striate.analysis.rows import RowBuilder
from striate.analysis.running import StateKept, name_of, placed, run, uncollected
from striate.analysis.weightless import observers, on_device, uncompiled, weightless
from striate.errors import UsageError
from striate.notebook import Facts, Shown
from striate.units import count, plural

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True, repr=False)
class Summary(Shown, Costs):
    """The measured costs of one network on one input, which show themselves; `str()` gives a table."""

    def noted(self, note: str) -> Summary:
        """The same with another note, where there is one to add."""
        return replace(self, notes=(*self.notes, note)) if note else self

    def __str__(self) -> str:
        return self.to_text(self.depth)

    def _facts(self) -> Facts:
        columns, rows = tables.cells(self, self.depth)
        values = {
            "network": f"{self.name} on {', '.join('x'.join(map(str, shape)) for shape in self.input_shapes)}",
            "parameters": f"{count(self.parameters)} parameters",
            "multiply-adds": f"{count(self.multiply_adds)} multiply-adds",
            "layers": plural(len(rows), "row"),
            "notes": " ".join(self.notes),
        }
        return Facts(values, columns, rows)

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
        return plots.plot_summaries([self], path, depth)


def summary(
    model: nn.Module,
    input_shape: Sequence[int] | Sequence[Sequence[int]] | Mapping[str, Sequence[int]] | None = None,
    *,
    inputs: Any = None,
    depth: int | None = None,
    device: str = "meta",
    training: bool = True,
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
        training: whether to tell the memory that training takes too, for which it runs once more.

    Raises:
        UsageError: no input shape is known, or it is not made of positive numbers; a negative depth.
        StriateError: the network fails on this input; the message has its own words and the line.
    """
    if not isinstance(model, nn.Module):
        raise UsageError(f"summary needs a torch.nn.Module, got {type(model).__name__}")
    check_depth(depth)
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
            trained = watch_training(twin, given) if training else None
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
        training=training,
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
