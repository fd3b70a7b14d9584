"""Inputs of every kind on the command line, networks that are hard to build or to copy, and what JSON holds."""

import json
import sys
from pathlib import Path

import pytest

NETS = """
import torch
from torch import nn
from torchvision.ops import DeformConv2d

def ecg():
    return nn.Sequential(nn.Conv1d(2, 8, 5), nn.BatchNorm1d(8), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(),
                         nn.Linear(8, 2))

def volumes():
    return nn.Sequential(nn.Conv3d(1, 4, 3), nn.BatchNorm3d(4))

def tokens():
    return nn.Sequential(nn.Embedding(50, 8), nn.GRU(8, 4, batch_first=True))

def steps():
    return nn.GRU(8, 4, batch_first=True)

class Deformable(nn.Module):
    def __init__(self):
        super().__init__()
        self.offset = nn.Conv2d(3, 18, 3, padding=1)
        self.deformed = DeformConv2d(3, 64, 3, padding=1, bias=False)
    def forward(self, x):
        return self.deformed(x, self.offset(x))

class OldNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.utils.weight_norm(nn.Conv2d(3, 4, 3))
    def forward(self, x):
        y = self.conv(x)
        return y if float(y.sum()) > 0 else -y

class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.names = nn.Conv2d(3, 4, 3), nn.Embedding(9, 4)
    def forward(self, image, name=None):
        y = self.conv(image)
        return y if name is None else y + self.names(name)[..., None, None]

print("imported")

class Talks(nn.Sequential):
    def __init__(self):
        print("built")
        super().__init__(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    def forward(self, x):
        print("runs")
        return super().forward(x)

class Attends(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    def forward(self, x):
        return self.layer(x)

def scripted():
    return torch.jit.script(nn.Sequential(nn.Conv2d(3, 4, 3)))

def compiled():
    wrapper = nn.Identity()
    wrapper._orig_mod = nn.Conv2d(3, 4, 3)
    return wrapper

def own_shape():
    from striate.models import create_model
    return create_model("lenet5", input_size=32)

def any_size():
    from striate.models import create_model
    return create_model("resnet20_cifar")
"""


@pytest.fixture
def nets(tmp_path: Path) -> str:
    path = tmp_path / "nets.py"
    path.write_text(NETS)
    return str(path)


def plain(outcome) -> dict:
    assert outcome.code == 0, outcome.err
    assert outcome.err in ("", "imported\n")
    return json.loads(outcome.out)


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("ecg", "2x1000", [1, 2, 1000]),
        ("ecg", "1x2x1000", [1, 2, 1000]),
        ("ecg", "4x2x1000", [4, 2, 1000]),
        ("volumes", "1x8x9x10", [1, 1, 8, 9, 10]),
        ("volumes", "2x1x8x9x10", [2, 1, 8, 9, 10]),
        ("tokens", "12", [1, 12]),
        ("tokens", "3,12", [3, 12]),
        ("steps", "12×8", [1, 12, 8]),
        ("Two", "3x8x8", [1, 3, 8, 8]),
    ],
)
def test_a_shape_of_any_number_of_axes(cli, nets, name, given, expected):
    assert plain(cli("summary", f"{nets}:{name}", "--input", given, "--json"))["input_shapes"] == [expected]


GUESSES = {"ecg": [1, 2, 224], "volumes": [1, 1, 16, 16, 16], "tokens": [1, 16], "steps": [1, 16, 8]}


@pytest.mark.parametrize("name", GUESSES)
def test_an_input_that_nobody_gives_is_guessed_and_that_is_said(cli, nets, name):
    found = plain(cli("summary", f"{nets}:{name}", "--json"))
    assert found["input_shapes"] == [GUESSES[name]]
    (note,) = found["notes"]
    assert "was guessed" in note
    assert "x".join(map(str, GUESSES[name][1:])) in note
    assert note in cli("summary", f"{nets}:{name}").out
    assert (
        plain(
            cli(
                "summary",
                f"{nets}:{name}",
                "--input",
                "12x8" if name == "steps" else "x".join(map(str, GUESSES[name])),
                "--json",
            )
        )["notes"]
        == []
    )


def test_a_network_that_knows_its_input_is_not_guessed_at(cli, nets):
    found = plain(cli("summary", f"{nets}:own_shape", "--json"))
    assert (found["name"], found["input_shapes"], found["notes"]) == ("lenet5", [[1, 1, 32, 32]], [])


def test_what_is_asked_for_comes_before_the_networks_own_and_the_rest_stays(cli, nets):
    assert "built for 32x32 pixels and got 40x40;" in cli("summary", f"{nets}:own_shape", "--size", 40).err
    assert "built for 1 input channel and got 3 " in cli("summary", f"{nets}:own_shape", "--channels", 3).err
    found = plain(cli("summary", f"{nets}:any_size", "--size", 40, "--json"))
    assert (found["input_shapes"], found["notes"]) == ([[1, 3, 40, 40]], [])


def test_size_and_channels_shape_a_guess(cli, nets):
    found = plain(cli("summary", f"{nets}:ecg", "--size", 50, "--json"))
    assert found["input_shapes"] == [[1, 2, 50]]


def test_several_inputs_by_place_or_by_name_with_their_types(cli, nets):
    expected = [[1, 3, 8, 8], [1]]
    for given in (("3x8x8", "1:int64"), ("1x3x8x8", "1:int64")):
        arguments = [part for one in given for part in ("--input", one)]
        found = plain(cli("summary", f"{nets}:Two", *arguments, "--json"))
        assert found["input_shapes"] == [[1, 3, 8, 8], [1, 1] if given[0] == "3x8x8" else [1]]
        assert found["rows"][1]["output_shape"][-1] == 4
    named = plain(cli("summary", f"{nets}:Two", "--input", "image=1x3x8x8", "--input", "name=1:int64", "--json"))
    assert named["input_shapes"] == expected
    assert [row["name"] for row in named["rows"]][:2] == ["conv", "names"]


@pytest.mark.parametrize("command", ["summary", "compare", "gradients", "field"])
def test_what_a_network_prints_is_no_part_of_the_answer(cli, nets, command):
    options = {"gradients": ["--size", 8], "field": ["--size", 8, "--layer", "0", "--samples", 1]}.get(command, [])
    outcome = cli(command, f"{nets}:Talks", *options, "--json")
    assert outcome.code == 0
    json.loads(outcome.out)
    assert outcome.err.splitlines()[:3] == ["imported", "built", "runs"]


@pytest.mark.parametrize("command", ["summary", "compare", "gradients", "field"])
def test_where_a_guessed_input_does_not_fit_that_is_said(cli, nets, command):
    guess = "input 3x2x2 was guessed (its first layer is 0, Conv2d)"
    outcome = cli(command, f"{nets}:Talks", "--size", 2)
    assert outcome.code == 1
    assert guess in outcome.line()
    if command in ("summary", "field"):
        assert "was guessed" not in cli(command, f"{nets}:Talks", "--input", "3x2x2").line()


def test_steps_of_attention_have_its_features(cli, nets):
    assert plain(cli("summary", f"{nets}:Attends", "--json"))["input_shapes"] == [[1, 16, 8]]


@pytest.mark.parametrize("name", ["scripted", "compiled"])
def test_scripted_and_compiled_networks_are_guessed_at_too(cli, nets, name):
    found = plain(cli("summary", f"{nets}:{name}", "--size", 8, "--json"))
    assert (found["input_shapes"], found["multiply_adds"]) == ([[1, 3, 8, 8]], 36 * 4 * 27)
    assert "Conv2d);" in found["notes"][0]


def test_fields_of_signals(cli, nets):
    found = plain(cli("field", f"{nets}:ecg", "--input", "2x40", "--samples", 1, "--json"))
    assert (found["layer"], found["theoretical"], found["image"]) == ("2", [5], [40])


def test_transformers_of_a_library_are_made_for_the_size(cli):
    found = plain(cli("summary", "torchvision:vit_b_32", "--size", 64, "--depth", 0, "--json"))
    assert (found["input_shapes"], found["parameters"]) == ([[1, 3, 64, 64]], 88_224_232 - 45 * 768)
    assert plain(cli("summary", "timm:test_vit", "--size", 64, "--json"))["input_shapes"] == [[1, 3, 64, 64]]
    outcome = cli("summary", "torchvision:vit_b_32", "--size", 50)
    assert outcome.code == 1
    assert "torchvision:vit_b_32 cannot be built for image_size 50" in outcome.line()


@pytest.mark.parametrize("library", ["torchvision", "timm"])
def test_an_unknown_name_does_not_list_a_thousand(cli, library):
    words = cli("summary", f"{library}:qqqqqqqq").line()
    assert f"unknown network of {library} 'qqqqqqqq'" in words
    assert len(words) < 120


WRONG = {
    "no name": (["=3x8x8"], "an argument's name stands before the ="),
    "no type": (["3x8x8:"], "unknown type of an input ''"),
    "no shape": (["3x"], "--input 3x: a shape is written such as 3x224x224"),
    "no positive shape": (["3x0x4"], "--input 3x0x4"),
    "unknown type": (["3x8x8:int65"], "'int64'"),
    "names for some": (["image=3x8x8", "1:int64"], "give names to all inputs or to none"),
    "one name twice": (["image=3x8x8", "image=3x8x8"], "two inputs named image"),
    "no such argument": (["picture=3x8x8"], "picture"),
}


@pytest.mark.parametrize("name", WRONG)
def test_inputs_that_cannot_be_are_refused_in_one_line(cli, nets, name):
    given, words = WRONG[name]
    outcome = cli("summary", f"{nets}:Two", *[part for one in given for part in ("--input", one)])
    assert outcome.code in (1, 2)
    assert words in outcome.line()


def test_a_deformable_layer_is_counted_and_its_sampling_told(cli, nets):
    found = plain(cli("summary", f"{nets}:Deformable", "--input", "3x32x32", "--json"))
    assert found["multiply_adds"] == 497_664 + 1_769_472
    assert found["not_counted"] == {"sampling of deform_conv2d": 1}
    assert "not counted   sampling of deform_conv2d (1)" in cli("summary", f"{nets}:Deformable", "--size", 32).out
    line = next(
        line for line in cli("compare", f"{nets}:Deformable").out.splitlines() if line.startswith("not counted")
    )
    assert line.endswith("nets.py:Deformable: sampling of deform_conv2d (1)")


def test_old_weight_norm_is_said_to_need_real_values_and_works_on_them(cli, nets):
    arguments = ("summary", f"{nets}:OldNorm", "--input", "3x8x8")
    assert "--device cpu" in cli(*arguments).line()
    found = plain(cli(*arguments, "--device", "cpu", "--json"))
    assert (found["multiply_adds"], found["parameters"]) == (36 * 4 * 27, 116)


def test_networks_that_compute_with_tensors_while_they_are_built(cli):
    found = plain(cli("summary", "torchvision:regnet_y_400mf", "--json"))
    assert (found["name"], found["parameters"], found["input_shapes"]) == ("RegNet", 4_344_144, [[1, 3, 224, 224]])
    assert found["not_counted"] == {}
    assert (
        plain(cli("summary", "torchvision:regnet_x_400mf", "--classes", 10, "--json"))["parameters"]
        == 5_495_976 - 990 * 401
    )


def test_networks_of_clips_take_clips(cli):
    assert plain(cli("summary", "torchvision:r3d_18", "--depth", 1, "--json"))["input_shapes"] == [[1, 3, 16, 112, 112]]


def test_networks_have_names_and_other_modules_their_class(cli, nets):
    assert cli("summary", "lenet5").out.startswith("lenet5 on 1×1×28×28\n")
    assert cli("summary", "VGG-16", "--depth", 0).out.startswith("vgg_d on 1×3×224×224\n")
    assert cli("summary", f"{nets}:Two", "--size", 8).out.startswith("Two on 1×3×8×8\n")


SUMMARY = {
    *("network", "name", "input_shapes", "parameters", "trainable_parameters", "parameter_bytes", "buffers"),
    *("multiply_adds", "flops", "not_counted", "activation_bytes", "kept_bytes", "gradient_bytes", "optimizer_bytes"),
    *("receptive_field", "rows", "counted", "notes"),
}
ROW = {
    *("name", "type", "depth", "output_shape", "parameters", "trainable", "multiply_adds", "flops", "not_counted"),
    *("activation_bytes", "kept_bytes", "receptive_field", "stride", "offset", "sees_all", "reused"),
}
FIELD = {
    *("network", "layer", "unit", "image", "theoretical", "sigma", "side_68", "side_95", "area_68", "area_95"),
    *("fraction_95", "luo_side", "samples", "picture"),
}
COMPARED = {
    *("network", "input_shape", "parameters", "trainable_parameters", "multiply_adds", "flops", "not_counted"),
    *("activation_bytes", "kept_bytes", "receptive_field", "sees_all"),
}


def test_json_of_a_summary_holds_just_these(cli):
    found = plain(cli("summary", "lenet5", "--json"))
    assert set(found) == SUMMARY
    assert all(set(row) == ROW for row in found["rows"])
    assert found["network"] == "lenet5"


def test_json_of_a_field_holds_just_these(cli):
    found = plain(cli("field", "resnet20_cifar", "--samples", 1, "--layer", "stem", "--json"))
    assert set(found) == FIELD
    assert (found["network"], found["layer"], found["samples"]) == ("resnet20_cifar", "stem", 1)
    assert found["picture"] is None


def test_json_of_a_comparison_holds_these_costs(cli):
    (found,) = plain(cli("compare", "lenet5", "--json"))["networks"]
    assert set(found) >= COMPARED


def test_a_file_at_home_is_found(cli, nets, monkeypatch):
    monkeypatch.setenv("HOME", str(Path(nets).parent))
    assert plain(cli("summary", f"~/{Path(nets).name}:own_shape", "--json"))["name"] == "lenet5"


@pytest.mark.parametrize("kind", ["float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool"])
def test_types_of_an_input(kind):
    import torch

    from striate.cli.inputs import parsed

    (shape,) = parsed([f"3x4:{kind}"])
    assert (shape.sizes, shape.dtype) == ((3, 4), getattr(torch, kind))


def test_a_file_that_fails_leaves_no_half_of_a_module(cli, tmp_path):
    (tmp_path / "halfway.py").write_text("import torch\nraise ValueError('no')\n")
    assert "cannot be imported" in cli("summary", f"{tmp_path / 'halfway.py'}:net").err
    assert "_striate_user_halfway" not in sys.modules
