import cv2
import numpy as np
import pytest
import torch

from striate.augment import Augment, colour, geometry, recolour, recolour_batch, warp, warp_batch
from striate.augment.augmenting import moved, recoloured
from striate.augment.batch import augmented_batch, mixed_batch, takes
from striate.augment.mixing import mix, mixes
from striate.augment.sampling import draws, geometries


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
    device = warp_batch(batch, matrices, size, border).permute(0, 2, 3, 1).numpy()
    assert worker.shape == device.shape
    assert np.abs(worker - device).max() <= 1.0


def test_recolouring_a_batch_on_a_device_gives_the_workers_colours():
    images = noise(4, 10, 12, 3)
    rng = np.random.default_rng(5)
    matrices = colour.contrast(rng.uniform(0.5, 1.5, 4), rng.uniform(0.2, 0.8, 4)) @ colour.hue(rng.uniform(-90, 90, 4))
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).double() / 255
    device = recolour_batch(batch, matrices[:, :3]) * 255
    worker = np.stack([recolour(image, matrix[:3]) for image, matrix in zip(images, matrices, strict=True)])
    assert np.abs(device.permute(0, 2, 3, 1).numpy() - worker).max() <= 1


def test_outside_the_picture_is_black_where_nothing_else_is_said():
    image = np.full((4, 4, 3), 200, np.uint8)
    aside = geometry.translation(2 * np.ones(1), np.zeros(1))[:, :2]
    expected = np.zeros((4, 4, 3))
    expected[:, :2] = 200
    batch = torch.from_numpy(image).permute(2, 0, 1)[None].double()
    device = warp_batch(batch, aside, (4, 4))[0].permute(1, 2, 0)
    np.testing.assert_allclose(device, expected, atol=1e-9)


@pytest.mark.parametrize("channels", [1, 2, 4, 6])
def test_other_channels_take_the_action_on_grey(channels):
    images = noise(3, 10, 12, channels)
    matrices = colour.contrast(np.array([0.6, 1.0, 1.7]), np.full(3, 0.4))[:, :3]
    device = recolour_batch(torch.from_numpy(images).permute(0, 3, 1, 2).double() / 255, matrices) * 255
    worker = np.stack([recolour(image, matrix) for image, matrix in zip(images, matrices, strict=True)])
    assert np.abs(device.permute(0, 2, 3, 1).numpy() - worker).max() <= 1


@pytest.mark.parametrize("size", [(16, 16), (12, 20)])
def test_what_shrinks_is_averaged_first(size):
    loud = noise(64, 96, 3)
    gentle = cv2.resize(noise(4, 6, 3), (96, 64), interpolation=cv2.INTER_CUBIC)
    images = np.stack([loud, gentle, gentle, gentle])
    boxes = geometry.box(
        *(np.array(values) for values in ([0, 5.5, 10, 3.2], [0, 2.0, 4, 6.3], [96, 30, 64, 40], [64, 60, 16, 20])),
        size=size,
    )[:, :2]
    worker = warp(images, boxes, size).astype(float)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).double()
    device = warp_batch(batch, boxes, size).permute(0, 2, 3, 1).numpy()
    assert np.abs(worker - device)[:2].max() <= 1.1  # from the corner on both average the same pixels
    assert np.abs(worker - device).mean() <= 2  # workers cut first and then average, from other pixels on
    assert device[0].std() < loud.std() / 3


POLICIES = {
    "geometry": {"flip": 0.5, "rotate": 30.0, "scale": 0.2, "shear": 10.0, "translate": 0.1},
    "crop": {"flip": 0.5, "area": 0.3},
    "pad": {"crop_padding": 4, "flip": 0.5},
    "colour": {"brightness": 0.4, "contrast": 0.4, "saturation": 0.4, "hue": 30.0, "grey": 0.2, "pca": 0.1},
    "all": {"flip": 0.5, "area": 0.3, "rotate": 20.0, "contrast": 0.4, "hue": 20.0, "border": "reflect"},
}


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("resize", ["crop", "letterbox"])
def test_a_policy_makes_the_pictures_that_workers_make(name, resize):
    policy = Augment(**POLICIES[name])
    images, axes = np.stack([smooth(40, 48) for _ in range(8)]), np.eye(3) / 5
    drawn = draws(policy, 3, 1, np.arange(8))
    matrices = geometries(policy, drawn, np.tile([[40, 48]], (8, 1)), (32, 32), resize, 0.9)
    worker = moved(policy, drawn, images, matrices, (32, 32))
    recoloured(policy, drawn, worker, axes)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2)
    device = augmented_batch(policy, drawn, batch, (32, 32), resize, 0.9, axes)
    assert device.dtype == torch.uint8
    differing = np.abs(device.permute(0, 2, 3, 1).numpy().astype(int) - worker)
    assert differing.max() <= 4  # interpolation in steps of 1/32 of a pixel, spread by the colours' contrast
    assert differing.mean() < 0.6


def test_a_policy_of_single_pixels_is_left_to_workers():
    assert takes(Augment(flip=0.5, area=0.2, hue=10.0, mixup=0.2, cutmix=1.0))
    for name in ("elastic", "blur", "noise", "jpeg", "downscale", "erase"):
        assert not takes(Augment(flip=0.5, **{name: 0.04}))


@pytest.mark.parametrize("policy", [Augment(mixup=0.4), Augment(cutmix=1.0), Augment(mixup=0.4, cutmix=1.0)])
def test_mixing_is_that_of_workers(policy):
    images, partners = noise(12, 20, 24, 3), noise(12, 20, 24, 3, seed=1)
    how = mixes(policy, draws(policy, 5, 0, np.arange(12)))
    worker, kept = mix(images, partners, how)
    batches = (torch.from_numpy(given).permute(0, 3, 1, 2) for given in (images, partners))
    device, shares = mixed_batch(*batches, how)
    np.testing.assert_array_equal(shares, kept)
    assert np.abs(device.permute(0, 2, 3, 1).numpy().astype(int) - worker).max() <= 1
