import numpy as np
import pytest

from striate.data.facts import Facts, blank_rows, channel_sums, is_blank, level_sums


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 11])
def test_sums_of_a_small_image_are_those_of_all_its_pixels(channels):
    image = noise(13, 17, channels)
    wide = image.astype(np.int64)
    sums = channel_sums(image)
    assert sums[:, 0].tolist() == [13 * 17] * channels
    assert np.array_equal(sums[:, 1], wide.sum(axis=(0, 1)))
    assert np.array_equal(sums[:, 2], (wide**2).sum(axis=(0, 1)))


def test_sums_of_squares_are_exact_where_floats_would_round():
    image = np.full((4000, 4100, 1), 251, dtype=np.uint8)
    assert level_sums(image) == [(4000 * 4100, 251 * 4000 * 4100, 251**2 * 4000 * 4100)]


def test_of_a_large_image_rows_from_top_to_bottom_count():
    image = np.zeros((600, 500, 3), dtype=np.uint8)
    image[300:] = 200  # the lower half
    count, total, squares, _ = channel_sums(image)[1].tolist()
    assert 1 << 14 <= count < 1 << 16
    assert total / count == pytest.approx(100, rel=0.05)
    assert squares / count == pytest.approx(20_000, rel=0.05)
    flat = channel_sums(noise(30, 40_000, 1))
    assert flat[0, 0] >= 16 * 40_000  # of a flat one not a single row


def test_sums_tell_an_image_from_its_mirror_images_but_not_from_its_copy():
    image = noise(40, 50, 3)
    sums = channel_sums(image)
    assert np.array_equal(sums, channel_sums(image.copy()))
    for other in (image[::-1], image[:, ::-1], image[::-1, ::-1]):
        assert not np.array_equal(sums, channel_sums(other))
        assert np.array_equal(sums[:, :3], channel_sums(other)[:, :3])


def blank(image):
    return is_blank(image, channel_sums(image))


def test_one_colour_is_blank_and_a_single_other_pixel_is_not():
    image = np.full((300, 200, 3), (13, 200, 77), dtype=np.uint8)
    assert blank(image)
    image[257, 3, 1] = 202  # the rounding of JPEG
    assert blank(image)
    image[257, 3, 1] = 203
    assert not blank(image)
    assert not blank(noise(8, 8, 3))
    assert blank(np.zeros((1, 1, 1), dtype=np.uint8))
    stripes = np.zeros((9, 9, 3), dtype=np.uint8)
    stripes[..., 2] = 90  # of one colour, though its channels differ
    assert blank(stripes)


@pytest.mark.parametrize("channels", [1, 3])
def test_blank_rows_are_found_among_many(channels):
    images = noise(50, 6, 7, channels)
    images[:20, 0] = 9  # a first row of one colour proves nothing
    images[17], images[41] = 80, 255
    images[17, 5, 6] += 2
    assert np.flatnonzero(blank_rows(images)).tolist() == [17, 41]
    assert [row for row, image in enumerate(images) if blank(image)] == [17, 41]


def facts(*names, sums=True):
    count = len(names)
    numbers = np.array([ord(name) for name in names])
    return Facts(
        contents=[name.encode() for name in names],
        sizes=np.column_stack([numbers, numbers + 1]).astype(np.int32),
        formats=[f"format {name}" for name in names],
        channels=numbers.astype(np.int16),
        bit_depths=[f"depth {name}" for name in names],
        blank=numbers % 2 == 0,
        hashes=numbers.astype(np.uint64) * 7,
        remarks=[(f"remark {name}",) for name in names],
        sums=numbers.reshape(count, 1, 1) * np.ones((1, 3, 4), dtype=np.int64) if sums else None,
    )


def test_all_columns_stay_together_when_rows_are_taken_and_joined():
    joined = Facts.joined([facts("a", "b", "c"), facts("d", "e")])
    taken = joined.take(np.array([4, 1, 3]))
    assert len(taken) == 3
    expected = facts("e", "b", "d")
    for name in ("contents", "formats", "bit_depths", "remarks"):
        assert getattr(taken, name) == getattr(expected, name)
    for name in ("sizes", "channels", "blank", "hashes", "sums"):
        assert np.array_equal(getattr(taken, name), getattr(expected, name)), name
    assert Facts.joined([facts("a"), facts("b", sums=False)]).sums is None


@pytest.mark.parametrize(
    ("height", "width", "rows"),
    [
        (100, 163, range(100)),  # less than twice 16,384 pixels
        (200, 163, range(200)),
        (400, 100, range(0, 400, 2)),  # 40,000 pixels
        (31, 10_000, range(31)),
        (32, 10_000, range(0, 32, 2)),  # no fewer than 16 rows
        (47, 10_000, range(0, 47, 2)),
        (500, 500, range(0, 500, 15)),
        (2, 100_000, range(2)),
    ],
)
def test_every_so_many_rows_of_a_large_image_count(height, width, rows):
    image = noise(height, width, 3)
    part = image[list(rows)].astype(np.int64)
    sums = channel_sums(image)
    assert sums[:, 0].tolist() == [len(rows) * width] * 3
    assert sums[:, 1].tolist() == part.sum((0, 1)).tolist()
    assert sums[:, 2].tolist() == (part**2).sum((0, 1)).tolist()
    assert sums.dtype == np.int64


@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (9, 8), (30, 40), (7, 2)])
def test_the_last_sum_is_a_third_down_and_a_quarter_across(shape):
    image = np.arange(shape[0] * shape[1]).reshape(*shape, 1) % 256
    sums = channel_sums(image.astype(np.uint8))
    assert sums[0, 3] == image[shape[0] // 3, shape[1] // 4, 0]


@pytest.mark.parametrize(("spread", "flat"), [(0, True), (1, True), (2, True), (3, False), (255, False)])
@pytest.mark.parametrize("place", [(0, 0), (4, 0), (5, 6)])
def test_two_levels_apart_is_one_colour(spread, flat, place):
    image = np.full((6, 7, 2), 0, np.uint8)
    image[(*place, 1)] = spread
    assert is_blank(image, channel_sums(image)) is flat
    assert blank_rows(np.stack([image, noise(6, 7, 2)])).tolist() == [flat, False]
    assert blank_rows(image[None]).dtype == bool


def test_no_facts_are_joined_and_taken_as_any_others():
    joined = Facts.joined([facts("a"), facts("b", "c")])
    none = joined.take(np.array([], dtype=np.int64))
    assert (len(none), none.sizes.shape, none.sums.shape) == (0, (0, 2), (0, 3, 4))
    without = Facts.joined([facts("a", sums=False), facts("b", sums=False)])
    assert without.sums is None
    assert without.take(np.array([1])).sums is None
