"""The folder of what is fetched: where it is, and that what lies in it in either layout is found."""

from pathlib import Path

import pytest

from striate.errors import StriateError
from striate.files import cache_folder


def test_the_cache_is_in_the_home_folder_unless_said(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    for nothing in (None, ""):
        if nothing is None:
            monkeypatch.delenv("STRIATE_CACHE", raising=False)
        else:
            monkeypatch.setenv("STRIATE_CACHE", nothing)
        assert cache_folder() == tmp_path / ".cache" / "striate"
        assert cache_folder("~/sets") == tmp_path / "sets"
    monkeypatch.setenv("STRIATE_CACHE", "~/elsewhere")
    assert cache_folder() == tmp_path / "elsewhere"
    assert cache_folder(tmp_path / "here") == tmp_path / "here"


def test_who_has_no_home_is_told_to_name_a_folder(monkeypatch, tmp_path):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.delenv("STRIATE_CACHE", raising=False)
    with pytest.raises(StriateError, match=r"^no home folder to keep fetched files in; name one by STRIATE_CACHE\.$"):
        cache_folder()
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
