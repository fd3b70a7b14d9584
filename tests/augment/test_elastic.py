"""Local warping: a smooth field that tears nothing, applied as torchvision applies one."""

import cv2
import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as oracle

from striate.augment import geometry, warp
from striate.augment.elastic import displacements

SIZE = (48, 64)


def field(seed: int = 0, most: float = 0.05, size: tuple[int, int] = SIZE) -> np.ndarray:
    return displacements(np.random.default_rng(seed), size, most)


def test_points_move_no_further_than_the_strength_and_about_nothing_on_average():
    found = np.stack([field(seed) for seed in range(60)])
    assert found.shape == (60, *SIZE, 2)
    share = found / np.array([64, 48])
    assert 0.045 < np.abs(share).max() <= 0.05 * 1.45  # a cubic may overshoot its knots
    np.testing.assert_allclose(share.mean(axis=(0, 1, 2)), 0, atol=0.003)
    assert not field(most=0.0).any()


@pytest.mark.parametrize("size", [(48, 64), (224, 224), (9, 7), (1, 30)])
def test_nothing_folds_at_the_largest_strength(size):
    for seed in range(20):
        moved = field(seed, 0.05, size)
        if size[1] > 1:
            assert (1 + np.diff(moved[:, :, 0], axis=1) > 0).all()
        if size[0] > 1:
            assert (1 + np.diff(moved[:, :, 1], axis=0) > 0).all()


def test_the_border_moves_as_freely_as_the_middle():
    found = np.stack([field(seed) for seed in range(300)])[..., 0]
    edge, middle = found[:, 24, 0].std(), found[:, 24, 32].std()
    assert 0.6 < edge / middle < 1.6


def test_a_field_is_applied_as_torchvision_does():
    small = np.random.default_rng(1).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    image = cv2.resize(small, (64, 48), interpolation=cv2.INTER_CUBIC)
    moved = field(3)
    # torchvision measures in halves of the sides
    share = torch.from_numpy(moved / np.array([32, 24], np.float32))[None]
    expected = oracle.elastic(torch.from_numpy(image).permute(2, 0, 1).float(), share).permute(1, 2, 0).numpy()
    found = warp([image], geometry.identity(1)[:, :2], SIZE, "zero", lambda _: moved)[0]
    inner = np.s_[6:-6, 6:-6]
    np.testing.assert_allclose(found[inner], expected[inner], atol=2.5)


def test_displacements_are_of_the_output_and_turn_with_the_matrix():
    image = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (60, 1, 1))
    shift = np.zeros((60, 60, 2), np.float32)
    shift[..., 1] = 5  # down in the output, which a quarter turn makes sideways
    turn = geometry.about(30, 30, geometry.rotation(90 * np.ones(1)))[:, :2]
    straight = warp([image], turn, (60, 60), "edge")[0].astype(int)
    moved = warp([image], turn, (60, 60), "edge", lambda _: shift)[0].astype(int)
    np.testing.assert_array_equal(moved[:50], straight[5:55])
