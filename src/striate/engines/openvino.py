"""OpenVINO: Intel's engine, the fastest on most processors of the x86 kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from striate.engines.frozen import Frozen, in_pieces
from striate.engines.kept import Place
from striate.engines.tracing import traced

FILE = "model.xml"
#: What OpenVINO calls the precisions.
PRECISIONS = {"32": "f32", "bf16": "bf16"}


class OpenVino:
    """A network compiled by OpenVINO, which takes pictures before normalisation.

    Args:
        frozen: what to run, on a processor.
        precision: "32", or "bf16", which is another, coarser network.
        anew: convert it, whatever is kept.

    Attributes:
        was_kept: whether it was converted earlier.
    """

    def __init__(self, frozen: Frozen, precision: str = "32", anew: bool = False) -> None:
        import openvino

        self.name = "openvino" if precision == "32" else f"openvino-{precision}"
        self._openvino, self._together = openvino, frozen.together
        self._place = Place(f"openvino {openvino.__version__}", frozen.content, FILE)
        self._model = None if anew else self._read()
        self.was_kept = self._model is not None
        if self._model is None:
            example = frozen.example
            self._model = openvino.convert_model(traced(frozen), example_input=example, input=list(example.shape))
        settings = {
            "INFERENCE_PRECISION_HINT": PRECISIONS[precision],
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        }
        compiled = openvino.Core().compile_model(self._model, "CPU", settings)
        self._request = compiled.create_infer_request()

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Outputs (N, K) of pictures uint8 (N, H, W, C)."""
        return in_pieces(self._run, images, self._together)

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.array(self._request.infer({0: images})[0], np.float32)

    def _read(self) -> Any:
        """The network converted earlier; None where there is none, or it cannot be read."""
        try:
            if not self._place.is_kept:
                return None
            core = self._openvino.Core()
            core.set_property({"ENABLE_MMAP": False})  # the file may be replaced while it is used
            return core.read_model(self._place.file)
        except RuntimeError:  # cut off
            return None

    def keep(self) -> None:
        """Keep what was converted for the next time."""

        def write(folder: Path) -> None:
            self._openvino.save_model(self._model, folder / FILE, compress_to_fp16=False)

        self._place.keep(write)
