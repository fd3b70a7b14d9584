"""A picture warped with a fourth channel is the one that is warped without."""

import cv2
import numpy as np
import pytest

from striate.augment.fourth import FourthChannel

FLAGS = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
MATRIX = np.array([[0.8, 0.2, 3.0], [-0.1, 1.1, 2.0]])


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def turned(image: np.ndarray, out: np.ndarray) -> None:
    cv2.warpAffine(image, MATRIX, (out.shape[1], out.shape[0]), dst=out, flags=FLAGS)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_picture_is_the_same_to_the_byte(channels):
    image, out = noise(40, 50, channels), np.zeros((30, 20, channels), np.uint8)
    FourthChannel((30, 20)).warp(image, out, turned)
    for channel in range(channels):
        plane = np.ascontiguousarray(image[:, :, channel])
        expected = cv2.warpAffine(plane, MATRIX, (20, 30), flags=FLAGS)
        np.testing.assert_array_equal(out[:, :, channel], expected)


def test_room_is_used_again_for_pictures_of_any_size():
    fourth, rooms, sizes = FourthChannel((30, 20)), set(), [(40, 50), (8, 9), (60, 70), (40, 50)]
    for size in sizes:
        image, out = noise(*size, 3), np.zeros((30, 20, 3), np.uint8)
        once = np.zeros_like(out)
        turned(image, once)

        def seen(padded: np.ndarray, room: np.ndarray) -> None:
            rooms.add(room.ctypes.data)
            turned(padded, room)

        fourth.warp(image, out, seen)
        np.testing.assert_array_equal(out, once)
    assert len(rooms) == 1


def test_parts_of_larger_pictures_are_taken_too():
    whole, out, once = noise(60, 70, 3), np.zeros((30, 20, 3), np.uint8), np.zeros((30, 20, 3), np.uint8)
    FourthChannel((30, 20)).warp(whole[5:45, 10:60], out, turned)
    turned(np.ascontiguousarray(whole[5:45, 10:60]), once)
    np.testing.assert_array_equal(out, once)
