"""Image kernels against SciPy, OpenCV and sums by hand."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from striate.errors import UsageError
from striate.layers.filtering import BORDERS, as_picture, explain_pixel, filter_image, signed_gain
from striate.layers.image_kernels import KERNELS, image_kernel, parse_kernel

#: Our borders in SciPy's words.
SCIPY = {"zero": "constant", "extend": "nearest", "reflect": "mirror", "symmetric": "reflect", "wrap": "grid-wrap"}
#: In OpenCV's, which knows no wrapping here.
OPENCV = {"zero": cv2.BORDER_CONSTANT, "extend": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT_101,
          "symmetric": cv2.BORDER_REFLECT}  # fmt: skip


def picture(height=13, width=17, channels=3, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


@settings(max_examples=120, deadline=None)
@given(
    st.integers(1, 7),
    st.integers(1, 7),
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from(list(SCIPY)),
    st.booleans(),
)
def test_any_picture_any_kernel_any_border_is_scipys(height, width, rows, columns, border, convolution):
    """Kernels larger than the picture and of even size included."""
    image = picture(height, width, 2, seed=rows)
    kernel = np.random.default_rng(columns).normal(size=(rows, columns))
    function = scipy.ndimage.convolve if convolution else scipy.ndimage.correlate
    theirs = function(image.astype(float), kernel[..., None], mode=SCIPY[border])
    ours = filter_image(image, kernel, border, convolution=convolution)
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


@pytest.mark.parametrize("border", OPENCV)
@pytest.mark.parametrize("name", KERNELS)
def test_kernels_by_name_are_opencvs_filter(name, border):
    image, kernel = picture(), image_kernel(name)
    theirs = cv2.filter2D(image, cv2.CV_64F, kernel, borderType=OPENCV[border])
    np.testing.assert_allclose(filter_image(image, kernel, border), theirs, atol=1e-9)


@pytest.mark.parametrize("convolution", [False, True])
@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (2, 4), (13, 17)])
def test_valid_is_scipys(shape, convolution):
    image, kernel = picture(), np.random.default_rng(1).normal(size=shape)
    function = scipy.signal.convolve2d if convolution else scipy.signal.correlate2d
    theirs = np.stack([function(image[..., c].astype(float), kernel, mode="valid") for c in range(3)], axis=2)
    np.testing.assert_allclose(filter_image(image, kernel, "valid", convolution=convolution), theirs, atol=1e-9)


def test_borders_by_hand():
    row = np.array([[[1.0], [2.0], [3.0]]])
    left, right = np.array([[1.0, 0, 0, 0, 0]]), np.array([[0, 0, 0, 0, 1.0]])  # two to the left, two to the right
    expected = {
        "zero": ([0, 0, 1], [3, 0, 0]),
        "extend": ([1, 1, 1], [3, 3, 3]),
        "reflect": ([3, 2, 1], [3, 2, 1]),
        "symmetric": ([2, 1, 1], [3, 3, 2]),
        "wrap": ([2, 3, 1], [3, 1, 2]),
    }
    for border, (from_left, from_right) in expected.items():
        assert filter_image(row, left, border).ravel().tolist() == from_left
        assert filter_image(row, right, border).ravel().tolist() == from_right


def test_derivatives_are_opencvs():
    image = picture(channels=1)
    theirs = {
        "sobel_x": cv2.Sobel(image, cv2.CV_64F, 1, 0),
        "sobel_y": cv2.Sobel(image, cv2.CV_64F, 0, 1),
        "scharr_x": cv2.Scharr(image, cv2.CV_64F, 1, 0),
        "scharr_y": cv2.Scharr(image, cv2.CV_64F, 0, 1),
        "laplacian": cv2.Laplacian(image, cv2.CV_64F),
        "box_blur": cv2.blur(image.astype(float), (3, 3)),
        "gaussian_blur": cv2.GaussianBlur(image.astype(float), (3, 3), 0),
    }
    for name, expected in theirs.items():
        np.testing.assert_allclose(filter_image(image, image_kernel(name))[..., 0], expected.reshape(13, 17), atol=1e-9)


def test_what_the_kernels_do():
    flat = np.full((5, 5, 1), 100, np.uint8)
    assert (filter_image(picture(), image_kernel("identity")) == picture()).all()
    for name in KERNELS:
        total = image_kernel(name).sum()
        assert total == pytest.approx(0) or total == pytest.approx(1)
        np.testing.assert_allclose(filter_image(flat, image_kernel(name)), 100 * total, atol=1e-9)
    ramp = np.tile(np.arange(0, 250, 10, dtype=np.uint8)[None, :, None], (5, 1, 1))
    for name, slope in {"sobel_x": 8, "prewitt_x": 6, "scharr_x": 32, "sobel_y": 0}.items():
        assert (
            filter_image(ramp, image_kernel(name), "valid") == slope * 10
        ).all()  # brighter to the right is positive
    assert (filter_image(ramp, image_kernel("sobel_x"), "valid", convolution=True) == -80).all()


def test_a_large_picture_in_bands_is_the_same():
    image = picture(700, 120, 3)
    kernel = np.random.default_rng(0).normal(size=(5, 3))
    theirs = scipy.ndimage.correlate(image.astype(float), kernel[..., None], mode="mirror")
    np.testing.assert_allclose(filter_image(image, kernel), theirs, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_pixels_arithmetic_adds_up_to_the_result(data):
    height, width = data.draw(st.integers(1, 6)), data.draw(st.integers(1, 6))
    rows, columns = data.draw(st.integers(1, 5)), data.draw(st.integers(1, 5))
    border, convolution = data.draw(st.sampled_from(BORDERS)), data.draw(st.booleans())
    if border == "valid":
        rows, columns = min(rows, height), min(columns, width)
    image, kernel = picture(height, width, 2), np.random.default_rng(3).normal(size=(rows, columns))
    result = filter_image(image, kernel, border, convolution=convolution)
    x, y = data.draw(st.integers(0, result.shape[1] - 1)), data.draw(st.integers(0, result.shape[0] - 1))
    pixel = explain_pixel(image, kernel, x, y, border, convolution=convolution)
    assert (pixel.sums == result[y, x]).all()
    np.testing.assert_allclose(pixel.products.sum((0, 1)), result[y, x], atol=1e-9)
    np.testing.assert_allclose(pixel.window * pixel.kernel[..., None], pixel.products)
    assert (pixel.kernel == (kernel[::-1, ::-1] if convolution else kernel)).all()
    assert pixel.pixel == (y, x)
    if border == "valid":
        assert not pixel.border.any()
        assert (pixel.window == image[y : y + rows, x : x + columns]).all()
    else:
        assert pixel.centre == (y, x)
    row, column = pixel.centre
    anchor = ((rows - 1) // 2, (columns - 1) // 2) if convolution else (rows // 2, columns // 2)
    assert (pixel.window[anchor] == image[row, column]).all()
    for (i, j), outside in np.ndenumerate(pixel.border):
        place = (row - anchor[0] + i, column - anchor[1] + j)
        assert outside == (not (0 <= place[0] < height and 0 <= place[1] < width))
        if not outside:
            assert (pixel.window[i, j] == image[place]).all()


def test_pictures_of_signed_values():
    values = np.array([[[-300.0], [-10.4], [0.0], [10.6], [300.0]]])
    assert as_picture(values, signed=False).ravel().tolist() == [0, 0, 0, 11, 255]
    assert as_picture(values, signed=True).ravel().tolist() == [0, 118, 128, 139, 255]
    assert as_picture(values, signed=True, gain=0.1).ravel().tolist() == [98, 127, 128, 129, 158]
    assert signed_gain(np.array([-254.0, 254.0])) == 0.5
    assert signed_gain(np.zeros(9)) == 1
    strong = np.ones(1000)
    strong[0] = 1000
    assert signed_gain(strong) == 1  # one strong edge does not grey out the rest


def test_kernels_of_ones_own(tmp_path):
    expected = [[0, -1, 0], [-1, 5, -1]]
    assert image_kernel("0 -1 0; -1 5 -1").tolist() == expected
    assert image_kernel("0,-1,0;-1,5,-1;").tolist() == expected
    assert image_kernel("-1").tolist() == [[-1]]
    assert image_kernel("1/4 2.5e-1").tolist() == [[0.25, 0.25]]
    file = tmp_path / "mine.txt"
    file.write_text("0 -1 0\n-1 5 -1\n\n")
    assert image_kernel(str(file)).tolist() == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 2; 3", "row 2 has 1 numbers and row 1 has 2"),
        ("1 2; 3 4-", "'4-' is no number"),
        ("1/0", "'1/0' is no number"),
        ("1e400", "'1e400' is no number"),
        ("sharpn", "Did you mean 'sharpen'"),
        ("mine.txt", "mine.txt: no such file"),
        ("", "unknown kernel ''"),
        (";", "unknown kernel ';'"),
        ("nan 1", "unknown kernel 'nan 1'"),
        ("a" * 5000, "cannot be read as a kernel"),
        ("\0", "unknown kernel"),
    ],
)
def test_no_kernels(text, said):
    with pytest.raises(UsageError) as error:
        image_kernel(text)
    assert said in str(error.value)


def test_files_that_are_no_kernels(tmp_path):
    for content in (b"", b"\x80\x81", b"one two", b"1 2\n3"):
        file = tmp_path / "mine.txt"
        file.write_bytes(content)
        with pytest.raises(UsageError, match=r"mine\.txt"):
            image_kernel(str(file))
    with pytest.raises(UsageError):
        parse_kernel("\n")


def test_impossible_requests():
    image, kernel = picture(4, 4), np.ones((5, 1))
    with pytest.raises(UsageError, match="5 rows and 1 columns does not fit into a picture of 4 rows"):
        filter_image(image, kernel, "valid")
    with pytest.raises(UsageError, match="'reflect'"):
        filter_image(image, kernel, "reflct")
    with pytest.raises(UsageError, match="x from 0 to 3 and y from 0 to 3"):
        explain_pixel(image, kernel, 4, 0)
    with pytest.raises(UsageError, match="picture"):
        filter_image(image[..., 0], kernel)


#: What each kernel is made of: profiles across and along, differences of others.
ONES, BINOMIAL, SLOPE = np.ones(3), np.array([1, 2, 1]), np.array([-1, 0, 1])
IDENTITY, ALL = np.diag([0, 1, 0]), np.ones((3, 3))
SECOND = np.outer([1, -2, 1], [0, 1, 0]) + np.outer([0, 1, 0], [1, -2, 1])
MADE_OF = {
    "identity": IDENTITY,
    "edge1": np.outer(SLOPE, SLOPE),
    "edge2": SECOND,
    "edge3": 9 * IDENTITY - ALL,
    "outline": 9 * IDENTITY - ALL,
    "laplacian": SECOND,
    "sharpen": IDENTITY - SECOND,
    "box_blur": ALL / 9,
    "gaussian_blur": np.outer(BINOMIAL, BINOMIAL) / 16,
    "gaussian_blur_5": np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256,
    "emboss": np.add.outer(SLOPE, SLOPE) + IDENTITY,
    "sobel_x": np.outer(BINOMIAL, SLOPE),
    "sobel_y": np.outer(SLOPE, BINOMIAL),
    "prewitt_x": np.outer(ONES, SLOPE),
    "prewitt_y": np.outer(SLOPE, ONES),
    "scharr_x": np.outer([3, 10, 3], SLOPE),
    "scharr_y": np.outer(SLOPE, [3, 10, 3]),
    "roberts_x": np.diag([1, -1]),
    "roberts_y": np.diag([1, -1])[:, ::-1],
}


def test_every_kernel_is_made_of_what_its_name_says():
    assert set(KERNELS) == set(MADE_OF)
    for name, kernel in MADE_OF.items():
        np.testing.assert_allclose(image_kernel(name), kernel, atol=1e-15, err_msg=name)


@pytest.mark.parametrize(
    ("image", "kernel"),
    [
        ((4, 4), (3, 3)),
        ((4, 4, 3, 1), (3, 3)),
        ((0, 4, 1), (3, 3)),
        ((4, 0, 1), (3, 3)),
        ((4, 4, 0), (3, 3)),
        ((4, 4, 1), (3,)),
        ((4, 4, 1), (0, 3)),
        ((4, 4, 1), (3, 0)),
    ],
    ids=str,
)
def test_no_picture_and_no_kernel_are_told_by_their_shapes(image, kernel):
    with pytest.raises(UsageError) as raised:
        filter_image(np.zeros(image), np.zeros(kernel))
    assert str(raised.value).endswith(f"are needed, not {image}, {kernel}")


def test_a_kernel_must_fit_in_both_directions_where_nothing_stands_beyond_the_edge():
    for shape, kernel in (((4, 6), (5, 1)), ((6, 4), (1, 5))):
        with pytest.raises(UsageError, match="take another border"):
            filter_image(picture(*shape), np.ones(kernel), "valid")
    assert filter_image(picture(4, 6), np.ones((4, 6)), "valid").shape == (1, 1, 3)


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, -1), (6, 0), (0, 4)])
def test_a_pixel_beyond_the_result_is_refused(x, y):
    assert explain_pixel(picture(4, 6), np.ones((3, 3)), 5, 3).pixel == (3, 5)
    with pytest.raises(UsageError, match=f"no pixel at x {x}, y {y}: the result has x from 0 to 5 and y from 0 to 3"):
        explain_pixel(picture(4, 6), np.ones((3, 3)), x, y)


def test_a_file_of_rows_may_be_marked_as_unicode_and_must_be_small(tmp_path):
    file = tmp_path / "rows"
    file.write_bytes(b"\xef\xbb\xbf1, 2\r\n3,4\r\n")
    assert image_kernel(str(file)).tolist() == [[1, 2], [3, 4]]
    file.write_bytes(b"1 " * 500_000)
    assert image_kernel(str(file)).shape == (1, 500_000)
    file.write_bytes(b"1 " * 500_000 + b" ")
    with pytest.raises(UsageError, match=r"rows: too large for a kernel"):
        image_kernel(str(file))


def test_a_path_is_told_from_a_name():
    for path in ("folder/mine", "mine.txt", "./mine"):
        with pytest.raises(UsageError, match="no such file, and no kernel of that name"):
            image_kernel(path)
    with pytest.raises(UsageError, match=r"unknown kernel 'mine'.*rows of numbers"):
        image_kernel("mine")


def test_numbers_of_a_kernel_end_at_a_thousand_million():
    assert image_kernel("1e9 -1e9").tolist() == [[1e9, -1e9]]
    for word in ("1.1e9", "-1.1e9", "3e9/2"):
        with pytest.raises(UsageError, match=f"'{word}' is no number from -1e\\+09 to 1e\\+09"):
            image_kernel(f"0 {word}")


def test_the_gain_lets_one_value_in_two_hundred_go():
    for strong, gain in ((5, 1.0), (6, 0.127)):
        values = np.ones(1000)
        values[:strong] = -1000
        assert signed_gain(values) == pytest.approx(gain)


def test_a_picture_whose_rows_are_longer_than_a_band_is_filtered_row_by_row():
    image = picture(3, 30_000, 3)
    kernel = np.random.default_rng(0).normal(size=(3, 2))
    theirs = scipy.ndimage.correlate(image.astype(float), kernel[..., None], mode="mirror")
    np.testing.assert_allclose(filter_image(image, kernel), theirs, atol=1e-9)


def test_a_fraction_too_large_for_any_number_is_none():
    with pytest.raises(UsageError, match="is no number from"):
        parse_kernel("1 " + "9" * 400 + "/1")
