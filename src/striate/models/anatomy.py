"""Anatomy: what can be known of anybody's network by running it once.

It is run in evaluation mode, without gradients, on two images of zeros. Which layer's output are the logits, which
parts come one after the other and which of them end in a feature map is then known, whatever the parts are called.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

#: Names under which the logits stand in outputs that are dictionaries.
LOGITS = ("logits", "out", "output", "outputs", "prediction", "predictions")

#: Tokens that may stand before those of the patches: a class token, one of distillation, registers.
MOST_EXTRA_TOKENS = 8


@dataclass(frozen=True)
class Anatomy:
    """What a run has shown.

    Attributes:
        outputs: width K of the logits (N, K).
        auxiliary: names of further outputs of that shape, made in training mode.
        classifier: path of the dense layer or 1x1 convolution whose output the logits are; None where there is none.
        parts: paths of the parts with weights, in the order in which they begin, those of the classifier aside.
        maps: paths of the parts whose outputs are the last feature map of each resolution, in order; see `as_map`.
        grid: (height, width) of the patches that a transformer's tokens stand for; (0, 0) where there are none.
        training_only: paths of the modules with weights that run in training mode alone: auxiliary heads.
    """

    outputs: int
    auxiliary: tuple[str, ...]
    classifier: str | None
    parts: tuple[str, ...]
    maps: tuple[str, ...]
    grid: tuple[int, int] = (0, 0)
    training_only: tuple[str, ...] = ()


def tensors_of(output: Any) -> dict[str, Tensor]:
    """The tensors of an output by name, the logits first: a tensor, a tuple, a dictionary, an object with fields."""
    if isinstance(output, Tensor):
        return {"logits": output}
    if not isinstance(output, Mapping) and hasattr(output, "__dataclass_fields__"):
        output = vars(output)
    if isinstance(output, Mapping):
        named = {str(name): value for name, value in output.items() if isinstance(value, Tensor)}
        first = next((name for name in LOGITS if name in named), next(iter(named), None))
        return {} if first is None else {first: named.pop(first), **named}
    if isinstance(output, tuple | list):
        names = getattr(output, "_fields", [f"output{number}" for number in range(len(output))])
        return {name: value for name, value in zip(names, output, strict=True) if isinstance(value, Tensor)}
    return {}


def flat(logits: Tensor) -> Tensor:
    """(N, K, 1, 1) as (N, K); anything else as it is."""
    return logits.flatten(1) if logits.dim() > 2 and logits[0, 0].numel() == 1 else logits


def as_map(output: Any, grid: tuple[int, int]) -> Tensor | None:
    """A part's output as a feature map (N, C, H, W), a view of it; None where it is none.

    Tokens (N, L, C) are laid out on `grid`, those in front of the patches (a class token) left out. Maps that keep
    their channels last (N, H, W, C), as Swin Transformer's, are told by their two equal sides.
    """
    if not isinstance(output, Tensor):
        return None
    height, width = grid
    if output.dim() == 3 and 0 <= output.shape[1] - height * width <= MOST_EXTRA_TOKENS and height:
        patches = output[:, output.shape[1] - height * width :]
        return patches.transpose(1, 2).unflatten(2, grid)
    if output.dim() != 4:
        return None
    _, second, third, fourth = output.shape
    return output.permute(0, 3, 1, 2) if second == third != fourth else output


def from_map(feature_map: Tensor, output: Tensor) -> Tensor:
    """The part's output again, made of its map, so that a gradient with respect to the map passes through it."""
    if output.dim() == 4:
        return feature_map.permute(0, 2, 3, 1)
    patches = feature_map.flatten(2).transpose(1, 2)  # (N, C, h, w) -> (N, h * w, C)
    return torch.cat([output[:, : output.shape[1] - patches.shape[1]], patches], 1)


def study(network: nn.Module, images: Tensor) -> Anatomy:
    """Run a network once and say what it is made of; its weights, statistics, mode and chance stay as they are.

    Args:
        network: any module that makes logits of images.
        images: two or more, as it takes them.

    Raises:
        ValueError: what it makes are no logits, (N, K).
        Exception: whatever the network raises on these images.
    """
    if any(map(is_lazy, (*network.parameters(), *network.buffers()))):
        with torch.no_grad():
            network(images)  # lazy layers take their shapes from their first images
    with _undisturbed(network), torch.no_grad():
        network.eval()
        calls, output = _recorded(network, images)
        found = tensors_of(output)
        logits = flat(next(iter(found.values()))) if found else None
        if logits is None or logits.dim() != 2 or len(logits) != len(images):
            raise ValueError(f"its output is {_shown(output)}; logits are (N, K), one row for each image")
        network.train()
        trained, in_training = _recorded(network, images)
        others = list(tensors_of(in_training).items())[1:]
    auxiliary = tuple(name for name, tensor in others if flat(tensor).shape == logits.shape)
    classifier = _classifier(network, calls, next(iter(found.values())))
    parts, grid = _parts(network, list(calls), classifier), _grid(calls)
    maps, training_only = _maps(parts, calls, grid), _training_only(network, calls, trained)
    return Anatomy(logits.shape[1], auxiliary, classifier, tuple(parts), tuple(maps), grid, training_only)


#: The modules that were called, by path in the order in which they began, each with its last output.
Calls = dict[str, Any]


def _recorded(network: nn.Module, images: Tensor) -> tuple[Calls, Any]:
    calls: Calls = {}
    handles = []
    try:
        for path, module in network.named_modules():
            if path:
                handles.append(module.register_forward_pre_hook(lambda *_, path=path: calls.setdefault(path, None)))
                handles.append(module.register_forward_hook(lambda *given, path=path: calls.update({path: given[2]})))
        return calls, network(images)
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _undisturbed(network: nn.Module) -> Iterator[None]:
    """Put back what a run may change: modes, buffers, and the state of chance."""
    modes = [(module, module.training) for module in network.modules()]
    buffers = [(buffer, buffer.detach().clone()) for buffer in network.buffers()]
    with torch.random.fork_rng(devices=()):
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            with torch.no_grad():
                for buffer, before in buffers:
                    buffer.copy_(before)


def _training_only(network: nn.Module, calls: Calls, trained: Calls) -> tuple[str, ...]:
    """The outermost modules with weights that ran in training mode and not in evaluation mode."""
    found = [path for path in trained if not any(_within(other, path) for other in calls)]
    outermost = [path for path in found if not any(path != other and _within(path, other) for other in found)]
    return tuple(path for path in outermost if _has_weights(network.get_submodule(path)))


def _classifier(network: nn.Module, calls: Calls, logits: Tensor) -> str | None:
    """The last layer with a weight for each logit whose output the logits are, perhaps reshaped."""
    for path in reversed(calls):
        layer, output = network.get_submodule(path), calls[path]
        if not isinstance(layer, nn.Linear | nn.Conv2d) or not isinstance(output, Tensor):
            continue
        same = output.numel() == logits.numel() and output.data_ptr() == logits.data_ptr()
        return path if same or output is logits else None
    return None


def _parts(network: nn.Module, order: list[str], classifier: str | None) -> list[str]:
    """The children; in place of one that holds more than half of all layers, or the classifier, its children."""
    leaves = [path for path in order if not any(other.startswith(f"{path}.") for other in order)]
    parts = [""]

    def is_split(part: str) -> bool:
        large = 2 * sum(_within(leaf, part) for leaf in leaves) > len(leaves)
        holds_classifier = classifier not in (None, part) and _within(str(classifier), part)
        return (large or holds_classifier) and bool(_children(part, order))

    while (place := next((number for number, part in enumerate(parts) if is_split(part)), None)) is not None:
        parts[place : place + 1] = _children(parts[place], order)
    return [part for part in parts if part not in ("", classifier) and _has_weights(network.get_submodule(part))]


def _has_weights(part: nn.Module) -> bool:
    return next(part.parameters(), None) is not None


def _children(part: str, order: list[str]) -> list[str]:
    """The parts directly within one, in the order in which something of them begins."""
    start = f"{part}." if part else ""
    return list(dict.fromkeys(start + path[len(start) :].partition(".")[0] for path in order if path.startswith(start)))


def _within(path: str, part: str) -> bool:
    return not part or path == part or path.startswith(f"{part}.")


def _grid(calls: Calls) -> tuple[int, int]:
    """Sides of the last map before the first tokens."""
    grid = (0, 0)
    for output in calls.values():
        if isinstance(output, Tensor) and output.dim() == 3 and grid != (0, 0):
            return grid
        if isinstance(output, Tensor) and output.dim() == 4:
            grid = (output.shape[2], output.shape[3])
    return 0, 0


def _maps(parts: list[str], calls: Calls, grid: tuple[int, int]) -> list[str]:
    last: dict[tuple[int, ...], str] = {}
    for part in parts:
        found = as_map(calls.get(part), grid)
        if found is not None and found[0, 0].numel() > 1:
            last[tuple(found.shape[2:])] = part
    return sorted(last.values(), key=parts.index)


def _shown(output: Any) -> str:
    found = tensors_of(output)
    shapes = ", ".join(str(tuple(tensor.shape)) for tensor in found.values())
    return f"{type(output).__name__} of shape {shapes}" if shapes else f"a {type(output).__name__} without tensors"
