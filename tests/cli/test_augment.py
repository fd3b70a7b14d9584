"""striate augment: the sheet that it writes, what it says, and what it refuses."""

import json

import numpy as np
import pytest
from PIL import Image

from striate.augment.policies import POLICIES


@pytest.fixture
def photo(tmp_path):
    """A picture of noise."""
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)).save(path)
    return path


def sheet(path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_a_policy_is_shown_and_the_sheet_comes_again_the_same(cli, photo):
    outcome = cli("augment", photo, "--policy", "mild", "--size", 32)
    assert (outcome.code, outcome.out, outcome.err) == (0, "written to augmented.png\n", "")
    first = sheet("augmented.png")
    assert cli("augment", photo, "--policy", "mild", "--size", 32, "--out", "again.png").code == 0
    np.testing.assert_array_equal(sheet("again.png"), first)
    assert cli("augment", photo, "--policy", "mild", "--size", 32, "--seed", 1).code == 0
    assert (sheet("augmented.png") != first).any()


def test_without_a_policy_every_transform_is_shown(cli, photo):
    outcome = cli("augment", photo, photo, "--size", 16, "--json")
    shown = json.loads(outcome.out)
    assert (outcome.code, shown["sheet"]) == (0, "augmented.png")
    assert {"flip", "elastic", "pca", "jpeg", "mixup", "cutmix"} < set(shown["transforms"])


def test_any_strength_is_a_setting(cli, photo):
    outcome = cli("augment", photo, "--policy", "flips", "--set", "rotate=15", "--set", "augment.hue=9", "--json")
    policy = json.loads(outcome.out)["policy"]
    assert (policy["flip"], policy["rotate"], policy["hue"]) == (0.5, 15, 9)
    alone = json.loads(cli("augment", photo, "--set", "blur=2", "--json").out)
    assert alone["transforms"] == ["blur"]


def test_what_needs_colours_or_a_second_picture_is_said(cli, tmp_path):
    grey = tmp_path / "grey.png"
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(grey)
    outcome = cli("augment", grey, "--set", "hue=20", "--set", "rotate=9", "--set", "mixup=1")
    assert outcome.out.splitlines() == [
        "note: hue needs red, green and blue, and does nothing here",
        "note: mixup needs a second picture: striate augment ONE TWO",
        "written to augmented.png",
    ]


def test_the_policies_are_listed(cli):
    outcome = cli("augment", "--list")
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert all(any(line.startswith(name) for line in lines) for name in POLICIES)
    listed = json.loads(cli("augment", "--list", "--json").out)["policies"]
    assert [entry["name"] for entry in listed] == list(POLICIES)
    assert next(entry for entry in listed if entry["name"] == "flips")["flip"] == 0.5


def test_it_shows_what_a_run_sees(cli, photo, run):
    outcome = cli("augment", photo, "--show-input", run, "--size", 48)
    assert (outcome.code, outcome.out) == (0, "written to input.png\n")
    told = json.loads(cli("augment", photo, "--show-input", run, "--json").out)
    assert told["preprocessing"]["size"] == [28, 28]
    assert told["sheet"] == "input.png"
    assert cli("augment", photo, photo, "--show-input", run).line() == ("striate: 2 pictures: --show-input shows one.")
    assert "nowhere" in cli("augment", photo, "--show-input", "nowhere").line()


def test_of_a_data_set_it_shows_a_grid_and_asks_whether_classes_become_alike(cli, colours):
    outcome = cli("augment", colours, "--size", 24)
    assert (outcome.code, outcome.out) == (0, "written to images.png\n")
    plain = sheet("images.png")
    told = json.loads(cli("augment", colours, "--policy", "flips", "--out", "flipped.png", "--size", 24, "--json").out)
    assert (told["sheet"], told["policy"]["flip"], told["label_changes"]) == ("flipped.png", 0.5, [])
    assert sheet("flipped.png").shape == plain.shape
    assert "2 sources" in cli("augment", colours, colours).line()


def test_pca_colour_is_shown_along_the_colours_of_the_picture(cli, photo):
    assert cli("augment", photo, "--set", "pca=0.9", "--size", 32).code == 0
    shown = sheet("augmented.png")[8 + 32 + 13 + 16 :][:32]
    assert (shown[:, 8:40] != shown[:, 48:80]).any()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give a picture to augment"),
        (("PHOTO", "PHOTO", "PHOTO"), "3 pictures: one is augmented"),
        (("PHOTO", "--policy", "milld"), "Did you mean 'mild'"),
        (("PHOTO", "--set", "rotat=3"), "Did you mean 'rotate'"),
        (("PHOTO", "--set", "rotate=300"), "augment.rotate is 300"),
        (("PHOTO", "--set", "rotate=much"), "rotate"),
        (("PHOTO", "--policy", "none"), "changes nothing"),
        (("missing.jpg",), "missing.jpg: no such file"),
        (("PHOTO", "--policy", "mild", "--out", "no/such/folder/sheet.png"), "no/such/folder"),
    ],
)
def test_what_cannot_be_is_one_line(cli, photo, arguments, words):
    outcome = cli("augment", *(photo if argument == "PHOTO" else argument for argument in arguments))
    assert outcome.code in (1, 2)
    assert words in outcome.line()
