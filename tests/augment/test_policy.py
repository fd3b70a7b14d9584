import dataclasses

import numpy as np
import pytest
from chance import colours_of, geometry_of
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.augment import Augment
from striate.augment.augmenting import moved, recoloured, spoilt
from striate.augment.geometry import fit
from striate.augment.policy import COLOUR, GEOMETRY, MIXING, PIXELS
from striate.augment.sampling import draws, geometries
from striate.errors import UsageError

IMPOSSIBLE = [
    ("flip", 1.1),
    ("flip", -0.1),
    ("vertical_flip", 2.0),
    ("crop_padding", -1),
    ("translate", 1.5),
    ("area", -0.2),
    ("area", 1.2),
    ("ratio", 0.5),
    ("rotate", 181.0),
    ("scale", -1.0),
    ("shear", 90.0),
    ("brightness", -0.3),
    ("contrast", float("nan")),
    ("saturation", -1.0),
    ("hue", 200.0),
    ("elastic", 0.06),
    ("grey", 1.5),
    ("colour_shift", -0.1),
    ("pca", -1.0),
    ("downscale", -0.5),
    ("blur", -1.0),
    ("noise", 1.2),
    ("jpeg", 100.0),
    ("erase", 2.0),
    ("mixup", -0.2),
    ("cutmix", float("inf")),
    ("choose", 99),
    ("choose", 1.5),
    ("magnitude", "half"),
    ("border", "wrap"),
]

STRENGTHS = {
    "flip": 1.0,
    "vertical_flip": 1.0,
    "crop_padding": 4,
    "translate": 0.2,
    "area": 0.3,
    "rotate": 25.0,
    "scale": 0.4,
    "shear": 20.0,
    "brightness": 0.5,
    "contrast": 0.5,
    "saturation": 0.5,
    "hue": 60.0,
    "elastic": 0.05,
    "grey": 1.0,
    "colour_shift": 0.3,
    "pca": 1.0,
    "downscale": 3.0,
    "blur": 3.0,
    "noise": 0.2,
    "jpeg": 80.0,
    "erase": 1.0,
    "mixup": 1.0,
    "cutmix": 1.0,
}
#: Change how others act, no strengths of their own.
MODIFIERS = {"ratio", "border", "choose", "magnitude"}
ALONE = sorted(set(STRENGTHS) - set(MIXING))
SIZES = np.tile([[24, 24]], (16, 1))


def augmented(augment: Augment, images: np.ndarray, seed: int = 0) -> np.ndarray:
    """What a training batch of the images' own size looks like."""
    size, drawn = images.shape[1:3], draws(augment, seed, 0, np.arange(len(images)))
    matrices = geometries(augment, drawn, np.tile([size], (len(images), 1)), size)
    out = moved(augment, drawn, images, matrices, size)
    recoloured(augment, drawn, out, np.eye(3) / 10)
    spoilt(augment, drawn, out)
    return out


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (16, 24, 24, 3), dtype=np.uint8)


@pytest.mark.parametrize(("field", "value"), IMPOSSIBLE)
def test_impossible_strengths_are_refused_by_name(field, value):
    with pytest.raises(UsageError, match=rf"augment\.{field}") as error:
        Augment(**{field: value})
    assert "\n" not in str(error.value)


def test_every_field_is_a_known_strength_or_modifier():
    assert {field.name for field in dataclasses.fields(Augment)} == set(STRENGTHS) | MODIFIERS


@pytest.mark.parametrize("field", ALONE)
def test_each_strength_alone_changes_pictures(field, images):
    augment = Augment(**{field: STRENGTHS[field]})
    assert augment.changes_anything
    changed = (augmented(augment, images) != images).any(axis=(1, 2, 3))
    assert changed.mean() > 0.8


@pytest.mark.parametrize("field", sorted(STRENGTHS))
def test_each_strength_acts_on_its_own_side_only(field):
    augment = Augment(**{field: STRENGTHS[field]})
    still = np.array_equal(geometry_of(augment, SIZES, (24, 24)), fit(SIZES, (24, 24), "crop", 0.875)[:, :2])
    plain = np.array_equal(colours_of(augment, 16, axes=np.eye(3)), np.tile(np.eye(4)[:3], (16, 1, 1)))
    assert still == (field not in set(GEOMETRY) - {"elastic"})
    assert plain == (field not in COLOUR)
    sides = [augment.changes_geometry, augment.changes_colour, augment.has(*PIXELS), augment.has(*MIXING)]
    assert sides == [field in names for names in (GEOMETRY, COLOUR, PIXELS, MIXING)]


def test_no_strength_at_all_leaves_every_bit(images):
    augment = Augment()
    assert not augment.changes_geometry
    assert not augment.changes_colour
    assert not augment.changes_anything
    np.testing.assert_array_equal(augmented(augment, images), images)


def test_border_shows_outside_the_picture():
    images = np.full((16, 24, 24, 3), 200, np.uint8)
    assert (augmented(Augment(translate=0.5), images) == 0).any()
    for border in ("edge", "reflect"):
        np.testing.assert_array_equal(augmented(Augment(translate=0.5, border=border), images), images)


def test_ratio_widens_the_crops():
    def aspects(ratio: float) -> np.ndarray:
        matrices = geometry_of(Augment(area=0.3, ratio=ratio), SIZES, (24, 24))
        return matrices[:, 0, 0] / matrices[:, 1, 1]

    np.testing.assert_allclose(aspects(1.0), 1.0)
    assert 1.2 < aspects(2.0).max() <= 2.0 + 1e-9
    assert 1 / 2 - 1e-9 <= aspects(2.0).min() < 0.8


def test_a_flip_of_one_half_mirrors_about_half_of_the_images():
    matrices = geometry_of(Augment(flip=0.5), np.tile([[9, 9]], (2000, 1)), (9, 9))
    assert 0.45 < (matrices[:, 0, 0] < 0).mean() < 0.55
    assert (matrices[:, 1, 1] > 0).all()


def test_flip_certain_is_a_mirror_image(images):
    np.testing.assert_array_equal(augmented(Augment(flip=1.0), images), images[:, :, ::-1])
    np.testing.assert_array_equal(augmented(Augment(vertical_flip=1.0), images), images[:, ::-1])


def test_pad_and_crop_shifts_by_whole_pixels_up_to_its_strength_both_ways():
    inputs = np.tile([[32, 32]], (3000, 1))
    shift = geometry_of(Augment(crop_padding=4), inputs, (32, 32))[:, :, 2]
    assert sorted(np.unique(shift)) == list(range(-4, 5))
    frequency = np.array([(shift == value).mean() for value in range(-4, 5)])
    np.testing.assert_allclose(frequency, 1 / 9, atol=0.02)


@settings(max_examples=30, deadline=None)
@given(angle=st.floats(0, 180), zoom=st.floats(0, 2), seed=st.integers(0, 2**16))
def test_rotation_and_zoom_stay_within_their_strengths_and_fix_the_centre(angle, zoom, seed):
    augment = Augment(rotate=angle, scale=zoom)
    matrices = geometry_of(augment, np.tile([[20, 30]], (16, 1)), (20, 30), seed)
    np.testing.assert_allclose(matrices @ [15, 10, 1], np.tile([15, 10], (16, 1)), atol=1e-9)
    factor = np.sqrt(np.linalg.det(matrices[:, :, :2]))
    assert (factor <= 1 + zoom + 1e-9).all()
    assert (factor >= 1 / (1 + zoom) - 1e-9).all()
    turned = np.abs(np.degrees(np.arctan2(matrices[:, 1, 0], matrices[:, 0, 0])))
    assert (turned <= angle + 1e-6).all()


def test_translation_stays_within_its_share_of_each_side():
    inputs = np.tile([[20, 40]], (500, 1))
    shift = geometry_of(Augment(translate=0.25), inputs, (20, 40))[:, :, 2]
    most = np.abs(shift).max(axis=0)
    assert 9 < most[0] <= 10
    assert 4.5 < most[1] <= 5


def test_colour_factors_stay_within_their_strengths_and_never_below_zero():
    gains = colours_of(Augment(brightness=0.3), 500)[:, 0, 0]
    assert 0.7 <= gains.min() < 0.73
    assert 1.27 < gains.max() <= 1.3
    assert colours_of(Augment(brightness=3.0), 500)[:, 0, 0].min() >= 0


def test_the_same_source_of_chance_draws_the_same():
    augment = Augment(**STRENGTHS)
    draws = [geometry_of(augment, SIZES, (24, 24), 7) for _ in range(2)]
    np.testing.assert_array_equal(*draws)
    assert len(np.unique(draws[0], axis=0)) == len(SIZES)


@pytest.mark.parametrize(
    ("field", "most", "words"),
    [
        *((name, 1, "between 0 and 1") for name in ("flip", "vertical_flip", "area", "translate")),
        *(("rotate", 180, "between 0 and 180"), ("shear", 80, "between 0 and 80"), ("hue", 180, "between 0 and 180")),
        *((name, 1e300, "not negative") for name in ("scale", "brightness", "contrast", "saturation", "ratio")),
        ("crop_padding", 1000, "not negative"),
    ],
)
def test_strengths_reach_up_to_their_limits(field, most, words):
    for value in (most, most // 2 + 1):
        assert getattr(Augment(**{field: value}), field) == value
    beyond = most + 1 if most < 200 else float("inf")
    for value in (beyond, -1):
        with pytest.raises(UsageError) as caught:
            Augment(**{field: value})
        assert str(caught.value) == f"augment.{field} is {value}; it must be {words}."


def test_what_is_no_strength_is_refused_in_words():
    for options, words in (
        ({"crop_padding": 2.5}, "augment.crop_padding is 2.5; it counts whole pixels."),
        ({"ratio": 0.99}, "augment.ratio is 0.99; the widest aspect ratio is at least 1."),
        ({"border": "wrap"}, "augment.border is 'wrap'; it is one of zero, edge, reflect."),
    ):
        with pytest.raises(UsageError) as caught:
            Augment(**options)
        assert str(caught.value) == words
    assert Augment(crop_padding=2.0, ratio=1, border="reflect").border == "reflect"


def test_nothing_is_asked_for_where_nothing_is_said():
    plain = Augment()
    assert {name: getattr(plain, name) for name in STRENGTHS} == dict.fromkeys(STRENGTHS, 0)
    assert (plain.ratio, plain.border) == (4 / 3, "zero")
    inputs = np.array([[100, 60]])
    shown = geometry_of(plain, inputs, (7, 7))
    np.testing.assert_array_equal(shown, fit(inputs, (7, 7), "crop", 0.875)[:, :2])


def test_contrast_acts_on_what_brightness_made():
    found = colours_of(Augment(brightness=0.3, contrast=0.2), 2000)
    brightness = found[:, 0, 0] + 2 * found[:, 0, 3]  # what becomes of the mean, 0.5, which contrast leaves alone
    contrast = found[:, 0, 0] / brightness
    assert 0.8 <= contrast.min() < 0.81
    assert 1.19 < contrast.max() <= 1.2
    assert 0.7 <= brightness.min() < 0.71
    assert 1.29 < brightness.max() <= 1.3


def test_shifts_are_those_of_the_turned_picture():
    inputs = np.tile([[20, 60]], (2000, 1))
    for strengths, most in (({"translate": 0.25}, (15, 5)), ({"crop_padding": 3}, (3, 3))):
        found = geometry_of(Augment(rotate=180, **strengths), inputs, (20, 60))
        moved = found @ [30, 10, 1] - [30, 10]  # of the centre, which a turn leaves alone
        shift = np.einsum("nji,nj->ni", found[:, :, :2], moved)
        np.testing.assert_allclose(np.abs(shift).max(axis=0), most, rtol=0.02)


def test_a_mirror_image_is_turned_after_it_was_mirrored():
    inputs = np.tile([[20, 30]], (200, 1))
    found = geometry_of(Augment(flip=1, rotate=40), inputs, (20, 30))
    np.testing.assert_allclose(found @ [15, 10, 1], np.tile([15, 10], (200, 1)), atol=1e-9)
    assert (np.linalg.det(found[:, :, :2]) < 0).all()
    # the output is turned first: x of the input is the mirror image of the turned x
    angle = np.arctan2(found[:, 1, 0], found[:, 1, 1])
    np.testing.assert_allclose(found[:, 0, 0], -np.cos(angle), atol=1e-9)
    np.testing.assert_allclose(found[:, 0, 1], np.sin(angle), atol=1e-9)


def test_beyond_a_letterboxed_picture_all_is_black():
    policy = Augment(rotate=10, border="reflect")
    assert policy.under("letterbox") == Augment(rotate=10, border="zero")
    assert policy.under("crop") == policy.under("stretch") == policy
