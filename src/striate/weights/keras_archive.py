"""Files of Keras 3 (`.keras`): a zip archive of the network's description, as JSON, and of its arrays, as HDF5.

Only these two are read, as data: what the description says of Python code, as of a Lambda layer, is text here.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from striate.errors import StriateError

#: Keras's words for the arrays of a layer, in the order in which they are numbered.
ARRAYS = {
    "Conv2D": ("kernel", "bias"),
    "Dense": ("kernel", "bias"),
    "DepthwiseConv2D": ("depthwise_kernel", "bias"),
    "SeparableConv2D": ("depthwise_kernel", "pointwise_kernel", "bias"),
    "Normalization": ("mean", "variance", "count"),
}


def layers_in(path: Path) -> list[tuple[str, dict[str, Tensor]]]:
    """The layers of an archive with their arrays by Keras's words, in the order of the network.

    Raises:
        StriateError: it is damaged, or holds what is no layer of a convolutional network.
        ImportError: h5py is not installed.
    """
    import h5py

    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
            arrays = io.BytesIO(archive.read("model.weights.h5"))
        with h5py.File(arrays, "r") as file:
            groups = dict(_groups(file["layers"]))
            return [_layer(path, layer, groups) for layer in _described(config)]
    except (OSError, LookupError, ValueError, TypeError, AttributeError, zipfile.BadZipFile, RecursionError) as error:
        raise StriateError(f"{path}: not a whole .keras file ({error})") from error


def _groups(layers: Any) -> Iterator[tuple[str, Any]]:
    """The variables of each layer, by the layer's name and by where they lie."""
    for place in layers:
        held = layers[place].get("vars")
        if held is not None:
            yield f"/{place}", held
            if "name" in held.attrs:
                yield str(held.attrs["name"]), held


def _described(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each layer's name, class and configuration, and where files lay it before its name stood in them."""
    seen: Counter[str] = Counter()
    found = []
    for layer in config["config"]["layers"]:
        plain = _snake(layer["class_name"])
        count = f"_{seen[plain]}" if seen[plain] else ""
        seen[plain] += 1
        found.append({"class": layer["class_name"], "place": f"/{plain}{count}", **layer["config"]})
    return found


def _layer(path: Path, layer: Mapping[str, Any], groups: Mapping[str, Any]) -> tuple[str, dict[str, Tensor]]:
    held = groups.get(layer["name"], groups.get(layer["place"], {}))
    kind = layer["class"]
    if kind == "BatchNormalization":
        words = [word for word, option in (("gamma", "scale"), ("beta", "center")) if layer.get(option, True)]
        words += ["moving_mean", "moving_variance"]
    else:
        words = list(ARRAYS.get(kind, ()))
    if len(held) > len(words) or "layers" in layer:
        raise StriateError(f"{path}: its layer '{layer['name']}' ({kind}) is none that the networks here have")
    return layer["name"], {words[int(number)]: torch.as_tensor(held[number][()]) for number in held}


def _snake(name: str) -> str:
    """A class's name as Keras spells it in files: "SeparableConv2D" is "separable_conv2d"."""
    name = re.sub(r"\W+", "", name)
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
