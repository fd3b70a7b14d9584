"""striate field: every word arrives, weights are the network's, and text, picture and JSON tell the same field."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from striate.analysis import EffectiveField, effective_receptive_field
from striate.models import create_model


@pytest.fixture
def weights(tmp_path) -> Path:
    """Weights of resnet20_cifar that are not the first ones of any seed."""
    torch.manual_seed(99)
    path = tmp_path / "weights.safetensors"
    save_file(create_model("resnet20_cifar").state_dict(), path)
    return path


@pytest.mark.parametrize("side", [None, 24])
def test_weights_are_laid_into_the_network_at_the_size_asked_for(side, cli, weights):
    size = () if side is None else ("--size", side)
    words = ("field", "ResNet20", "--samples", 2, "--seed", 5, "--layer", "stages.stage1.0", *size, "--json")
    outcome = cli(*words, "--weights", weights)
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)
    model = create_model("resnet20_cifar", input_size=side, weights=weights)
    expected = effective_receptive_field(model, (3, side or 32, side or 32), layer="stages.stage1.0", samples=2, seed=5)
    assert found == {"network": "ResNet20", **json.loads(json.dumps(expected.to_dict())), "picture": None}
    assert found["image"] == [side or 32] * 2
    assert json.loads(cli(*words).out)["sigma"] != found["sigma"]


def test_weights_of_dense_layers_fit_at_the_size_they_were_made_for(cli, tmp_path):
    path = tmp_path / "weights.safetensors"
    save_file(create_model("lenet5", input_size=40).state_dict(), path)
    words = ("field", "lenet5", "--samples", 1, "--layer", "stem", "--weights", path)
    assert cli(*words, "--size", 40).code == 0
    assert cli(*words).code == 1


def test_without_words_it_is_the_middle_of_the_last_map_over_sixteen_images_at_seed_nought(cli):
    found = json.loads(cli("field", "resnet20_cifar", "--size", 16, "--json").out)
    torch.manual_seed(0)
    model = create_model("resnet20_cifar", input_size=16)
    expected = effective_receptive_field(model, (3, 16, 16), samples=16, seed=0)
    assert found == {"network": "resnet20_cifar", **json.loads(json.dumps(expected.to_dict())), "picture": None}
    assert found["samples"] == 16


def test_a_shape_is_asked_for_in_place_of_the_networks_own(cli):
    words = ("field", "resnet20_cifar", "--samples", 1, "--layer", "stem")
    assert json.loads(cli(*words, "--input", "3x8x12", "--json").out)["image"] == [8, 12]
    outcome = cli(*words, "--input", "3x")
    assert outcome.code == 2
    assert "--input 3x: a shape is written such as 3x224x224" in outcome.line()


def test_text_ends_with_the_picture_where_there_is_one(cli):
    Path("below").mkdir()
    words = ("field", "lenet5", "--samples", 1, "--layer", "stem")
    plain = cli(*words)
    assert (plain.code, plain.err) == (0, "")
    assert [line[:14].strip() for line in plain.out.splitlines()] == [
        *("unit", "theoretical", "sigma", "68 %", "95 %", "Luo et al."),
    ]
    drawn = cli(*words, "--out", "below/field.svg")
    assert drawn.out == f"{plain.out}below/field.svg\n"
    assert "<svg" in Path("below/field.svg").read_text()
    assert json.loads(cli(*words, "--out", "below/field.png", "--json").out)["picture"] == "below/field.png"
    assert Path("below/field.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("network", "words", "title", "said"),
    [
        ("ResNet20", ("--seed", 3), "resnet20", "random weights, seed 3"),
        ("resnet20_cifar", ("--weights", "{weights}"), "resnet20_cifar", "loaded with weights '{weights}'"),
        ("{run}", (), "{run}", "its trained weights"),
        ("{file}:net", (), "{file}:net", "weights as its file makes them, seed 0"),
    ],
)
def test_a_picture_names_the_network_and_its_weights(
    network, words, title, said, cli, weights, trained, tmp_path, monkeypatch
):
    (tmp_path / "net.py").write_text("from torch import nn\ndef net():\n    return nn.Conv2d(3, 4, 5)\n")
    places = {"weights": weights, "run": trained, "file": tmp_path / "net.py"}
    drawn = []
    monkeypatch.setattr(EffectiveField, "plot", lambda field, path: drawn.append(field))
    words = [str(word).format(**places) for word in (network, *words, "--size", 28, "--samples", 1, "--out", "a.svg")]
    assert cli("field", *words).code == 0
    assert drawn[0].network == title.format(**places)
    assert drawn[0].weights.startswith(said.format(**places))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("no_such_network", "--out", "field.doc"), 2, "cannot draw to 'field.doc'"),
        (("no_such_network", "--out", "no/field.svg"), 1, "no/field.svg: there is no folder no"),
        (("lenet5", "--weights", "imagenet"), 2, "lenet5 has no published weights"),
        (("torchvision:squeezenet1_1", "--weights", "imagenet"), 2,
         "torchvision:squeezenet1_1 comes with weights of its own: --weights is for networks of the catalogue"),
        (("lenet5", "--option", "stem=paper"), 2, "unknown option of lenet5 'stem'"),
        (("torchvision:squeezenet1_1", "--option", "stem=paper"), 2, "--option is for networks of the catalogue"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(words, code, said, cli):
    outcome = cli("field", *words)
    assert outcome.code == code
    assert said in outcome.line()
    assert not list(Path.cwd().iterdir())
