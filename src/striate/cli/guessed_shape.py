"""The shape of an input for a network that does not say what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

#: Frames, steps or tokens of an input whose number nobody has said.
USUAL_LENGTH = 16


def shape_on(model: nn.Module, channels: int, side: int) -> tuple[int, ...]:
    """An image of that side, or a clip of such images for a network of volumes."""
    from striate.analysis.inputs import first_layer

    layer = first_layer(model, with_tokens=False)
    frames = (USUAL_LENGTH,) if layer is not None and layer.rank == 4 else ()
    return (channels, *frames, side, side)


def guessed_shape(model: nn.Module, size: int | None, channels: int | None) -> tuple[tuple[int, ...], str]:
    """From the first layers: a convolution's channels with the usual size, a dense layer's inputs, tokens; and why."""
    from torch.nn import Linear

    from striate.analysis.inputs import first_layer

    layer = first_layer(model)
    dense = next((part for part in model.modules() if isinstance(part, Linear)), None)
    shape: tuple[int, ...]
    if layer is None and dense is not None:
        return (dense.in_features,), ""
    width = _features(dict(model.named_modules())[layer.name]) if layer is not None else None
    if layer is not None and layer.tokens:
        shape = (size or USUAL_LENGTH,)
    elif width is not None:
        shape = (size or USUAL_LENGTH, width)
    else:
        axes = layer.rank - 1 if layer is not None else 2
        first = channels or _input_channels(model) or 3
        shape = (first, *(size or (224 if axes < 3 else USUAL_LENGTH),) * axes)
    why = "no layer tells" if layer is None else f"its first layer is {layer.name or 'itself'}, {layer.type}"
    return shape, f"input {'x'.join(map(str, shape))} was guessed ({why})"


def _features(layer: nn.Module) -> int | None:
    """Features of each step that a recurrent layer takes, or one of attention."""
    found = (getattr(part, name, None) for part in layer.modules() for name in ("input_size", "embed_dim"))
    return next((count for count in found if isinstance(count, int)), None)


def _input_channels(model: nn.Module) -> int | None:
    """Channels of the first convolution."""
    parts = (getattr(part, "in_channels", None) for part in model.modules())
    return next((count for count in parts if isinstance(count, int)), None)
