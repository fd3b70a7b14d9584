"""Each transform of a policy alone, on real photographs, against torchvision's function of the same amounts."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from chance import colours_of
from matplotlib.colors import rgb_to_hsv
from sklearn.datasets import load_sample_images
from torchvision.transforms.v2 import InterpolationMode
from torchvision.transforms.v2 import functional as oracle

from striate.augment import Augment, recolour
from striate.augment.augmenting import moved, recoloured, spoilt
from striate.augment.colour import hue
from striate.augment.geometry import fit
from striate.augment.sampling import draws, geometries

SIDE, SEEDS = 160, range(3)
BILINEAR = InterpolationMode.BILINEAR


@pytest.fixture(scope="module")
def photographs() -> list[np.ndarray]:
    """A temple and a flower, the middle of each, shrunk by averaging."""
    middle = [picture[53:373, 160:480] for picture in load_sample_images().images]
    return [picture.reshape(SIDE, 2, SIDE, 2, 3).mean((1, 3)).round().astype(np.uint8) for picture in middle]


def under(policy: Augment, picture: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The picture under a policy, and the matrix (2, 3) that moved it."""
    drawn, size = draws(policy, seed, 0, np.arange(1)), (SIDE, SIDE)
    matrices = geometries(policy, drawn, np.array([picture.shape[:2]]), size, "stretch")
    made = moved(policy, drawn, [picture], matrices, size)
    recoloured(policy, drawn, made)
    spoilt(policy, drawn, made)
    return made[0].astype(float), matrices[0]


def torchvision(picture: np.ndarray, function: Callable[..., torch.Tensor], *given, **said) -> np.ndarray:
    pixels = torch.from_numpy(picture).permute(2, 0, 1).float() / 255
    return (function(pixels, *given, **said).clamp(0, 1) * 255).permute(1, 2, 0).numpy()


def affine(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """By torchvision, which takes apart what it is given: the angle, zoom and slants that give the matrix."""
    turn, shear_x = np.arctan2(-matrix[0, 1], matrix[1, 1]), 0.0
    zoom = np.hypot(matrix[0, 1], matrix[1, 1])
    middle = matrix @ (SIDE / 2, SIDE / 2, 1) - SIDE / 2
    assert np.allclose(matrix[:, :2], zoom * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]))
    # it shows what lies up and left of where it moves to, and turns clockwise
    back = np.linalg.inv(matrix[:, :2]) @ -middle
    return torchvision(
        picture, oracle.affine, -np.degrees(turn), back.tolist(), 1 / zoom, [shear_x, 0.0], interpolation=BILINEAR
    )


def inside(matrix: np.ndarray) -> np.ndarray:
    """The points of the output that show the photograph itself, (SIDE, SIDE)."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    shown = matrix @ np.stack([x.ravel(), y.ravel(), np.ones(x.size)])
    seen = ((shown > 1.5) & (shown < SIDE - 1.5)).all(axis=0).reshape(SIDE, SIDE)
    seen[[0, -1]] = seen[:, [0, -1]] = False  # what is cut out before it is enlarged does not know its neighbours
    return seen


def agree(made: np.ndarray, expected: np.ndarray, where=np.s_[:], most: float = 4.0) -> None:
    """Interpolation here works in steps of 1/32 of a pixel."""
    difference = np.abs(made - expected)[where]
    assert difference.max() <= most
    assert difference.mean() <= 0.6


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "strengths",
    [{"rotate": 40.0}, {"scale": 0.5}, {"translate": 0.2}, {"rotate": 20.0, "scale": 0.3, "translate": 0.1}],
)
def test_turns_zooms_and_shifts(photographs, strengths, seed):
    for picture in photographs:
        made, matrix = under(Augment(**strengths), picture, seed)
        agree(made, affine(picture, matrix), inside(matrix), 8)


@pytest.mark.parametrize("seed", SEEDS)
def test_slants(photographs, seed):
    for picture in photographs:
        made, matrix = under(Augment(shear=20), picture, seed)
        slants = np.degrees(np.arctan([matrix[0, 1], matrix[1, 0]]))
        assert np.abs(slants).max() <= 20
        pixels = torch.from_numpy(picture).permute(2, 0, 1).float()[None]
        scale = np.array([[2 / SIDE], [2 / SIDE]])
        theta = np.column_stack([matrix[:, :2], scale[:, 0] * (matrix @ (SIDE / 2, SIDE / 2, 1)) - 1])
        grid = torch.nn.functional.affine_grid(torch.from_numpy(theta).float()[None], pixels.shape, align_corners=False)
        expected = torch.nn.functional.grid_sample(pixels, grid, align_corners=False)[0].permute(1, 2, 0).numpy()
        agree(made, expected, inside(matrix), 8)


def test_mirror_images(photographs):
    for picture in photographs:
        np.testing.assert_array_equal(under(Augment(flip=1), picture, 0)[0], torchvision(picture, oracle.hflip).round())
        np.testing.assert_array_equal(
            under(Augment(vertical_flip=1), picture, 0)[0], torchvision(picture, oracle.vflip).round()
        )


@pytest.mark.parametrize("seed", SEEDS)
def test_random_resized_crops(photographs, seed):
    for picture in photographs:
        made, matrix = under(Augment(area=0.3), picture, seed)
        (left, top), (width, height) = matrix[:, 2], matrix[[0, 1], [0, 1]] * SIDE
        box = [round(float(value)) for value in (top, left, height, width)]
        agree(made, torchvision(picture, oracle.resized_crop, *box, [SIDE, SIDE], antialias=False))


@pytest.mark.parametrize("seed", SEEDS)
def test_pad_and_crop(photographs, seed):
    for picture in photographs:
        made, matrix = under(Augment(crop_padding=12), picture, seed)
        left, top = np.rint(matrix[:, 2]).astype(int).tolist()
        padded = torchvision(picture, oracle.pad, [12])
        np.testing.assert_array_equal(made, padded[12 + top :, 12 + left :][:SIDE, :SIDE].round())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("brightness", oracle.adjust_brightness),
        ("contrast", oracle.adjust_contrast),
        ("saturation", oracle.adjust_saturation),
    ],
)
def test_brightness_contrast_and_saturation(photographs, name, function, seed):
    policy = Augment(**{name: 0.8})
    factor = colours_of(policy, 1, seed)[0]
    gain = {"brightness": factor[0, 0], "contrast": factor[0, 0], "saturation": factor[0, 0] - factor[1, 0]}[name]
    for picture in photographs:
        agree(under(policy, picture, seed)[0], torchvision(picture, function, float(gain)), most=1.01)


def test_grey(photographs):
    for picture in photographs:
        made = under(Augment(grey=1), picture, 0)[0]
        agree(made, torchvision(picture, oracle.rgb_to_grayscale, num_output_channels=3), most=1.01)


@pytest.mark.parametrize("degrees", [-50.0, 20.0, 90.0])
def test_hue_turns_as_torchvisions_does(photographs, degrees):
    """Theirs keeps the largest channel, ours the sum: each pixel's place on the circle moves alike."""
    for picture in photographs:
        turned = recolour(picture, hue(np.array([degrees]))[0, :3])
        theirs = torchvision(picture, oracle.adjust_hue, degrees / 360)
        before, after, expected = (rgb_to_hsv(pixels / 255) for pixels in (picture, turned, theirs))
        coloured = (before[..., 1] > 0.3) & (before[..., 2] > 0.3) & (turned.min(2) > 0) & (turned.max(2) < 255)
        apart = np.angle(np.exp(2j * np.pi * (after[..., 0] - expected[..., 0])))[coloured]
        assert abs(np.degrees(np.angle(np.exp(1j * apart).mean()))) < 5


@pytest.mark.parametrize("seed", SEEDS)
def test_blur(photographs, seed):
    policy = Augment(blur=3)
    sigma = float(draws(policy, seed, 0, np.arange(1)).up_to("blur", 3)[0])
    for picture in photographs:
        reach = 2 * int(np.ceil(3 * sigma)) + 1
        expected = torchvision(picture, oracle.gaussian_blur, [reach, reach], [sigma, sigma])
        agree(under(policy, picture, seed)[0], expected, most=2)


@pytest.mark.parametrize("seed", SEEDS)
def test_jpeg(photographs, seed):
    policy = Augment(jpeg=70, magnitude="whole")
    for picture in photographs:
        made = under(policy, picture, seed)[0]
        stored = oracle.jpeg(torch.from_numpy(picture).permute(2, 0, 1), 30).permute(1, 2, 0).numpy()
        assert np.abs(made - stored).mean() < 1  # decoders round differently
        assert np.abs(made - picture).mean() > 2


def test_a_photograph_of_another_size_is_fitted_as_torchvision_resizes_it(photographs):
    for picture in photographs:
        matrices = fit(np.array([picture.shape[:2]]), (200, 180), "stretch", 1.0)[:, :2]
        made = moved(Augment(), draws(Augment(), 0, 0, np.arange(1)), [picture], matrices, (200, 180))[0]
        agree(made.astype(float), torchvision(picture, oracle.resize, [200, 180], antialias=False))
