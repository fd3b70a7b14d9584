"""A user's network: a function or class in a Python file that belongs to no package."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from striate.errors import StriateError, UsageError, unknown
from striate.files import at_home

if TYPE_CHECKING:
    from torch import nn


def module_in(reference: str, build: Callable[[Callable[[], Any]], Any]) -> nn.Module:
    """The module that `file.py:function` returns (or that the name itself is).

    Args:
        reference: the path and, after a colon, the name of a function or class.
        build: calls the function, with its arguments, on the device that is wanted.

    Raises:
        UsageError: no such file or function.
        StriateError: the file or the function fails; with the line of the file that failed.
    """
    return made_by(named_in(reference), reference, build)


def named_in(reference: str) -> nn.Module | Callable[..., Any]:
    """What `file.py:function` names, imported: a module, or what may be called to make one.

    Raises:
        UsageError: no such file or function.
        StriateError: the file fails; with its line.
    """
    from torch import nn

    place, _, name = reference.rpartition(":")
    if not place or not name or "/" in name or name.endswith(".py"):
        such = f"{reference.rstrip(':')}:build"
        raise UsageError(f"{reference}: name the function that makes the network, such as {such}")
    path = at_home(place)
    module = _imported(path)
    if not hasattr(module, name):
        raise unknown(f"function in {place}", name, _callables(module))
    found = getattr(module, name)
    if not isinstance(found, nn.Module) and not callable(found):
        raise UsageError(f"{reference} is of type {type(found).__name__}; it must be a function that returns a module")
    return found


def made_by(
    found: nn.Module | Callable[..., Any], reference: str, build: Callable[[Callable[[], Any]], Any]
) -> nn.Module:
    """The module that was found by this reference, or that calling it makes.

    Raises:
        StriateError: the call fails, with the line of its file, or gives something else.
    """
    from torch import nn

    if isinstance(found, nn.Module):
        return found
    place, _, name = reference.rpartition(":")
    try:
        model = build(found)
    except Exception as error:
        raise StriateError(_told(error, at_home(place), f"{name}() fails")) from error
    if not isinstance(model, nn.Module):
        raise StriateError(
            f"{reference} returns a value of type {type(model).__name__}; it must return a torch.nn.Module"
        )
    return model


def _imported(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    spec = importlib.util.spec_from_file_location(f"_striate_user_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickles look there
    sys.path.insert(0, str(path.parent.resolve()))  # for the files beside it
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        del sys.modules[spec.name]
        raise StriateError(_told(error, path, "cannot be imported")) from error
    return module


def _callables(module: ModuleType) -> list[str]:
    """What of the module's own could be meant."""
    return [
        name
        for name, value in vars(module).items()
        if callable(value) and not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
    ]


def _told(error: BaseException, path: Path, what: str) -> str:
    """Such as "net.py:12: build() fails (NameError: name 'x' is not defined)"."""
    line = _line_in(error, path)
    words: Any = str(error).strip().splitlines() or [""]
    if isinstance(error, SyntaxError) and _is(error.filename, path):
        line, words = error.lineno, [error.msg]
    place = f"{path}:{line}" if line else str(path)
    return f"{place}: {what} ({type(error).__name__}{': ' if words[0] else ''}{words[0]})"


def _line_in(error: BaseException, path: Path) -> int | None:
    """The innermost line of the file that was running."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if _is(trace.tb_frame.f_code.co_filename, path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _is(filename: str | None, path: Path) -> bool:
    return filename is not None and Path(filename).resolve() == path.resolve()
