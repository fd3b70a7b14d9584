import numpy as np
import pytest

from striate.augment import Augment
from striate.augment.reducing import scales
from striate.augment.sampling import draws, geometries
from striate.data import Preprocessing
from striate.training.often import OFTEN, scales_looked_at, scales_trained_at

LOOK = Preprocessing((224, 224), 3, (0.5,) * 3, (0.5,) * 3)
SIZES = np.array([[3000, 4000], [333, 500], [1000, 800], [3000, 4000], [512, 512]], np.int32)


@pytest.mark.parametrize("policy", [Augment(area=0.08), Augment(area=0.5, rotate=20), Augment(translate=0.1)])
def test_the_scales_that_come_often_are_those_of_the_run(policy):
    found = scales_trained_at(policy, LOOK, SIZES)
    for row, size in enumerate(SIZES):
        many = np.tile(size.astype(np.int64), (3000, 1))
        drawn = geometries(policy, draws(policy, 7, 3, np.arange(3000)), many, LOOK.size)
        shares = [(scales(drawn, many) == scale).mean() for scale in (1, 2, 4, 8)]
        for share, wanted in zip(shares, found[row], strict=True):
            assert wanted or share < 2.5 * OFTEN
            assert share > 0 or not wanted
    assert found.any(axis=1).all()
    assert found[1].tolist() == [True, False, False, False]
    assert found[0].tolist() == found[3].tolist()


def test_without_moving_each_picture_has_the_scale_that_serves():
    expected = [[LOOK.serving(*size) == scale for scale in (1, 2, 4, 8)] for size in SIZES.tolist()]
    assert scales_looked_at(LOOK, SIZES).tolist() == expected
    assert scales_trained_at(Augment(hue=20), LOOK, SIZES).tolist() == expected
    assert {tuple(row) for row in expected} == {(True, False, False, False), (False, False, True, False)}
