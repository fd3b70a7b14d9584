"""Pooling that torch lacks: sums, L2 norms, regions of interest. None has parameters.

Maximum and average are `nn.MaxPool2d` and `nn.AvgPool2d`, global average `nn.AdaptiveAvgPool2d(1)`, TensorFlow's SAME
padding `SamePool2d`. Pooling overlaps where the kernel is larger than the stride, as AlexNet's 3x3 with stride 2.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from striate.errors import UsageError, unknown
from striate.layers.conv import pair

Size = int | tuple[int, int]


class SumPool2d(nn.Module):
    """The sum of each window, (N, C, H, W) -> (N, C, H', W'); the stride is the kernel's size unless given."""

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def forward(self, x: Tensor) -> Tensor:
        """Add up each window; zeros stand in the padding."""
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding, divisor_override=1)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class L2Pool2d(nn.Module):
    """The root of each window's sum of squares, (N, C, H, W) -> (N, C, H', W'); the stride is the kernel's by default.

    The gradient of a window of zeros, which has none, is zero.
    """

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride

    def forward(self, x: Tensor) -> Tensor:
        """The L2 norm of each window; zeros stand in the padding."""
        sums = F.avg_pool2d(x.square(), self.kernel_size, self.stride, self.padding, divisor_override=1)
        empty = sums == 0
        return sums.masked_fill(empty, 1).sqrt().masked_fill(empty, 0)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class RoIPool(nn.Module):
    """A map of fixed size for each region of interest, (N, C, H, W) and R boxes -> (R, C, H', W').

    Args:
        output_size: (H', W'), or one number for both.
        spatial_scale: feature map pixels per image pixel, 1/16 behind four halvings; boxes are in image pixels.
        kind: "pool", the maximum of each cell of a grid rounded to whole pixels (Girshick, 2015, arXiv:1504.08083,
            section 2.1), or "align", the average of points interpolated between pixels, nothing rounded (He et al.,
            2017, arXiv:1703.06870, section 3).
        sampling_ratio: points per cell and axis of "align"; 0 for as many as the cell has pixels.

    Raises:
        UsageError: the kind is neither.
    """

    def __init__(
        self, output_size: Size, spatial_scale: float = 1.0, kind: str = "pool", sampling_ratio: int = 0
    ) -> None:
        super().__init__()
        if kind not in ("pool", "align"):
            raise unknown("kind of RoI pooling", kind, ("pool", "align"))
        self.output_size, self.spatial_scale = pair(output_size), spatial_scale
        self.kind, self.sampling_ratio = kind, sampling_ratio

    def forward(self, x: Tensor, boxes: Tensor | Sequence[Tensor]) -> Tensor:
        """Pool each box of the image it belongs to.

        Args:
            x: (N, C, H, W).
            boxes: for each image (R_i, 4) with left, top, right, bottom; or (R, 5) with the image's number first.

        Raises:
            UsageError: the boxes have another shape.
        """
        from torchvision.ops import roi_align, roi_pool  # late: torchvision takes half a second

        if isinstance(boxes, Tensor):
            fits = boxes.dim() == 2 and boxes.shape[1] == 5
        else:
            fits = len(boxes) == len(x) and all(part.dim() == 2 and part.shape[1] == 4 for part in boxes)
        if not fits:
            given = tuple(boxes.shape) if isinstance(boxes, Tensor) else [tuple(part.shape) for part in boxes]
            raise UsageError(f"boxes of {len(x)} images are so many tensors (R, 4) or one tensor (R, 5), not {given}")
        places = boxes if isinstance(boxes, Tensor) else list(boxes)
        if self.kind == "pool":
            return roi_pool(x, places, self.output_size, self.spatial_scale)
        return roi_align(x, places, self.output_size, self.spatial_scale, self.sampling_ratio or -1, True)

    def extra_repr(self) -> str:
        """The settings, for printing."""
        return f"output_size={self.output_size}, spatial_scale={self.spatial_scale:g}, kind={self.kind}"
