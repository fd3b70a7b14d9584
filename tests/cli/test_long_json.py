"""A long list as JSON: the same text as of one that is held, printed when all of it is there."""

import json

import pytest

from striate.cli import long_json
from striate.cli.long_json import LongJson
from striate.cli.output import print_json


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize("memory", [1 << 22, 1])
def test_the_text_is_that_of_print_json(count, memory, capsys, monkeypatch):
    monkeypatch.setattr(long_json, "IN_MEMORY", memory)
    items = [
        {"name": f"é {number}\n", "top": [{"class": "a", "p": float("nan")}], "none": []} for number in range(count)
    ]
    others = {"notes": ["x"], "counts": {}}
    print_json({"things": items, **others})
    expected = capsys.readouterr().out
    text = LongJson("things")
    for item in items:
        text.add(item)
    assert capsys.readouterr().out == ""
    text.print(others)
    printed = capsys.readouterr().out
    assert printed == expected
    assert len(json.loads(printed)["things"]) == count
