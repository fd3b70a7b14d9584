"""The effective receptive field: how strongly each pixel moves one unit (Luo et al., 2016, arXiv:1701.04128).

The gradient of the middle unit of a feature map with respect to the image, in size, averaged over images. Inside the
theoretical field, which tells what could matter, it falls off about like a Gaussian; its width is what does matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from striate.analysis import effective_plot
from striate.analysis.rows import Row
from striate.analysis.running import weights_of
from striate.analysis.spread import Spread
from striate.analysis.summaries import Summary, summary
from striate.analysis.visits import tensors_in
from striate.analysis.weightless import duplicate, uncompiled
from striate.caller import said
from striate.errors import StriateError, UsageError
from striate.text_tables import described
from striate.units import percent, sizes, whole

#: Of signals, images, volumes: what holds a share of the gradient, what it is measured in, along what, and what the
#: paper's side is.
WORDS = {
    1: ("stretch", "places", ("",), "places"),
    2: ("square", "pixels", (" along rows", " along columns"), "root of the area"),
    3: ("cube", "voxels", ("", "", ""), "third root of the volume"),
}


@dataclass(frozen=True)
class EffectiveField(Spread):
    """What one unit is moved by: its numbers (`Spread`), which show themselves; `str()` gives them as text."""

    def to_dict(self) -> dict[str, Any]:
        """The numbers in plain types."""
        return {
            "layer": self.layer,
            "unit": list(self.unit),
            "image": list(self.map.shape),
            "theoretical": None if self.theoretical is None else list(self.theoretical),
            "sigma": list(self.sigma),
            "side_68": self.side(0.68),
            "side_95": self.side(0.95),
            "area_68": self.area(0.68),
            "area_95": self.area(0.95),
            "fraction_95": self.fraction,
            "luo_side": self.luo_side,
            "samples": self.samples,
        }

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int | None = None) -> str:
        """The numbers in words, in lines of at most `width`."""
        what, pixels, axes, root = WORDS[self.map.dim()]
        theory = "not known" if self.theoretical is None else f"{sizes(self.theoretical)} {pixels}"
        first, *rest = (f"{value:.1f}" for value in self.sigma)
        sigma = ", ".join(map("".join, zip((f"{first} {pixels}", *rest), axes, strict=True)))
        share = "" if self.fraction is None else f", {percent(self.fraction)} of the theoretical field in the image"

        def held(share: float) -> str:
            return f"in a {what} of {whole(self.side(share))} {pixels}; at best in {whole(self.area(share))} {pixels}"

        return described(
            [
                ("unit", f"{self.unit} of {self.layer}; {self.samples} images of {sizes(self.map.shape)}"),
                ("theoretical", theory),
                ("sigma", sigma),
                ("68 %", held(0.68)),
                ("95 %", f"{held(0.95)}{share}"),
                ("Luo et al.", f"{self.luo_side:.1f} {pixels} ({root} above 4.55 % of the peak)"),
            ],
            width,
            least=12,
        )

    def plot(self, path: str | Path) -> Path:
        """Draw the gradient over the image with the squares of 68 and 95 % and the theoretical field.

        Raises:
            UsageError: it is that of a volume, or the suffix is none of .svg, .png, .pdf.
        """
        if self.map.dim() > 2:
            raise UsageError(f"a field of {self.map.dim()} axes is not drawn; only those of images and signals are")
        return effective_plot.plot_field(self, path)


def effective_receptive_field(
    model: nn.Module,
    input_shape: Sequence[int],
    *,
    layer: str | None = None,
    images: Tensor | None = None,
    samples: int = 16,
    seed: int = 0,
) -> EffectiveField:
    """Measure the effective receptive field of the middle unit of a feature map.

    Args:
        model: any module with real weights; a copy runs in evaluation mode.
        input_shape: (C, H, W) of one image; (C, L) of a signal, (C, D, H, W) of a volume.
        layer: name of the module whose output is looked at; by default the one that makes the last feature map.
        images: (N, *input_shape) to average over, prepared as the network wants them; by default noise of mean 0 and
            deviation 1.
        samples: how many images of noise.
        seed: of the noise, and of the signs with which the unit's channels are summed.

    Raises:
        UsageError: a shape that is none of an image, signal or volume, no samples, an unknown layer.
        StriateError: the model has no real weights, or no gradient reaches the image.
    """
    if len(input_shape) - 1 not in WORDS:
        raise UsageError(f"input shape {tuple(input_shape)} must be (C, H, W), or (C, L) or (C, D, H, W)")
    if samples < 1:
        raise UsageError(f"{said('samples')} is {samples}; it must be at least 1")
    model = uncompiled(model)
    if any(parameter.is_meta for parameter in model.parameters()):
        raise StriateError("the effective receptive field needs real weights, and this model is on 'meta'")
    measured = _measured(model, input_shape)
    row, name = _row_of(measured, model, layer)
    twin = duplicate(model).eval()
    if any(map(is_lazy, twin.parameters())):
        twin(torch.zeros(1, *input_shape))
    for parameter in twin.parameters():  # else what their gradients would need is kept
        if parameter.is_leaf:  # in copies of scripted modules they are not
            parameter.requires_grad_(False)
    first = next(twin.parameters(), torch.empty(0))
    generator = torch.Generator().manual_seed(seed)
    noise = images is None
    if images is None:
        images = torch.randn((samples, *input_shape), generator=generator)
    if images.shape[1:] != torch.Size(input_shape) or not len(images):
        raise UsageError(f"images of shape {tuple(images.shape)} must be (N, {', '.join(map(str, input_shape))})")
    total = torch.zeros(tuple(input_shape[1:]), dtype=torch.float64)
    unit: tuple[int, ...] = ()
    for image in images:
        x = image[None].to(first.device, first.dtype if first.is_floating_point() else None).requires_grad_(True)
        with torch.enable_grad(), _output_of(twin, name) as outputs:
            try:
                output = twin(x)
            except RuntimeError as error:
                raise StriateError(f"{measured.name} fails with gradients: {str(error).splitlines()[0]}") from error
            y = outputs[-1] if name else tensors_in(output)[0]
            unit = tuple(size // 2 for size in y.shape[2:])
            signs = torch.randn(y.shape[1], generator=generator).to(y.device, y.dtype)
            score = (y[0].movedim(0, -1)[unit] * signs).sum()
            (gradient,) = torch.autograd.grad(score, x, allow_unused=True) if score.requires_grad else (None,)
        if gradient is None:
            raise StriateError(f"no gradient reaches the image from {row.name}: it is computed without gradients")
        total += gradient[0].double().square().sum(0).sqrt().cpu()
    if not total.sum() > 0:
        raise StriateError(f"no gradient reaches the image from {row.name}: its middle unit is dead on these images")
    centre = tuple((size - 1) / 2 for size in input_shape[1:])
    if row.offset is not None and row.stride is not None:
        centre = tuple(o + i * s for o, i, s in zip(row.offset, unit, row.stride, strict=True))
    found = (row.name, unit, total / total.sum(), row.receptive_field, centre, len(images))
    return EffectiveField(*found, network=measured.name, weights=weights_of(model), noise=noise)


def _measured(model: nn.Module, input_shape: Sequence[int]) -> Summary:
    """The closed fields, without values, or with them for a network that reads its own."""
    image = torch.empty((1, *input_shape), device="meta")
    try:
        return summary(model, inputs=image)
    except UsageError:
        raise
    except StriateError:
        return summary(model, inputs=torch.zeros(image.shape), device="cpu")


def _row_of(measured: Summary, model: nn.Module, layer: str | None) -> tuple[Row, str]:
    """The last feature map (H and W above 1) of `layer`, or of the last module that makes one: its row and name.

    The network itself, which has no name, is taken where none of its modules makes one.
    """
    modules = dict(model.named_modules())
    if layer is not None and layer not in modules:
        raise UsageError(f"there is no layer '{layer}' in {type(model).__name__}; `striate summary` lists them")
    rank = 2 + len(measured.input_shapes[0][2:])

    def is_map(row: Row) -> bool:
        return row.output_shape is not None and len(row.output_shape) == rank and min(row.output_shape[2:]) > 1

    rows = [row for row in _all_rows(measured.root) if row.name in modules and is_map(row)]
    rows = [row for row in rows if layer is None or row.name == layer]
    if rows:
        return rows[-1], rows[-1].name
    if layer is None and is_map(measured.root):
        return measured.root, ""
    raise UsageError(f"{layer or measured.name} gives no feature map (N, C, H, W) of more than one pixel")


def _all_rows(row: Row) -> Iterator[Row]:
    """Every row but the network's, children before what holds them."""
    for child in row.children:
        yield from _all_rows(child)
        yield child


@contextmanager
def _output_of(model: nn.Module, name: str) -> Iterator[list[Tensor]]:
    """While active, collects what the module of that name gives; nothing of the network itself, which has none."""
    outputs: list[Tensor] = []
    if not name:
        yield outputs
        return
    module = dict(model.named_modules())[name]
    handle = module.register_forward_hook(lambda _, __, output: outputs.append(tensors_in(output)[0]))
    try:
        yield outputs
    finally:
        handle.remove()
