"""How long a training has yet to take: steps, validations and the evaluation at the end."""

from __future__ import annotations

from dataclasses import dataclass

from striate.training.state import Position

#: A forward pass costs about a third of a step, which goes forward and, at twice the cost, backward.
FORWARD_SHARE = 1 / 3


@dataclass(frozen=True)
class Pace:
    """What is known of a training's length beforehand.

    Attributes:
        steps: of an epoch.
        batch_size: images per step.
        validation_images: measured after each epoch.
        final_images: measured once at the end.
    """

    steps: int
    batch_size: int
    validation_images: int = 0
    final_images: int = 0

    def left(self, position: Position, step_seconds: float) -> float:
        """Seconds to the end, when a step takes `step_seconds`; the report's are not known and not counted."""
        epochs = position.epochs - position.epoch
        steps = epochs * self.steps - position.step_in_epoch
        forward = epochs * self.validation_images + self.final_images
        return steps * step_seconds + forward * self._forward_seconds(position, step_seconds)

    def _forward_seconds(self, position: Position, step_seconds: float) -> float:
        """Seconds to measure one image: as the last validation took; before the first, judged by the steps."""
        last = position.timing[-1]["validation_seconds"] if position.timing else 0
        if last and self.validation_images:
            return float(last) / self.validation_images
        return step_seconds / self.batch_size * FORWARD_SHARE
