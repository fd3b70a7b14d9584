"""Which size of image a network is planned for."""

import pytest

from striate.classifier.plan import _input_size


@pytest.mark.parametrize(
    ("network", "side", "size"),
    [
        ("googlenet", 28, 28),  # smaller than the paper's stem takes (31), not than the small one (4)
        ("inception_v3", 32, 32),
        ("inception_v3", 8, 299),
        ("inception_v3", 100, 299),
        ("resnet18", 28, 28),
        ("alexnet", 28, 227),  # dense layers on the map, made for one size
        ("googlenet", None, 224),
    ],
)
def test_small_images_keep_their_size_where_the_small_stem_takes_them(network, side, size):
    assert _input_size(network, side, None) == size
