"""Two pictures as one, and the share that is left of each label."""

import numpy as np
import pytest
from scipy import stats

from striate.augment import Augment
from striate.augment.mixing import Mixes, mix, mixes
from striate.augment.sampling import draws

N = 3000


def drawn(policy: Augment) -> Mixes:
    return mixes(policy, draws(policy, 0, 0, np.arange(N)))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_shares_follow_the_beta_distribution(name, alpha):
    how = drawn(Augment(**{name: alpha}))
    assert stats.kstest(how.kept, "beta", args=(alpha, alpha)).pvalue > 0.001
    assert (how.boxed == (name == "cutmix")).all()


def test_of_both_each_image_takes_one_with_its_own_parameter():
    how = drawn(Augment(mixup=0.2, cutmix=1.0))
    assert how.boxed.mean() == pytest.approx(0.5, abs=0.03)
    assert stats.kstest(how.kept[how.boxed], "uniform").pvalue > 0.001
    assert stats.kstest(how.kept[~how.boxed], "beta", args=(0.2, 0.2)).pvalue > 0.001


def images(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (40, 16, 24, 3), dtype=np.uint8)


def test_blending_is_by_shares():
    first, second, kept = images(0), images(1), np.linspace(0, 1, 40)
    mixed, shares = mix(first, second, Mixes(kept, np.zeros(40, bool), np.zeros((40, 2))))
    weights = kept[:, None, None, None]
    np.testing.assert_allclose(mixed, weights * first + (1 - weights) * second, atol=0.51)
    np.testing.assert_array_equal(shares, kept)


def test_a_box_of_the_other_is_put_in_and_its_share_is_its_pixels():
    first, second = images(0), images(1)
    rng = np.random.default_rng(2)
    how = Mixes(rng.random(40), np.ones(40, bool), rng.random((40, 2)))
    mixed, kept = mix(first, second, how)
    own = (mixed == first).all(axis=3)
    assert ((mixed == second).all(axis=3) | own).all()
    np.testing.assert_allclose(own.mean(axis=(1, 2)), kept, atol=0.01)
    assert (kept >= how.kept - 0.06).all()  # boxes are cut off at the edges, and whole pixels


def test_a_box_in_the_middle_has_its_share_and_shape():
    first, second = np.zeros((1, 100, 200, 1), np.uint8), np.ones((1, 100, 200, 1), np.uint8)
    mixed, kept = mix(first, second, Mixes(np.array([0.75]), np.ones(1, bool), np.array([[0.5, 0.5]])))
    assert kept[0] == pytest.approx(0.75)
    rows, columns = np.nonzero(mixed[0, :, :, 0])
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (25, 74, 50, 149)


def test_the_originals_stay():
    first, second = images(0), images(1)
    mix(first, second, Mixes(np.full(40, 0.5), np.arange(40) % 2 == 0, np.full((40, 2), 0.5)))
    np.testing.assert_array_equal(first, images(0))
    np.testing.assert_array_equal(second, images(1))
