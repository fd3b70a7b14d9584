"""JSON on standard output that every reader takes, whatever the terminal can show."""

import io
import json
import math
import sys

import pytest

from striate.cli.formats import give
from striate.cli.output import print_json


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
