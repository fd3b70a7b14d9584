import cv2
import numpy as np
import pytest
from PIL import Image

from striate.data.perceptual_hash import mirrored, perceptual_hash, shrunk


def cloudy(seed, size=(90, 120), channels=3):
    """A picture with large and small structure."""
    rng = np.random.default_rng(seed)
    parts = [
        cv2.resize(rng.random((n, n, channels), np.float32), size[::-1], interpolation=cv2.INTER_CUBIC) for n in (4, 9)
    ]
    return (255 * (0.6 * parts[0] + 0.4 * parts[1]).reshape(*size, channels)).clip(0, 255).astype(np.uint8)


def bits(one, other):
    return (one ^ other).bit_count()


def test_bits_are_the_signs_of_scipys_cosine_transform():
    from scipy.fft import dctn

    image = cloudy(0, (32, 32), 1)
    frequencies = dctn(image[:, :, 0].astype(float), norm="ortho")[:8, :8]
    expected = "".join("1" if value > 0 else "0" for value in frequencies.ravel())
    assert f"{perceptual_hash(image):064b}" == "0" + expected[1:]


def test_other_sizes_brightness_and_compression_change_few_bits_and_another_picture_half_of_them():
    image = cloudy(1)
    small = np.asarray(Image.fromarray(image).resize((64, 48), Image.Resampling.LANCZOS))
    jpeg = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR)
    brighter = cv2.convertScaleAbs(image, alpha=0.7, beta=60)
    large = cv2.resize(image, (1200, 900), interpolation=cv2.INTER_CUBIC)  # of which not every pixel counts
    for other in (small, jpeg, brighter, large):
        assert bits(perceptual_hash(image), perceptual_hash(other)) <= 6
    assert 16 <= bits(perceptual_hash(image), perceptual_hash(cloudy(2))) <= 48


def test_the_hash_of_a_mirrored_picture_follows_from_the_hash():
    images = [cloudy(seed, (64, 64)) for seed in range(20)]
    hashes = np.array([perceptual_hash(image) for image in images], np.uint64)
    turned = [perceptual_hash(np.ascontiguousarray(image[:, ::-1])) for image in images]
    differing = [bits(one, other) for one, other in zip(mirrored(hashes).tolist(), turned, strict=True)]
    assert max(differing) <= 1  # a frequency that is hardly there
    assert sum(differing) <= 3
    assert mirrored(mirrored(hashes)).tolist() == hashes.tolist()


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 6])
def test_pictures_of_any_channels_and_sizes_have_one(channels):
    assert perceptual_hash(np.full((1, 1, channels), 200, np.uint8)) == 0
    assert perceptual_hash(cloudy(3, (5, 300), channels)) > 0
    assert perceptual_hash(cloudy(3, (40, 40), channels)) < 1 << 63  # the mean has no sign


def test_grey_is_luma_and_pixels_are_means():
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2, :2, 0] = 200
    assert shrunk(image, 2).tolist() == [[60, 0], [0, 0]]  # Rec. 601: 0.299 of red
    assert shrunk(np.arange(16, dtype=np.uint8).reshape(4, 4, 1), 2).tolist() == [[3, 5], [11, 13]]  # 2.5 and so on
