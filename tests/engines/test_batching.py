import pytest

from striate.engines import images_at_once


@pytest.mark.parametrize(
    ("size", "most", "device", "count"),
    [
        ((224, 224), 64, "cpu", 10),
        ((90, 90), 64, "cpu", 64),
        ((32, 32), 128, "cpu", 128),
        ((4000, 3000), 64, "cpu", 1),
        ((224, 224), 64, "cuda", 64),
        ((64, 256), 128, "cpu", 32),
    ],
)
def test_pixels_bound_it_on_a_processor_and_nothing_elsewhere(size, most, device, count):
    assert images_at_once(size, most, device) == count
