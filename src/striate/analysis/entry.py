"""One network of a comparison: what it costs, and what it is published to reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from striate.analysis.summaries import Summary


@dataclass(frozen=True)
class Entry:
    """One network of a comparison.

    Attributes:
        name: what it is called.
        summary: its measured costs on one image.
        accuracy: published top-1 on ImageNet as a fraction, None where none is.
        accuracy_source: who published it: "paper", or whose weights.
        group: networks of one group have one colour in a chart; the family.
    """

    name: str
    summary: Summary
    accuracy: float | None = None
    accuracy_source: str = ""
    group: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The totals in plain types."""
        field = self.summary.receptive_field
        return {
            "network": self.name,
            "input_shape": list(self.summary.input_shapes[0]) if self.summary.input_shapes else None,
            "parameters": self.summary.parameters,
            "trainable_parameters": self.summary.trainable_parameters,
            "multiply_adds": self.summary.multiply_adds,
            "flops": self.summary.flops,
            "not_counted": self.summary.not_counted,
            "activation_bytes": self.summary.activation_bytes,
            "kept_bytes": self.summary.kept_bytes,
            "receptive_field": None if field is None else list(field),
            "sees_all": self.summary.sees_all,
            "top1": self.accuracy,
            "top1_source": self.accuracy_source or None,
        }
