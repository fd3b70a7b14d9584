"""striate summary: every word arrives where the network is found and where it runs."""

import json
from pathlib import Path

import pytest
from safetensors.torch import save_file

from striate import analysis
from striate.analysis.inputs import Inputs
from striate.cli import summary
from striate.cli.summary import command
from striate.models import create_model

FOUND = {
    "size": None,
    "classes": None,
    "channels": None,
    "device": "meta",
    "trust": None,
    "weights": None,
    "options": {},
}
RUN = {"depth": None, "device": "meta"}
#: What is said, what then differs where the network is found, and where it runs; and the input that it runs on.
SAID = {
    "": ({}, {}, [1, 1, 28, 28]),
    "--size 40": ({"size": 40}, {}, [1, 1, 40, 40]),
    "--classes 7": ({"classes": 7}, {}, [1, 1, 28, 28]),
    "--channels 2": ({"channels": 2}, {}, [1, 2, 28, 28]),
    "--device cpu": ({"device": "cpu"}, {"device": "cpu"}, [1, 1, 28, 28]),
    "--depth 1": ({}, {"depth": 1}, [1, 1, 28, 28]),
    "--trust net.py": ({"trust": "net.py"}, {}, [1, 1, 28, 28]),
    "--weights {run} --channels 3": ({"weights": "{run}", "channels": 3}, {}, [1, 3, 28, 28]),
    "--option activation=relu": ({"options": {"activation": "relu"}}, {}, [1, 1, 28, 28]),
    "--input 1x28x28": ({}, {}, [1, 1, 28, 28]),
    "--input 5x1x28x28": ({}, {}, [5, 1, 28, 28]),
    "--input 1x28x28 --device cpu": ({"device": "cpu"}, {"device": "cpu"}, [1, 1, 28, 28]),
    "--input 1x28x28 --depth 1": ({}, {"depth": 1}, [1, 1, 28, 28]),
}


@pytest.mark.parametrize("words", SAID)
def test_each_word_arrives(words, cli, monkeypatch, trained):
    looked, ran = [], []
    locate, run = summary.locate, analysis.summary
    monkeypatch.setattr(summary, "locate", lambda name, **said: (looked.append((name, said)), locate(name, **said))[1])
    monkeypatch.setattr(analysis, "summary", lambda *given, **said: (ran.append((given, said)), run(*given, **said))[1])
    found, running, shape = SAID[words]
    found = {name: str(trained) if value == "{run}" else value for name, value in found.items()}
    outcome = cli("summary", "lenet5", *words.format(run=trained).split(), "--json")
    assert outcome.code == 0, outcome.err
    assert looked == [("lenet5", FOUND | found)]
    (((model, *shapes), said),) = ran
    inputs = said.pop("inputs", None)
    assert said == RUN | running
    assert isinstance(inputs, Inputs) == ("--input" in words)
    assert len(shapes) == ("--input" not in words)
    assert json.loads(outcome.out)["input_shapes"] == [shape]
    assert model.num_classes == found.get("classes", 3 if "--weights" in words else 10)


def test_every_word_is_here():
    names = {word.strip("-").split()[0] for words in SAID for word in words.split("--") if word.strip()}
    assert command.__annotations__.keys() - {"return"} == {
        name.replace("input", "inputs") for name in names
    } | {"network", "form", "out", "json"}  # fmt: skip


def test_json_names_the_network_as_it_was_asked_for_and_as_it_is_called(cli):
    found = json.loads(cli("summary", "LeNet-5", "--json").out)
    assert (found["network"], found["name"]) == ("LeNet-5", "lenet5")


@pytest.mark.parametrize("depth", [(), ("--depth", 1)])
def test_every_form_has_the_rows_of_that_depth(depth, cli):
    words = ("summary", "lenet5", *depth)
    names = [row["name"] for row in json.loads(cli(*words, "--json").out)["rows"]]
    assert names == ["stem", "stages", "head"] if depth else len(names) > 3
    csv = [line.split(",")[0] for line in cli(*words, "--format", "csv").out.splitlines()]
    assert csv == ["name", *names]
    markdown = [line.split(" | ")[0] for line in cli(*words, "--format", "markdown").out.splitlines()]
    assert [cell.removeprefix("| ") for cell in markdown if cell.startswith("| ")][1:] == names
    cli(*words, "--out", "table.csv")
    assert Path("table.csv").read_text() == cli(*words, "--format", "csv").out


def test_a_guess_is_blamed_only_where_there_was_one(cli, tmp_path):
    (tmp_path / "net.py").write_text("from torch import nn\ndef net():\n    return nn.Conv2d(3, 4, 5)\n")
    net = f"{tmp_path / 'net.py'}:net"
    guessed = cli("summary", net, "--size", 2)
    given = cli("summary", net, "--input", "3x2x2")
    assert (guessed.code, given.code) == (1, 1)
    assert guessed.line() == f"{given.line()}; input 3x2x2 was guessed (its first layer is itself, Conv2d)"


@pytest.mark.parametrize(
    ("network", "title"), [("vgg16", "vgg16"), ("LeNet-5", "lenet5"), ("{file}:net", "{file}:net")]
)
def test_a_picture_is_titled_as_the_network_was_asked_for(network, title, cli, tmp_path, monkeypatch):
    (tmp_path / "net.py").write_text("from torch import nn\ndef net():\n    return nn.Conv2d(3, 4, 5)\n")
    drawn = []
    monkeypatch.setattr(
        analysis, "plot_summaries", lambda found, path, depth, names: drawn.append((len(found), path, depth, names))
    )
    name = network.format(file=tmp_path / "net.py")
    assert cli("summary", name, "--depth", 1, "--out", "a.svg").out == "a.svg\n"
    assert drawn == [(1, Path("a.svg"), 1, [title.format(file=tmp_path / "net.py")])]


def test_weights_say_their_network(cli, trained):
    """As they have it: number of classes, channels and size of the images; other classes make another head."""
    figures = json.loads(cli("summary", "--weights", trained, "--json").out)
    assert (figures["network"], figures["input_shapes"]) == ("lenet5", [[1, 3, 28, 28]])
    of_run = json.loads(cli("summary", trained, "--json").out)
    assert figures["parameters"] == of_run["parameters"]
    more = json.loads(cli("summary", "--weights", trained / "model.safetensors", "--classes", 5, "--json").out)
    assert more["parameters"] == figures["parameters"] + 2 * (84 + 1)


def test_a_network_that_is_named_takes_weights_that_do_not_say_theirs(cli):
    save_file(create_model("lenet5", num_classes=4, in_channels=1).state_dict(), "plain.safetensors")
    assert "does not say whose weights these are" in cli("summary", "--weights", "plain.safetensors").line()
    named = cli("summary", "lenet5", "--classes", 4, "--channels", 1, "--weights", "plain.safetensors", "--json")
    assert json.loads(named.out)["parameters"] == 61_706 - 6 * (84 + 1)


def test_weights_of_others_are_seen_at_the_size_that_they_want(cli, shared_weights):
    theirs = shared_weights / "mobilenet_v1_0.5_160_imagenet.safetensors"
    figures = json.loads(cli("summary", "--weights", theirs, "--json").out)
    assert (figures["network"], figures["input_shapes"]) == ("mobilenet_v1_0.5", [[1, 3, 160, 160]])


def test_weights_that_do_not_go_with_the_network_are_told(cli, trained):
    assert "weights of lenet5, which do not fit resnet18" in cli("summary", "resnet18", "--weights", trained).line()
    assert "comes with weights of its own" in cli("summary", trained, "--weights", trained).line()
    assert "comes with weights of its own" in cli("summary", "timm:resnet18", "--weights", trained).line()
    assert "give a network: striate summary NETWORK" in cli("summary").line()
    assert "no such file of weights" in cli("summary", "--weights", "gone.safetensors").line()


def test_what_was_decided_for_the_user_is_said_and_what_was_asked_for_is_not(cli):
    taken = "resnet18 has its stem for small images (64 pixels or less), which shrinks them less"
    line = f"{taken}; --option stem=paper gives it the paper's"
    outcome = cli("summary", "resnet18", "--size", 64, "--depth", 1)
    assert f"\nnote          {line}" in outcome.out
    assert json.loads(cli("summary", "resnet18", "--size", 64, "--json").out)["notes"] == [line]
    for asked in (("--size", 65), ("--size", 64, "--option", "stem=paper"), ("--size", 64, "--option", "stem=small")):
        assert json.loads(cli("summary", "resnet18", *asked, "--json").out)["notes"] == []


def test_options_are_for_networks_of_the_catalogue(cli, trained):
    assert "--option is for networks of the catalogue" in cli("summary", trained, "--option", "stem=paper").line()
    assert "unknown option of lenet5 'stem'" in cli("summary", "lenet5", "--option", "stem=paper").line()
