"""Bad data: one line that names the thing, the place and the mend, exit code 1, and no folder left behind."""

from pathlib import Path

import pytest


def nothing_left(folder: Path) -> bool:
    """Whether a run folder was neither made nor left half-made."""
    return not list(folder.rglob("*"))


@pytest.fixture
def refused(cli):
    """Train on a source that cannot be trained on; return the line."""

    def run(source: object, *more: object) -> str:
        outcome = cli("train", source, "--model", "lenet5", *more)
        assert outcome.code == 1
        assert nothing_left(Path.cwd())
        return outcome.line()

    return run


def test_missing_path_names_the_nearest(refused, colours):
    assert "Did you mean 'colours'?" in refused(colours.parent / "colors")


def test_empty_folder(refused, tmp_path):
    (tmp_path / "photos").mkdir()
    line = refused(tmp_path / "photos")
    assert "photos holds no images" in line
    assert "one folder of images per class" in line


def test_one_class_only(refused, paint, tmp_path):
    assert "one class only, 'red'" in refused(paint(tmp_path / "photos", ["red"]))


def test_class_without_a_readable_image(refused, paint, tmp_path):
    photos = paint(tmp_path / "photos", ["red", "green"])
    for file in (photos / "red").iterdir():
        file.write_bytes(b"no image")
    line = refused(photos)
    assert "class 'red' has no readable image" in line
    assert "0.png" in line


def test_images_directly_in_the_folder(refused, colours):
    line = refused(colours / "red")
    assert "directly in" in line
    assert "one folder per class" in line


def test_train_and_val_with_other_classes(refused, paint, tmp_path):
    paint(tmp_path / "photos" / "train", ["red", "green"])
    paint(tmp_path / "photos" / "val", ["red", "blue"])
    line = refused(tmp_path / "photos")
    assert "blue" in line
    assert "green" in line


def test_unreadable_images_are_skipped_and_listed(cli, paint, tmp_path):
    photos = paint(tmp_path / "photos", ["red", "green"])
    (photos / "red" / "3.png").write_bytes((photos / "red" / "3.png").read_bytes()[:60])
    outcome = cli("train", photos, "--model", "lenet5", "--epochs", 1, "--run", "run", "--workers", 0)
    assert outcome.code == 0
    assert "3.png" in outcome.err
    assert "1 file skipped, listed in run/skipped.csv" in outcome.err
    assert "3.png" in Path("run/skipped.csv").read_text()


def test_check_says_what_can_be_read_and_how_classes_are_filled(cli, paint, tmp_path):
    photos = paint(tmp_path / "photos", ["red", "green"])
    (photos / "red" / "3.png").write_bytes(b"")
    outcome = cli("check", photos, "--skipped", tmp_path / "skipped.csv")
    assert outcome.code == 0
    assert outcome.err == ""
    table = [line.split() for line in outcome.out.splitlines()[:3]]
    assert table == [["class", "train", "val"], ["green", "9", "1"], ["red", "8", "1"]]
    assert f"{photos / 'red' / '3.png'} (empty file)" in outcome.out
    assert "3.png" in (tmp_path / "skipped.csv").read_text()


def test_check_of_bad_data_fails_in_one_line(cli, tmp_path):
    outcome = cli("check", tmp_path / "nowhere")
    assert outcome.code == 1
    assert "there is no" in outcome.line()
