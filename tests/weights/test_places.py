"""Where files of weights are looked for, in order."""

import os

from striate.weights.places import folders, given_folders


def test_several_folders_stand_behind_one_another(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("STRIATE_WEIGHTS", os.pathsep.join([str(tmp_path / "a"), "", "~/b"]))
    assert given_folders() == [tmp_path / "a", tmp_path / "me" / "b"]
    assert folders() == [*given_folders(), tmp_path / "cache"]
    monkeypatch.delenv("STRIATE_WEIGHTS")
    assert given_folders() == []
    assert folders() == [tmp_path / "cache"]
