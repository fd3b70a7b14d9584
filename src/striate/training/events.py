"""The figures of each epoch as TensorBoard events, where TensorBoard is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any


class Events:
    """Writes rows of metrics.csv into a folder that `tensorboard --logdir` shows.

    A run that goes on writes a new file, which hides what earlier ones say of the epochs that are done again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer: Any = None

    def write(self, row: dict[str, Any]) -> None:
        """Write one epoch; nothing where TensorBoard is missing or cannot write to a folder of that name."""
        if importlib.util.find_spec("tensorboard") is None or not _is_text(self.folder):
            return
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self.folder), purge_step=row["epoch"])
        for name, value in row.items():
            if name not in ("epoch", "step") and value != "":
                group, _, figure = name.rpartition("_")
                self._writer.add_scalar(f"{figure}/{group}", value, row["epoch"])
        self._writer.flush()

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _is_text(folder: Path) -> bool:
    """Whether a path is letters; TensorBoard takes no other bytes, which a file name may hold."""
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        return False
    return True
