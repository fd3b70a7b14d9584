"""Chance by seed, epoch and image: the same for whoever asks, another for each of the three."""

import numpy as np
import pytest
from scipy import stats

from striate.augment.draws import QUESTIONS, Draws


def table(seed: int, epoch: int, images, repeats=None) -> np.ndarray:
    drawn = Draws(seed, epoch, images, repeats)
    return np.stack([drawn.share(question) for question in QUESTIONS], axis=1)


def test_an_image_draws_the_same_in_whatever_company():
    together = table(3, 1, [7, 2, 900])
    np.testing.assert_array_equal(together[[1]], table(3, 1, [2]))
    np.testing.assert_array_equal(together[[2, 0]], table(3, 1, [900, 7]))


@pytest.mark.parametrize("other", [(4, 1, 7, 0), (3, 2, 7, 0), (3, 1, 8, 0), (3, 1, 7, 1)])
def test_seed_epoch_image_and_repeat_each_draw_anew(other):
    seed, epoch, image, repeat = other
    first, second = table(3, 1, [7], [0]), table(seed, epoch, [image], [repeat])
    assert (first != second).all()


def test_numbers_are_even_and_unrelated_across_images_epochs_and_questions():
    found = np.concatenate([table(0, epoch, range(500)) for epoch in range(4)])
    for column in range(found.shape[1]):
        assert stats.kstest(found[:, column], "uniform").pvalue > 1e-4
    related = np.corrcoef(found, rowvar=False) - np.eye(len(QUESTIONS))
    assert np.abs(related).max() < 0.1
    assert abs(np.corrcoef(found[:500, 0], found[500:1000, 0])[0, 1]) < 0.15
    assert abs(np.corrcoef(found[:-1, 0], found[1:, 0])[0, 1]) < 0.1


def test_of_the_chosen_each_comes_as_often_and_no_more_than_so_many_act():
    drawn = Draws(0, 0, range(3000))
    names = ["rotate", "scale", "hue", "blur"]
    drawn.choose(names, 2)
    acting = np.stack([drawn.acting(name) for name in names])
    assert (acting.sum(axis=0) == 2).all()
    np.testing.assert_allclose(acting.mean(axis=1), 0.5, atol=0.03)
    assert drawn.acting("flip").all()
    assert (drawn.either_way("rotate", 10)[~acting[0]] == 0).all()
    assert (drawn.up_to("blur", 3)[acting[3]] > 0).all()
    assert (drawn.around("hue", 2, 1, 3)[~acting[2]] == 1).all()
    assert not (drawn.chance("scale", 1.0) & ~acting[1]).any()


def test_more_may_be_chosen_than_there_are():
    drawn = Draws(0, 0, range(5))
    drawn.choose(["rotate"], 3)
    assert drawn.acting("rotate").all()


def test_at_full_strength_only_the_way_is_drawn():
    drawn = Draws(0, 0, range(1000))
    drawn.at_full_strength()
    assert set(drawn.either_way("rotate", 10.0)) == {-10.0, 10.0}
    assert drawn.either_way("rotate", 10.0).mean() == pytest.approx(0, abs=1)
    assert set(drawn.up_to("blur", 3.0)) == {3.0}


def test_pixels_have_a_source_of_their_own_for_each_image_and_transform():
    drawn = Draws(1, 2, [5, 6])
    found = [drawn.pixels(row, name).random(4).tolist() for row in (0, 1) for name in ("noise", "erase")]
    assert len({tuple(numbers) for numbers in found}) == 4
    assert Draws(1, 2, [6]).pixels(0, "noise").random(4).tolist() == found[2]


def test_images_may_have_any_number_of_64_bits():
    largest = 2**64 - 1
    assert (table(-1, 0, [largest]) != table(-1, 0, [largest - 1])).all()
