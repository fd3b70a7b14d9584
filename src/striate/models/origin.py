"""Where the code of somebody else's network comes from, kept with its weights; and whose code may be run.

A file of weights never runs code by itself. A network of a library is made by its name. One of a user's own file or
package is made only where the user has named that file or package, and only while it is what it was; one that was
handed over has to be handed over again.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from striate.errors import StriateError, UsageError
from striate.files import at_home
from striate.models.libraries import version_of
from striate.models.references import Reference


class Untrusted(StriateError):
    """A network's code is a user's, and has not been named."""


#: A module, or what makes one, that is handed over in Python.
Handed = nn.Module | Callable[..., nn.Module]


@dataclass(frozen=True)
class Trust:
    """Whose code may be run: files and packages that the user has named, or a module that is at hand.

    Attributes:
        places: paths of files, and import paths of modules.
        handed: a module or the function or class that makes it, which is used whatever the weights say.
    """

    places: tuple[str, ...] = ()
    handed: Handed | None = None

    @classmethod
    def of(cls, trust: str | Path | None = None, handed: Handed | None = None) -> Trust:
        """From what a caller says.

        Raises:
            UsageError: the file that is named is not there.
        """
        if trust is None:
            return cls((), handed)
        place = str(trust).partition(".py:")[0] + ".py" if ".py:" in str(trust) else str(trust)
        if place.endswith(".py") and not at_home(place).is_file():
            raise UsageError(f"{place}: no such file")
        return cls((place,), handed)


def origin_of(reference: Reference) -> dict[str, Any]:
    """What is kept of where a network comes from: kind, place, name, and versions or the file's checksum."""
    kept: dict[str, Any] = {"kind": reference.kind, "place": reference.place, "name": reference.name}
    if reference.kind == "file":
        path = at_home(reference.place).absolute()
        return kept | {"place": str(path), "sha256": sha256_of(path)}
    if reference.kind == "package":
        source = _source_of(reference.place)
        return kept | ({"sha256": sha256_of(source)} if source else {})
    return kept | {"versions": version_of(reference)}


def origin_of_module(module: nn.Module) -> dict[str, Any]:
    """The same of a module that was handed over, which nothing but itself can make again."""
    kind = type(module)
    return {"kind": "module", "place": kind.__module__, "name": kind.__qualname__}


def reference_in(origin: Mapping[str, Any], trust: Trust) -> Reference:
    """The reference by which a kept network is made again.

    Raises:
        Untrusted: its code is a user's, and is not trusted, or is another than it was; in one line with the mend.
    """
    kind, place, name = origin["kind"], origin["place"], origin["name"]
    if kind in ("torchvision", "timm"):
        return Reference(kind, kind, name)
    if kind == "module":
        raise Untrusted(
            f"the network is a {place}.{name} that was handed over in Python; hand one over again: "
            "striate.load(..., model=...)"
        )
    called = Path(place).name if kind == "file" else place
    if not trust.places:
        raise Untrusted(
            f"the network is made by {called}:{name}, code that is run only where you name it: --trust {called} "
            f"(in Python: trust={called!r})"
        )
    trusted = trust.places[0]
    if (kind == "file") != trusted.endswith(".py"):
        raise Untrusted(f"the network is made by {called}:{name}, and not by {trusted}")
    if kind == "package" and trusted.partition(":")[0] != place:
        raise Untrusted(f"the network is made by {place}:{name}, and not by {trusted}")
    source = at_home(trusted) if kind == "file" else _source_of(place)
    if source is not None and origin.get("sha256") not in (None, sha256_of(source)):
        raise Untrusted(
            f"{source} is not what it was when the network was trained (sha256 {str(origin['sha256'])[:12]}...): bring "
            "that file back, or take the weights into a new run with --weights"
        )
    return Reference(kind, trusted if kind == "file" else place, name)


def about(origin: Mapping[str, Any]) -> str:
    """A line on what a network is, from where it comes."""
    kind, place, name = origin["kind"], origin["place"], origin["name"]
    if "versions" in origin:
        return f"{name} of {kind} {origin['versions'].get(kind, '')}".rstrip()
    if kind == "module":
        return f"a {place}.{name} that was handed over"
    checksum = f", sha256 {origin['sha256'][:12]}" if "sha256" in origin else ""
    return f"made by {place}:{name}{checksum}"


def made_in_package(reference: Reference) -> Callable[..., nn.Module]:
    """The function or class that a reference to a package names.

    Raises:
        UsageError: there is no such module or name.
    """
    try:
        found: Any = importlib.import_module(reference.place)
        for name in reference.name.split("."):
            found = getattr(found, name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"{reference}: cannot be imported ({error})") from error
    return found


def sha256_of(path: Path) -> str:
    """The checksum of a file of code.

    Raises:
        StriateError: it cannot be read.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise StriateError(f"{path}: cannot be read ({error.strerror})") from error


def _source_of(module: str) -> Path | None:
    """The file of a module; None where it has none, as what was typed into a notebook."""
    try:
        source = inspect.getsourcefile(importlib.import_module(module))
    except (ImportError, TypeError):
        return None
    return Path(source) if source and Path(source).is_file() else None
