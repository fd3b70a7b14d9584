"""Digests that are read once: remembered while the file is what it was, and forgotten otherwise."""

import hashlib
import json
import os

import pytest

from striate.files import Checksum
from striate.weights import remembered
from striate.weights.remembered import is_of, remembered_digest


@pytest.fixture
def read(monkeypatch, tmp_path):
    """The files that were read to their end."""
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    paths, really = [], remembered.digest_of

    def digest_of(path, algorithm):
        paths.append(path.name)
        return really(path, algorithm)

    monkeypatch.setattr(remembered, "digest_of", digest_of)
    return paths


def test_a_file_is_read_once_until_it_changes(read, tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    for _ in range(3):
        assert remembered_digest(path) == hashlib.sha256(b"one").hexdigest()
    assert read == ["a"]
    assert remembered_digest(path, "md5") == hashlib.md5(b"one").hexdigest()
    assert remembered_digest(path) == hashlib.sha256(b"one").hexdigest()
    assert read == ["a", "a"]
    os.utime(path, ns=(1, 1))
    path.with_name("b").write_bytes(b"two")
    assert remembered_digest(path.with_name("b")) == hashlib.sha256(b"two").hexdigest()
    assert remembered_digest(path) == hashlib.sha256(b"one").hexdigest()
    assert read == ["a", "a", "b", "a"]
    path.write_bytes(b"longer")
    os.utime(path, ns=(1, 1))
    assert remembered_digest(path) == hashlib.sha256(b"longer").hexdigest()


def test_a_checksum_is_compared_and_one_without_digits_is_anybodys(read, tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    assert is_of(tmp_path / "a", Checksum("md5", hashlib.md5(b"one").hexdigest()[:6]))
    assert not is_of(tmp_path / "a", Checksum("sha256", "0123"))
    read.clear()
    assert is_of(tmp_path / "a", Checksum("sha256", ""))
    assert read == []


@pytest.mark.parametrize("content", ["", "[]", "{", '{"sha256:x": 3}', "[" * 100_000])
def test_whatever_became_of_what_was_remembered_files_are_read_again(read, content, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "digests.json").write_text(content, encoding="utf-8")
    (tmp_path / "a").write_bytes(b"one")
    for _ in range(2):
        assert remembered_digest(tmp_path / "a") == hashlib.sha256(b"one").hexdigest()
    assert read == ["a"]
    assert list(json.loads((tmp_path / "cache" / "digests.json").read_text()))[-1:] == [f"sha256:{tmp_path / 'a'}"]


def test_where_nothing_can_be_kept_files_are_read_again(read, tmp_path):
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    (tmp_path / "a").write_bytes(b"one")
    for _ in range(2):
        assert remembered_digest(tmp_path / "a") == hashlib.sha256(b"one").hexdigest()
    assert read == ["a", "a"]
