import numpy as np
import pytest

from striate.augment import geometry, warp
from striate.augment.resizing import averaged


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8, 9])
def test_each_pixel_is_the_mean_of_those_that_it_covers(channels):
    image = np.random.default_rng(channels).integers(0, 256, (12, 15, channels), dtype=np.uint8)
    expected = image.reshape(4, 3, 3, 5, channels).mean(axis=(1, 3))
    np.testing.assert_allclose(averaged(image, 4, 3), expected, atol=0.51)


@pytest.mark.parametrize("channels", [4, 5, 13])
def test_pictures_of_many_channels_are_warped_where_halving_does_not_divide(channels):
    image = np.random.default_rng(0).integers(0, 256, (101, 77, channels), dtype=np.uint8)
    matrices = geometry.fit(np.array([[101, 77]]), (30, 30), "stretch", 1.0)[:, :2]
    together = warp([image], matrices, (30, 30))[0]
    for channel in range(channels):
        alone = warp([image[:, :, channel : channel + 1]], matrices, (30, 30))[0, :, :, 0]
        assert np.abs(together[:, :, channel].astype(int) - alone).max() <= 4  # OpenCV rounds more coarsely
