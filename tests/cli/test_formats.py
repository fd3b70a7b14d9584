"""The forms of a table: what decides for one, and how it is written."""

import json
import os
from pathlib import Path

import pytest

from striate.cli.formats import chosen, give, picture_path
from striate.errors import StriateError, UsageError

ENDINGS = {
    ".txt": "text", ".md": "markdown", ".csv": "csv", ".json": "json", ".svg": "picture", ".png": "picture",
    ".pdf": "picture",
}  # fmt: skip


@pytest.mark.parametrize("ending", [*ENDINGS, ".TXT", ".Md", ".PDF"])
@pytest.mark.parametrize("form", [None, "text", "markdown", "csv", "json"])
@pytest.mark.parametrize("json_too", [False, True])
def test_format_ending_and_json_agree_or_are_refused(ending, form, json_too, tmp_path):
    asked = {ENDINGS[ending.lower()], *([form] if form else []), *(["json"] if json_too else [])}
    if len(asked) == 1:
        assert chosen(form, tmp_path / f"a{ending}", json_too) in asked
    else:
        with pytest.raises(UsageError, match=f"cannot be {' and '.join(sorted(asked))} at once; give one$"):
            chosen(form, tmp_path / f"a{ending}", json_too)


def test_a_folder_that_is_not_there_is_told_before_the_ending(tmp_path):
    with pytest.raises(StriateError, match="there is no folder") as error:
        chosen(None, tmp_path / "no" / "a.doc", json=False)
    assert error.value.exit_code == 1
    (tmp_path / "file").touch()
    with pytest.raises(StriateError, match=f"there is no folder {tmp_path / 'file'}"):
        chosen(None, tmp_path / "file" / "a.md", json=False)


def test_a_picture_has_the_ending_of_one_before_its_folder_matters(tmp_path):
    for name in ("a.svg", "a.png", "a.PDF"):
        assert picture_path(tmp_path / name) == tmp_path / name
    for name in ("a", "a.jpg", "no/a.md", "svg"):
        with pytest.raises(UsageError, match=f"cannot draw to '{tmp_path / name}': its name must end in "):
            picture_path(tmp_path / name)


TABLES = {"text": lambda: "text\n\n", "markdown": lambda: "märkdown", "csv": lambda: "a,b\n1,2\n"}


def refused(*_):
    raise AssertionError("nobody asked for this")


@pytest.mark.parametrize("form", ["text", "markdown", "csv", "json"])
def test_only_the_form_that_is_asked_for_is_made(form, tmp_path, capsys):
    tables = {name: make if name == form else refused for name, make in TABLES.items()}
    plain = (lambda: {"b": "é", "a": None}) if form == "json" else refused
    written = {"text": "text\n", "markdown": "märkdown\n", "csv": "a,b\n1,2\n"}
    give(form, None, tables, plain, refused)
    printed = capsys.readouterr().out
    give(form, tmp_path / "out", tables, plain, refused)
    content = (tmp_path / "out").read_text(encoding="utf-8")
    if form == "json":
        assert content == '{\n  "b": "é",\n  "a": null\n}\n'
        assert json.loads(printed) == json.loads(content)
    else:
        assert printed == content == written[form]
    assert capsys.readouterr().out == f"{tmp_path / 'out'}\n"


def test_a_picture_is_drawn_at_its_path_and_no_table_made(tmp_path, capsys):
    drawn = []
    give("picture", tmp_path / "a.svg", dict.fromkeys(TABLES, refused), refused, drawn.append)
    assert drawn == [tmp_path / "a.svg"]
    assert capsys.readouterr().out == f"{tmp_path / 'a.svg'}\n"


@pytest.mark.parametrize("form", ["csv", "json"])
def test_an_older_table_stays_whole_where_the_new_one_cannot_be_written(form, tmp_path, monkeypatch):
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    path = Path(tmp_path / "table")
    path.write_text("older")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StriateError, match="table: the disk is full"):
        give(form, path, TABLES, lambda: {"a": 1}, refused)
    assert path.read_text() == "older"
    assert os.listdir(tmp_path) == ["table"]
