"""striate scale: every word arrives, and the answer is told letter by letter."""

import json
from pathlib import Path

import pytest

from striate.cli.scale import command
from striate.models.budget import Cost
from striate.models.card import ModelSpec
from striate.models.scaling import Coefficients, Scaled

BUDGET = {"--macs 300M": {"multiply_adds": 3e8}}
USUAL = {"coefficients": Coefficients(1.2, 1.1, 1.15), "axes": None}
#: What is said beside `--macs 300M`, and what the search is given in place of the usual.
SAID = {
    "": {},
    "--params 5e6": {"limits": {"multiply_adds": 3e8, "parameters": 5e6}},
    "--memory 50MB": {"limits": {"multiply_adds": 3e8, "memory": 5e7}},
    "--latency 0.5s": {"limits": {"multiply_adds": 3e8, "latency": 500.0}},
    "--alpha 1.4": {"coefficients": Coefficients(1.4, 1.1, 1.15)},
    "--beta 1.4": {"coefficients": Coefficients(1.2, 1.4, 1.15)},
    "--gamma 1.4": {"coefficients": Coefficients(1.2, 1.1, 1.4)},
    "--axes width": {"axes": ["width"]},
    "--axes width,depth": {"axes": ["width", "depth"]},
}


@pytest.fixture
def answered(monkeypatch):
    """What the search was asked; it answers with `answered.answer`."""

    class Asked(list):
        answer = Scaled(
            spec=ModelSpec("convnet", {"input_size": [96, 96], "width": 0.75, "stem": "small"}),
            phi=-1.23456,
            factors={"width": 0.87654, "resolution": 0.4},
            input_size=96,
            cost=Cost(multiply_adds=298_765_432, parameters=4_321_098, memory=45_600_000),
            latency=None,
        )

    asked = Asked()

    def scale(name, limits, **options):
        asked.append((name, limits, options))
        return asked.answer

    monkeypatch.setattr("striate.models.scaling.scale", scale)
    return asked


@pytest.mark.parametrize("words", SAID)
def test_each_word_arrives_alone(words, cli, answered):
    outcome = cli("scale", "a network", "--macs", "300M", *words.split())
    assert (outcome.code, outcome.err) == (0, "")
    said = dict(SAID[words])
    assert answered == [("a network", said.pop("limits", {"multiply_adds": 3e8}), USUAL | said)]


def test_blanks_between_axes_are_no_part_of_them(cli, answered):
    cli("scale", "it", "--axes", " width , resolution")
    assert answered == [("it", {}, USUAL | {"axes": ["width", "resolution"]})]


def test_every_word_is_here():
    names = {word.split()[0].strip("-") for word in (*BUDGET, *SAID) if word}
    assert command.__annotations__.keys() - {"return"} == names | {"network", "out", "json"}


TEXT = [
    "create_model('convnet', input_size=[96, 96], width=0.75, stem='small')",
    "",
    "phi            -1.23",
    "width          x 0.877",
    "resolution     x 0.400",
    "multiply-adds  299 M",
    "parameters     4,321,098",
    "memory         45.6 MB of weights and activations, float32",
]


@pytest.mark.parametrize(
    ("latency", "line"),
    [
        (None, []),
        (0.0, ["latency        0.0 ms an image on this machine"]),
        (12.345, ["latency        12.3 ms an image on this machine"]),
    ],
)
def test_the_answer_in_lines(latency, line, cli, answered):
    answered.answer = Scaled(**{**vars(answered.answer), "latency": latency})
    assert cli("scale", "it", "--macs", "300M").out.splitlines() == [*TEXT, *line]


def test_the_answer_for_a_program(cli, answered):
    answered.answer = Scaled(**{**vars(answered.answer), "latency": 12.345})
    outcome = cli("scale", "it", "--macs", "300M", "--latency", "20ms", "--json")
    assert json.loads(outcome.out) == {
        "spec": {"name": "convnet", "arguments": {"input_size": [96, 96], "width": 0.75, "stem": "small"}},
        "phi": -1.23456,
        "factors": {"width": 0.87654, "resolution": 0.4},
        "input_size": 96,
        "cost": {"multiply_adds": 298_765_432, "parameters": 4_321_098, "memory": 45_600_000},
        "latency": 12.345,
        "limits": {"multiply_adds": 3e8, "latency": 20.0},
    }


def test_a_budget_is_needed(cli):
    outcome = cli("scale", "mobilenet_v1")
    assert outcome.code == 2
    assert "scaling needs a budget" in outcome.line()


def test_a_picture_is_drawn_and_its_path_told_last(cli, answered, monkeypatch):
    drawn = []
    monkeypatch.setattr(Scaled, "plot", lambda scaled, path: drawn.append((scaled, path)))
    plain = cli("scale", "it", "--macs", "300M").out
    assert cli("scale", "it", "--macs", "300M", "--out", "a.svg").out == f"{plain}a.svg\n"
    assert "phi" in json.loads(cli("scale", "it", "--macs", "300M", "--out", "b.png", "--json").out)
    assert drawn == [(answered.answer, Path("a.svg")), (answered.answer, Path("b.png"))]
    answered.clear()
    outcome = cli("scale", "it", "--macs", "300M", "--out", "a.doc")
    assert (outcome.code, answered) == (2, [])
    assert "cannot draw to 'a.doc'" in outcome.line()
