"""What a network costs on one input, as measured: parameters, arithmetic, memory, and what its units see."""

from __future__ import annotations

from dataclasses import dataclass

from striate.analysis.rows import Row
from striate.errors import UsageError, unknown

#: Values that an optimizer keeps per trained parameter: a running mean of gradients, Adam also one of their squares.
OPTIMIZER_VALUES = {"sgd": 0, "momentum": 1, "adam": 2}


@dataclass(frozen=True)
class Costs:
    """The measured costs of one network on one input.

    Attributes:
        name: of a network of the catalogue its name, else the network's class.
        input_shapes: shapes of the inputs, batch included; the costs are those of the whole batch.
        root: the row of the network, with the rows inside it.
        parameter_bytes: memory of the parameters.
        gradient_bytes: memory of the gradients of those that require one.
        buffers: values in buffers, such as a batch norm's running statistics.
        depth: how deep the table goes; None for every leaf.
        notes: what was done otherwise than asked, or decided where nothing was said.
        training: whether memory for training was to be told.
    """

    name: str
    input_shapes: tuple[tuple[int, ...], ...]
    root: Row
    parameter_bytes: int
    gradient_bytes: int
    buffers: int
    depth: int | None = None
    notes: tuple[str, ...] = ()
    training: bool = True

    @property
    def rows(self) -> tuple[Row, ...]:
        """One row per call of a leaf module or run of functional operations, in order."""
        return tuple(self.root.leaves())

    def collapsed(self, depth: int | None) -> tuple[Row, ...]:
        """The rows with everything below `depth` summed up; depth 1 gives the network's direct children.

        Raises:
            UsageError: a negative depth.
        """
        check_depth(depth)
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


def check_depth(depth: int | None) -> None:
    """Raise UsageError for a depth that is none."""
    if depth is not None and depth < 0:
        raise UsageError(f"depth is {depth}; it must be 0 (the network as one row) or more")
