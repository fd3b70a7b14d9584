import numpy as np
import pytest
import torch
from torchvision.transforms import v2

from striate.data.resizing import centred, resize_image, resize_window


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_read_only_arrays_are_resized_without_a_warning(recwarn):
    image = noise(40, 40, 3)
    image.flags.writeable = False
    resize_image(image, 20, 20)
    assert not recwarn


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("shape", [(40, 60, 3), (90, 20, 1), (7, 200, 5)])
@pytest.mark.parametrize("size", [(30, 90), (200, 33), (12, 12)])
def test_a_window_is_cut_out_of_the_whole(shape, size, interpolation):
    image = 64 + noise(*shape) // 2  # so that bicubic reaches neither black nor white, where it is cut
    whole = resize_image(image, *size, interpolation).astype(int)
    for top, left, height, width in (
        (0, 0, size[0], size[1]),
        (0, 0, 5, 6),
        (size[0] - 5, size[1] - 6, 5, 6),
        (3, 4, 7, 5),
        (size[0] // 2, 0, 1, size[1]),
    ):
        window = resize_window(image, size, (top, left, height, width), interpolation)
        expected = whole[top : top + height, left : left + width]
        assert window.shape == expected.shape
        assert window.dtype == np.uint8
        assert np.abs(window - expected).max() <= 2


def test_resizing_is_bilinear_where_nothing_else_is_said():
    image = noise(9, 30, 3)
    for made in (resize_image(image, 5, 7), resize_window(image, (5, 7), (0, 0, 5, 7))):
        assert made.shape[1] == 7
    np.testing.assert_array_equal(resize_image(image, 5, 7), resize_image(image, 5, 7, "bilinear"))
    assert np.abs(resize_image(image, 5, 7).astype(int) - resize_image(image, 5, 7, "bicubic")).max() > 5
    assert np.abs(resize_window(image, (5, 7), (0, 0, 5, 7)).astype(int) - resize_image(image, 5, 7)).max() <= 2
    assert resize_image(image, 9, 30) is image
    turned = noise(30, 9, 3).transpose(1, 0, 2)
    tensor = torch.from_numpy(np.ascontiguousarray(turned)).permute(2, 0, 1)
    expected = v2.Resize((5, 7), antialias=True)(tensor).permute(1, 2, 0).numpy()
    assert np.abs(resize_image(turned, 5, 7).astype(int) - expected).max() <= 1


@pytest.mark.parametrize(("size", "top", "left"), [((6, 9), 1, 2), ((3, 5), 0, 0), ((4, 6), 0, 0)])
def test_a_picture_is_laid_in_the_middle_of_black(size, top, left):
    image = noise(3, 5, 2)
    made = centred(image, size)
    assert made.shape == (*size, 2)
    np.testing.assert_array_equal(made[top : top + 3, left : left + 5], image)
    assert made.sum() == image.sum()
