"""What a network does beyond its layers and weights: the code that runs it, as it is loaded, and values beside it.

Two networks of the same layers and weights may give other outputs, where a function between the layers is another one
or a factor is. Of one's own code all that a network's classes run is taken, with the functions, classes and constants
that they name; that of libraries, striate's own among them, is known by its version.
"""

from __future__ import annotations

import builtins
import functools
import hashlib
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

#: Where libraries lie.
LIBRARIES = tuple({str(Path(sysconfig.get_path(name)).resolve()) for name in ("stdlib", "purelib", "platlib")})
#: Packages that are libraries wherever they lie.
KNOWN = ("striate", "torch", "torchvision", "timm")
#: What modules have that changes nothing of what they compute in evaluation mode, but for the last layer.
BESIDE = ("training", "num_classes")
#: Values that say all of themselves.
PLAIN = (bool, int, float, complex, str, bytes, type(None), torch.dtype, torch.Size)


def code_of(network: nn.Module, unused: tuple[str, ...] = ()) -> str:
    """All of it in one text, the same in every process while code and values are.

    Args:
        network: it and the modules in it.
        unused: paths of modules in it that do not matter.
    """
    return "\n".join(_Told().network(network, unused))


class _Told:
    """Goes through code and tells of each function and class once."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def network(self, network: nn.Module, unused: tuple[str, ...]) -> Iterator[str]:
        for path, module in network.named_modules():
            if path in unused:
                continue
            yield from self._class(type(module))
            with suppress(AttributeError, RuntimeError):
                yield f"{path}: {module.code}"  # of a graph or a script, whose class says nothing
            if hasattr(module, "spec"):  # the face of a network: what it computes is in what it holds
                continue
            for name, value in sorted(vars(module).items()):
                if not name.startswith("_") and name not in BESIDE:
                    yield from self._value(f"{path}.{name}", value)

    def _class(self, kind: type) -> Iterator[str]:
        if id(kind) in self._seen:
            return
        self._seen.add(id(kind))
        yield f"{kind.__module__}.{kind.__qualname__} {_version(_package(kind))}"
        if _is_library(kind):
            return
        for base in kind.__bases__:
            yield from self._class(base)
        for name, value in sorted(vars(kind).items()):
            if not name.startswith("__") or isinstance(value, FunctionType):
                yield from self._value(f"{kind.__qualname__}.{name}", value)

    def _value(self, name: str, value: Any) -> Iterator[str]:
        if isinstance(value, PLAIN):
            yield f"{name} = {value!r}"
        elif isinstance(value, tuple | list):
            for place, item in enumerate(value):
                yield from self._value(f"{name}[{place}]", item)
        elif isinstance(value, set | frozenset):
            yield f"{name} = {sorted(map(repr, value))}"
        elif isinstance(value, Mapping):
            for key, item in value.items():
                yield from self._value(f"{name}[{key!r}]", item)
        elif isinstance(value, Tensor | np.ndarray):
            numbers = np.ascontiguousarray(torch.as_tensor(value).detach().cpu().double().numpy())
            yield f"{name} = {numbers.shape} {hashlib.sha256(numbers.tobytes(), usedforsecurity=False).hexdigest()}"
        elif isinstance(value, functools.partial):
            yield from self._value(name, (value.func, value.args, dict(value.keywords)))
        elif isinstance(value, property):
            yield from self._value(name, value.fget)
        elif isinstance(value, staticmethod | classmethod | MethodType):
            yield from self._value(name, value.__func__)
        elif isinstance(value, FunctionType):
            yield from self._function(name, value)
        elif isinstance(value, type):
            yield from self._class(value)

    def _function(self, name: str, function: FunctionType) -> Iterator[str]:
        yield f"{name} is {function.__module__}.{function.__qualname__}"
        if id(function) in self._seen or _is_library(function):
            return
        self._seen.add(id(function))
        code = function.__code__
        yield _instructions(code)
        yield from self._value(f"{name} by default", (function.__defaults__, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            with suppress(ValueError):  # nothing is in it
                yield from self._value(f"{name} around", cell.cell_contents)
        names = _names(code)
        for used in names:
            value = function.__globals__.get(used)
            if isinstance(value, ModuleType):
                if not _is_library(value):
                    for inner in names:
                        yield from self._value(f"{used}.{inner}", vars(value).get(inner))
            elif value is not None:
                yield from self._value(used, value)


def _instructions(code: CodeType) -> str:
    """What a function does, whatever lines it stands in."""
    values = [_constant(value) for value in code.co_consts]
    return f"{code.co_code.hex()} {values} {code.co_names} {code.co_varnames}"


def _constant(value: Any) -> str:
    if isinstance(value, CodeType):
        return _instructions(value)
    return str(sorted(map(repr, value))) if isinstance(value, frozenset) else repr(value)


def _names(code: CodeType) -> list[str]:
    """The names that a function and those within it use, but for Python's own."""
    found = [name for name in code.co_names if not hasattr(builtins, name)]
    for value in code.co_consts:
        if isinstance(value, CodeType):
            found += _names(value)
    return sorted(set(found))


def _package(found: Any) -> str:
    name = found.__name__ if isinstance(found, ModuleType) else getattr(found, "__module__", None) or ""
    return str(name).partition(".")[0]


def _is_library(found: Any) -> bool:
    """Whether a class, function or module is of an installed package, or of Python itself."""
    package = _package(found)
    if package in KNOWN or package in sys.stdlib_module_names:
        return True
    file = getattr(sys.modules.get(package), "__file__", None)
    return file is not None and str(Path(file).resolve()).startswith(LIBRARIES)


def _version(package: str) -> str:
    """The version that a package says it has; empty where it says none."""
    return str(getattr(sys.modules.get(package), "__version__", ""))
