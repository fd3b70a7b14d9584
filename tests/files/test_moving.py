import os

import pytest

from striate.errors import StriateError
from striate.files.moving import move, remove_empty


def test_a_file_has_its_new_name_and_no_other(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    inode = (tmp_path / "a.txt").stat().st_ino
    move(tmp_path / "a.txt", tmp_path / "in/there/b.txt")
    assert not (tmp_path / "a.txt").exists()
    assert (tmp_path / "in/there/b.txt").read_text() == "a"
    assert (tmp_path / "in/there/b.txt").stat().st_ino == inode


def test_a_link_is_moved_as_a_link(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "link").symlink_to("a.txt")
    move(tmp_path / "link", tmp_path / "other")
    assert os.readlink(tmp_path / "other") == "a.txt"
    assert not os.path.lexists(tmp_path / "link")


def test_another_file_is_never_replaced(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    with pytest.raises(StriateError, match=r"b\.txt is in the way of .*a\.txt; move it elsewhere first"):
        move(tmp_path / "a.txt", tmp_path / "b.txt")
    assert [(tmp_path / name).read_text() for name in ("a.txt", "b.txt")] == ["a", "b"]


def test_a_move_that_was_killed_in_its_middle_is_ended(tmp_path):
    (tmp_path / "a.txt").write_text("a")
    os.link(tmp_path / "a.txt", tmp_path / "b.txt")
    move(tmp_path / "a.txt", tmp_path / "b.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]


def test_a_drive_without_second_names_moves_at_once(tmp_path, monkeypatch):
    def link(*_, **__):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    (tmp_path / "a.txt").write_text("a")
    move(tmp_path / "a.txt", tmp_path / "b.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["b.txt"]


def test_a_file_that_may_not_leave_keeps_its_name_alone(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("a")
    really = os.unlink

    def unlink(path):
        if os.path.basename(path) == "a.txt":
            raise PermissionError(13, "Permission denied")
        really(path)

    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(StriateError, match=r"b\.txt: cannot be written"):
        move(tmp_path / "a.txt", tmp_path / "b.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_that_has_gone_is_told(tmp_path):
    with pytest.raises(StriateError, match=r"a\.txt has gone; nothing was moved"):
        move(tmp_path / "a.txt", tmp_path / "b.txt")


def test_only_empty_folders_are_removed(tmp_path):
    (tmp_path / "root/one/two").mkdir(parents=True)
    (tmp_path / "root/three").mkdir()
    (tmp_path / "root/three/file").write_text("")
    remove_empty(tmp_path / "root")
    assert {path.name for path in (tmp_path / "root").rglob("*")} == {"three", "file"}
    (tmp_path / "root/three/file").unlink()
    remove_empty(tmp_path / "root")
    assert not (tmp_path / "root").exists()
