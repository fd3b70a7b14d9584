"""striate advise: the evidence in tables, the choice, and what does as advised."""

import json
import shutil

import pytest

from striate.classifier import advising
from striate.classifier.advice import Advice


@pytest.fixture(autouse=True)
def at_hand(run, tmp_path, monkeypatch):
    """The weights of one run are on this machine."""
    folder = tmp_path / "weights"
    folder.mkdir()
    shutil.copy(run / "model.safetensors", folder / "mine.safetensors")
    monkeypatch.setenv("STRIATE_WEIGHTS", str(folder))
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    return folder / "mine.safetensors"


def test_it_shows_the_evidence_and_what_to_do(cli, colours, at_hand):
    outcome = cli("advise", colours)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert lines[0] == f"{colours}: 27 images to train on, 9 of each of 3 classes, typically 16 pixels"
    advice = advising.advise(colours)
    row = next(line for line in lines if line.startswith("lenet5"))
    assert f"{advice.best.probe.accuracy:.1%}" in row
    assert "forecast of 27" in outcome.out
    assert f"features {advice.best.probe.accuracy:.1%}" in outcome.out
    assert "few images   features (below 500 a class)  <- your images  features (below 14 a class)" in outcome.out
    marked = [line for line in lines if line.endswith("<- advised")]
    assert [line.split()[0] for line in marked] == ["features"]
    assert lines[-2].startswith("advice: features of lenet5, for 9 images a class, like those of the pretraining")
    assert lines[-1] == f"  striate train {colours} --weights {at_hand} --transfer features"


def test_it_says_which_network_the_images_overrule(cli, colours, monkeypatch):
    assert "rather than" not in cli("advise", colours).out
    monkeypatch.setattr(Advice, "overruled", "vgg16")
    assert "features of lenet5 (these images speak for it rather than vgg16)" in cli("advise", colours).out


def test_as_json_it_is_one_object(cli, colours):
    found = json.loads(cli("advise", colours, "--json", "--models", "lenet5").out)
    assert found.keys() == {
        *("source", "images", "classes", "side", "networks", "regimes", "akin", "choice"),
        *("command", "table", "earlier", "overruled"),
    }  # fmt: skip
    network = found["networks"][0]
    assert network.keys() == {
        *("network", "imagenet_top1", "images", "stages", "accuracy", "interval", "forecast", "distance", "seconds"),
    }  # fmt: skip
    assert network["stages"]["features"].keys() == {"accuracy", "interval", "nearest", "margin"}
    assert network["forecast"].keys() == {"accuracy", "interval", "images"}
    assert [regime["regime"] for regime in found["regimes"]] == ["features", "head", "top", "full"]
    assert found["choice"]["regime"] == "features"
    assert [network["network"] for network in found["networks"]] == ["lenet5"]
    assert found["images"] == 27


def test_what_cannot_be_is_one_line(cli, colours, tmp_path):
    outcome = cli("advise", colours, "--models", "vgg16")
    assert outcome.code == 2
    assert "vgg16" in outcome.line()
    (tmp_path / "none").mkdir()
    assert cli("advise", tmp_path / "none").line().startswith("striate:")
