"""What commands print fits the terminal; a pipe and a file get all of it."""

import os
import shlex
import sys

import numpy as np
import pytest
from PIL import Image

from striate.cli.output import print_table, terminal_width
from striate.text_tables import Column, Table, displayed

pytestmark = pytest.mark.sampled

COMMANDS = (
    "summary resnet18 --size 64",
    "summary inception_v3 --size 96 --depth 2",
    "compare lenet5 googlenet --size 64",
    "models",
    "models mobilenet",
    "weights list",
    "weights list mobilenet_v1",
    "weights where",
    "experiment",
    "experiment cats_and_dogs",
    "card lenet5_1998",
    "layer 227x227x3 'conv 96 11x11 stride 4' relu 'pool max 3x3 stride 2' 'dense 1000'",
    "layer 227x227x3 'conv 96 stride 4' --solve 55x55",
    "gradients resnet20_cifar plain20_cifar --batch-size 2",
    "field lenet5 --samples 1",
    "scale mobilenet_v1 --macs 100M",
    "kernel {photo} --kernel gaussian_blur_5 --explain 0 0",
    "check {colours}",
    "evaluate {trained}",
)


@pytest.fixture
def at(cli, monkeypatch, colours, trained, tmp_path):
    """Run a command where the terminal has so many columns: at(80, "summary lenet5") -> lines."""
    photo = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(photo)

    def run(columns, command):
        if columns is None:
            monkeypatch.delenv("COLUMNS", raising=False)
        else:
            monkeypatch.setenv("COLUMNS", str(columns))
        outcome = cli(*shlex.split(command.format(photo=photo, colours=colours, trained=trained)))
        assert outcome.code == 0, outcome.err
        return [line for line in outcome.out.splitlines() if str(tmp_path) not in line]  # a path is as long as it is

    return run


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("columns", [64, 80])
def test_every_line_fits(command, columns, at):
    lines = [line for line in at(columns, command) if not line.startswith("create_model(")]  # that is to be copied
    assert max(map(displayed, lines)) <= columns


def test_a_call_to_be_copied_is_never_broken(at):
    command = "recommend --images 2000 --size 32 --params 0.5M --top 1"
    calls = [line.strip() for line in at(None, command) if "striate train" in line]
    name, _, call = calls[0].partition("   ")
    lines = at(60, command)
    assert [line.strip() for line in lines if line.strip().startswith(("striate train", name))] == [name, call]
    assert max(len(line) for line in lines if "striate train" not in line) <= 60
    assert calls == [line.strip() for line in at(200, command) if "striate train" in line]


@pytest.mark.parametrize("command", ["summary resnet18 --size 64", "compare lenet5 googlenet --size 64"])
def test_a_file_and_a_pipe_have_everything(command, at, tmp_path):
    whole = at(None, command)
    assert not any(line.startswith("left out") for line in whole)
    assert any(line.startswith("left out") for line in at(80, command))
    assert "FLOPs" in " ".join(whole[:3])
    at(80, f"{command} --out table.txt")
    with open("table.txt", encoding="utf-8") as file:
        assert file.read().splitlines() == whole
    assert at(80, f"{command} --format markdown") == at(None, f"{command} --format markdown")
    assert at(80, f"{command} --format csv") == at(None, f"{command} --format csv")


def test_a_summary_at_80_and_at_120_columns(at):
    narrow, wide = (at(columns, "summary resnet18 --size 64") for columns in (80, 120))
    assert narrow[2].split() == ["layer", "output", "parameters", "mult-adds", "memory", "field"]
    assert wide[2].startswith("layer  ")
    assert wide[2].endswith("FLOPs   memory  training  field  stride")
    assert "stages.stage1.0.after" in " ".join(narrow)
    assert "stages.stage1.0.residual.conv1" not in " ".join(narrow)


def test_the_width_is_the_terminals_unless_columns_says_another(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert terminal_width() is None  # standard output is a pipe here
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(os, "get_terminal_size", lambda *_: os.terminal_size((97, 20)))
    assert terminal_width() == 97
    for said, columns in (("123", 123), ("0", 97), ("wide", 97), ("", 97)):
        monkeypatch.setenv("COLUMNS", said)
        assert terminal_width() == columns


def test_a_terminal_that_does_not_know_its_width_has_80_columns(monkeypatch):
    def unknown(*_):
        raise OSError

    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(os, "get_terminal_size", unknown)
    assert terminal_width() == 80


def test_what_is_left_out_of_a_table_is_told_below_it(monkeypatch, capsys):
    table = Table([Column("name", right=False), Column("figure", rank=1)], [["x" * 20, "1"]])
    monkeypatch.setenv("COLUMNS", "60")
    print_table(table)
    monkeypatch.setenv("COLUMNS", "25")
    print_table(table)
    assert capsys.readouterr().out.splitlines() == [
        "name                  figure",
        f"{'x' * 20}       1",
        "name",
        "x" * 20,
        "left out  figure; 28",
        "          columns or a",
        "          pipe show all",
    ]
