"""JSON on standard output that every reader takes, whatever the terminal can show."""

import errno
import io
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import pytest

from striate.cli.app import _explain, _fail, _open_streams
from striate.cli.formats import chosen, give, picture_path
from striate.cli.output import print_json
from striate.errors import StriateError, UsageError


@pytest.mark.parametrize(
    ("encoding", "shown"), [("utf-8", "é日"), ("UTF8", "é日"), ("cp1252", "\\u00e9"), ("ascii", "\\u65e5")]
)
def test_letters_that_the_terminal_lacks_are_escaped_so_that_it_stays_json(encoding, shown, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding, errors="backslashreplace"))
    print_json({"name": "é日😀", "loss": math.nan, "rates": [math.inf, 1]})
    sys.stdout.flush()
    text = written.getvalue().decode(encoding)
    assert shown in text
    assert json.loads(text) == {"name": "é日😀", "loss": None, "rates": [None, 1]}


def test_a_json_file_holds_no_nan_either(tmp_path, capsys):
    give("json", tmp_path / "a.json", {}, lambda: {"loss": math.nan, "rate": 0.5}, lambda path: None)
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "loss": null,\n  "rate": 0.5\n}\n'
    assert capsys.readouterr().out == f"{tmp_path / 'a.json'}\n"


def test_a_name_that_the_terminal_cannot_show_is_printed_as_escapes(monkeypatch):
    written = io.BytesIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(written, encoding="ascii", write_through=True))
    _open_streams()
    print("café", end=" ")
    print("caf\udce9", end="", file=sys.stderr)
    assert written.getvalue() == rb"caf\xe9 caf\udce9"


def test_output_that_the_caller_closed_is_no_reason_to_fail(monkeypatch):
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    _open_streams()
    assert print("for nobody", flush=True) is None  # and no error
    assert sys.stderr.write("for nobody") == len("for nobody")
    sys.stdout.close()
    sys.stderr.close()


@pytest.mark.parametrize(
    ("error", "line", "code"),
    [
        (StriateError("photos: gone"), "photos: gone", 1),
        (UsageError("no"), "no", 2),
        (FileNotFoundError(errno.ENOENT, "No such file", "a.png"), "a.png: No such file", 1),
        (OSError(errno.ENOSPC, "No space left"), "the output cannot be written: No space left", 1),
        (OSError(errno.ENOSPC, "No space left", "a.png"), "a.png: No space left", 1),
        (OSError(errno.EIO, "Input/output error"), "Input/output error", 1),
        (OSError("odd"), "odd (OSError; STRIATE_DEBUG=1 shows where)", 1),
        (ValueError("odd\nmore"), "odd (ValueError; STRIATE_DEBUG=1 shows where)", 1),
        (KeyError(), "KeyError (KeyError; STRIATE_DEBUG=1 shows where)", 1),
    ],
    ids=repr,
)
def test_what_went_wrong_in_one_line(error, line, code):
    assert _explain(error) == (line, code)


def test_an_error_of_several_lines_is_printed_as_one(capsys):
    with pytest.raises(SystemExit) as leaving:
        _fail("first\n   second  \nthird", 2)
    assert leaving.value.code == 2
    assert capsys.readouterr() == ("", "striate: first second third\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_output_to_a_full_disk_is_one_line():
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "striate", "models", "lenet5"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        f"striate: the output cannot be written: {os.strerror(errno.ENOSPC)}\n",
    )


@pytest.mark.parametrize(
    ("form", "out", "json", "expected"),
    [
        (None, None, False, "text"),
        (None, None, True, "json"),
        ("json", None, True, "json"),
        ("csv", None, False, "csv"),
        (None, "a.md", False, "markdown"),
        (None, "A.TXT", False, "text"),
        (None, "a.JSON", True, "json"),
        ("csv", "a.csv", False, "csv"),
        (None, "a.SVG", False, "picture"),
        (None, "a.pdf", False, "picture"),
        (None, "a.png", False, "picture"),
    ],
)
def test_the_form_is_what_format_ending_and_json_agree_on(form, out, json, expected, tmp_path):
    assert chosen(form, out and tmp_path / out, json) == expected


@pytest.mark.parametrize(
    ("form", "out", "json", "words"),
    [
        ("csv", None, True, "cannot be csv and json at once"),
        ("csv", "a.md", False, "cannot be csv and markdown at once"),
        (None, "a.svg", True, "cannot be json and picture at once"),
        ("csv", "a.md", True, "cannot be csv and json and markdown at once"),
        ("jsn", None, False, "unknown format 'jsn'. Did you mean 'json'"),
        (None, "a.doc", False, r"must end in \.txt, \.md, \.csv, \.json, \.svg, \.png, \.pdf"),
    ],
)
def test_forms_that_contradict_each_other_are_wrong_usage(form, out, json, words, tmp_path):
    with pytest.raises(UsageError, match=words):
        chosen(form, out and tmp_path / out, json)


def test_a_picture_goes_where_one_can_be_written(tmp_path):
    assert picture_path(tmp_path / "A.PNG") == tmp_path / "A.PNG"
    with pytest.raises(UsageError, match=r"must end in \.svg, \.png, \.pdf"):
        picture_path(tmp_path / "a.jpg")
    for check in (picture_path, lambda path: chosen(None, path, json=False)):
        with pytest.raises(StriateError, match=f"there is no folder {tmp_path / 'missing'}") as error:
            check(tmp_path / "missing" / "a.svg")
        assert error.value.exit_code == 1


@pytest.mark.parametrize("form", ["text", "markdown", "csv", "json", "picture"])
def test_each_form_is_written_where_asked_and_its_path_printed(form, tmp_path, capsys):
    out = tmp_path / "it"
    tables = {name: lambda name=name: f"a {name} table\n\n" for name in ("text", "markdown", "csv")}
    give(form, out, tables, lambda: {"a": 1}, lambda path: path.write_text("drawn"))
    assert out.read_text() == {"json": '{\n  "a": 1\n}\n', "picture": "drawn"}.get(form, f"a {form} table\n")
    assert capsys.readouterr().out == f"{out}\n"
    if form != "picture":
        give(form, None, tables, lambda: {"a": 1}, lambda path: None)
        assert capsys.readouterr().out == out.read_text()


def test_debugging_shows_where_it_went_wrong(monkeypatch):
    from striate.cli import app as module

    def fail(**_):
        raise ValueError("odd")

    monkeypatch.setattr(module, "_command", lambda: fail)
    monkeypatch.setattr(module, "heed_interrupts", lambda alone: None)
    monkeypatch.setenv("STRIATE_DEBUG", "1")
    with pytest.raises(ValueError, match="odd"):
        module.run()
    monkeypatch.delenv("STRIATE_DEBUG")
    with pytest.raises(SystemExit) as leaving:
        module.run()
    assert leaving.value.code == 1
