"""Where files of weights are kept and looked for, and what is said when one cannot be had."""

import hashlib
import re
import shutil
import urllib.error
from pathlib import Path

import pytest

from striate.errors import StriateError
from striate.weights.source import WeightSource
from striate.weights.store import cache_folder, fetch, folders, locate, sha256_of


def test_the_cache_is_in_the_home_folder_unless_said(monkeypatch, tmp_path):
    monkeypatch.delenv("STRIATE_CACHE", raising=False)
    monkeypatch.delenv("STRIATE_WEIGHTS", raising=False)
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "me")
    assert cache_folder() == tmp_path / "me" / ".cache" / "striate"
    assert folders() == [tmp_path / "me" / ".cache" / "striate"]
    for nothing in ("STRIATE_CACHE", "STRIATE_WEIGHTS"):
        monkeypatch.setenv(nothing, "")
    assert folders() == [tmp_path / "me" / ".cache" / "striate"]
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("STRIATE_WEIGHTS", str(tmp_path / "given"))
    assert folders() == [tmp_path / "given", tmp_path / "cache"]


def test_a_checksum_is_of_the_whole_file(tmp_path):
    content = bytes(range(256)) * 5000
    (tmp_path / "a").write_bytes(content)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(content).hexdigest()


@pytest.fixture
def served(tmp_path):
    """A file at an address, its record with the first digits of its checksum, and an empty folder two deep."""
    (tmp_path / "there.bin").write_bytes(b"weights" * 300_000)  # more than is copied at a time
    digest = hashlib.sha256(b"weights" * 300_000).hexdigest()
    source = WeightSource("x", "here.bin", sha256=digest[:8], url=(tmp_path / "there.bin").as_uri())
    return source, tmp_path / "new" / "folder"


def test_a_file_is_fetched_into_a_folder_that_is_made_for_it(served):
    source, folder = served
    assert fetch(source, folder) == folder / "here.bin"
    assert (folder / "here.bin").read_bytes() == b"weights" * 300_000
    assert [path.name for path in folder.iterdir()] == ["here.bin"]
    assert fetch(source, folder) == folder / "here.bin"  # again, over the old one


def test_what_is_found_is_not_fetched(served, monkeypatch):
    source, folder = served
    monkeypatch.setenv("STRIATE_CACHE", str(folder))
    monkeypatch.delenv("STRIATE_WEIGHTS", raising=False)
    assert locate(source) == folder / "here.bin"
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: pytest.fail("fetched again"))
    assert locate(source) == folder / "here.bin"
    (folder / "here.bin").write_bytes(b"other")
    said = f"here.bin: damaged or another file (its sha256 does not begin {source.sha256}); delete it and try again"
    with pytest.raises(StriateError, match=re.escape(said)):
        locate(source)
    (folder / "here.bin").unlink()
    (folder / "here.bin").mkdir()  # a folder of that name is no file
    with pytest.raises(BaseException, match=r"fetched again"):
        locate(source)


def test_a_folder_that_is_given_is_looked_into_first_and_never_written_to(served, monkeypatch, tmp_path):
    source, cache = served
    given = tmp_path / "given"
    given.mkdir()
    monkeypatch.setenv("STRIATE_CACHE", str(cache))
    monkeypatch.setenv("STRIATE_WEIGHTS", str(given))
    assert locate(source) == cache / "here.bin"
    assert not list(given.iterdir())
    shutil.copy(cache / "here.bin", given)
    assert locate(source) == given / "here.bin"


def test_the_reason_and_the_way_by_hand_are_one_line(served, monkeypatch):
    source, folder = served
    by_hand = f"put the file here.bin (sha256 {source.sha256}...) into {folder}"

    def offline(*_, **__):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(StriateError) as raised:
        fetch(source, folder)
    assert str(raised.value) == f"cannot fetch {source.url} (no route); {by_hand}"
    assert not list(folder.iterdir())

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("urllib.request.urlopen", full)
    with pytest.raises(StriateError, match=r"\(\[Errno 28\] No space left on device\); put"):
        fetch(source, folder)


def test_another_checksum_says_what_to_do_and_keeps_what_was_there(served):
    source, folder = served
    folder.mkdir(parents=True)
    (folder / "here.bin").write_bytes(b"before")
    wrong = WeightSource("x", "here.bin", sha256="0" * 64, url=source.url)
    by_hand = f"put the file here.bin (sha256 00000000...) into {folder}"
    with pytest.raises(StriateError) as raised:
        fetch(wrong, folder)
    assert str(raised.value) == f"{source.url}: what arrived has another checksum; try again, or {by_hand}"
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [("here.bin", b"before")]
