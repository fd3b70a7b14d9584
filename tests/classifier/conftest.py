"""A run whose configuration was edited, which several tests here read."""

import json

import pytest

from striate.training.run_folder import RunFolder


@pytest.fixture
def edited(trained, tmp_path):
    """A run folder with these fields of its config.json set, and without one: edited(without="", **fields)."""

    def edit(without: str = "", **fields) -> RunFolder:
        config = json.loads((trained / "config.json").read_text(encoding="utf-8")) | fields
        config.pop(without, None)
        (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        return RunFolder(tmp_path)

    return edit
