"""Where files of weights are kept and looked for, and what is said when one cannot be had."""

import hashlib
import re
import shutil
import urllib.error

import pytest

from striate.errors import StriateError
from striate.weights.source import WeightSource
from striate.weights.store import folders, locate


def test_weights_are_looked_for_in_the_folder_that_is_given_and_in_the_cache(monkeypatch, tmp_path):
    monkeypatch.delenv("STRIATE_CACHE", raising=False)
    monkeypatch.delenv("STRIATE_WEIGHTS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert folders() == [tmp_path / "me" / ".cache" / "striate"]
    for nothing in ("STRIATE_CACHE", "STRIATE_WEIGHTS"):
        monkeypatch.setenv(nothing, "")
    assert folders() == [tmp_path / "me" / ".cache" / "striate"]
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("STRIATE_WEIGHTS", str(tmp_path / "given"))
    assert folders() == [tmp_path / "given", tmp_path / "cache"]
    monkeypatch.setenv("STRIATE_WEIGHTS", "~/mine")
    assert folders() == [tmp_path / "me" / "mine", tmp_path / "cache"]


@pytest.fixture
def served(tmp_path):
    """A file at an address, its record with the first digits of its checksum, and an empty folder two deep."""
    (tmp_path / "there.bin").write_bytes(b"weights" * 300_000)  # more than is copied at a time
    digest = hashlib.sha256(b"weights" * 300_000).hexdigest()
    source = WeightSource("x", "here.bin", sha256=digest[:8], url=(tmp_path / "there.bin").as_uri())
    return source, tmp_path / "new" / "folder"


def test_what_is_found_is_not_fetched(served, monkeypatch):
    source, folder = served
    monkeypatch.setenv("STRIATE_CACHE", str(folder))
    monkeypatch.delenv("STRIATE_WEIGHTS", raising=False)
    assert locate(source) == folder / "here.bin"
    assert (folder / "here.bin").read_bytes() == b"weights" * 300_000
    assert [path.name for path in folder.iterdir()] == ["here.bin"]
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
    monkeypatch.setenv("STRIATE_CACHE", str(folder))
    monkeypatch.delenv("STRIATE_WEIGHTS", raising=False)
    by_hand = f"put the file here.bin (sha256 {source.sha256}...) into {folder}"

    def offline(*_, **__):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr("urllib.request.urlopen", offline)
    with pytest.raises(StriateError) as raised:
        locate(source)
    assert str(raised.value) == f"cannot fetch {source.url} (no route); {by_hand}"
    assert not list(folder.iterdir())
    with pytest.raises(StriateError) as raised:
        locate(WeightSource("x", "here.bin", sha256=source.sha256))
    assert str(raised.value) == f"no address is known; {by_hand}"


def test_another_checksum_says_what_to_do_and_leaves_nothing(served, monkeypatch):
    source, folder = served
    monkeypatch.setenv("STRIATE_CACHE", str(folder))
    monkeypatch.delenv("STRIATE_WEIGHTS", raising=False)
    wrong = WeightSource("x", "here.bin", sha256="0" * 64, url=source.url)
    by_hand = f"put the file here.bin (sha256 00000000...) into {folder}"
    with pytest.raises(StriateError) as raised:
        locate(wrong)
    assert str(raised.value) == (
        f"cannot fetch {source.url} (what arrived has another checksum than the published one); {by_hand}"
    )
    assert not list(folder.iterdir())
