"""From an image of any size to what the network sees; the part of a model that travels with it.

Resizing is torchvision's antialiased `Resize` followed by `CenterCrop`, the evaluation transform of the ImageNet
networks since Krizhevsky et al. (2012).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from striate.data.channel_statistics import split_statistics
from striate.data.channels import to_channels
from striate.data.resizing import centred, resize_image, resize_window
from striate.errors import StriateError, UsageError

if TYPE_CHECKING:
    from striate.data.dataset import Dataset

#: Images of this many pixels a side or less are small: they get a network for small images at their own size.
SMALL = 64
RESIZE_RULES = ("crop", "letterbox", "stretch", "none")
#: Names that files of earlier versions have for them.
_EARLIER_NAMES = {"squash": "stretch"}
INTERPOLATIONS = ("bilinear", "bicubic")
#: How many times the pixels of the input a resized image may have before only the part that is shown is made.
_MOST_WASTE = 8
#: How many times larger than it is resized to a picture must stay that is decoded smaller than it is.
_LEAST_SHRINKING = 2


@dataclass(frozen=True)
class Preprocessing:
    """Size, resize rule and normalisation of a network's input.

    Attributes:
        size: (height, width) in pixels that the network sees.
        channels: channels that the network sees.
        mean: mean of each channel, pixels in [0, 1].
        std: standard deviation of each channel, pixels in [0, 1].
        resize: "crop" scales the image to cover `size / crop_fraction` and cuts the centre; "letterbox" scales it to
            fit into `size` whole, black around it; "stretch" scales it to `size` whatever the aspect; "none" accepts
            only images that have `size` already.
        crop_fraction: how much of the resized short side the centre crop keeps.
        interpolation: "bilinear" or "bicubic", both antialiased; files written before there was a choice lack the
            field and mean bilinear.

    Raises UsageError for impossible values.
    """

    size: tuple[int, int]
    channels: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    resize: str = "crop"
    crop_fraction: float = 0.875
    interpolation: str = "bilinear"

    def __post_init__(self) -> None:
        if self.resize not in RESIZE_RULES:
            raise UsageError(f"unknown resize rule '{self.resize}'; it is one of {', '.join(RESIZE_RULES)}")
        if self.interpolation not in INTERPOLATIONS:
            raise UsageError(f"unknown interpolation '{self.interpolation}'; it is {' or '.join(INTERPOLATIONS)}")
        if len(self.size) != 2 or min(self.size) < 1:
            raise UsageError(f"size is (height, width) in pixels, at least 1 each, not {self.size}")
        if not 0 < self.crop_fraction <= 1:
            raise UsageError(f"crop_fraction lies above 0 and at most at 1, not {self.crop_fraction}")
        if len(self.mean) != self.channels or len(self.std) != self.channels:
            raise UsageError(
                f"{self.channels} channels need as many means and standard deviations, "
                f"not {len(self.mean)} and {len(self.std)}"
            )
        if min(self.std) <= 0:
            raise UsageError(f"standard deviations are positive, not {self.std}")

    @classmethod
    def for_dataset(
        cls, dataset: Dataset, size: tuple[int, int], *, resize: str = "crop", crop_fraction: float = 0.875
    ) -> Preprocessing:
        """Preprocessing to `size` with the mean and deviation of the data set's training images."""
        mean, std = split_statistics(dataset.train)
        return cls(size, dataset.channels, mean, std, resize, crop_fraction)

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Resize uint8 (H, W, C) to uint8 (*size, channels); an image of the right size passes untouched.

        Grey and colour are converted as `to_channels` does. Raises StriateError when that is impossible, or
        when `resize` is "none" and the size differs.
        """
        image = to_channels(image, self.channels)
        height, width = self.size
        if image.shape[:2] == self.size:
            return image
        if self.resize == "none":
            raise StriateError(
                f"the image is {image.shape[0]}x{image.shape[1]}, the network takes {height}x{width} "
                "and resizing is off (resize 'none')"
            )
        whole = self.whole(*image.shape[:2])
        if self.resize == "stretch":
            return resize_image(image, *whole, self.interpolation)
        if self.resize == "letterbox":
            return centred(resize_image(image, *whole, self.interpolation), self.size)
        top, left = round((whole[0] - height) / 2), round((whole[1] - width) / 2)
        if whole[0] * whole[1] > _MOST_WASTE * height * width:
            return resize_window(image, whole, (top, left, height, width), self.interpolation)
        image = resize_image(image, *whole, self.interpolation)
        return np.ascontiguousarray(image[top : top + height, left : left + width])

    def whole(self, height: int, width: int) -> tuple[int, int]:
        """The height and width to which the resize rule brings a whole image, before it is cut or laid on black."""
        if self.resize == "crop":
            return self._cover(height, width)
        if self.resize == "letterbox":
            scale = min(self.size[0] / height, self.size[1] / width)
            return max(1, round(height * scale)), max(1, round(width * scale))
        return (height, width) if self.resize == "none" else self.size

    def _cover(self, height: int, width: int) -> tuple[int, int]:
        """The smallest size of the image's aspect that covers `size / crop_fraction` (short side exact)."""
        target_height, target_width = (round(side / self.crop_fraction) for side in self.size)
        if width * target_height <= height * target_width:
            return int(target_width * height / width), target_width
        return target_height, int(target_height * width / height)

    def serving(self, height: int, width: int) -> int:
        """How many times smaller a picture of that size serves as well: 1, 2, 4 or 8, as JPEG decoders give it.

        It stays at least twice as large as it is resized to: at 1 to 2 times a mean of 6 grey levels differ, from 2 on
        1 and less, and an eighth is hardly quicker to decode than a quarter.
        """
        wanted = self.whole(height, width)
        room = min(height / wanted[0], width / wanted[1]) / _LEAST_SHRINKING
        return next((scale for scale in (8, 4, 2) if scale <= room), 1)

    def normalise(self, batch: Tensor) -> Tensor:
        """Standardise uint8 (N, C, H, W) to float32 of the same memory format."""
        mean = torch.tensor(self.mean, dtype=torch.float32, device=batch.device) * 255
        scale = (torch.tensor(self.std, dtype=torch.float32, device=batch.device) * 255).reciprocal()
        if batch.is_contiguous(memory_format=torch.channels_last):  # in rows of pixels, which are nine times as quick
            channels, width = batch.shape[1], batch.shape[3]
            rows = batch.permute(0, 2, 3, 1).flatten(2).to(torch.float32, copy=True)
            rows = rows.sub_(mean.repeat(width)).mul_(scale.repeat(width))
            return rows.unflatten(2, (width, channels)).permute(0, 3, 1, 2)
        return batch.to(torch.float32, copy=True).sub_(mean.view(-1, 1, 1)).mul_(scale.view(-1, 1, 1))

    def to_dict(self) -> dict[str, Any]:
        """The fields as values that JSON can hold."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Preprocessing:
        """The inverse of `to_dict`. Raises UsageError for a missing or an unknown field."""
        values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in fields.items()}
        if "resize" in values:
            values["resize"] = _EARLIER_NAMES.get(values["resize"], values["resize"])
        try:
            return cls(**values)
        except TypeError as error:
            raise UsageError(f"these are not the fields of a preprocessing: {error}") from error
