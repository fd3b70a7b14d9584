import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from PIL import Image

from striate.data import Place, open_dataset
from striate.data import setting_aside as aside
from striate.data.finding import Finding
from striate.data.findings import findings
from striate.data.setting_aside import bring_back, set_aside, to_set_aside
from striate.errors import StriateError, UsageError


@pytest.fixture
def folder(paint, tmp_path):
    """Two splits with a leak, a copy, a contradiction and two texts."""
    root = tmp_path / "photos"
    for split, count in (("train", 6), ("val", 3)):
        paint(root / split, ["green", "red"], count=count, seed=count)
    shutil.copy(root / "train/green/2.png", root / "val/green/leak.png")
    shutil.copy(root / "train/red/0.png", root / "train/red/again.png")
    shutil.copy(root / "train/red/3.png", root / "train/green/wrong.png")
    for place in ("train/green", "val/red"):
        (root / place / "text.png").write_text("no image")
    return root


GONE = {
    "train/green/2.png": "leak",
    "train/green/text.png": "unreadable",
    "train/red/again.png": "duplicate",
    "val/red/text.png": "unreadable",
}


def tree(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def ill(folder):
    dataset = open_dataset(folder, memory_limit=0)
    return dataset, to_set_aside(findings(dataset))


def test_what_needs_no_judgement_goes_and_comes_back_byte_for_byte(folder):
    before = tree(folder)
    dataset, chosen = ill(folder)
    shown = []
    moved = set_aside(dataset, chosen, lambda done, total: shown.append((done, total)))
    assert dict(moved.files) == GONE
    assert moved.counts == {"leak": 1, "unreadable": 2, "duplicate": 1}
    assert shown == [(number, 4) for number in range(1, 5)]
    assert moved.folder == folder.with_name("photos.set-aside")
    assert tree(folder) == {name: content for name, content in before.items() if name not in GONE}
    away = tree(moved.folder)
    journal = json.loads(away.pop("journal.json"))
    assert away == {name: before[name] for name in GONE}
    assert {entry["file"]: entry["kind"] for entry in journal["set aside"]} == GONE
    assert not ill(folder)[1]  # nothing more to do
    back = bring_back(folder)
    assert (dict(back.files), back.left) == (GONE, ())
    assert tree(folder) == before
    assert not moved.folder.exists()


def test_a_second_time_adds_to_the_first(folder):
    before = tree(folder)
    set_aside(*ill(folder))
    (folder / "val/green/late.png").write_text("no image either")
    moved = set_aside(*ill(folder))
    assert dict(moved.files) == {"val/green/late.png": "unreadable"}
    assert dict(bring_back(folder).files) == {**GONE, "val/green/late.png": "unreadable"}
    assert tree(folder) == {**before, "val/green/late.png": b"no image either"}


def test_of_copies_one_stays_by_name_or_where_it_measures():
    def finding(kind, *places):
        return Finding(kind, "", tuple(Place(*place) for place in places))

    again = finding("duplicate", ("train", "b", 0), ("val", "a", 0), ("train", "c", 0))
    leak = finding("leak", ("train", "a", 0), ("train", "b", 0), ("val", "c", 0), ("test", "d", 0))
    assert set(to_set_aside([again])) == {"b", "c"}
    assert set(to_set_aside([leak])) == {"a", "b", "c"}
    assert to_set_aside([finding("duplicate", ("train", "a", 0), ("train", "b", 1))]) == {}
    odd, error = finding("odd", ("train", "o", 0)), finding("label-error", ("train", "e", 0))
    assert to_set_aside([odd, error]) == {}
    assert to_set_aside([odd, error], ("odd", "label-error")) == {"o": "odd", "e": "label-error"}
    with pytest.raises(UsageError, match="empty-class is not about images"):
        to_set_aside([], ("empty-class",))
    with pytest.raises(UsageError, match="which of the labels is right takes a person to say"):
        to_set_aside([], ("contradiction",))


def test_a_file_in_the_way_stops_everything(folder):
    set_aside(*ill(folder))
    (folder / "train/red/again.png").write_text("new")
    before, away = tree(folder), tree(folder.with_name("photos.set-aside"))
    with pytest.raises(StriateError, match=r"photos/train/red/again\.png is in the way of what was set aside"):
        bring_back(folder)
    assert (tree(folder), tree(folder.with_name("photos.set-aside"))) == (before, away)
    (folder / "train/red/again.png").write_text("no image")
    with pytest.raises(StriateError, match=r"again\.png was set aside before and is in the way; nothing was moved"):
        set_aside(*ill(folder))


def test_a_folder_of_somebody_else_is_left_alone(folder):
    other = folder.with_name("photos.set-aside")
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    before = tree(folder)
    for act in (lambda: set_aside(*ill(folder)), lambda: bring_back(folder)):
        with pytest.raises(StriateError, match=r"has no journal\.json, so it is not known what belongs where"):
            act()
    assert (tree(folder), tree(other)) == (before, {"mine.txt": b"mine"})


@pytest.mark.parametrize(
    "text", ["", "{}", '{"set aside": [{"file": "../../x", "kind": "leak"}]}', "[1", '{"set aside": [1]}']
)
def test_a_damaged_journal_moves_nothing(folder, text):
    set_aside(*ill(folder))
    (folder.with_name("photos.set-aside") / "journal.json").write_text(text)
    before = tree(folder)
    with pytest.raises(StriateError, match=r"journal\.json is damaged"):
        bring_back(folder)
    assert tree(folder) == before


def test_nothing_was_set_aside(folder, tmp_path):
    with pytest.raises(StriateError, match="nothing was set aside of"):
        bring_back(folder)
    (tmp_path / "table.csv").write_text("path,label\n")
    with pytest.raises(UsageError, match=r"table\.csv is no folder, and only files in one can be set aside"):
        bring_back(tmp_path / "table.csv")
    dataset = open_dataset(folder)
    assert set_aside(dataset, {}).files == {}
    assert not folder.with_name("photos.set-aside").exists()


def test_a_file_that_goes_meanwhile_is_told_and_left(folder):
    dataset, chosen = ill(folder)
    (folder / "train/red/again.png").unlink()
    moved = set_aside(dataset, {**chosen, "/elsewhere/x.png": "odd"})
    assert "train/red/again.png" not in moved.files
    assert len(moved.left) == 2
    assert all("is no file in" in line for line in moved.left)
    (moved.folder / "train/green/2.png").unlink()
    back = bring_back(folder)
    assert len(back.files) == 2
    (line,) = back.left
    assert "2.png: is neither there nor in" in line


def test_a_folder_that_may_not_be_written_to_stays_whole(folder, monkeypatch):
    before = tree(folder)
    dataset, chosen = ill(folder)
    really = os.unlink

    def unlink(path):
        if str(path).startswith(str(folder / "train")):
            raise PermissionError(13, "Permission denied")
        really(path)

    monkeypatch.setattr(os, "unlink", unlink)
    with pytest.raises(StriateError, match="cannot be written"):
        set_aside(dataset, chosen)
    monkeypatch.undo()
    assert tree(folder) == before
    assert not folder.with_name("photos.set-aside").exists()


def test_what_stops_in_the_middle_says_how_to_go_back(folder, monkeypatch):
    before = tree(folder)
    dataset, chosen = ill(folder)
    really, calls = aside.move, []

    def move(source, target):
        calls.append(source)
        if len(calls) == 3:
            raise StriateError("the disk has gone.")
        really(source, target)

    monkeypatch.setattr(aside, "move", move)
    with pytest.raises(StriateError, match=r"the disk has gone\. 2 of 4 files are set aside: --undo brings them back"):
        set_aside(dataset, chosen)
    monkeypatch.undo()
    assert len(bring_back(folder).files) == 2
    assert tree(folder) == before


KILLED = """
import os, signal, sys
from striate.data import open_dataset, setting_aside
from striate.data.findings import findings
really, count = os.unlink, []
def unlink(path):
    if "photos/" in str(path):
        count.append(path)
        if len(count) == 2:
            os.kill(os.getpid(), signal.SIGKILL)
    really(path)
os.unlink = unlink
dataset = open_dataset(sys.argv[1], memory_limit=0)
setting_aside.set_aside(dataset, setting_aside.to_set_aside(findings(dataset)))
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal")
@pytest.mark.parametrize("then", ["undo", "again"])
def test_killed_in_the_middle_it_can_go_back_or_on(folder, then):
    before = tree(folder)
    done = subprocess.run([sys.executable, "-c", KILLED, str(folder)], capture_output=True, check=False, timeout=100)
    assert done.returncode == -signal.SIGKILL, done.stderr
    away = folder.with_name("photos.set-aside")
    assert len(tree(away)) == 3  # the journal, one file that has moved, and one with both names
    assert tree(folder).keys() & tree(away).keys()
    if then == "again":
        set_aside(*ill(folder))
        assert not tree(folder).keys() & GONE.keys()
    bring_back(folder)
    assert tree(folder) == before
    assert not away.exists()


def test_another_drive_is_refused_before_anything_moves(folder, monkeypatch):
    dataset, chosen = ill(folder)
    before = tree(folder)
    other = folder / "val/red"
    really = os.stat

    def stat(path, *arguments, **options):
        found = really(path, *arguments, **options)
        if str(path) != str(other):
            return found
        return os.stat_result((*found[:2], found.st_dev + 1, *found[3:10]))

    monkeypatch.setattr(os, "stat", stat)
    with pytest.raises(StriateError, match=r"val/red/text\.png lies on another drive"):
        set_aside(dataset, chosen)
    monkeypatch.undo()
    assert tree(folder) == before
    assert not folder.with_name("photos.set-aside").exists()


def test_relative_sources_and_odd_names_are_moved(paint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paint(tmp_path / "photos", ["grün", "red"], count=2)
    name = "ä b'\".png"
    Image.new("RGB", (16, 16), (1, 2, 3)).save(tmp_path / "photos/red" / name)
    shutil.copy(tmp_path / "photos/red" / name, tmp_path / "photos/red/zz.png")
    before = tree(tmp_path / "photos")
    dataset = open_dataset("photos/", memory_limit=0)
    moved = set_aside(dataset, to_set_aside(findings(dataset), ("blank",)))
    assert set(moved.files) == {f"red/{name}", "red/zz.png"}
    bring_back("photos/")
    assert tree(tmp_path / "photos") == before
