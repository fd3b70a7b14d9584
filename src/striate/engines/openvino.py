"""OpenVINO: Intel's engine, the fastest on most processors of the x86 kind."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from striate.engines.frozen import Frozen
from striate.engines.kept import Place
from striate.engines.tracing import traced
from striate.engines.unreported import openvino

FILE = "model.xml"
#: Pictures that go through the network side by side, at most, each on its share of the processor's threads: on two
#: cores that took 4.2 ms for a picture of MobileNet v2, where several at once on both took 5.4 and more.
STREAMS = 5
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
        package = openvino()
        self.name = "openvino" if precision == "32" else f"openvino-{precision}"
        self._place = Place(f"openvino {package.__version__} of one", frozen.content, FILE)
        self._model = None if anew else self._read()
        self.was_kept = self._model is not None
        if self._model is None:
            example = frozen.example[:1]
            self._model = package.convert_model(
                traced(frozen, example), example_input=example, input=list(example.shape)
            )
        threads = torch.get_num_threads()
        streams = min(threads, STREAMS)
        settings = {
            "INFERENCE_PRECISION_HINT": PRECISIONS[precision],
            "PERFORMANCE_HINT": "THROUGHPUT",
            "NUM_STREAMS": str(streams),
            "INFERENCE_NUM_THREADS": threads,
        }
        self._queue = package.AsyncInferQueue(_core().compile_model(self._model, "CPU", settings), streams)
        self._queue.set_callback(_note)

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Outputs (N, K) of pictures uint8 (N, H, W, C)."""
        images, found = np.ascontiguousarray(images), dict[int, NDArray[np.float32]]()
        for place in range(len(images)):
            self._queue.start_async({0: images[place : place + 1]}, (found, place))
        self._queue.wait_all()
        return np.concatenate([found[place] for place in range(len(images))])

    def _read(self) -> Any:
        """The network converted earlier; None where there is none, or it cannot be read."""
        try:
            if not self._place.is_kept:
                return None
            return _core().read_model(self._place.file)
        except RuntimeError:  # cut off
            return None

    def keep(self) -> None:
        """Keep what was converted for the next time."""

        def write(folder: Path) -> None:
            openvino().save_model(self._model, folder / FILE, compress_to_fp16=False)

        self._place.keep(write)


@functools.cache
def _core() -> Any:
    """OpenVINO itself: one for the process, and for good.

    Each gives the thread that first compiles by it a stack for its signals and, when it goes, takes that memory away,
    which the thread may still have as its stack: of two, where the first goes first. The next signal, be it Ctrl-C or
    the end of a child, would then end the process by a segmentation fault.
    """
    core = openvino().Core()
    core.set_property({"ENABLE_MMAP": False})  # a file may be replaced while it is used
    return core


def _note(request: Any, place: tuple[dict[int, NDArray[np.float32]], int]) -> None:
    """Keep what a picture gave."""
    found, number = place
    found[number] = np.array(request.get_output_tensor(0).data, np.float32)
