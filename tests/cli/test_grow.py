"""striate grow: a model file that predicts what the run does, and what cannot be written."""

import json
from pathlib import Path

import pytest

import striate

NARROW = {"model": "vgg_a", "options": {"width": 0.05}, "size": 32, "workers": 0, "quiet": True, "report": False}


@pytest.fixture(scope="module")
def shallow(colours, tmp_path_factory) -> Path:
    return striate.train(colours, **NARROW, epochs=1, run=tmp_path_factory.mktemp("grow") / "a").path


def test_the_file_predicts_what_the_run_does_and_trains_on(cli, shallow, colours):
    outcome = cli("grow", shallow, "--to", "vgg16")
    assert outcome.out.splitlines() == [
        f"vgg_d grown from {shallow} (vgg_a): 8 of 13 convolutions copied, 5 new begin as identity",
        "model   vgg_d.safetensors",
    ]
    before, after = striate.load(shallow), striate.load("vgg_d.safetensors")
    assert (after.model.spec.name, after.model.spec.arguments["width"]) == ("vgg_d", 0.05)
    assert (after.description.metrics, after.description.recipe) == (before.description.metrics, {})
    assert after.description.preprocessing == before.description.preprocessing
    images = sorted(colours.rglob("*.png"))[:5]
    assert abs(after.predict_proba(images) - before.predict_proba(images)).max() < 1e-5
    trained = cli("train", colours, "--weights", "vgg_d.safetensors", "--epochs", 1, "--workers", 0, "--quiet")
    assert trained.code == 0


def test_rule_option_and_file_arrive(cli, shallow):
    words = ("--rule", "random", "--option", "dropout=0.25", "--out", "deep.safetensors", "--json")
    said = json.loads(cli("grow", shallow, "--to", "vgg_b", *words).out)
    assert said.keys() == {"model", "shallow", "network", "rule", "copied", "new", "fresh"}
    assert (said["model"], said["shallow"], said["rule"]) == ("deep.safetensors", "vgg_a", "random")
    assert said["network"]["arguments"]["dropout"] == 0.25
    assert said["new"] == ["stem.conv2", "stages.stage2.conv2"]
    assert striate.load("deep.safetensors").description.metrics == {}


@pytest.mark.parametrize(
    ("to", "line"),
    [
        ("resnet18", "resnet18 is of another family than vgg_a; vgg_a grows into vgg_b, vgg_c, vgg_d, vgg_e."),
        ("vgg_a", "vgg_a is not vgg_a made deeper: it has no layer that the other has not; vgg_a grows into"),
        ("vgg16_d", "unknown network 'vgg16_d'"),
    ],
)
def test_what_it_cannot_grow_into_is_told_and_nothing_is_written(cli, shallow, to, line):
    outcome = cli("grow", shallow, "--to", to)
    assert line in outcome.line()
    assert not list(Path().glob("*.safetensors"))


def test_an_option_that_does_not_fit_is_told_with_what_does(cli, shallow):
    line = cli("grow", shallow, "--to", "vgg_d", "--option", "width=0.1").line()
    assert "vgg_d is not vgg_a made deeper: stem.conv1 is Conv2d(3, 3, " in line
    assert line.endswith("vgg_a grows into vgg_b, vgg_c, vgg_d, vgg_e.")


def test_a_file_is_never_overwritten_and_a_run_has_to_be_there(cli, shallow):
    Path("there.safetensors").write_text("mine")
    assert (
        "there.safetensors: is there already; name another file with --out."
        in cli("grow", shallow, "--to", "vgg_b", "--out", "there.safetensors").line()
    )
    assert Path("there.safetensors").read_text() == "mine"
    assert "nowhere: no such model file" in cli("grow", "nowhere", "--to", "vgg_b").line()
