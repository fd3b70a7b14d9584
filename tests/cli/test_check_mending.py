"""`striate check` with what it may be told to do: exit codes, a page, setting aside and back."""

import csv
import json
import shutil

import pytest

from striate.classifier import checking


@pytest.fixture(autouse=True)
def no_weights(monkeypatch):
    monkeypatch.setattr(checking, "by_accuracy", lambda images: iter(()))


@pytest.fixture
def photos(paint, tmp_path):
    """Two splits, one leak, one file that is no image."""
    root = tmp_path / "my photos"
    for split, count in (("train", 6), ("val", 3)):
        paint(root / split, ["green", "red"], count=count, seed=count)
    shutil.copy(root / "train/green/2.png", root / "val/green/leak.png")
    (root / "train/red/text.png").write_text("no image")
    return root


def names(root):
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ((), 0),
        (("--strict",), 3),
        (("--fail-on", "leak"), 3),
        (("--fail-on", "odd,blank"), 0),
        (("--fail-on", "odd,unreadable", "--json"), 3),
    ],
)
def test_the_exit_code_is_three_only_where_it_was_asked_for(cli, photos, flags, code):
    outcome = cli("check", photos, *flags)
    assert (outcome.code, outcome.err) == (code, "")
    assert outcome.out


def test_what_is_not_grave_does_not_fail_a_strict_check(cli, photos):
    (photos / "val/green/leak.png").unlink()
    (photos / "train/red/text.png").unlink()
    shutil.copy(photos / "train/green/2.png", photos / "train/green/copy.png")
    assert cli("check", photos, "--strict").code == 0
    assert cli("check", photos, "--strict", "--fail-on", "duplicate").code == 3


def test_it_sets_aside_and_brings_back(cli, photos):
    before = names(photos)
    lines = cli("check", photos, "--fix").out.splitlines()
    assert lines[-2:] == [
        f"set aside  2 files in {photos}.set-aside (leak (1), unreadable (1))",
        f"           striate check '{photos}' --undo brings them back",
    ]
    assert before - names(photos) == {"train/green/2.png", "train/red/text.png"}
    again = cli("check", photos, "--fix", "--strict")
    assert (again.code, again.out.splitlines()[-1]) == (0, "set aside  nothing")
    assert cli("check", photos, "--undo").out == f"2 files brought back to {photos}\n"
    assert names(photos) == before
    assert not photos.with_name("my photos.set-aside").exists()


def test_json_lists_what_was_set_aside_and_brought_back(cli, photos):
    found = json.loads(cli("check", photos, "--fix", "--json").out)
    assert found["set_aside"] == {
        "folder": f"{photos}.set-aside",
        "files": ["train/green/2.png", "train/red/text.png"],
    }
    back = json.loads(cli("check", photos, "--undo", "--json").out)
    assert back == {"brought_back": ["train/green/2.png", "train/red/text.png"], "left": []}


def test_other_kinds_are_set_aside_when_they_are_named(cli, photos):
    from PIL import Image

    Image.new("RGB", (16, 16), (9, 9, 9)).save(photos / "train/red/blank.png")
    cli("check", photos, "--fix")
    assert (photos / "train/red/blank.png").exists()
    cli("check", photos, "--fix", "--also", "blank")
    assert not (photos / "train/red/blank.png").exists()


def test_the_page_is_written_before_anything_moves_and_its_place_is_told(cli, photos, tmp_path):
    outcome = cli("check", photos, "--fix", "--page", tmp_path / "page.html")
    assert outcome.out.splitlines()[-1] == f"page       {tmp_path / 'page.html'}"
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert text.count("<img") == 2
    assert "no picture any more" not in text


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--also", "odd"), "--also says what --fix is to move besides; give --fix"),
        (("--fix", "--undo"), "--fix sets images aside and --undo brings them back; give one of the two"),
        (("--fix", "--also", "imbalance"), "imbalance is not about images that could be set aside"),
        (("--fail-on", "leek"), "unknown kind of finding 'leek'. Did you mean 'leak' or 'deep'?"),
        (("--label-images", "0"), "--label-images"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(cli, photos, flags, words, opened):
    outcome = cli("check", photos, *flags)
    assert outcome.code == 2
    assert words in outcome.line()
    assert not any(name.endswith(".png") for name in opened)


def test_undo_without_anything_set_aside_is_an_error_in_a_line(cli, photos):
    outcome = cli("check", photos, "--undo")
    assert outcome.code == 1
    assert "nothing was set aside of" in outcome.line()


def test_tables_say_that_only_files_in_a_folder_can_be_set_aside(cli, photos, tmp_path):
    table = tmp_path / "t.csv"
    with table.open("w", newline="") as stream:
        csv.writer(stream).writerows([("path", "label"), ("my photos/train/red/0.png", "red")])
    for flag in ("--fix", "--undo"):
        outcome = cli("check", table, flag)
        assert outcome.code == 2
        assert "t.csv is no folder, and only files in one can be set aside; --json lists the rows" in outcome.line()


def test_near_duplicates_can_be_left_out(cli, photos, cloudy):
    from PIL import Image

    for quality in (95, 60):
        Image.fromarray(cloudy(0, "red")).save(photos / f"train/red/cloud{quality}.jpg", quality=quality)
    assert "nearly the same picture again: " in cli("check", photos).out
    assert "nearly the same" not in cli("check", photos, "--no-near").out


def test_an_empty_class_is_a_finding_here_and_an_error_where_it_is_trained_on(cli, photos):
    (photos / "train/blue").mkdir()
    assert "empty class: 'blue' has no image that can be read" in cli("check", photos).out
    outcome = cli("train", photos, "--model", "lenet5", "--epochs", "1")
    assert outcome.code == 1
    assert "class 'blue' has no images" in outcome.line()


def test_each_step_is_shown_on_a_terminal(on_terminal, photos, monkeypatch):
    from striate.training import counting

    monkeypatch.setattr(counting, "SHOW_EVERY", -1)
    assert "comparing" in on_terminal("check", photos).err
    assert on_terminal("check", photos, "--quiet").err == ""
