"""Weights that Keras wrote: names and layouts of its arrays, turned into PyTorch's.

Keras keeps a convolution as (height, width, in, out), a depthwise one as (height, width, in, multiplier) and a
dense layer as (in, out). A layer that got its name by counting ("conv2d_7") carries another number in every
session, so such layers are numbered anew, from 1, in the order in which they were made. A batch norm without scale
(gamma) gets one of ones. Behind a layer "flatten" Keras's
values go by place and then channel, ours by channel and then place; that dense layer's inputs are put into our order.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from striate.errors import StriateError
from striate.weights.images import HALVES, Images
from striate.weights.keras_archive import layers_in
from striate.weights.source import WeightSource

#: Keras's word for an array, and ours for the tensor.
WORDS = {
    "kernel": "weight",
    "depthwise_kernel": "depthwise.weight",
    "pointwise_kernel": "pointwise.weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}
COUNTED = re.compile(r"(conv2d|convolution2d|separable_conv2d|batch_normalization|batchnormalization)(?:_(\d+))?")
PLAIN = {"convolution2d": "conv2d", "batchnormalization": "batch_normalization"}
ARCHIVE = ".keras"
SUFFIXES = (".h5", ".hdf5", ARCHIVE)


def keras_state(model: Any) -> dict[str, Tensor]:
    """The tensors of a Keras model as "layer.weight", "layer.running_mean", ... in PyTorch's layout."""
    layers = []
    for layer in model.layers:
        arrays = {variable.path.rsplit("/", 1)[-1]: torch.as_tensor(variable.numpy()) for variable in layer.weights}
        if type(layer).__name__ == "DepthwiseConv2D" and "kernel" in arrays:
            arrays["depthwise_kernel"] = arrays.pop("kernel")
        layers.append((layer.name, arrays))
    return _state(layers)


def read_keras(path: str | Path) -> dict[str, Tensor]:
    """The tensors of an HDF5 file of weights or of a whole model, as Keras Applications publishes them, or of a
    `.keras` file.

    Raises:
        StriateError: there is no such file, it is damaged or of another kind, or h5py is not installed.
    """
    try:
        import h5py
    except ImportError as error:
        raise StriateError(f"{path}: reading HDF5 needs h5py: pip install h5py") from error
    if not Path(path).is_file():
        raise StriateError(f"{path}: no such file of weights")
    if Path(path).suffix == ARCHIVE:
        return _state(layers_in(Path(path)))
    try:
        with h5py.File(path, "r") as file:
            group = file.get("model_weights", file)
            if "layer_names" not in group.attrs and "layers" in file:
                raise StriateError(
                    f"{path}: the order of its layers does not stand in it; save the whole model as .keras"
                )
            depthwise = _depthwise(_text(file.attrs.get("model_config", "{}")))
            names = map(_text, group.attrs["layer_names"])
            return _state((name, _arrays(group[name], name in depthwise)) for name in names)
    except (OSError, LookupError, ValueError, TypeError, AttributeError) as error:
        raise StriateError(f"{path}: not a whole HDF5 file of Keras weights ({error})") from error


def keras_source(path: Path, input_size: int, images: Images = HALVES) -> WeightSource:
    """The record of such a file, which itself says nothing of images."""
    return WeightSource(
        name=str(path),
        file=path.name,
        origin="Keras Applications",
        licence="Apache-2.0",
        input_size=input_size,
        mean=images.mean,
        std=images.std,
        interpolation=images.interpolation,
    )


def _depthwise(config: str) -> set[str]:
    """Names of the depthwise layers, whose array newer files call a kernel like any other."""
    layers = json.loads(config).get("config", {}).get("layers", ())
    return {layer["config"]["name"] for layer in layers if layer["class_name"] == "DepthwiseConv2D"}


def _arrays(layer: Any, is_depthwise: bool) -> dict[str, Tensor]:
    arrays = {}
    for name in map(_text, layer.attrs["weight_names"]):
        word = name.rsplit("/", 1)[-1].partition(":")[0]
        array = torch.as_tensor(layer[name][()])  # counts are single numbers
        arrays["depthwise_kernel" if is_depthwise and word == "kernel" else word] = array
    return arrays


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name


def _state(layers: Iterable[tuple[str, dict[str, Tensor]]]) -> dict[str, Tensor]:
    """Layers and their arrays, in the order of the network, under our names."""
    layers = list(layers)
    names = _numbered(layer for layer, arrays in layers if arrays)
    state = {}
    channels, flattened = 0, False  # of the last map, and whether it was flattened since
    for layer, arrays in layers:
        if not arrays:
            flattened = flattened or layer.startswith("flatten")
            continue
        layer = names.get(layer, layer)
        if "moving_mean" in arrays and "gamma" not in arrays:
            state[f"{layer}.weight"] = torch.ones_like(arrays["moving_mean"])
        for word, array in arrays.items():
            if word not in WORDS:
                continue  # the mean and count of a preprocessing layer
            ours = WORDS[word]
            if word == "depthwise_kernel" and "pointwise_kernel" not in arrays:
                ours = "weight"
            if array.dim() == 2 and flattened and channels and len(array) % channels == 0:
                array = array.reshape(-1, channels, array.shape[1]).transpose(0, 1).reshape(array.shape)
            tensor = state[f"{layer}.{ours}"] = _layout(word, array)
            if array.dim() in (2, 4):
                channels, flattened = len(tensor), False
    return state


def _numbered(layers: Iterable[str]) -> dict[str, str]:
    """The new names of the layers that Keras named by counting.

    A network with branches lists its layers by depth, not in the order in which it made and counted them.
    """
    found = [(layer, COUNTED.fullmatch(layer)) for layer in layers]
    counted = sorted((int(match[2] or 0), PLAIN.get(match[1], match[1]), layer) for layer, match in found if match)
    seen: Counter[str] = Counter()
    names = {}
    for _, kind, layer in counted:
        seen[kind] += 1
        names[layer] = f"{kind}_{seen[kind]}"
    return names


def _layout(word: str, array: Tensor) -> Tensor:
    if word == "depthwise_kernel":
        height, width, channels, multiplier = array.shape
        return array.permute(2, 3, 0, 1).reshape(channels * multiplier, 1, height, width).contiguous()
    if array.dim() == 4:
        return array.permute(3, 2, 0, 1).contiguous()
    return array.T.contiguous() if array.dim() == 2 else array
