"""Folders that are filled whole or not at all, known to be as they were, and pruned."""

import os

import pytest

from striate.files.keeping import SUMS, fill_folder, is_whole, prune, used_now


def fill(text):
    return lambda folder: [(folder / name).write_text(text * size) for name, size in (("a", 3), ("b", 5))]


def test_a_folder_takes_its_name_when_it_is_full(tmp_path):
    folder = tmp_path / "deep" / "folder"
    fill_folder(folder, fill("x"))
    assert {file.name for file in folder.iterdir()} == {"a", "b", SUMS}
    assert is_whole(folder)
    fill_folder(folder, fill("y"))
    assert (folder / "a").read_text() == "yyy"
    assert is_whole(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["folder"]


def test_what_fails_leaves_nothing_and_the_older_one(tmp_path):
    def break_off(folder):
        (folder / "a").write_text("half")
        raise OSError(28, "full")

    fill_folder(tmp_path / "new", break_off)
    assert not list(tmp_path.iterdir())
    fill_folder(tmp_path / "new", fill("x"))
    fill_folder(tmp_path / "new", break_off)
    assert (tmp_path / "new" / "a").read_text() == "xxx"
    with pytest.raises(ZeroDivisionError):
        fill_folder(tmp_path / "new", lambda folder: 1 / 0)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]


@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "no sums", "empty sums", "text"])
def test_damage_is_noticed(tmp_path, damage):
    fill_folder(tmp_path / "new", fill("x"))
    file, sums = tmp_path / "new" / "b", tmp_path / "new" / SUMS
    {
        "flipped": lambda: file.write_text("xxxxy"),
        "cut": lambda: file.write_text("xxx"),
        "gone": file.unlink,
        "no sums": sums.unlink,
        "empty sums": lambda: sums.write_text("{}"),
        "text": lambda: sums.write_text("[1"),
    }[damage]()
    assert not is_whole(tmp_path / "new")
    assert not is_whole(tmp_path / "none")


def test_the_ones_used_last_stay(tmp_path):
    for number, name in enumerate("abc"):
        fill_folder(tmp_path / name, lambda folder: (folder / "file").write_bytes(bytes(1000)))
        os.utime(tmp_path / name, (number, number))
    used_now(tmp_path / "a")
    prune(tmp_path, 2600)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "c"}
    prune(tmp_path, 10, spared=tmp_path / "c")
    assert {path.name for path in tmp_path.iterdir()} == {"c"}
    prune(tmp_path / "none", 10)
