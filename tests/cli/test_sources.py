"""An archive, a list and shards on the command line, wherever it takes a folder of images."""

import importlib.util
import json
from pathlib import Path

import pytest

SPEC = importlib.util.spec_from_file_location("packing", Path(__file__).parents[1] / "packing.py")
packing = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(packing)


@pytest.mark.parametrize("name", ["colours.zip", "colours.tar.gz"])
def test_an_archive_is_checked_as_its_folder(cli, colours, tmp_path, name):
    archive = packing.packed(tmp_path / name, packing.files_below(colours))
    packed, plain = (json.loads(cli("check", source, "--json").out) for source in (archive, colours))
    assert packed.pop("source") == str(archive)
    assert plain.pop("source") == str(colours)
    if name.endswith(".gz"):
        assert packed["notes"].pop(0).startswith(f"{archive} is compressed, so it was unpacked once")
    same = {key: json.dumps(value).replace(str(archive), str(colours)) for key, value in packed.items()}
    assert same == {key: json.dumps(value) for key, value in plain.items()}


def test_a_run_of_an_archive_is_evaluated_and_extended(cli, colours, tmp_path):
    archive = packing.packed(tmp_path / "colours.zip", packing.files_below(colours))
    run = tmp_path / "run"
    options = ("--model", "lenet5", "--epochs", "1", "--batch-size", "4", "--run", run, "--quiet")
    assert cli("train", archive, *options).code == 0
    assert json.loads((run / "config.json").read_text())["absolute_source"] == str(archive)
    found = [json.loads(cli("evaluate", run, *place, "--json").out)["top1"] for place in ((), (archive,))]
    assert found[0] == found[1]
    assert cli("train", "--resume", run, "--extend", "1", "--quiet").code == 0


def test_what_is_wrong_with_an_archive_is_one_line(cli, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"PK\3\4 and no more")
    outcome = cli("check", tmp_path / "a.zip")
    assert outcome.code == 1
    assert outcome.err.count("\n") == 1
    assert "damaged zip file, or cut short" in outcome.err
