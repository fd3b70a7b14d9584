import numpy as np
import pytest

from striate.augment import Augment
from striate.augment.reducing import LARGE, are_large, scales
from striate.augment.sampling import draws, geometries

SIZES = np.array([[3000, 4000], [4000, 3000], [900, 1200], [500, 375]], np.int32)


def of_boxes(sides: list[tuple[float, float]], size: int = 100) -> np.ndarray:
    """Matrices that show boxes of these heights and widths."""
    return np.array([[[width / size, 0, 7], [0, height / size, 9]] for height, width in sides])


@pytest.mark.parametrize(
    ("box", "scale"),
    [((199, 900), 1), ((200, 900), 2), ((900, 399), 2), ((400, 400), 4), ((800, 801), 8), ((3000, 3000), 8)],
)
def test_a_picture_is_made_as_small_as_its_narrower_side_is_shrunk(box, scale):
    assert scales(of_boxes([box]), SIZES[:1]).tolist() == [scale]


def test_small_pictures_are_left_as_they_are():
    sizes = np.array([[512, 512], [511, 512], [40_000, 60_000]], np.int32)
    assert (512 * 512, 40_000 * 60_000 > 2**31) == (LARGE, True)
    assert are_large(sizes).tolist() == [True, False, True]
    assert scales(of_boxes([(500, 500)] * 3), sizes).tolist() == [4, 1, 4]


def test_turning_and_mirroring_do_not_count():
    turn = np.array([[[0, -6.0, 0], [6.0, 0, 0]], [[-6.0, 0, 0], [0, -6.0, 0]], [[4.3, -4.3, 0], [4.3, 4.3, 0]]])
    assert scales(turn, SIZES[:1].repeat(3, axis=0)).tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    "policy", [Augment(area=0.08), Augment(rotate=30, scale=0.5, shear=10), Augment(flip=0.5, translate=0.1)]
)
def test_what_is_shown_stays_as_large_as_the_output(policy):
    seen = set()
    for epoch in range(20):
        drawn = draws(policy, 3, epoch, np.arange(len(SIZES)))
        matrices = geometries(policy, drawn, SIZES, (224, 224))
        found = scales(matrices, SIZES)
        smaller = geometries(policy, drawn, -(-SIZES // found[:, None]), (224, 224))
        shown = np.sqrt((smaller[:, :, :2] ** 2).sum(axis=2)).min(axis=1)
        assert (shown[found > 1] > 0.99).all()
        assert (shown[(found < 8) & are_large(SIZES)] < 2.01).all()
        seen |= set(found.tolist())
    assert min(seen) == 1
    assert max(seen) == 8
