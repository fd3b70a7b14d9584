import cv2
import numpy as np
import pytest
import torch

from striate.augment import colour, geometry, recolour, recolour_batch, warp, warp_batch


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth(height: int, width: int, channels: int = 3) -> np.ndarray:
    small = noise(height // 4, width // 4, channels)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, channels)


@pytest.mark.parametrize("border", ["zero", "edge", "reflect"])
@pytest.mark.parametrize("size", [(24, 32), (40, 27)])
def test_the_batch_on_a_device_shows_what_the_worker_shows(border, size):
    images = np.stack([smooth(24, 32) for _ in range(5)])
    rng = np.random.default_rng(3)
    box = geometry.box(*(np.full(5, v) for v in (-2.5, 3.0, 40.0, 30.0)), size=size)
    turns = geometry.rotation(rng.uniform(-40, 40, 5)) @ geometry.shearing(*rng.uniform(-15, 15, (2, 5)))
    matrices = (geometry.translation(*rng.uniform(-6, 6, (2, 5))) @ box @ turns)[:, :2]
    worker = warp(images, matrices, size, border).astype(float)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).double()
    device = warp_batch(batch, torch.from_numpy(matrices), size, border).permute(0, 2, 3, 1).numpy()
    assert worker.shape == device.shape
    assert np.abs(worker - device).max() <= 1.0


def test_recolouring_a_batch_on_a_device_gives_the_workers_colours():
    images = noise(4, 10, 12, 3)
    rng = np.random.default_rng(5)
    matrices = colour.contrast(rng.uniform(0.5, 1.5, 4), rng.uniform(0.2, 0.8, 4)) @ colour.hue(rng.uniform(-90, 90, 4))
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).double() / 255
    device = recolour_batch(batch, torch.from_numpy(matrices[:, :3])) * 255
    worker = np.stack([recolour(image, matrix[:3]) for image, matrix in zip(images, matrices, strict=True)])
    assert np.abs(device.permute(0, 2, 3, 1).numpy() - worker).max() <= 1


def test_outside_the_picture_is_black_where_nothing_else_is_said():
    image = np.full((4, 4, 3), 200, np.uint8)
    aside = geometry.translation(2 * np.ones(1), np.zeros(1))[:, :2]
    expected = np.zeros((4, 4, 3))
    expected[:, :2] = 200
    batch = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    device = warp_batch(batch, torch.from_numpy(aside), (4, 4))[0].permute(1, 2, 0)
    np.testing.assert_allclose(device, expected, atol=1e-9)
