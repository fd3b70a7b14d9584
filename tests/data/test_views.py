"""Views against torchvision's crops and against pixels placed by hand."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as reference

from striate.data import Preprocessing
from striate.data.views import CENTRE, VIEWS, View, cut_all, views_called
from striate.errors import UsageError

LOOK = Preprocessing((14, 14), 3, (0.5,) * 3, (0.25,) * 3)
PICTURE = np.random.default_rng(0).integers(0, 256, (20, 33, 3), dtype=np.uint8)


def channels_first(picture: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(picture).permute(2, 0, 1)


def test_ten_views_are_torchvisions_ten_crops_of_the_resized_picture():
    resized = reference.resize(channels_first(PICTURE), [16], antialias=True)
    # torchvision's order: four corners and the centre, then the same of the mirrored picture
    theirs = [crop.permute(1, 2, 0).numpy() for crop in reference.ten_crop(resized, [14, 14])]
    ours = cut_all(PICTURE, LOOK, VIEWS["ten"])
    order = [4, 0, 1, 2, 3]
    for number, place in enumerate(order):
        np.testing.assert_array_equal(ours[number], theirs[place])
    mirrored = {ours[number][:, ::-1].tobytes() for number in range(5)}
    assert {picture.tobytes() for picture in ours[5:]} == mirrored
    # of the mirrored picture, torchvision's left corner is our right one, mirrored
    np.testing.assert_array_equal(ours[5 + 2], theirs[5])
    np.testing.assert_array_equal(ours[5 + 1], theirs[6])


def test_the_centre_is_what_preprocessing_shows():
    np.testing.assert_array_equal(CENTRE.cut(PICTURE, LOOK), LOOK(PICTURE))
    np.testing.assert_array_equal(View(mirrored=True).cut(PICTURE, LOOK), LOOK(PICTURE)[:, ::-1])


def test_another_scale_shows_the_middle_of_a_larger_picture():
    resized = reference.resize(channels_first(PICTURE), [round(16 * 1.3), round(26 * 1.3)], antialias=True)
    expected = reference.center_crop(resized, [14, 14]).permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(View(scale=1.3).cut(PICTURE, LOOK), expected)


def test_a_picture_shown_whole_is_shifted_and_filled_by_reflection():
    look = Preprocessing((16, 16), 1, (0.5,), (0.25,), "stretch")
    picture = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    corner = View("top left").cut(picture, look)  # one pixel of room all around
    np.testing.assert_array_equal(corner[1:, 1:], picture[:-1, :-1])
    np.testing.assert_array_equal(corner[0, 1:], picture[0, :-1])
    np.testing.assert_array_equal(View("bottom right").cut(picture, look)[:-1, :-1], picture[1:, 1:])
    np.testing.assert_array_equal(CENTRE.cut(picture, look), picture)


def test_a_letterboxed_picture_stays_in_its_box_at_any_scale():
    look, white = Preprocessing((16, 16), 1, (0.5,), (0.25,), "letterbox"), np.full((20, 40, 1), 255, np.uint8)
    once, larger = CENTRE.cut(white, look)[:, 8, 0], View(scale=1.5).cut(white, look)[:, 8, 0]
    np.testing.assert_array_equal(once, [0] * 4 + [255] * 8 + [0] * 4)
    np.testing.assert_array_equal(larger, [0] * 2 + [255] * 12 + [0] * 2)


@pytest.mark.parametrize("rule", ["crop", "letterbox", "stretch"])
@pytest.mark.parametrize("shape", [(9, 40, 3), (300, 200, 3), (14, 14, 1), (16, 16, 4)])
def test_every_view_has_the_networks_size_whatever_the_picture(rule, shape):
    look = Preprocessing((14, 14), 3, (0.5,) * 3, (0.25,) * 3, rule)
    picture = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    for views in VIEWS.values():
        assert cut_all(picture, look, views).shape == (len(views), 14, 14, 3)


def test_sets_of_views_go_by_name_and_number():
    assert {name: len(views) for name, views in VIEWS.items()} == {
        "centre": 1, "flip": 2, "five": 5, "ten": 10, "scales": 6,
    }  # fmt: skip
    assert views_called("10") == views_called(10) == views_called("ten") == VIEWS["ten"]
    assert views_called(1) == (CENTRE,)
    assert all(views[0] == CENTRE and len(set(views)) == len(views) for views in VIEWS.values())
    with pytest.raises(UsageError, match=r"unknown set of views 'tenn'\. Did you mean 'ten'"):
        views_called("tenn")
    for wrong in (True, 2.0, None):
        with pytest.raises(UsageError, match=r"views is .*give one of centre, flip"):
            views_called(wrong)


def test_views_are_spoken_of():
    assert str(CENTRE) == "centre"
    assert str(View("top left", mirrored=True, scale=1.15)) == "top left at 1.15, mirrored"
