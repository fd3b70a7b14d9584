"""The effective receptive field: how strongly each pixel moves one unit (Luo et al., 2016, arXiv:1701.04128).

The gradient of the middle unit of a feature map with respect to the image, in size, averaged over images. Inside the
theoretical field, which tells what could matter, it falls off about like a Gaussian; its width is what does matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from striate.analysis.rows import Row
from striate.analysis.summaries import Summary, summary
from striate.analysis.visits import tensors_in
from striate.analysis.weightless import duplicate
from striate.errors import StriateError, UsageError

#: Share of the middle pixel's gradient from which Luo et al. count a pixel in: 1 - 95.45 %.
LUO_THRESHOLD = 1 - 0.9545


@dataclass(frozen=True)
class EffectiveField:
    """What one unit is moved by.

    Attributes:
        layer: whose output the unit is in.
        unit: its row and column there.
        map: (H, W) in float64, each pixel's share of the gradient; they sum to 1.
        theoretical: extent of the closed receptive field per axis, not clipped at the image; None where it is unknown.
        centre: row and column in the image around which the closed field lies, or the middle of the image.
        samples: images that the gradient was averaged over.
    """

    layer: str
    unit: tuple[int, int]
    map: Tensor
    theoretical: tuple[int, ...] | None
    centre: tuple[float, float]
    samples: int

    @property
    def sigma(self) -> tuple[float, float]:
        """Standard deviation of the gradient's size along rows and columns, pixels."""
        spreads = []
        for axis in (0, 1):
            profile = self.map.sum(1 - axis)
            places = torch.arange(len(profile), dtype=torch.float64)
            mean = (profile * places).sum()
            spreads.append(float((profile * (places - mean) ** 2).sum().sqrt()))
        return spreads[0], spreads[1]

    def side(self, share: float) -> int:
        """Side in pixels of the smallest square around the centre that holds `share` of the gradient.

        Where it reaches beyond the image only what lies within counts.
        """
        _check_share(share)
        height, width = self.map.shape
        rows = (torch.arange(height) - self.centre[0]).abs()
        columns = (torch.arange(width) - self.centre[1]).abs()
        distance, order = torch.maximum(rows[:, None], columns[None, :]).flatten().sort(stable=True)
        return round(2 * float(distance[_places_for(share, self.map.flatten()[order]) - 1])) + 1

    def area(self, share: float) -> int:
        """Fewest pixels that hold `share` of the gradient."""
        _check_share(share)
        return _places_for(share, self.map.flatten().sort(descending=True).values)

    @property
    def fraction(self) -> float | None:
        """`area(0.95)` over the area of the theoretical field within the image; None where that is unknown."""
        if self.theoretical is None:
            return None
        seen = 1.0
        for extent, centre, size in zip(self.theoretical, self.centre, self.map.shape, strict=True):
            low, high = max(centre - (extent - 1) / 2, 0), min(centre + (extent - 1) / 2, size - 1)
            seen *= high - low + 1
        return self.area(0.95) / seen

    @property
    def luo_side(self) -> float:
        """Root of the number of pixels whose gradient is above 4.55 % of the largest, as in the paper."""
        return math.sqrt(int((self.map > LUO_THRESHOLD * self.map.max()).sum()))

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
        theory = "not known" if self.theoretical is None else "×".join(map(str, self.theoretical)) + " pixels"
        rows, columns = self.sigma
        share = "" if self.fraction is None else f", {self.fraction:.1%} of the theoretical field in the image"
        return "\n".join(
            [
                f"unit          {self.unit} of {self.layer}; {self.samples} images of "
                f"{self.map.shape[0]}×{self.map.shape[1]}",
                f"theoretical   {theory}",
                f"sigma         {rows:.1f} pixels along rows, {columns:.1f} along columns",
                f"68 %          in a square of {self.side(0.68)} pixels; at best in {self.area(0.68):,} pixels",
                f"95 %          in a square of {self.side(0.95)} pixels; at best in {self.area(0.95):,} pixels{share}",
                f"Luo et al.    {self.luo_side:.1f} pixels (root of the area above 4.55 % of the peak)",
            ]
        )

    def plot(self, path: str | Path) -> Path:
        """Draw the gradient over the image with the squares of 68 and 95 % and the theoretical field."""
        from striate.analysis.effective_plot import plot_field

        return plot_field(self, path)


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise UsageError(f"share is {share}; it must lie between 0 and 1, such as 0.95")


def _places_for(share: float, shares: Tensor) -> int:
    """How many of the values, from the first, sum up to `share`."""
    reached = int(torch.searchsorted(shares.cumsum(0), share))
    return min(reached + 1, len(shares))


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
        input_shape: (C, H, W) of one image.
        layer: name of the module whose output is looked at; by default the one that makes the last feature map.
        images: (N, C, H, W) to average over, prepared as the network wants them; by default noise of mean 0 and
            deviation 1.
        samples: how many images of noise.
        seed: of the noise, and of the signs with which the unit's channels are summed.

    Raises:
        UsageError: a shape that is none of an image, no samples, an unknown layer.
        StriateError: the model has no real weights, or no gradient reaches the image.
    """
    if len(input_shape) != 3 or samples < 1:
        raise UsageError(f"input shape {tuple(input_shape)} must be (C, H, W), and samples ({samples}) at least 1")
    if any(parameter.is_meta for parameter in model.parameters()):
        raise StriateError("the effective receptive field needs real weights, and this model is on 'meta'")
    row = _row_of(summary(model, input_shape), model, layer)
    twin = duplicate(model).eval().requires_grad_(False)
    first = next(twin.parameters(), torch.empty(0))
    generator = torch.Generator().manual_seed(seed)
    if images is None:
        images = torch.randn((samples, *input_shape), generator=generator)
    if images.dim() != 4 or images.shape[1:] != torch.Size(input_shape) or not len(images):
        raise UsageError(f"images of shape {tuple(images.shape)} must be (N, {', '.join(map(str, input_shape))})")
    total = torch.zeros(tuple(input_shape[1:]), dtype=torch.float64)
    unit = (0, 0)
    for image in images:
        x = image[None].to(first.device, first.dtype if first.is_floating_point() else None).requires_grad_(True)
        with torch.enable_grad(), _output_of(twin, row.name) as outputs:
            twin(x)
            y = outputs[-1]
            unit = (y.shape[2] // 2, y.shape[3] // 2)
            signs = torch.randn(y.shape[1], generator=generator).to(y.device, y.dtype)
            (gradient,) = torch.autograd.grad((y[0, :, unit[0], unit[1]] * signs).sum(), x)
        total += gradient[0].double().square().sum(0).sqrt().cpu()
    if not total.sum() > 0:
        raise StriateError(f"no gradient reaches the image from {row.name}: its middle unit is dead on these images")
    height, width = (int(size) for size in input_shape[1:])
    centre = ((height - 1) / 2, (width - 1) / 2)
    if row.offset is not None and row.stride is not None:
        rows, columns = (o + i * s for o, i, s in zip(row.offset, unit, row.stride, strict=True))
        centre = (rows, columns)
    return EffectiveField(row.name, unit, total / total.sum(), row.receptive_field, centre, len(images))


def _row_of(measured: Summary, model: nn.Module, layer: str | None) -> Row:
    """The row of the last feature map (H and W above 1) of `layer`, or of the last module that makes one."""
    modules = dict(model.named_modules())
    if layer is not None and layer not in modules:
        raise UsageError(f"there is no layer '{layer}' in {type(model).__name__}; `striate summary` lists them")
    found = None
    for row in _all_rows(measured.root):
        is_map = row.output_shape is not None and len(row.output_shape) == 4 and min(row.output_shape[2:]) > 1
        if row.name in modules and is_map and (layer is None or row.name == layer):
            found = row
    if found is None:
        raise UsageError(f"{layer or type(model).__name__} gives no feature map (N, C, H, W) of more than one pixel")
    return found


def _all_rows(row: Row) -> Iterator[Row]:
    """Every row but the network's, children before what holds them."""
    for child in row.children:
        yield from _all_rows(child)
        yield child


@contextmanager
def _output_of(model: nn.Module, name: str) -> Iterator[list[Tensor]]:
    """While active, collects what the module of that name gives."""
    outputs: list[Tensor] = []
    module = model.get_submodule(name)
    handle = module.register_forward_hook(lambda _, __, output: outputs.append(tensors_in(output)[0]))
    try:
        yield outputs
    finally:
        handle.remove()
