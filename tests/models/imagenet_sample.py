"""The shared sample of ImageNet, fed as converted weights want it, and how many of its labels a network finds."""

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import functional as transforms

from striate.weights import WeightSource


def table(folder: Path) -> pa.Table:
    """The 1,000 images, one of each class in order."""
    return pq.read_table(folder / "imagenet_sample.parquet")


def pictures(rows: pa.Table, source: WeightSource) -> Tensor:
    """Images resized (Pillow) and cropped as the weights want them, (N, 3, size, size)."""
    way = transforms.InterpolationMode(source.interpolation)
    batch = []
    for data in rows["image"].combine_chunks().field("bytes").to_pylist():
        image = Image.open(io.BytesIO(data)).convert("RGB")
        image = transforms.resize(image, round(source.input_size / source.crop_fraction), way)
        batch.append(np.asarray(transforms.center_crop(image, source.input_size)))
    x = torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2) / 255
    return (x - torch.tensor(source.mean)[:, None, None]) / torch.tensor(source.std)[:, None, None]


def accuracy(model: nn.Module, source: WeightSource, rows: pa.Table) -> float:
    """Percent of the rows whose label has the largest logit."""
    right = 0
    for start in range(0, len(rows), 50):
        part = rows.slice(start, 50)
        with torch.inference_mode():
            answers = model(pictures(part, source)).argmax(1)
        right += int((answers == torch.tensor(part["label"].to_pylist())).sum())
    return 100 * right / len(rows)
