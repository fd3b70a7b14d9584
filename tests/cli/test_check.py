"""What `striate check` says of a folder with one of everything that is odd, to the line and to the key."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from striate.cli import check_told
from striate.errors import StriateError


@pytest.fixture
def odd(paint, tmp_path):
    """Twenty pictures of two colours; beside them an odd size, a blank, a dot, a copy, a contradiction, and a text."""
    root = tmp_path / "odd"
    for split, count in (("train", 8), ("val", 2)):
        paint(root / split, ["green", "red"], count=count, seed=count)
    stray = np.random.default_rng(0).integers(0, 256, (20, 18), dtype=np.uint16) * 257
    Image.fromarray(stray).save(root / "train/green/stray.png")
    Image.new("RGB", (16, 16), (255, 255, 0)).save(root / "train/red/blank.jpg")
    Image.new("RGB", (1, 1), (0, 0, 255)).save(root / "val/red/dot.png")
    shutil.copy(root / "train/green/2.png", root / "val/green/leak.png")
    shutil.copy(root / "train/red/3.png", root / "train/green/wrong.png")
    (root / "train/green/text.png").write_text("no image")
    return root


def test_text_says_what_the_files_are_and_names_what_is_odd(cli, odd, tmp_path):
    outcome = cli("check", odd, "--skipped", tmp_path / "skipped.csv")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.replace(f"{odd}/", "").splitlines() == [
        "class  train  val",
        "green     10    3",
        "red        9    3",
        "",
        "format     PNG (24), JPEG (1)",
        "size       16x16 (height x width; 23 of 25), smallest 1x1, largest 20x18, 3 sizes",
        "channels   1 (1), 3 (24) in the files, 3 for the network",
        "bit depth  8 (24), 16 (1)",
        "note: images: 19 train, 6 val (as the source divides them)",
        "note: fewer than 10 training images: 'red' (9)",
        "note: 1 image in grey, repeated over 3 channels (first: train/green/stray.png)",
        "note: 2 of 25 images are not 16x16 (height x width) like the rest: train/green/stray.png (20x18), "
        "val/red/dot.png (1x1)",
        "note: wrong labels and odd ones were not looked for: no pretrained weights are on this machine; `striate "
        "weights fetch mobilenet_v2` brings some",
        "the same picture in two splits: train/green/2.png (train) = val/green/leak.png (val)",
        "the same picture under two labels: train/green/wrong.png (green) = train/red/3.png (red)",
        "unreadable: train/green/text.png (not an image)",
        "one colour only: train/red/blank.jpg",
        "one colour only: val/red/dot.png",
        "too small to show anything: val/red/dot.png (1x1)",
        "of another bit depth than the rest: train/green/stray.png (16 bits)",
    ]
    with (tmp_path / "skipped.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [["path", "reason"], [str(odd / "train/green/text.png"), "not an image"]]


def test_json_says_the_same_and_nothing_else(cli, odd):
    outcome = cli("check", odd, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out.replace(f"{odd}/", ""))
    assert len(found.pop("fingerprint")) == 64
    assert [note.split(":")[0] for note in found.pop("notes")] == [
        "images",
        "fewer than 10 training images",
        "1 image in grey, repeated over 3 channels (first",
        "2 of 25 images are not 16x16 (height x width) like the rest",
        "one colour only",
        "too small to show anything",
        "the same picture in two splits",
        "the same picture under two labels",
        "wrong labels and odd ones were not looked for",
    ]
    findings = found.pop("findings")
    leak = [
        {"name": "train/green/2.png", "split": "train", "class": "green"},
        {"name": "val/green/leak.png", "split": "val", "class": "green"},
    ]
    contradiction = [
        {"name": "train/green/wrong.png", "split": "train", "class": "green"},
        {"name": "train/red/3.png", "split": "train", "class": "red"},
    ]
    assert found == {
        "source": str(odd),
        "task": "single-label",
        "classes": ["green", "red"],
        "channels": 3,
        "images": {"train": {"green": 10, "red": 9}, "val": {"green": 3, "red": 3}},
        "formats": {"PNG": 24, "JPEG": 1},
        "sizes": {
            "commonest": [16, 16],
            "with_commonest": 23,
            "smallest": [1, 1],
            "largest": [20, 18],
            "different": 3,
            "images": 25,
        },
        "file_channels": {"1": 1, "3": 24},
        "bit_depths": {"8": 24, "16": 1},
        "skipped": [{"path": "train/green/text.png", "reason": "not an image"}],
        "duplicates": [["train/green/2.png", "val/green/leak.png"]],
        "same_pictures": [leak, contradiction],
        "contradictions": [contradiction],
        "blank": ["train/red/blank.jpg", "val/red/dot.png"],
        "tiny": ["val/red/dot.png"],
        "counts": {"leak": 1, "contradiction": 1, "unreadable": 1, "blank": 2, "tiny": 1, "deep": 1},
        "network": None,
        "set_aside": None,
    }
    assert [entry["kind"] for entry in findings] == [
        *("leak", "contradiction", "unreadable", "blank", "blank", "tiny", "deep")
    ]
    assert findings[0] == {
        "kind": "leak",
        "text": "train/green/2.png (train) = val/green/leak.png (val)",
        "images": leak,
    }
    assert findings[2] == {
        "kind": "unreadable",
        "text": "train/green/text.png (not an image)",
        "images": [],
        "path": "train/green/text.png",
        "reason": "not an image",
    }


def test_equal_files_are_told_in_few_words(cli, colours):
    lines = cli("check", colours).out.splitlines()
    assert lines[4:] == [
        "",
        "format     PNG",
        "size       16x16 (height x width)",
        "channels   3 in the files, 3 for the network",
        "bit depth  8",
        "note: images: 27 train, 3 val (val cut from train by class with seed 0)",
        "note: fewer than 10 training images: 'blue' (9), 'green' (9), 'red' (9)",
        "note: wrong labels and odd ones were not looked for: no pretrained weights are on this machine; `striate "
        "weights fetch mobilenet_v2` brings some",
    ]


def test_a_row_that_names_a_file_again_under_another_label_is_told(cli, paint, tmp_path):
    paint(tmp_path / "im", ["green", "red"], count=3)
    rows = [(f"im/{name}/{number}.png", name) for name in ("green", "red") for number in range(3)]
    with (tmp_path / "images.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "label"), *rows, ("im/green/0.png", "red")])
    twice = f"{tmp_path}/im/green/0.png"
    assert f"the same picture under two labels: {twice} (green) = {twice} (red)" in cli(
        "check", tmp_path / "images.csv"
    ).out.replace(" (train, ", " (").replace(" (val, ", " (")


def test_long_lists_are_cut_in_text_and_whole_in_json(cli, paint, tmp_path, monkeypatch):
    monkeypatch.setattr(check_told, "MOST_LINES", 3)
    paint(tmp_path / "photos/val", ["green", "red"], count=1, seed=1)
    folder = paint(tmp_path / "photos/train", ["green", "red"])
    for number in range(8):
        Image.new("RGB", (16, 16), (number, 100, 100)).save(folder / "red" / f"blank{number}.png")
    lines = [line for line in cli("check", folder.parent).out.splitlines() if line.startswith("one colour only")]
    assert lines == [
        *(f"one colour only: {folder}/red/blank{number}.png" for number in range(3)),
        "one colour only: 5 more; --json lists all",
    ]
    assert len(json.loads(cli("check", folder.parent, "--json").out)["blank"]) == 8
    monkeypatch.setattr(check_told, "MOST_LINES", 8)
    lines = [line for line in cli("check", folder.parent).out.splitlines() if line.startswith("one colour only")]
    assert lines == [f"one colour only: {folder}/red/blank{number}.png" for number in range(8)]


def test_two_sizes_are_both_told(cli, paint, tmp_path):
    photos = paint(tmp_path / "photos", ["green", "red"], count=2)
    Image.new("RGB", (20, 16), (1, 2, 3)).save(photos / "red" / "wide.png")
    (line,) = [line for line in cli("check", photos).out.splitlines() if line.startswith("size")]
    assert line == "size       16x16 (height x width; 4 of 5), smallest 16x16, largest 16x20, 2 sizes"


def test_every_picture_that_lies_in_two_splits_is_in_the_json(cli, paint, tmp_path):
    for split in ("train", "val"):
        paint(tmp_path / "photos" / split, ["green", "red"], count=60, side=4)
    assert len(json.loads(cli("check", tmp_path / "photos", "--json").out)["duplicates"]) == 120


def test_no_decoded_picture_is_kept(cli, monkeypatch):
    asked = []

    def record(source, **options):
        asked.append((source, options))
        raise StriateError("looked at")

    monkeypatch.setattr("striate.classifier.checking.open_dataset", record)
    assert cli("check", "photos").code == 1
    assert asked == [("photos", {"memory_limit": 0, "task": None, "target": None, "empty_classes": True})]


def test_columns_are_as_wide_as_the_longest_class(cli, paint, tmp_path):
    photos = paint(tmp_path / "photos", ["a", "a long name of a class"], count=10)
    lines = cli("check", photos).out.splitlines()
    assert lines[:3] == [
        "class                   train  val",
        "a                           9    1",
        "a long name of a class      9    1",
    ]
    assert lines[3:5] == ["", "format     PNG"]


def test_on_a_terminal_long_names_are_cut_and_notes_wrapped(cli, paint, tmp_path, monkeypatch):
    name = "a class whose name is longer than a terminal of sixty columns"
    photos = paint(tmp_path / "photos", ["a", name], count=10)
    monkeypatch.setenv("COLUMNS", "60")
    lines = cli("check", photos).out.splitlines()
    assert lines[2] == f"{name[:23]}…{name[-24:]}      9    1"
    assert lines[3] == "left out  parts of class; 73 columns or a pipe show all"
    assert max(len(line) for line in lines if str(tmp_path) not in line) <= 60
    assert name in " ".join(cli("check", photos, "--json").out.split())


def test_unreadable_files_are_written_down_beside_json_too(cli, odd, tmp_path):
    found = json.loads(cli("check", odd, "--skipped", tmp_path / "skipped.csv", "--json").out)
    assert len(found["skipped"]) == 1
    assert len((tmp_path / "skipped.csv").read_text().splitlines()) == 2
