"""State dicts that PyTorch wrote (`torch.save`): tensors alone are taken out of them, and no code is run.

They are pickles, which can run code when they are opened. PyTorch's own reader for weights builds tensors, numbers,
texts and what holds those, and stops at everything else; what it stops at is named.
"""

from __future__ import annotations

import pickle
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from striate.errors import StriateError

#: Ends of the names of such files.
SUFFIXES = (".pth", ".pt", ".th", ".pth.tar", ".ckpt", ".bin")
#: Where training scripts keep the weights in what else they save.
NESTED = ("state_dict", "model_state_dict", "model")
#: What DataParallel puts before every name.
PARALLEL = "module."
#: PyTorch's words about what it does not build.
NOT_BUILT = re.compile(r"GLOBAL ([\w.]+)")
MEND = "save the weights alone: torch.save(model.state_dict(), FILE), or as safetensors"


def is_pickle(path: Path) -> bool:
    """Whether a file is called as PyTorch's are."""
    return path.name.lower().endswith(SUFFIXES)


def read_pickle(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a state dict by name, also of one among what a training script saved.

    Raises:
        StriateError: there is no such file, it is damaged, or it holds anything else than a state dict; what that is
            stands in the line.
    """
    path = Path(path)
    if not path.is_file():
        raise StriateError(f"{path}: no such file of weights")
    state = _state_in(_loaded(path))
    strange = next((key for key, value in state.items() if not isinstance(value, Tensor)), None)
    if strange is not None or not state:
        what = f"'{strange}' in it is a {type(state[strange]).__name__}" if strange is not None else "it is empty"
        raise StriateError(f"{path}: no state dict ({what}); {MEND}")
    if all(key.startswith(PARALLEL) for key in state):
        return {key.removeprefix(PARALLEL): value for key, value in state.items()}
    return dict(state)


def _loaded(path: Path) -> Any:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                if (damaged := archive.testzip()) is not None:
                    raise StriateError(f"{path}: damaged ({damaged} in it has another checksum); fetch it again")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on pickles that it can hardly read
            return torch.load(path, map_location="cpu", weights_only=True)
    except StriateError:
        raise
    except pickle.UnpicklingError as error:
        found = NOT_BUILT.search(str(error))
        if found is None:
            raise StriateError(f"{path}: not a whole file of PyTorch's, or more than tensors; {MEND}") from error
        what = f"this pickle needs {found[1]} to open, which may run code, and is refused"
        raise StriateError(f"{path}: {what}; {MEND}") from error
    except Exception as error:  # a damaged file ends in errors of many kinds
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].partition(". ")[0]
        raise StriateError(f"{path}: not a whole file of PyTorch's, or more than tensors ({reason})") from error


def _state_in(loaded: Any) -> Mapping[str, Any]:
    """The state dict itself, or the one among what a script saved."""
    if not isinstance(loaded, Mapping):
        return {"": loaded}
    for name in NESTED:
        if isinstance(loaded.get(name), Mapping):
            return loaded[name]
    return loaded
