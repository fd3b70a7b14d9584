"""The record that stands with every set of weights: where it is, what it needs, how images are fed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from striate.files import Checksum
from striate.weights.figure import Figure
from striate.weights.images import IMAGENET_STATISTICS

#: Before the name of a repository of the Hugging Face Hub.
HUB = "hf:"


@dataclass(frozen=True)
class WeightSource:
    """One set of pretrained weights.

    Attributes:
        name: what `create_model(..., weights=name)` asks for; a path for a file of one's own.
        file: file name in the cache folder.
        sha256: the file's checksum in hexadecimal, or its first digits where only those are published.
        url: where the file is fetched from, `hf:ORG/NAME` for a repository of the Hugging Face Hub, which states the
            checksums of its files itself; empty for files that nobody publishes at an address.
        origin: who published the weights.
        licence: their licence.
        num_classes: outputs they were trained for.
        input_size: side of the images they were trained or measured at, pixels.
        mean: per channel, on pixels in [0, 1].
        std: per channel, on pixels in [0, 1].
        crop_fraction: the short side is resized to input_size / crop_fraction, then the centre is cropped.
        interpolation: how images are resized, "bilinear" or "bicubic".
        resize: by which rule of `data.Preprocessing`; "crop" is that of all published weights.
        accuracy: what its publisher, or this project, measured with these weights.
        options: options of the network that these weights need.
        style: the family's key table by which its tensors are named; with it come further options.
        classes: names of the outputs, where they are known and not ImageNet's.
        md5: the file's MD5 in hexadecimal, where its publisher states nothing better.
        size: bytes of the file, where they are known.
    """

    name: str
    file: str
    sha256: str = ""
    url: str = ""
    origin: str = ""
    licence: str = ""
    num_classes: int = 1000
    input_size: int = 224
    mean: tuple[float, ...] = IMAGENET_STATISTICS.mean
    std: tuple[float, ...] = IMAGENET_STATISTICS.std
    crop_fraction: float = 0.875
    interpolation: str = "bilinear"
    resize: str = "crop"
    accuracy: tuple[Figure, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    style: str = ""
    classes: tuple[str, ...] = ()
    md5: str = ""
    size: int | None = None

    @property
    def checksum(self) -> Checksum:
        """What the file's content must hash to; without digits where nobody states it."""
        return Checksum("md5", self.md5) if self.md5 and not self.sha256 else Checksum("sha256", self.sha256)

    @property
    def repository(self) -> str:
        """The repository of the Hugging Face Hub in which the file lies, `ORG/NAME[@REVISION]`; empty for others."""
        return self.url.removeprefix(HUB) if self.url.startswith(HUB) else ""

    def normalisation(self, in_channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Mean and std for images of `in_channels`: averaged for grey ones, else repeated in turn.

        Goes with `adapt_channels`, which changes the first convolution by the same rule.
        """
        if in_channels == len(self.mean):
            return self.mean, self.std
        if in_channels == 1:
            return (sum(self.mean) / len(self.mean),), (sum(self.std) / len(self.std),)
        turns = [i % len(self.mean) for i in range(in_channels)]
        return tuple(self.mean[i] for i in turns), tuple(self.std[i] for i in turns)

    def to_dict(self) -> dict[str, Any]:
        """The record as plain dictionaries, lists, strings and numbers."""
        return asdict(self)
