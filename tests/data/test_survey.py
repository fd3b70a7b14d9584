import numpy as np
import pytest
from PIL import Image

from striate.data import Sizes, open_dataset
from striate.data.survey import size_text, typical_side


def sizes(*counted):
    return np.array([size for size, count in counted for _ in range(count)], dtype=np.int32)


def test_sizes_are_summed_up():
    found = Sizes.of(sizes(((30, 40), 3), ((40, 30), 3), ((100, 5), 1), ((30, 50), 2)))
    assert found == Sizes(
        commonest=(40, 30), with_commonest=3, smallest=(100, 5), largest=(30, 50), different=4, images=9
    )
    assert all(type(side) is int for side in found.commonest)
    assert size_text(found.largest) == "30x50"


@pytest.mark.parametrize(
    ("counted", "strays"),
    [
        ([((32, 32), 60)], False),
        ([((32, 32), 60), ((33, 32), 1)], True),
        ([((32, 32), 2), ((33, 32), 1)], True),
        ([((32, 32), 2), ((33, 32), 2)], False),
        ([((32, 32), 2), ((33, 32), 1), ((34, 32), 1)], False),
    ],
)
def test_strays_are_those_beside_a_majority(counted, strays):
    assert Sizes.of(sizes(*counted)).has_strays is strays


@pytest.mark.parametrize(
    ("counted", "side"),
    [
        ([((32, 32), 60), ((3000, 4000), 5)], 32),
        ([((3000, 4000), 60), ((32, 32), 5)], 4000),
        ([((10, 20), 1), ((30, 10), 1), ((40, 40), 1)], 30),
        ([((32, 32), 5), ((64, 20), 5)], 64),
        ([((7, 9), 1)], 9),
    ],
)
def test_the_typical_side_is_the_middle_of_the_longer_sides(counted, side):
    assert typical_side(sizes(*counted)) == side


def test_a_survey_covers_all_splits_and_names_what_is_odd(make_folder):
    root = make_folder({"cat": 20, "dog": 20}, name="pets/train", size=(64, 70)).parent
    make_folder({"cat": 2, "dog": 3}, name="pets/val", size=(70, 64), mode="L")
    blank, dot, thumbnail = root / "val/dog/blank.jpg", root / "train/cat/dot.png", root / "val/cat/thumb.png"
    Image.new("RGB", (70, 64), (9, 90, 200)).save(blank)
    Image.new("RGB", (1, 1), "red").save(dot)
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(thumbnail)
    survey = open_dataset(root).survey
    assert survey.sizes == Sizes((64, 70), 41, (1, 1), (64, 70), 4, 48)
    assert survey.formats == {"PNG": 47, "JPEG": 1}
    assert list(survey.formats) == ["PNG", "JPEG"]  # the commonest first
    assert survey.file_channels == {1: 5, 3: 43}
    assert survey.bit_depths == {"8": 48}
    assert survey.examples == {1: str(root / "val/cat/000.png"), 3: str(root / "train/cat/000.png")}
    assert survey.blank == (str(dot), str(blank))
    assert survey.tiny == (str(dot),)
    assert survey.strays == (
        f"{dot} (1x1)",
        f"{root}/val/cat/000.png (70x64)",
        f"{root}/val/cat/001.png (70x64)",
        f"{thumbnail} (4x4)",
        f"{root}/val/dog/000.png (70x64)",
    )
    assert survey.same_pictures == ()


@pytest.mark.parametrize(("side", "tiny"), [(3, True), (4, False), (5, False)])
def test_small_images_are_tiny_only_below_four_pixels(make_folder, side, tiny):
    folder = make_folder({"cat": 4, "dog": 4}, size=(8, 8))
    small = folder / "cat/small.png"
    Image.fromarray(np.arange(side * 8 * 3, dtype=np.uint8).reshape(side, 8, 3)).save(small)
    assert open_dataset(folder).survey.tiny == ((str(small),) if tiny else ())


@pytest.mark.parametrize(("side", "tiny"), [(9, True), (10, False)])
def test_beside_large_images_a_sixteenth_of_their_side_is_tiny(make_folder, side, tiny):
    folder = make_folder({"cat": 4, "dog": 4}, size=(160, 170))
    small = folder / "dog/small.png"
    Image.fromarray(np.arange(side * 20 * 3, dtype=np.uint16).reshape(side, 20, 3).astype(np.uint8)).save(small)
    assert open_dataset(folder).survey.tiny == ((str(small),) if tiny else ())


def test_kinds_are_listed_by_how_often_they_occur_and_then_by_name():
    from striate.data.surveying import _ordered

    found = _ordered(["PNG", "GIF", "JPEG", "GIF", "BMP", "PNG"])
    assert list(found.items()) == [("GIF", 2), ("PNG", 2), ("BMP", 1), ("JPEG", 1)]


def test_strays_are_named_only_beside_a_majority(make_folder):
    folder = make_folder({"cat": 2}, size=(8, 8))
    make_folder({"dog": 2}, size=(9, 8))
    assert open_dataset(folder, val_fraction=0).survey.strays == ()
    make_folder({"dog": 1}, size=(8, 8))
    assert open_dataset(folder, val_fraction=0).survey.strays == (f"{folder}/dog/001.png (9x8)",)
