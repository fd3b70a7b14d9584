"""Summary, compare and field on networks wherever they come from, in every form; and what goes wrong."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest

NET = """
import torch
from torch import nn
from helper import WIDTH

class Small(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Conv2d(1, WIDTH, 3), nn.ReLU())

class Wide(nn.Module):
    def __init__(self, width):
        super().__init__()

def build():
    return Small()

def dense():
    return nn.Linear(12, 5)

def reads():
    class Reads(nn.Conv2d):
        def forward(self, x):
            x = super().forward(x)
            return x * x.max().item()
    return Reads(3, 4, 3)

def thresholds():
    layer = nn.Conv2d(3, 4, 3)
    if layer.weight.sum().item() > 1e9:
        raise ValueError
    return layer

def broken():
    return undefined

def nothing():
    return {}

number = 3
"""


@pytest.fixture
def net(tmp_path: Path) -> str:
    """A user's file beside another, in no package."""
    folder = tmp_path / "my nets"
    folder.mkdir()
    (folder / "helper.py").write_text("WIDTH = 4\n")
    (folder / "net.py").write_text(NET)
    yield str(folder / "net.py")
    sys.path[:] = [entry for entry in sys.path if entry != str(folder)]
    sys.modules.pop("helper", None)


def rows(outcome) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(outcome.out)))


def test_a_function_or_class_in_a_users_file(cli, net):
    for name in ("build", "Small"):
        outcome = cli("summary", f"{net}:{name}", "--size", 20, "--format", "csv")
        assert outcome.code == 0, outcome.err
        assert [row["output_shape"] for row in rows(outcome)] == ["1x4x18x18"] * 2  # channels as the first layer takes
    shaped = rows(cli("summary", f"{net}:build", "--input", "1x20x30", "--format", "csv"))
    assert shaped[0]["output_shape"] == "1x4x18x28"
    assert rows(cli("summary", f"{net}:dense", "--format", "csv"))[0]["output_shape"] == "1x5"


LINE = 1 + NET[: NET.index("return undefined")].count("\n")
WRONG = {
    "broken": (1, [f"net.py:{LINE}: broken() fails (NameError", "'undefined'"]),
    "Wide": (1, ["Wide() fails (TypeError", "'width'"]),
    "nothing": (1, ["nothing returns a value of type dict", "torch.nn.Module"]),
    "number": (2, ["is of type int"]),
    "buidl": (2, ["unknown function in", "'build'"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_users_function_is_one_line(name, cli, net):
    code, words = WRONG[name]
    outcome = cli("summary", f"{net}:{name}")
    assert outcome.code == code
    for word in words:
        assert word in outcome.line()


FILES = {
    "missing module": ("x = 1\nimport nosuchmodule\n", "file.py:2: cannot be imported (ModuleNotFoundError"),
    "syntax": ("x = 1\ndef f(:\n    pass\n", "file.py:2: cannot be imported (SyntaxError"),
    "leaves": ("import sys\nsys.exit(3)\n", "file.py:2: cannot be imported (SystemExit: 3)"),
}


@pytest.mark.parametrize("wrong", FILES)
def test_a_file_that_cannot_be_imported_names_the_line(wrong, cli):
    text, words = FILES[wrong]
    Path("file.py").write_text(text)
    outcome = cli("summary", "file.py:build")
    assert outcome.code == 1
    assert words in outcome.line()


def test_a_file_that_is_not_there_and_one_without_a_function(cli, net):
    assert "no such file" in cli("summary", "nowhere.py:build").line()
    for reference in (net, f"{net}:"):
        assert "net.py:build" in cli("summary", reference).line()
    assert "::build" not in cli("summary", f"{net}:").line()
    assert "--classes" in cli("summary", f"{net}:build", "--classes", 3).line()


def test_a_network_that_reads_its_values_is_offered_real_ones(cli, net):
    outcome = cli("summary", f"{net}:reads", "--size", 8)
    assert outcome.code == 1
    for words in ("net.py:24, in forward", "--device cpu"):
        assert words in outcome.line()
    outcome = cli("summary", f"{net}:reads", "--size", 8, "--device", "cpu", "--json")
    assert outcome.code == 0, outcome.err
    assert json.loads(outcome.out)["multiply_adds"] == 36 * 4 * 27
    assert "'cpu'" in cli("summary", "lenet5", "--device", "cpuu").line()


def test_a_network_that_reads_its_values_while_it_is_built(cli, net):
    outcome = cli("summary", f"{net}:thresholds", "--size", 8, "--format", "csv")
    assert outcome.code == 0, outcome.err
    assert rows(outcome)[0]["parameters"] == "112"


def test_networks_of_torchvision_and_timm(cli):
    resnet = json.loads(cli("summary", "torchvision:resnet18", "--json").out)
    assert (resnet["parameters"], resnet["input_shapes"]) == (11_689_512, [[1, 3, 224, 224]])
    inception = json.loads(cli("summary", "torchvision:inception_v3", "--classes", 10, "--json").out)
    assert inception["input_shapes"] == [[1, 3, 299, 299]]
    assert inception["rows"][-1]["output_shape"] == [1, 10] or inception["rows"][-2]["output_shape"] == [1, 10]
    xception = json.loads(cli("summary", "timm:xception", "--channels", 1, "--json").out)
    assert xception["input_shapes"] == [[1, 1, 299, 299]]
    assert cli("summary", "timm:xception").err == ""
    assert "'resnet18'" in cli("summary", "torchvision:resnet_18").line()
    assert "unknown network of timm" in cli("summary", "timm:xceptionn").line()


def test_summary_goes_to_a_file_of_the_endings_form(cli):
    assert cli("summary", "lenet5", "--out", "table.md").out == "table.md\n"
    assert Path("table.md").read_text().startswith("| layer |")
    cli("summary", "lenet5", "--out", "table.csv")
    lines = Path("table.csv").read_text().splitlines()
    assert sum(int(row["parameters"]) for row in csv.DictReader(lines)) == 61_706
    cli("summary", "lenet5", "--out", "table.json")
    assert json.loads(Path("table.json").read_text())["parameters"] == 61_706
    cli("summary", "lenet5", "--out", "bars.svg")
    assert "<!-- head.classifier -->" in Path("bars.svg").read_text()
    cli("summary", "lenet5", "--out", "bars.png")
    assert Path("bars.png").read_bytes()[:4] == b"\x89PNG"


def test_every_form_is_cut_at_the_depth(cli):
    cut = ("summary", "lenet5", "--depth", 1)
    names = [row["name"] for row in json.loads(cli(*cut, "--json").out)["rows"]]
    assert names == ["stem", "stages", "head"]
    assert [row["name"] for row in rows(cli(*cut, "--format", "csv"))] == names
    table = cli(*cut, "--format", "markdown").out.splitlines()[2:5]
    assert [line.split(" | ")[0] for line in table] == [f"| {name}" for name in names]
    assert [line.split()[0] for line in cli(*cut).out.splitlines()[4:7]] == names
    cli(*cut, "--out", "bars.svg")
    assert "<!-- head -->" in Path("bars.svg").read_text()
    assert "<!-- head.classifier -->" not in Path("bars.svg").read_text()


def test_classes_channels_and_size_of_a_summary(cli):
    said = json.loads(cli("summary", "lenet5", "--classes", 3, "--channels", 2, "--size", 40, "--json").out)
    assert said["input_shapes"] == [[1, 2, 40, 40]]
    assert said["rows"][-1]["output_shape"] == [1, 3]
    timm = json.loads(cli("summary", "timm:resnet18", "--classes", 3, "--channels", 2, "--size", 40, "--json").out)
    assert (timm["input_shapes"], timm["rows"][-1]["output_shape"]) == ([[1, 2, 40, 40]], [1, 3])


def test_seed_size_and_samples_of_a_field_arrive(cli):
    arguments = ("field", "lenet5", "--size", 40, "--samples", 3, "--json")
    first, again, other = (json.loads(cli(*arguments, "--seed", seed).out) for seed in (1, 1, 2))
    assert (first["image"], first["samples"]) == ([40, 40], 3)
    assert first == again
    assert first["sigma"] != other["sigma"]


def test_seed_of_a_field_decides_weights_and_noise(cli, monkeypatch):
    from striate import analysis

    seen = []

    def field(model, shape, **options):
        seen.append((next(model.parameters()).clone(), tuple(shape), options))
        return analysis.effective.effective_receptive_field(model, shape, **options)

    monkeypatch.setattr(analysis, "effective_receptive_field", field)
    for seed in (5, 6):
        assert cli("field", "lenet5", "--samples", 1, "--layer", "stem", "--seed", seed).code == 0
    assert not seen[0][0].equal(seen[1][0])
    assert [options for *_, options in seen] == [{"layer": "stem", "samples": 1, "seed": seed} for seed in (5, 6)]


REFUSED = {
    "ending": (("--out", "table.doc"), ".md"),
    "folder": (("--out", "nowhere/table.md"), "there is no folder nowhere"),
    "format": (("--format", "markdwon"), "'markdown'"),
    "two forms": (("--format", "csv", "--json"), "csv and json"),
    "file and form": (("--out", "table.md", "--json"), "json and markdown"),
    "shape": (("--input", "3x"), "3x224x224"),
}


@pytest.mark.parametrize("wrong", REFUSED)
def test_outputs_that_cannot_be_are_refused(wrong, cli):
    arguments, words = REFUSED[wrong]
    outcome = cli("summary", "lenet5", *arguments)
    assert outcome.code in (1, 2)
    assert words in outcome.line()
    assert not list(Path.cwd().iterdir())


def test_compare_puts_networks_of_all_kinds_side_by_side(cli, net):
    outcome = cli("compare", "lenet5", "torchvision:resnet18", f"{net}:dense", "--json")
    assert outcome.code == 0, outcome.err
    networks = json.loads(outcome.out)["networks"]
    assert [row["parameters"] for row in networks] == [61_706, 11_689_512, 65]
    assert [row["flops"] == 2 * row["multiply_adds"] for row in networks] == [True] * 3
    table = cli("compare", "lenet5", "resnet18")
    assert "11,689,512" in table.out
    assert table.err == ""
    assert cli("compare", "lenet5", "resnet18", "--format", "markdown").out.startswith("| network |")
    assert len(rows(cli("compare", "lenet5", "resnet18", "--format", "csv"))) == 2


def test_compare_draws_bars_and_bubbles(cli):
    outcome = cli("compare", "resnet18", "mobilenet_v2", "--plot", "bars.svg", "--bubbles", "bubbles.png")
    assert outcome.code == 0, outcome.err
    assert "<!-- resnet18 and mobilenet_v2: costs by layer -->" in Path("bars.svg").read_text()
    assert Path("bubbles.png").read_bytes()[:4] == b"\x89PNG"


def test_compare_all_names_none_twice(cli, monkeypatch):
    monkeypatch.setattr("striate.models.comparison.published", lambda: ["alexnet_one_column", "squeezenet1_1"])
    found = json.loads(cli("compare", "lenet5", "SqueezeNet-1-1", "--all", "--json").out)["networks"]
    assert [one["network"] for one in found] == ["lenet5", "squeezenet1_1", "alexnet_one_column"]


def test_levels_of_modules_reach_compares_bars(cli, monkeypatch):
    asked = []
    monkeypatch.setattr("striate.analysis.Comparison.plot", lambda _, path, depth: asked.append((path.name, depth)))
    assert cli("compare", "lenet5", "--plot", "a.svg", "--depth", 2).code == 0
    assert cli("compare", "lenet5", "--out", "b.svg", "--depth", 1).code == 0
    assert asked == [("a.svg", 2), ("b.svg", 1)]


def test_models_prints_a_line_for_each(cli):
    assert cli("models", "LeNet*").out.splitlines() == [
        "network      parameters  mult-adds  input  top-1 %  year  weights  introduced",
        "lenet5           61,706      417 k     28           1998           "
        "Convolution, sub-sampling and dense layers trained together by gradient descent.",
        "lenet5_1998      60,000      416 k     32           1998           "
        "LeNet-5 as published: trained sub-sampling, a connection table, outputs that are distances.",
    ]
    assert cli("models", "vgg-16").out.splitlines()[1].startswith("vgg_d (vgg_16)  ")
    assert "'vgg_16'" in cli("models", "vgg_61").line()


def test_compare_without_networks_or_with_wrong_pictures(cli):
    outcome = cli("compare")
    assert outcome.code == 2
    assert "striate compare alexnet" in outcome.line()
    for option in ("--plot", "--bubbles"):
        assert ".svg" in cli("compare", "lenet5", option, "bars.doc").line()
    assert "published top-1" in cli("compare", "lenet5", "--bubbles", "none.svg").line()


def test_field_prints_numbers_and_draws(cli):
    outcome = cli("field", "resnet20_cifar", "--samples", 2, "--out", "field.png")
    assert outcome.code == 0, outcome.err
    assert "theoretical   81×81 pixels" in outcome.out
    assert outcome.out.endswith("field.png\n")
    assert Path("field.png").read_bytes()[:4] == b"\x89PNG"
    arguments = ("field", "resnet20_cifar", "--samples", 2, "--layer", "stem", "--json")
    first, second = (json.loads(cli(*arguments).out) for _ in range(2))
    assert first == second
    assert first["theoretical"] == [3, 3]
    assert first["side_95"] == 3


def test_field_of_what_has_none(cli, net):
    assert "no layer 'stem9'" in cli("field", "resnet20_cifar", "--layer", "stem9").line()
    assert "(C, H, W)" in cli("field", f"{net}:dense").line()
    assert ".svg" in cli("field", "resnet20_cifar", "--out", "field.doc").line()
    assert "samples is 0" in cli("field", "resnet20_cifar", "--samples", 0).line()
    assert "--weights is for" in cli("field", f"{net}:build", "--weights", "imagenet").line()


@pytest.mark.parametrize(
    "words", ["compare resnet18 --size 64", "field resnet18 --size 64 --samples 1", "gradients resnet18 --size 64"]
)
def test_a_stem_for_small_images_is_spoken_of(cli, words):
    said = cli(*words.split())
    assert said.code == 0
    assert said.err.count("resnet18 has its stem for small images") == 1
    assert "note" not in cli(*words.replace("64", "224").split()).err
