"""Files that are put into a folder: whole or not at all, and never in the place of another."""

import errno
import os
import shutil

import pytest

from striate.errors import StriateError
from striate.files import place
from striate.files.writing import BEING_WRITTEN


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "cat.old.jpg"
    path.write_bytes(b"meow")
    os.utime(path, (1e9, 1e9))
    return path


def test_a_copy_has_the_content_and_the_times_of_the_file(picture, tmp_path):
    target = place(picture, tmp_path / "a" / "b")
    assert target == tmp_path / "a" / "b" / "cat.old.jpg"
    assert (target.read_bytes(), target.stat().st_mtime) == (b"meow", 1e9)
    assert not target.is_symlink()
    assert picture.read_bytes() == b"meow"


@pytest.mark.parametrize("link", [False, True])
def test_a_name_that_is_taken_gets_a_number(picture, tmp_path, link):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "cat.old.jpg").write_bytes(b"mine")
    (tmp_path / "new" / "cat.old_2.jpg").symlink_to(tmp_path / "nowhere")
    assert [place(picture, tmp_path / "new", link=link).name for _ in range(2)] == ["cat.old_3.jpg", "cat.old_4.jpg"]
    assert (tmp_path / "new" / "cat.old.jpg").read_bytes() == b"mine"
    assert not (tmp_path / "nowhere").exists()


def test_a_link_leads_to_the_file_from_anywhere(picture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    target = place(picture.relative_to(tmp_path), tmp_path / "new", link=True)
    assert os.readlink(target) == str(picture)


def test_a_copy_that_fails_leaves_nothing(picture, tmp_path, monkeypatch):
    def fails(reading, writing):
        writing.write(reading.read(2))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfileobj", fails)
    with pytest.raises(StriateError, match=r"new.cat\.old\.jpg: the disk is full"):
        place(picture, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []

    def interrupted(reading, writing):
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "copyfileobj", interrupted)
    with pytest.raises(KeyboardInterrupt):
        place(picture, tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_half_a_copy_never_has_the_name_of_a_picture(picture, tmp_path, monkeypatch):
    """So that a process that is killed leaves nothing that could be taken for one."""
    seen, copying = [], shutil.copyfileobj

    def watched(reading, writing):
        seen.extend((tmp_path / "new").iterdir())
        copying(reading, writing)

    monkeypatch.setattr(shutil, "copyfileobj", watched)
    place(picture, tmp_path / "new")
    assert [bool(BEING_WRITTEN.fullmatch(path.name)) for path in seen] == [True]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["cat.old.jpg"]


def test_a_drive_without_second_names_takes_copies_too(picture, tmp_path, monkeypatch):
    def refuses(source, target):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuses)
    placed = [place(picture, tmp_path / "new") for _ in range(2)]
    assert [path.name for path in placed] == ["cat.old.jpg", "cat.old_2.jpg"]
    assert [(path.read_bytes(), path.stat().st_mtime) for path in placed] == [(b"meow", 1e9)] * 2
    assert len([*(tmp_path / "new").iterdir()]) == 2
    monkeypatch.setattr(os, "replace", refuses)
    with pytest.raises(StriateError, match=r"cat\.old\.jpg: cannot be written \(Operation not permitted\)"):
        place(picture, tmp_path / "new")
    assert len([*(tmp_path / "new").iterdir()]) == 2


def test_what_cannot_be_read_or_written_is_told_in_a_line(picture, tmp_path):
    with pytest.raises(StriateError, match=r"gone\.jpg: cannot be read \(No such file or directory\)"):
        place(tmp_path / "gone.jpg", tmp_path / "new")
    with pytest.raises(StriateError, match=r"cat\.old\.jpg: cannot be written"):
        place(picture, picture)
