import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.augment import geometry, warp
from striate.augment.draws import Draws
from striate.data import Preprocessing

ONE = np.ones(1)
ZERO = np.zeros(1)


def at(matrices: np.ndarray, x: float, y: float) -> tuple[float, float]:
    """Where the first matrix sends an output point."""
    point = matrices[0] @ np.array([x, y, 1.0])
    return float(point[0]), float(point[1])


@pytest.mark.parametrize(
    ("matrices", "point", "expected"),
    [
        (geometry.identity(1), (3, 4), (3, 4)),
        (geometry.translation(2 * ONE, -1 * ONE), (3, 4), (5, 3)),
        (geometry.scaling(2 * ONE, 3 * ONE), (3, 4), (6, 12)),
        (geometry.rotation(90 * ONE), (1, 0), (0, 1)),
        (geometry.rotation(90 * ONE), (0, 1), (-1, 0)),
        (geometry.rotation(30 * ONE), (2, 0), (3**0.5, 1)),
        (geometry.shearing(45 * ONE, ZERO), (3, 4), (7, 4)),
        (geometry.shearing(ZERO, 45 * ONE), (3, 4), (3, 7)),
        (geometry.about(5, 2, geometry.scaling(-ONE, ONE)), (0, 7), (10, 7)),
        (geometry.about(5, 2, geometry.rotation(180 * ONE)), (4, 2), (6, 2)),
        (geometry.box(10 * ONE, 20 * ONE, 30 * ONE, 40 * ONE, (4, 3)), (0, 0), (10, 20)),
        (geometry.box(10 * ONE, 20 * ONE, 30 * ONE, 40 * ONE, (4, 3)), (3, 4), (40, 60)),
    ],
)
def test_matrices_send_points_where_a_hand_computes(matrices, point, expected):
    assert matrices.shape == (1, 3, 3)
    assert at(matrices, *point) == pytest.approx(expected, abs=1e-12)
    np.testing.assert_array_equal(matrices[:, 2], [[0, 0, 1]])


def test_the_second_of_two_composed_matrices_acts_first_on_the_output_point():
    shift_then_scale = geometry.scaling(2 * ONE, 2 * ONE) @ geometry.translation(ONE, ONE)
    scale_then_shift = geometry.translation(ONE, ONE) @ geometry.scaling(2 * ONE, 2 * ONE)
    assert at(shift_then_scale, 3, 4) == (8, 10)
    assert at(scale_then_shift, 3, 4) == (7, 9)


def test_a_batch_holds_a_matrix_of_its_own_for_each_image():
    turns = geometry.rotation(np.array([0.0, 90.0, 180.0]))
    np.testing.assert_allclose(turns @ [1, 0, 1], [[1, 0, 1], [0, 1, 1], [-1, 0, 1]], atol=1e-12)


def test_stretch_shows_the_four_corners():
    matrices = geometry.fit(np.array([[50, 80]]), (20, 10), "stretch", 0.875)
    assert at(matrices, 0, 0) == (0, 0)
    assert at(matrices, 10, 20) == (80, 50)


def test_crop_keeps_its_share_of_the_short_side_about_the_centre():
    matrices = geometry.fit(np.array([[50, 80]]), (20, 20), "crop", 0.8)
    assert at(matrices, 10, 10) == pytest.approx((40, 25))
    assert at(matrices, 0, 0) == pytest.approx((20, 5))
    assert at(matrices, 20, 20) == pytest.approx((60, 45))


def test_a_picture_of_the_right_size_is_shown_as_it_is():
    sizes = np.array([[28, 32], [28, 40], [35, 32]])
    same, wide, high = geometry.fit(sizes, (28, 32), "crop", 0.875)
    np.testing.assert_array_equal(same, np.eye(3))
    # a picture of which one side is right is cropped as any other
    np.testing.assert_allclose(wide, [[0.875, 0, 6], [0, 0.875, 1.75], [0, 0, 1]])
    np.testing.assert_allclose(high, [[0.875, 0, 2], [0, 0.875, 5.25], [0, 0, 1]])


def smooth_picture(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    waves = [128 + 100 * np.sin(x / width * a + y / height * b) for a, b in ((5, 1), (2, 6), (4, 4))]
    return np.stack(waves, axis=2).round().astype(np.uint8)


@pytest.mark.parametrize("rule", ["crop", "letterbox", "stretch"])
@pytest.mark.parametrize(
    ("picture", "size"),
    [((60, 60), (48, 48)), ((47, 80), (32, 32)), ((90, 61), (32, 48)), ((20, 26), (40, 40)), ((300, 200), (32, 32))],
)
def test_fit_warps_to_the_picture_that_preprocessing_makes(rule, picture, size):
    image = smooth_picture(*picture)
    plain = Preprocessing(size, 3, (0.5,) * 3, (0.5,) * 3, rule)(image).astype(int)
    matrices = geometry.fit(np.array([picture]), size, rule, 0.875)[:, :2]
    warped = warp([image], matrices, size, "zero" if rule == "letterbox" else "edge")[0].astype(int)
    difference = np.abs(warped - plain)
    # rounded sizes and whole-pixel crops move the plain picture by up to a pixel, but not to one side by more
    slope = max(np.abs(np.diff(plain, axis=0)).max(), np.abs(np.diff(plain, axis=1)).max())
    assert difference.max() <= 0.75 * slope + 3
    assert difference.mean() <= 0.4 * slope + 1


def test_no_resizing_takes_the_centre_pixel_for_pixel():
    image = np.random.default_rng(0).integers(0, 256, (14, 20, 3), dtype=np.uint8)
    matrices = geometry.fit(np.array([[14, 20]]), (8, 10), "none", 0.875)[:, :2]
    np.testing.assert_array_equal(warp([image], matrices, (8, 10))[0], image[3:11, 5:15])


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    height=st.integers(1, 500),
    width=st.integers(1, 500),
    smallest=st.floats(0.02, 1.0),
    widest=st.floats(1.0, 3.0),
)
def test_random_boxes_lie_inside_and_keep_area_and_ratio(seed, height, width, smallest, widest):
    inputs, size = np.tile([[height, width]], (20, 1)), (10, 16)
    matrices = geometry.random_box(Draws(seed, 0, range(20)), inputs, size, (smallest, 1.0), (1 / widest, widest))
    corners = matrices @ np.array([[0, 16], [0, 10], [1, 1]])
    left, right, top, bottom = corners[:, 0, 0], corners[:, 0, 1], corners[:, 1, 0], corners[:, 1, 1]
    assert min(left.min(), top.min()) >= -1e-9
    assert right.max() <= width + 1e-9
    assert bottom.max() <= height + 1e-9
    box_width, box_height = right - left, bottom - top
    ratio, share = box_width / box_height, box_width * box_height / (height * width)
    assert ((1 / widest - 1e-9 <= ratio) & (ratio <= widest + 1e-9)).all()
    assert (share <= 1 + 1e-9).all()
    shrunk = np.isclose(box_width, width) | np.isclose(box_height, height)  # the others fitted as they were drawn
    assert (share[~shrunk] >= smallest - 1e-9).all()


def test_random_boxes_spread_over_the_picture_and_over_their_range_of_areas():
    inputs = np.tile([[200, 200]], (4000, 1))
    matrices = geometry.random_box(Draws(0, 0, range(4000)), inputs, (1, 1), (0.08, 1.0), (1.0, 1.0))
    share = matrices[:, 0, 0] * matrices[:, 1, 1] / 200**2
    assert share.mean() == pytest.approx(0.54, abs=0.01)
    assert np.quantile(share, 0.1) == pytest.approx(0.172, abs=0.02)
    centre = matrices[:, :2, 2].mean(axis=0) + matrices[:, [0, 1], [0, 1]].mean(axis=0) / 2
    np.testing.assert_allclose(centre, [100, 100], atol=2)


def test_boxes_move_to_whole_pixels_and_stay_mirrored():
    upright = geometry.box(*(np.array([value]) for value in (10.3, 20.6, 40.2, 29.9)), size=(8, 16))
    mirror = geometry.about(8, 4, geometry.scaling(np.array([-1.0]), np.array([1.0])))
    there, mirrored = (geometry.on_whole_pixels(matrices, (8, 16)) for matrices in (upright, upright @ mirror))
    assert (at(there, 0, 0), at(there, 16, 8)) == ((10, 21), (50, 50))  # 50.5 and 50.5 are rounded to even
    assert (at(mirrored, 0, 0), at(mirrored, 16, 8)) == ((50, 21), (10, 50))
    thin = geometry.box(*(np.array([value]) for value in (3.1, 2.6, 0.2, 0.1)), size=(8, 16))
    whole = geometry.on_whole_pixels(thin, (8, 16))
    assert (at(whole, 0, 0), at(whole, 16, 8)) == ((3, 3), (4, 4))
