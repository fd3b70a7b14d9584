"""Small image folders, written by Pillow."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write `counts` images per class below `name`, each with its own noise."""

    def make(counts: dict[str, int], name: str = "photos", size: tuple[int, int] = (12, 10), mode: str = "RGB") -> Path:
        for label, (klass, count) in enumerate(counts.items()):
            folder = tmp_path / name / klass
            folder.mkdir(parents=True, exist_ok=True)
            for index in range(count):
                pixels = np.random.default_rng([label, index]).integers(0, 256, (*size, 3), dtype=np.uint8)
                Image.fromarray(pixels).convert(mode).save(folder / f"{index:03d}.png")
        return tmp_path / name

    return make
