"""The plain loop of the CIFAR-10 benchmark: ResNet-20 by its paper's recipe (He et al., 2015, 4.2)."""

from __future__ import annotations

import io
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from common import peak_memory

BATCH, RATE = 128, 0.1
WORKERS = (0, 2)
#: Images that the trial off the clock works on.
TRIAL_IMAGES = 10_000

TO_TENSOR = [transforms.ToTensor(), transforms.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616))]
AUGMENT = [transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip(), *TO_TENSOR]


class Block(nn.Module):
    """Two 3x3 convolutions with a shortcut of option A, which has no parameters: new channels are zero."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.stride, self.added = stride, out_channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, H, W) to (N, out_channels, H / stride, W / stride)."""
        out = functional.relu(self.norm1(self.conv1(x)))
        out = self.norm2(self.conv2(out))
        if self.added:
            x = x[:, :, :: self.stride, :: self.stride]
            x = functional.pad(x, (0, 0, 0, 0, self.added // 2, self.added // 2))
        return functional.relu(out + x)


def resnet20() -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    for inputs, outputs, stride in ((16, 16, 1), (16, 32, 2), (32, 64, 2)):
        layers += [Block(inputs, outputs, stride), Block(outputs, outputs, 1), Block(outputs, outputs, 1)]
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight)
    return model


class Cifar(Dataset):
    """The Parquet file decoded into memory, and a PIL image made for each access, as torchvision's CIFAR10 does."""

    def __init__(self, path: Path, steps: list[Any], limit: int | None) -> None:
        table = pyarrow.parquet.read_table(path, columns=["image", "label"]).slice(0, limit)
        encoded = (row["bytes"] for row in table["image"].to_pylist())
        self.images = np.stack([np.asarray(Image.open(io.BytesIO(item))) for item in encoded])
        self.labels, self.transform = table["label"].to_pylist(), transforms.Compose(steps)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.images[index])), self.labels[index]


def fit(model: nn.Module, dataset: Cifar, workers: int, seconds: float) -> int:
    """Train for so many seconds, the rate falling tenfold at 50 % and 75 % of them; return the number of steps."""
    batches = DataLoader(
        dataset, BATCH, shuffle=True, num_workers=workers, drop_last=True, persistent_workers=workers > 0
    )
    optimizer = torch.optim.SGD(model.parameters(), RATE, momentum=0.9, weight_decay=1e-4)
    model.train()
    steps, began = 0, time.perf_counter()
    while True:
        for images, labels in batches:
            share = (time.perf_counter() - began) / seconds
            if share >= 1:
                return steps
            optimizer.param_groups[0]["lr"] = RATE * (1 if share < 0.5 else 0.1 if share < 0.75 else 0.01)
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            steps += 1


def accuracy(model: nn.Module, dataset: Cifar, workers: int) -> float:
    model.eval()
    correct = 0
    with torch.no_grad():
        for images, labels in DataLoader(dataset, 250, num_workers=workers):
            correct += int((model(images).argmax(1) == labels).sum())
    return correct / len(dataset)


def run(folder: Path, seconds: float, trial: float, seed: int, limit: int | None) -> dict[str, Any]:
    """From the files to the test accuracy in so many seconds, after a trial of the numbers of workers."""
    torch.manual_seed(seed)
    sample = Cifar(folder / "train.parquet", AUGMENT, min(limit or TRIAL_IMAGES, TRIAL_IMAGES))
    speeds = {workers: fit(resnet20(), sample, workers, trial) * BATCH / trial for workers in WORKERS}
    workers = max(speeds, key=lambda number: speeds[number])

    began = time.perf_counter()
    train = Cifar(folder / "train.parquet", AUGMENT, limit)
    test = Cifar(folder / "test.parquet", TO_TENSOR, limit)
    model = resnet20()
    measuring = len(test) / speeds[workers] / 2  # a forward pass costs about a third of a step
    left = seconds - (time.perf_counter() - began) - measuring
    steps = fit(model, train, workers, max(1, left))
    correct = accuracy(model, test, workers)
    return {
        "seconds": time.perf_counter() - began,
        "accuracy": correct,
        "epochs": round(steps * BATCH / len(train), 2),
        "memory": peak_memory(),
        "note": f"{workers} workers; in the trial {', '.join(f'{n}: {s:.0f} images/s' for n, s in speeds.items())}",
    }
