"""ONNX Runtime: Microsoft's engine, for processors of every kind."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from striate.engines.frozen import Frozen, in_pieces
from striate.engines.kept import Place
from striate.engines.quiet import without_words
from striate.files import write_atomically

FILE = "model.onnx"


class OnnxRuntime:
    """A network exported to ONNX and run by ONNX Runtime, which takes pictures before normalisation.

    Args:
        frozen: what to run, on a processor.
        anew: export it, whatever is kept.

    Attributes:
        was_kept: whether it was exported earlier.
    """

    name = "onnxruntime"

    def __init__(self, frozen: Frozen, anew: bool = False) -> None:
        self._together = frozen.together
        self._place = Place(f"onnx of torch {torch.__version__}", frozen.content, FILE)
        session = None if anew else self._read()
        self.was_kept = session is not None
        self._model = b"" if session else _exported(frozen)
        self._session = session or _session(self._model)
        self._input = self._session.get_inputs()[0].name

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Outputs (N, K) of pictures uint8 (N, H, W, C)."""
        return in_pieces(self._run, images, self._together)

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return self._session.run(None, {self._input: images})[0]

    def _read(self) -> Any:
        """A session on the network exported earlier; None where there is none, or it cannot be read."""
        try:
            return _session(str(self._place.file)) if self._place.is_kept else None
        except Exception:  # cut off
            return None

    def keep(self) -> None:
        """Keep what was exported for the next time."""
        self._place.keep(lambda folder: write_atomically(folder / FILE, self._model))


def _session(model: str | bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _exported(frozen: Frozen) -> bytes:
    """The network as the bytes of an ONNX file."""
    with warnings.catch_warnings(), without_words(), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(frozen.whole(), (frozen.example,), dynamo=True, verbose=False)
        assert program is not None
        return program.model_proto.SerializeToString()
