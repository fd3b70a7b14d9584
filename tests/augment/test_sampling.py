"""How often a policy draws what: each strength's distribution, one for each image, one apart from the other."""

import numpy as np
import pytest
from chance import colours_of, geometry_of
from scipy import stats

from striate.augment import Augment
from striate.augment.colour import principal_axes
from striate.augment.draws import Draws
from striate.augment.geometry import random_box
from striate.augment.sampling import colours, draws

N = 4000
SQUARE = np.tile([[64, 64]], (N, 1))


def matrices(seed: int = 0, **strengths) -> np.ndarray:
    """(N, 2, 3) for pictures of 64x64 shown at 64x64."""
    return geometry_of(Augment(**strengths), SQUARE, (64, 64), seed)


def is_uniform(values: np.ndarray, low: float, high: float) -> bool:
    return stats.kstest(values, "uniform", args=(low, high - low)).pvalue > 0.001


def unrelated(first: np.ndarray, second: np.ndarray) -> bool:
    return abs(np.corrcoef(first, second)[0, 1]) < 0.06


def test_the_ratio_of_crops_is_even_in_its_logarithm():
    # small enough that no box has to be shrunk
    boxes = random_box(Draws(0, 0, range(N)), SQUARE, (32, 32), (0.1, 0.3), (1 / 2, 2))
    aspect = np.log(boxes[:, 0, 0] / boxes[:, 1, 1])
    assert is_uniform(aspect, -np.log(2), np.log(2))
    area = boxes[:, 0, 0] * boxes[:, 1, 1] * 32 * 32 / 64**2
    assert is_uniform(area, 0.1, 0.3)
    assert unrelated(aspect, area)


def test_a_policy_takes_its_smallest_area_and_its_widest_ratio():
    found = matrices(area=0.2, ratio=1.5)
    share, aspect = found[:, 0, 0] * found[:, 1, 1], found[:, 0, 0] / found[:, 1, 1]
    assert 0.2 <= share.min() < 0.22
    assert 1.45 < aspect.max() <= 1.5 + 1e-9
    assert 1 / 1.5 - 1e-9 <= aspect.min() < 1 / 1.45


def test_places_of_crops_are_even_over_what_is_left():
    boxes = random_box(Draws(0, 0, range(N)), SQUARE, (32, 32), (0.2, 0.5), (0.8, 1.25))
    left = boxes[:, 0, 2] / (64 - boxes[:, 0, 0] * 32)
    top = boxes[:, 1, 2] / (64 - boxes[:, 1, 1] * 32)
    assert is_uniform(left, 0, 1)
    assert is_uniform(top, 0, 1)
    assert unrelated(left, top)


def test_angles_are_even_both_ways():
    found = matrices(rotate=20)
    angle = np.degrees(np.arctan2(found[:, 1, 0], found[:, 0, 0]))
    assert is_uniform(angle, -20, 20)


def test_zoom_is_even_in_its_logarithm_and_keeps_the_shape():
    found = matrices(scale=0.5)
    assert is_uniform(np.log(found[:, 0, 0]), -np.log(1.5), np.log(1.5))
    np.testing.assert_allclose(found[:, 0, 0], found[:, 1, 1])


def test_rows_and_columns_slant_apart_from_each_other():
    found = matrices(shear=15)
    # the product of both slants stands in one corner of the matrix only
    across, down = (np.degrees(np.arctan(found[:, row, column])) for row, column in ((0, 1), (1, 0)))
    assert is_uniform(across, -15, 15)
    assert is_uniform(down, -15, 15)
    assert unrelated(across, down)


def test_shifts_are_even_over_each_sides_own_length():
    inputs = np.tile([[32, 96]], (N, 1))
    found = geometry_of(Augment(translate=0.25), inputs, (32, 96))[:, :, 2]
    assert is_uniform(found[:, 0], -24, 24)
    assert is_uniform(found[:, 1], -8, 8)
    assert unrelated(found[:, 0], found[:, 1])


@pytest.mark.parametrize("chances", [(0.5, 0.5), (0.2, 0.0), (0.0, 0.8), (0.3, 0.6)])
def test_mirrors_come_as_often_as_asked_for_and_apart_from_each_other(chances):
    found = matrices(flip=chances[0], vertical_flip=chances[1])
    sideways, upside_down = found[:, 0, 0] < 0, found[:, 1, 1] < 0
    assert sideways.mean() == pytest.approx(chances[0], abs=0.03)
    assert upside_down.mean() == pytest.approx(chances[1], abs=0.03)
    assert (sideways & upside_down).mean() == pytest.approx(chances[0] * chances[1], abs=0.03)


def test_pad_and_crop_shifts_both_ways_apart_from_each_other():
    found = matrices(crop_padding=3)[:, :, 2]
    assert unrelated(found[:, 0], found[:, 1])
    assert {tuple(shift) for shift in found} == {(float(x), float(y)) for x in range(-3, 4) for y in range(-3, 4)}


@pytest.mark.parametrize("resize", ["crop", "letterbox", "stretch", "none"])
def test_without_a_random_crop_the_picture_is_fitted_as_preprocessing_does(resize):
    inputs = np.array([[80, 120]])
    found = geometry_of(Augment(flip=0.0), inputs, (40, 40), 0, resize, 0.5)[0]
    expected = {
        "crop": [[1, 0, 40], [0, 1, 20]],  # half of the short side is 40 pixels
        "letterbox": [[3, 0, 0], [0, 3, -20]],
        "stretch": [[3, 0, 0], [0, 2, 0]],
        "none": [[1, 0, 40], [0, 1, 20]],
    }[resize]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize(("field", "place"), [("brightness", lambda m: m[:, 0, 0]), ("contrast", lambda m: m[:, 0, 0])])
def test_colour_factors_are_even_about_one(field, place):
    found = colours_of(Augment(**{field: 0.4}), N)
    assert is_uniform(place(found), 0.6, 1.4)


def test_saturation_and_hue_are_drawn_for_each_image():
    vivid = colours_of(Augment(saturation=0.4), N)
    assert is_uniform(vivid[:, 0, 0] - vivid[:, 1, 0], 0.6, 1.4)
    turned = colours_of(Augment(hue=30), N)
    trace = turned[:, 0, 0] + turned[:, 1, 1] + turned[:, 2, 2]  # 1 + 2 cos(angle) of a turn about grey
    angle = np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1)))
    assert is_uniform(angle, 0, 30)


def test_each_colour_has_a_draw_of_its_own():
    policy = Augment(brightness=0.3, contrast=0.3, saturation=0.3, hue=20)
    found = colours_of(policy, 500).reshape(500, -1)
    assert np.linalg.matrix_rank(found - found.mean(0), tol=1e-3) >= 4
    assert len(np.unique(found, axis=0)) == 500


def test_areas_are_even_up_to_the_whole_picture():
    found = matrices(area=0.25, ratio=1)
    assert is_uniform(found[:, 0, 0] * found[:, 1, 1], 0.25, 1)


def test_the_colour_circle_is_turned_evenly_both_ways():
    found = colours_of(Augment(hue=30), N)
    # of a turn about grey, red goes towards green by one sign and towards blue by the other
    sign = np.sign(found[:, 1, 0] - found[:, 2, 0])
    assert abs(sign.mean()) < 0.05


def test_boxes_of_large_pictures_have_their_edges_on_whole_pixels():
    inputs = np.tile([[300, 400]], (500, 1))
    for strengths in (
        {"area": 0.2},
        {"scale": 0.4, "translate": 0.2},
        {"area": 0.1, "flip": 0.5, "vertical_flip": 0.5},
    ):
        found = geometry_of(Augment(**strengths), inputs, (224, 224))
        first, last = found[:, :, 2], found @ [224, 224, 1]
        np.testing.assert_allclose(np.stack([first, last]), np.rint(np.stack([first, last])), atol=1e-9)
        # half a pixel aside at most
        free = geometry_of(Augment(**strengths, rotate=1e-9), inputs, (224, 224))
        assert np.abs(free[:, :, 2] - first).max() <= 1.01


@pytest.mark.parametrize("strengths", [{"rotate": 5.0}, {"shear": 5.0}])
def test_what_is_turned_or_small_keeps_its_fractions(strengths):
    large = geometry_of(Augment(area=0.3, **strengths), np.tile([[300, 400]], (50, 1)), (224, 224))
    small = geometry_of(Augment(area=0.3), np.tile([[64, 400]], (50, 1)), (32, 32))
    for found in (large, small):
        assert np.abs(found[:, :, 2] - np.rint(found[:, :, 2])).max() > 0.1


def test_colours_move_along_the_axes_of_the_data_by_their_deviations():
    rng = np.random.default_rng(0)
    covariance = np.cov(rng.normal(size=(3, 500)) * [[0.3], [0.1], [0.02]]) + 0.02
    found = colours_of(Augment(pca=0.1), 20_000, axes=principal_axes(covariance))
    np.testing.assert_allclose(found[:, :, :3], np.tile(np.eye(3), (20_000, 1, 1)))
    np.testing.assert_allclose(np.cov(found[:, :, 3].T), covariance * 0.01, atol=2e-5)
    np.testing.assert_allclose(found[:, :, 3].mean(0), 0, atol=1e-3)


def test_each_channel_moves_by_itself():
    found = colours_of(Augment(colour_shift=0.2), N)[:, :, 3]
    for channel in range(3):
        assert is_uniform(found[:, channel], -0.2, 0.2)
    assert unrelated(found[:, 0], found[:, 1])
    assert unrelated(found[:, 1], found[:, 2])


def test_grey_takes_the_colours_of_so_many():
    found = colours_of(Augment(grey=0.3), N)
    assert (found[:, 0, 0] < 1).mean() == pytest.approx(0.3, abs=0.03)


@pytest.mark.parametrize("channels", [1, 2, 4, 7])
def test_of_other_than_three_channels_only_what_needs_no_colours_is_drawn(channels):
    policy = Augment(brightness=0.3, contrast=0.3, saturation=0.5, hue=50, colour_shift=0.3, pca=1, grey=1)
    drawn = draws(policy, 0, 0, np.arange(50))
    found = colours(policy, drawn, np.full((50, channels), 0.4), np.eye(3))
    plain = colours(Augment(brightness=0.3, contrast=0.3), drawn, np.full((50, 3), 0.4))
    np.testing.assert_allclose(found, plain, atol=1e-12)


def test_contrast_turns_about_the_mean_grey_of_each_picture():
    means = np.random.default_rng(0).uniform(0.1, 0.9, (50, 3))
    drawn = draws(Augment(contrast=0.5), 3, 0, np.arange(50))
    found = colours(Augment(contrast=0.5), drawn, means)
    grey = means @ (0.299, 0.587, 0.114)
    at_grey = np.einsum("nij,nj->ni", found[:, :, :3], np.repeat(grey[:, None], 3, axis=1)) + found[:, :, 3]
    np.testing.assert_allclose(at_grey, np.repeat(grey[:, None], 3, axis=1), atol=1e-12)
