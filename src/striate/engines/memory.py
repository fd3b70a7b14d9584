"""What was measured of engines, remembered for each kind of network, size of picture and machine."""

from __future__ import annotations

import json
import os
import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from striate.engines.frozen import Frozen
from striate.errors import StriateError
from striate.files import cache_folder, make_folder_of, write_atomically

#: File in the cache folder.
MEMORY = "engines.json"


def machine() -> str:
    """What the speed of an engine depends on beside the network: processor, its threads, and versions."""
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").partition("\n\n")[0]
        lines = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
        facts = {key.strip(): value.strip() for key, value in lines.items()}
        processor = " ".join(facts.get(key, "") for key in ("vendor_id", "cpu family", "model", "model name"))
        return f"{processor} {os.cpu_count()} {_software()}"
    return f"{platform.machine()} {platform.processor()} {os.cpu_count()} {_software()}"


def _software() -> str:
    found = [f"torch {torch.__version__} on {torch.get_num_threads()}"]
    for package in ("openvino", "onnxruntime"):
        with suppress(PackageNotFoundError):
            found.append(f"{package} {version(package)}")
    return " ".join(found)


def _memory() -> Path | None:
    try:
        return cache_folder() / MEMORY
    except StriateError:
        return None


def _entries(path: Path) -> dict[str, Any]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
        return entries if isinstance(entries, dict) else {}
    except (OSError, ValueError):
        return {}


def _key(frozen: Frozen) -> str:
    return f"{frozen.kind[:32]} on {frozen.device.type}, {machine()}"


def recall(frozen: Frozen) -> dict[str, float]:
    """The seconds a picture of all engines that were measured; none where nothing is remembered."""
    path = _memory()
    if path is None:
        return {}
    try:
        return {str(name): float(value) for name, value in _entries(path)[_key(frozen)]["seconds"].items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def remember(frozen: Frozen, seconds: dict[str, float]) -> None:
    """Keep the seconds a picture of all engines that were measured."""
    path = _memory()
    if path is None:
        return
    entries = _entries(path) | {_key(frozen): {"network": frozen.name, "seconds": seconds}}
    with suppress(OSError, StriateError):  # what is not remembered is measured again
        make_folder_of(path)
        write_atomically(path, json.dumps(entries, indent=1) + "\n")
