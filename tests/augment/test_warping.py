import cv2
import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as oracle

from striate.augment import colour, geometry, recolour, warp, warping

ONE = np.ones(1)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def smooth(height: int, width: int, channels: int = 3) -> np.ndarray:
    small = noise(height // 4, width // 4, channels)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, channels)


def centred(matrices: np.ndarray, height: int, width: int) -> np.ndarray:
    return geometry.about(width / 2, height / 2, matrices)[:, :2]


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_flips_are_exact(channels):
    image = noise(7, 10, channels)
    for factors, axis in (((-ONE, ONE), 1), ((ONE, -ONE), 0)):
        flipped = warp([image], centred(geometry.scaling(*factors), 7, 10), (7, 10))
        np.testing.assert_array_equal(flipped[0], np.flip(image, axis))


@pytest.mark.parametrize(("border", "pad"), [("zero", "constant"), ("edge", "edge"), ("reflect", "symmetric")])
@pytest.mark.parametrize(("x", "y"), [(2, 0), (-3, 1), (0, -4)])
def test_whole_shifts_are_padding_and_slicing(border, pad, x, y):
    image = noise(9, 12, 3)
    padded = np.pad(image, ((5, 5), (5, 5), (0, 0)), mode=pad)
    shifted = warp([image], geometry.translation(x * ONE, y * ONE)[:, :2], (9, 12), border)
    np.testing.assert_array_equal(shifted[0], padded[5 + y : 14 + y, 5 + x : 17 + x])


def test_quarter_turns_are_exact_and_counter_clockwise():
    image = noise(8, 8, 3)
    turned = warp([image], centred(geometry.rotation(90 * ONE), 8, 8), (8, 8))[0]
    np.testing.assert_array_equal(turned, np.rot90(image))


@pytest.mark.parametrize("angle", [-35.0, 10.0, 90.0])
def test_rotation_is_torchvisions(angle):
    image = smooth(40, 40)
    # torchvision's affine turns clockwise, its rotate counter-clockwise
    pixels = torch.from_numpy(image).permute(2, 0, 1).float()
    expected = oracle.affine(pixels, -angle, [0, 0], 1.0, [0.0, 0.0], interpolation=InterpolationMode.BILINEAR)
    turned = warp([image], centred(geometry.rotation(angle * ONE), 40, 40), (40, 40))[0]
    inner = np.s_[8:32, 8:32]  # torchvision fills outside pixels by another rule
    difference = np.abs(turned.astype(float) - expected.permute(1, 2, 0).numpy())[inner]
    assert difference.max() <= 1.5


def test_zoom_is_torchvisions():
    image = smooth(40, 40)
    pixels = torch.from_numpy(image).permute(2, 0, 1).float()
    expected = oracle.affine(pixels, 0, [0, 0], 1.25, [0.0, 0.0], interpolation=InterpolationMode.BILINEAR)
    zoomed = warp([image], centred(geometry.scaling(ONE / 1.25, ONE / 1.25), 40, 40), (40, 40))[0]
    inner = np.s_[1:-1, 1:-1]  # what is cut out first does not know its neighbours
    np.testing.assert_allclose(zoomed[inner], expected.permute(1, 2, 0)[inner], atol=1.5)


@pytest.mark.parametrize("size", [(24, 24), (40, 31), (20, 60)])
@pytest.mark.parametrize("box", [(3, 5, 22, 19), (0, 0, 40, 36), (10, 2, 12, 30)])
@pytest.mark.parametrize("mirrored", [(False, False), (True, False), (False, True), (True, True)])
def test_a_box_of_whole_pixels_is_torchvisions_resized_crop(size, box, mirrored):
    image, (left, top, width, height) = smooth(36, 40), box
    pixels = torch.from_numpy(image).permute(2, 0, 1).float()
    expected = oracle.resized_crop(pixels, top, left, height, width, list(size), antialias=False).permute(1, 2, 0)
    expected = np.flip(expected.numpy(), [axis for axis, flip in zip((1, 0), mirrored, strict=True) if flip])
    matrix = geometry.box(*(np.array([value]) for value in box), size=size)
    factors = [np.where(flip, -1.0, 1.0) * ONE for flip in mirrored]
    matrix = matrix @ geometry.about(size[1] / 2, size[0] / 2, geometry.scaling(*factors))
    np.testing.assert_allclose(warp([image], matrix[:, :2], size)[0], expected, atol=1.01)


@pytest.mark.parametrize("border", ["zero", "edge", "reflect"])
def test_the_short_way_and_the_warp_show_the_same(border, monkeypatch):
    image, rng = smooth(60, 80), np.random.default_rng(4)
    for _ in range(20):
        left, top = rng.integers(-20, 40, 2)
        width, height = rng.integers(20, 60, 2)
        box = geometry.box(*(np.array([float(value)]) for value in (left, top, width, height)), size=(32, 48))
        flip = geometry.about(24, 16, geometry.scaling(rng.choice([-1.0, 1.0], 1), rng.choice([-1.0, 1.0], 1)))
        short = warp([image], (box @ flip)[:, :2], (32, 48), border).astype(int)
        with monkeypatch.context() as patched:
            patched.setattr(warping, "_boxes", lambda *_: {})
            warped = warp([image], (box @ flip)[:, :2], (32, 48), border)
        assert np.abs(short - warped)[0, 2:-2, 2:-2].max() <= 3  # the warp rounds places to 32nds of a pixel


def test_images_of_different_sizes_become_one_batch():
    images = [noise(12, 30, 3), noise(25, 9, 3, seed=1)]
    matrices = geometry.fit(np.array([[12, 30], [25, 9]]), (8, 8), "stretch", 1.0)[:, :2]
    both = warp(images, matrices, (8, 8))
    assert both.shape == (2, 8, 8, 3)
    for index in range(2):
        alone = warp(images[index : index + 1], matrices[index : index + 1], (8, 8))
        np.testing.assert_array_equal(both[index], alone[0])


@pytest.mark.parametrize("channels", [1, 3])
def test_shrinking_does_not_alias(channels):
    checkerboard = (np.indices((128, 128)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = np.repeat(checkerboard[..., None], channels, axis=2)
    # half a pixel aside, so that without halving every point would fall on the middle of a white or black square
    aside = geometry.translation(0.5 * ONE, 0.5 * ONE)
    matrices = (aside @ geometry.fit(np.array([[128, 128]]), (16, 16), "stretch", 1.0))[:, :2]
    small = warp([image], matrices, (16, 16), "reflect")
    assert small.shape == (1, 16, 16, channels)
    assert np.abs(small.astype(int) - 127.5).max() <= 1


def test_only_the_image_that_shrinks_is_halved_and_the_other_stays_exact():
    images = [noise(8, 8, 3), noise(64, 64, 3, seed=1)]
    matrices = np.concatenate([geometry.identity(1), geometry.fit(np.array([[64, 64]]), (8, 8), "stretch", 1.0)])[:, :2]
    out = warp(images, matrices, (8, 8))
    np.testing.assert_array_equal(out[0], images[0])
    np.testing.assert_allclose(out[1], images[1].reshape(8, 8, 8, 8, 3).mean(axis=(1, 3)), atol=0.51)


def test_shrinking_keeps_things_where_they_are_when_halving_does_not_divide():
    ramp = np.linspace(0, 255, 101 * 3).round().astype(np.uint8).reshape(1, 303, 1).repeat(301, axis=0)
    matrices = geometry.fit(np.array([[301, 303]]), (30, 30), "stretch", 1.0)[:, :2]
    small = warp([ramp], matrices, (30, 30), "edge")[0, 15, :, 0].astype(float)
    expected = (np.arange(30) + 0.5) / 30 * 255
    np.testing.assert_allclose(small[1:-1], expected[1:-1], atol=1.5)


def test_the_originals_are_not_touched():
    image = noise(9, 9, 3)
    before = image.copy()
    warp([image], centred(geometry.rotation(20 * ONE), 9, 9), (9, 9))
    recolour(image, colour.brightness(ONE * 2)[0, :3])
    np.testing.assert_array_equal(image, before)


def test_a_picture_squashed_along_one_axis_is_averaged_along_it():
    checkerboard = np.indices((16, 128)).sum(0).astype(np.uint8)[:, :, None] % 2 * 255
    squashed = geometry.box(*(np.array([v]) for v in (0.5, 0.0, 127.0, 16.0)), size=(16, 16))[:, :2]
    grey = warp([checkerboard], squashed, (16, 16), "edge")[0].astype(int)
    assert np.abs(grey - 127).max() <= 12


@pytest.mark.parametrize("border", ["zero", "edge", "reflect"])
@pytest.mark.parametrize("across", [False, True])
def test_what_is_cut_off_a_long_image_is_not_seen(border, across, monkeypatch):
    image = np.random.default_rng(0).integers(0, 256, (40, 3000, 3), dtype=np.uint8)
    image = image.swapaxes(0, 1).copy() if across else image
    rng = np.random.default_rng(1)
    for _ in range(30):
        height, width = rng.uniform(5, 60, 2)
        place = rng.uniform(-80, 3060), rng.uniform(-80, 60)
        left, top = place[::-1] if across else place
        turn = geometry.about(8, 6, geometry.rotation(rng.uniform(-40, 40, 1)))
        shown = geometry.box(*(np.array([value]) for value in (left, top, width, height)), (12, 16)) @ turn
        whole = warp([image], shown[:, :2], (12, 16), border)
        monkeypatch.setattr(warping, "_LONGEST", 100)
        cut = warp([image], shown[:, :2], (12, 16), border)
        monkeypatch.undo()
        differences = np.abs(whole.astype(int) - cut)
        # what is halved first begins at another pixel
        assert differences.max() <= 1 or max(height / 12, width / 16) >= 1.2


@pytest.mark.parametrize("shape", [(70, 60000, 1), (60000, 70, 3)])
def test_sides_longer_than_opencv_takes_are_warped(shape):
    image = np.full(shape, 77, np.uint8)
    inputs = np.array([shape[:2]])
    for resize in ("crop", "stretch"):
        assert (warp([image], geometry.fit(inputs, (32, 32), resize, 0.875)[:, :2], (32, 32)) == 77).all()


def test_images_may_come_one_at_a_time():
    images = np.random.default_rng(0).integers(0, 256, (3, 9, 9, 1), dtype=np.uint8)
    matrices = geometry.identity(3)[:, :2]
    np.testing.assert_array_equal(warp(iter(images), matrices, (9, 9)), images)


@pytest.mark.parametrize("border", ["edge", "reflect"])
@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("place", [-40, -9, 2990, 3025])
def test_what_lies_beyond_either_end_of_a_long_image_repeats_it_as_far_as_it_is_seen(
    border, across, place, monkeypatch
):
    image = noise(40, 3000, 1)
    image = image.swapaxes(0, 1).copy() if across else image
    x, y = (0, place) if across else (place, 0)
    matrix = geometry.translation(x * ONE, y * ONE)[:, :2]
    whole = warp([image], matrix, (16, 16), border)
    monkeypatch.setattr(warping, "_LONGEST", 100)
    np.testing.assert_array_equal(warp([image], matrix, (16, 16), border), whole)


@pytest.mark.parametrize(("shrink", "averaged"), [(1.99, False), (2.0, True)])
def test_a_picture_half_as_large_is_averaged_first(shrink, averaged):
    stripes = np.tile(np.array([0, 255], np.uint8), (32, 16))[:, :, None]
    matrix = geometry.translation(0.5 * ONE, 0.5 * ONE) @ geometry.scaling(shrink * ONE, ONE)
    seen = warp([stripes], matrix[:, :2], (12, 12), "edge")[0].astype(int)
    assert (np.abs(seen - 127.5).max() <= 1) == averaged


def test_outside_the_picture_is_black_where_nothing_else_is_said():
    image = np.full((4, 4, 3), 200, np.uint8)
    aside = geometry.translation(2 * ONE, 0 * ONE)[:, :2]
    expected = np.zeros((4, 4, 3))
    expected[:, :2] = 200
    np.testing.assert_array_equal(warp([image], aside, (4, 4))[0], expected)


@pytest.mark.parametrize("place", [100, 40_000])
def test_a_picture_longer_than_opencv_takes_is_cut_and_shows_its_own_pixels(place, monkeypatch):
    image = (np.arange(50_000) // 200).astype(np.uint8).reshape(1, -1, 1).repeat(60, axis=0)
    really, longest = cv2.warpAffine, []

    def watched(given, *arguments, **options):
        longest.append(max(given.shape))
        return really(given, *arguments, **options)

    monkeypatch.setattr(cv2, "warpAffine", watched)
    shown = warp([image], geometry.translation((place + 0.5) * ONE, 3 * ONE)[:, :2], (8, 500))
    expected = (image[3:11, place : place + 500].astype(int) + image[3:11, place + 1 : place + 501]) / 2
    np.testing.assert_allclose(shown[0], expected, atol=0.51)
    assert max(longest) <= 32_767
