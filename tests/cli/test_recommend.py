"""striate recommend: every word arrives, and the advice is told letter by letter."""

import json
from pathlib import Path

import pytest

from striate.cli.recommend import command
from striate.models.budget import Cost
from striate.models.recommendation import Recommendation
from striate.models.regimes import Regime

#: What is said beside `--images 300`, and what the library is asked in place of the usual.
USUAL = {"size": 224, "limits": {}, "count": 3, "similar": None}
SAID = {
    "": {},
    "--size 65": {"size": 65},
    "--size 64": {"size": 64},
    "--size 32": {"size": 32},
    "--top 7": {"count": 7},
    "--similar": {"similar": True},
    "--different": {"similar": False},
    "--macs 300M": {"limits": {"multiply_adds": 3e8}},
    "--params 5e6": {"limits": {"parameters": 5e6}},
    "--memory 50MB": {"limits": {"memory": 5e7}},
    "--latency 20ms": {"limits": {"latency": 20.0}},
}
ADVICE = (Regime("few", "freeze", "all"), Regime("many", "train all"))


def network(name: str, weights: str | None, freeze: str | None) -> Recommendation:
    return Recommendation(
        name=name,
        input_size=96,
        weights=weights,
        accuracy=0.75,
        measured_on="ImageNet",
        source="paper",
        freeze=freeze,
        cost=Cost(3, 4, 5),
        latency=None,
        reasons=(f"{name} is good", "it fits"),
    )


@pytest.fixture
def asked(monkeypatch):
    """What the library was asked, by function; it answers with `ADVICE` and two networks."""
    calls = {}

    def recommend(images, size, *, progress, **options):
        calls["recommend"] = (images, {"size": size, **options})
        for name in ("first", "second"):
            progress(name)
        return [network("first", "imagenet", "all"), network("second", None, None)]

    def regimes(images, similar, pretrained):
        calls["regimes"] = (images, similar, pretrained)
        return ADVICE

    monkeypatch.setattr("striate.models.recommendation.recommend", recommend)
    monkeypatch.setattr("striate.models.regimes.regimes", regimes)
    return calls


@pytest.mark.parametrize("words", SAID)
def test_each_word_arrives_alone(words, cli, asked):
    outcome = cli("recommend", "--images", 300, *words.split())
    assert (outcome.code, outcome.err) == (0, "")
    wanted = USUAL | SAID[words]
    assert asked["recommend"] == (300, wanted)
    assert asked["regimes"] == (300, wanted["similar"], wanted["size"] > 64)  # no weights are of smaller images


def test_every_word_is_here():
    names = {word.split()[0].strip("-") for word in SAID if word} - {"different"}
    assert command.__annotations__.keys() - {"return"} == names | {"images", "out", "json", "quiet"}


def test_the_advice_and_a_line_for_each_network_with_its_reasons(cli, asked):
    assert cli("recommend", "--images", 300).out.splitlines() == [
        "few: freeze",
        "many: train all",
        "",
        "1. first   striate train FOLDER --model first --weights imagenet --size 96 --freeze all",
        "   - first is good",
        "   - it fits",
        "2. second   striate train FOLDER --model second --size 96",
        "   - second is good",
        "   - it fits",
    ]


def test_weights_and_what_is_frozen_are_told_each_by_itself(cli, asked, monkeypatch):
    found = [network("a", "imagenet", None), network("b", None, "stem")]
    monkeypatch.setattr("striate.models.recommendation.recommend", lambda *_, **__: found)
    lines = cli("recommend", "--images", 300).out.splitlines()
    assert [line for line in lines if "train FOLDER" in line] == [
        "1. a   striate train FOLDER --model a --weights imagenet --size 96",
        "2. b   striate train FOLDER --model b --size 96 --freeze stem",
    ]


def test_the_advice_for_a_program(cli, asked):
    found = json.loads(cli("recommend", "--images", 300, "--size", 128, "--macs", "1G", "--json").out)
    networks = found.pop("networks")
    assert found == {
        "images": 300,
        "size": 128,
        "limits": {"multiply_adds": 1e9},
        "advice": [
            {"when": "few", "advice": "freeze", "freeze": "all"},
            {"when": "many", "advice": "train all", "freeze": None},
        ],
    }
    assert [one["name"] for one in networks] == ["first", "second"]
    assert networks[1] == {
        "name": "second",
        "input_size": 96,
        "weights": None,
        "accuracy": 0.75,
        "measured_on": "ImageNet",
        "source": "paper",
        "freeze": None,
        "cost": {"multiply_adds": 3, "parameters": 4, "memory": 5},
        "latency": None,
        "reasons": ["second is good", "it fits"],
    }


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_progress_is_shown_on_a_terminal_and_wiped_away(form, cli, on_terminal, asked):
    words = ("recommend", "--images", 300, *form)
    shown = on_terminal(*words)
    assert shown.err == "\r\x1b[Klooking at first\r\x1b[Klooking at second\r\x1b[K"
    assert shown.out == cli(*words).out
    assert on_terminal(*words, "--quiet").err == ""


def test_progress_is_wiped_away_before_an_error_is_told(on_terminal):
    outcome = on_terminal("recommend", "--images", 0)
    assert outcome.code == 2
    assert outcome.err == "\r\x1b[Kstriate: 0 images, 3 networks: both must be at least 1\n"


def test_the_number_of_images_must_be_told(cli):
    outcome = cli("recommend")
    assert outcome.code == 2
    assert "--images" in outcome.line()


def test_a_picture_is_drawn_of_what_was_asked_and_its_path_told_last(cli, asked, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "striate.models.recommendation_plot.plot_recommendations",
        lambda found, path, **said: drawn.append(([one.name for one in found], path, said)),
    )
    words = ("recommend", "--images", 300, "--size", 96, "--params", "5M")
    assert cli(*words, "--out", "a.svg").out == f"{cli(*words).out}a.svg\n"
    assert len(json.loads(cli(*words, "--out", "b.png", "--json").out)["networks"]) == 2
    said = {"images": 300, "size": 96, "limits": {"parameters": 5e6}}
    assert drawn == [(["first", "second"], Path(name), said) for name in ("a.svg", "b.png")]
    asked.clear()
    outcome = cli(*words, "--out", "a.doc")
    assert (outcome.code, asked) == (2, {})
    assert "cannot draw to 'a.doc'" in outcome.line()
