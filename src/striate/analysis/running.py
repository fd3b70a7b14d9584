"""Running a copy of a network once: its random state put back, its failures told in one line."""

from __future__ import annotations

import gc
import os
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from striate.analysis.inputs import Inputs
from striate.analysis.visits import Visit, class_of
from striate.analysis.watcher import watch
from striate.analysis.weightless import emptied, uncompiled
from striate.errors import StriateError


@contextmanager
def uncollected(device: str) -> Iterator[None]:
    """While active, Python does not look for garbage, which takes a fifth of the time and on "meta" frees no memory."""
    quiet = device == "meta" and gc.isenabled()
    if quiet:
        gc.disable()
    try:
        yield
    finally:
        if quiet:
            gc.enable()


def name_of(model: nn.Module) -> str:
    """The name that a network of the catalogue has in its spec, else the network's class, before it was scripted."""
    model = uncompiled(model)
    name = getattr(getattr(model, "spec", None), "name", None)
    if isinstance(name, str) and name != "custom":
        return name
    return class_of(model)


def weights_of(model: nn.Module) -> str:
    """What a network of the catalogue says of the weights that it was loaded with; it may have been trained since."""
    source = getattr(model, "weights_source", None)
    if source is None:
        return ""
    return f"loaded with weights '{source.name}'{f' of {source.origin}' if source.origin else ''}"


def placed(tensor: Tensor, device: str) -> Tensor:
    """The tensor on the device of the run; zeros in place of a weightless one."""
    if device == "meta":
        return emptied(tensor)
    if tensor.is_meta:
        return torch.zeros(tensor.shape, dtype=tensor.dtype, device=device)
    return tensor.detach().to(device)


class StateKept:
    """Puts the generators of torch and Python back, and torch's switch for fused attention layers; says no warnings.

    What a network warns of belongs to where it is used. Parts that `torch.compile` wraps run as they are written, as
    compiled code shows neither its layers nor all of its operations.
    """

    def __enter__(self) -> None:
        self.warnings = warnings.catch_warnings()
        self.warnings.__enter__()
        warnings.simplefilter("ignore")
        self.torch_state = torch.get_rng_state()
        self.python_state = random.getstate()
        self.fastpath = torch.backends.mha.get_fastpath_enabled()
        torch.backends.mha.set_fastpath_enabled(False)  # the fused layer would hide its products
        self.stance: Any = nullcontext()
        if "torch._dynamo" in sys.modules:  # where nothing is compiled it need not be imported
            self.stance = torch.compiler.set_stance("force_eager")
        self.stance.__enter__()

    def __exit__(self, *exception: object) -> None:
        self.stance.__exit__(*sys.exc_info())
        torch.set_rng_state(self.torch_state)
        random.setstate(self.python_state)
        torch.backends.mha.set_fastpath_enabled(self.fastpath)
        self.warnings.__exit__(*sys.exc_info())


def run(twin: nn.Module, inputs: Inputs, device: str) -> Visit:
    """Watch the copy run.

    Raises:
        StriateError: it fails; with its own words, the layer and the user's line.
    """
    try:
        return watch(twin, inputs)
    except StriateError:
        raise
    except Exception as error:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in inputs.tensors)
        place = _users_line(error.__traceback__)
        words = str(error).strip().splitlines() or [type(error).__name__]
        layer = "; ".join(getattr(error, "__notes__", [])[:1])
        message = f"{name_of(twin)} fails on an input of shape {shapes} in {layer}: {words[0]}{place}"
        raise StriateError(message + _mend(error, device)) from error


def _mend(error: Exception, device: str) -> str:
    """What else could be tried, where the words of an error tell."""
    words = str(error).lower()
    if device == "meta" and any(word in words for word in ("meta", "fake impl")):
        return (
            '; this line needs real values, which a weightless run has not: device="cpu" (or --device cpu)'
            " runs it on real tensors"
        )
    if "dtype" in words or "scalar type" in words:
        return "; values of another type are given as `inputs` (or such as --input 12:int64)"
    if isinstance(error, TypeError) and "argument" in words:
        return "; several inputs are given as several shapes, or by name (--input once for each)"
    return ""


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
