"""The forms in which a summary is given out."""

import csv
import io
import json
import re
import sys
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from striate.analysis import Comparison, Entry, Summary, plot_summaries, summary
from striate.errors import StriateError, UsageError
from striate.text_tables import displayed
from striate.units import binary_size


@pytest.fixture(scope="module")
def alexnet() -> Summary:
    with torch.device("meta"):
        return summary(torchvision.models.alexnet(), (3, 227, 227))


def test_text_is_aligned_and_fits(alexnet: Summary) -> None:
    lines = str(alexnet).splitlines()
    assert lines[0] == "AlexNet on 1×3×227×227"
    assert max(map(len, lines)) <= 132
    conv = next(line for line in lines if line.startswith("features.8 "))
    assert " ".join(conv.split()) == "features.8 Conv2d 1×256×13×13 884,992 149.5 M 299.0 M 169 KiB 131 16 15"
    assert len({line.index("Conv2d") for line in lines if "Conv2d" in line}) == 1
    assert "61,100,840" in str(alexnet)
    assert lines[-6].startswith("counted ")


@pytest.fixture(scope="module")
def every() -> Summary:
    """A network whose figures all differ: a frozen layer, a buffer, several inputs, no square anywhere."""
    first = nn.Conv2d(3, 4, (3, 5), stride=(2, 1), padding=(1, 2))
    first.weight.requires_grad_(False)
    return summary(nn.Sequential(first, nn.BatchNorm2d(4), nn.AdaptiveAvgPool2d(1)), (2, 3, 20, 24))


def markdown_rows(text: str) -> list[dict[str, str]]:
    header, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"
    ]
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_each_column_holds_its_own_figure(every: Summary) -> None:
    first, second, third = markdown_rows(every.to_markdown())
    maps = 2 * 4 * 10 * 24
    assert first == {
        "layer": "0",
        "type": "Conv2d",
        "output": "2×4×10×24",
        "parameters": "184",
        "trains": "part",
        "mult-adds": f"{maps * 45 / 1000:.1f} k",
        "FLOPs": f"{2 * maps * 45 / 1000:.1f} k",
        "memory": f"{4 * maps / 1024:.0f} KiB",
        "training": "11 KiB",  # its input
        "field": "3×5",
        "stride": "2×1",
        "offset": "0",
    }
    assert (second["parameters"], second["trains"], second["mult-adds"], second["training"]) == (
        "8",
        "all",
        "",
        "8 KiB",
    )
    assert (third["output"], third["field"], third["stride"], third["offset"]) == ("2×4×1×1", "all", "", "")


def test_totals_are_those_of_the_rows(every: Summary) -> None:
    lines = str(every).splitlines()
    maps = 2 * 4 * 10 * 24
    assert lines[0] == "Sequential on 2×3×20×24"
    assert "parameters    192 (768 B; 12 trainable, 180 frozen)" in lines
    assert f"mult-adds     {maps * 45:,} (86.4 k)" in lines
    assert f"FLOPs         {2 * maps * 45:,} (172.8 k)" in lines
    assert f"activations   {(8 * maps + 32) / 1024:.0f} KiB" in lines
    kept = binary_size(every.kept_bytes or 0)
    state = "the optimizer's state (momentum 48 B, adam 96 B)"
    assert f"training      {kept} kept; besides gradients 48 B, {state}" in lines
    assert "field         3×5 pixels, of a unit of the last feature map" in lines
    assert not any(line.startswith(("not counted", "note")) for line in lines)


def test_plain_values_are_those_of_the_network(every: Summary) -> None:
    maps = 2 * 4 * 10 * 24
    plain = every.to_dict()
    rows, counted = plain.pop("rows"), plain.pop("counted")
    assert "1 mult-add" in counted
    assert plain == {
        "name": "Sequential",
        "input_shapes": [[2, 3, 20, 24]],
        "parameters": 192,
        "trainable_parameters": 12,
        "parameter_bytes": 768,
        "buffers": 9,
        "multiply_adds": maps * 45,
        "flops": 2 * maps * 45,
        "not_counted": {},
        "activation_bytes": 8 * maps + 32,
        "kept_bytes": every.kept_bytes,
        "gradient_bytes": 48,
        "optimizer_bytes": {"sgd": 0, "momentum": 48, "adam": 96},
        "receptive_field": [3, 5],
        "notes": [],
    }
    assert rows[0] == {
        "name": "0",
        "type": "Conv2d",
        "depth": 1,
        "output_shape": [2, 4, 10, 24],
        "parameters": 184,
        "trainable": 4,
        "multiply_adds": maps * 45,
        "flops": 2 * maps * 45,
        "not_counted": {},
        "activation_bytes": 4 * maps,
        "kept_bytes": 4 * 2 * 3 * 20 * 24,
        "receptive_field": [3, 5],
        "stride": [2, 1],
        "offset": [0, 0],
        "sees_all": False,
        "reused": False,
    }
    assert [row["sees_all"] for row in rows] == [False, False, True]


def test_a_reused_layer_is_marked_and_other_depths_keep_the_marks() -> None:
    layer = nn.Linear(4, 4)
    result = summary(nn.Sequential(layer, nn.ReLU(), layer), (4,))
    assert [row["parameters"] for row in markdown_rows(result.to_markdown())] == ["20", "", "(reused)"]
    assert [row["reused"] for row in result.to_dict()["rows"]] == [False, False, True]


def test_a_comparison_puts_each_figure_into_its_column(every: Summary) -> None:
    entry = Entry("one", every, accuracy=0.7561, accuracy_source="paper", group="family")
    maps = 2 * 4 * 10 * 24
    (row,) = markdown_rows(Comparison((entry,)).to_markdown())
    assert row == {
        "network": "one",
        "input": "3×20×24",
        "parameters": "192",
        "mult-adds": f"{maps * 45 / 1000:.1f} k",
        "FLOPs": f"{2 * maps * 45 / 1000:.1f} k",
        "activations": binary_size(8 * maps + 32),
        "training": binary_size(every.kept_bytes or 0),
        "field": "3×5",
        "top-1 %": "75.6",
        "top-1 from": "paper",
    }
    assert entry.to_dict() == {
        "network": "one",
        "input_shape": [2, 3, 20, 24],
        "parameters": 192,
        "trainable_parameters": 12,
        "multiply_adds": maps * 45,
        "flops": 2 * maps * 45,
        "not_counted": {},
        "activation_bytes": 8 * maps + 32,
        "kept_bytes": every.kept_bytes,
        "receptive_field": [3, 5],
        "sees_all": False,
        "top1": 0.7561,
        "top1_source": "paper",
    }
    (line,) = csv.DictReader(io.StringIO(Comparison((entry,)).to_csv()))
    assert (line["input_shape"], line["receptive_field"], line["top1"]) == ("2x3x20x24", "3x5", "0.7561")


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_summary_fits_and_its_shortened_names_still_differ(width: int) -> None:
    with torch.device("meta"):
        result = summary(torchvision.models.maxvit_t(), (3, 224, 224))
    text = result.to_text(width=width)
    assert max(map(displayed, text.splitlines())) <= width
    names = [line.split("  ")[0] for line in text.splitlines()[4 : 4 + len(result.rows)]]
    own = [row.name for row in result.rows]
    assert len(set(names)) == len(set(own))
    assert max(map(len, names)) < max(map(len, own))


def test_without_a_width_nothing_is_cut_or_left_out(alexnet: Summary) -> None:
    with torch.device("meta"):
        result = summary(torchvision.models.maxvit_t(), (3, 224, 224))
    assert "left out" not in str(result)
    lines = [line.split()[:2] for line in str(result).splitlines()[4 : 4 + len(result.rows)]]
    assert [name for name, _ in lines if "(" not in name] == [row.name for row in result.rows if "(" not in row.name]
    assert alexnet.to_text() == str(alexnet)


def test_what_80_columns_leave_out_is_said_and_the_totals_wrap(alexnet: Summary) -> None:
    lines = alexnet.to_text(width=80).splitlines()
    assert max(map(displayed, lines)) <= 80
    assert lines[2].split() == ["layer", "type", "output", "parameters", "mult-adds", "memory", "field"]
    assert " ".join(lines[4].split()) == "features.0 Conv2d 1×64×56×56 23,296 72.9 M 784 KiB 11"
    start = next(number for number, line in enumerate(lines) if line.startswith("left out"))
    assert lines[start] == "left out      FLOPs, training, stride, offset, parts of type; 118 columns or a"
    assert lines[start + 1].split() == ["pipe", "show", "all"]
    assert max(map(len, str(alexnet).splitlines()[:20])) == 118
    training = next(number for number, line in enumerate(lines) if line.startswith("training "))
    assert lines[training + 1].startswith(" " * 14 + "(momentum" if "(momentum" in lines[training + 1] else " " * 14)


def test_markdown_has_one_line_per_row(alexnet: Summary) -> None:
    lines = alexnet.to_markdown().splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 2 + len(alexnet.rows)
    assert len({line.count("|") for line in table}) == 1


def test_csv_reads_back_to_the_same_numbers(alexnet: Summary) -> None:
    rows = list(csv.DictReader(io.StringIO(alexnet.to_csv())))
    assert sum(int(row["parameters"]) for row in rows) == 61_100_840
    assert rows[0]["output_shape"] == "1x64x56x56"
    assert rows[0]["receptive_field"] == "11x11"


def test_dictionary_survives_json(alexnet: Summary) -> None:
    plain = alexnet.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["receptive_field"] == [195, 195]
    assert plain["rows"][0]["stride"] == [4, 4]
    assert plain["multiply_adds"] == alexnet.multiply_adds


def test_flops_are_two_per_multiply_add_in_every_form(alexnet: Summary) -> None:
    assert alexnet.flops == 2 * alexnet.multiply_adds == 1_433_534_464
    plain = alexnet.to_dict()
    assert plain["flops"] == 2 * plain["multiply_adds"]
    assert all(row["flops"] == 2 * row["multiply_adds"] for row in plain["rows"])
    rows = csv.DictReader(io.StringIO(alexnet.to_csv()))
    assert sum(int(row["flops"]) for row in rows) == alexnet.flops
    for text in (str(alexnet), alexnet.to_markdown()):
        assert "299.0 M" in text
        assert "1,433,534,464" in text
        assert "1 multiplication and 1 addition = 2 FLOPs" in text


def test_memory_for_training_is_in_every_form(alexnet: Summary) -> None:
    kept = alexnet.kept_bytes
    assert kept is not None
    plain = alexnet.to_dict()
    assert sum(row["kept_bytes"] for row in plain["rows"]) == plain["kept_bytes"] == kept
    assert plain["optimizer_bytes"] == {"sgd": 0, "momentum": 4 * 61_100_840, "adam": 8 * 61_100_840}
    assert sum(int(row["kept_bytes"]) for row in csv.DictReader(io.StringIO(alexnet.to_csv()))) == kept
    for text in (str(alexnet), alexnet.to_markdown()):
        assert f"{binary_size(kept)} kept; besides gradients 233 MiB" in text


@pytest.mark.parametrize("depth", [1, 2])
def test_every_level_of_modules_has_every_figure(depth: int) -> None:
    with torch.device("meta"):
        result = summary(torchvision.models.resnet18(), (3, 224, 192))
    rows = {row.name: row for row in result.collapsed(depth)}
    block = rows["layer1" if depth == 1 else "layer1.1"]
    assert block.output_shape == (1, 64, 56, 48)
    assert (block.receptive_field, block.stride, block.offset) == ((43, 43), (4, 4), (0, 0))
    blocks = 2 if depth == 1 else 1
    assert block.parameters == block.trainable == blocks * 2 * (64 * 64 * 9 + 128)
    assert block.multiply_adds == blocks * 2 * 64 * 64 * 9 * 56 * 48
    # two norms in half of them in place, and a sum that is in place too; so each block makes four maps
    assert block.activation_bytes == blocks * 4 * 4 * 64 * 56 * 48
    # of those the sums' outputs, as the next convolution's input, and the first block also keeps the pooling's output
    kept_maps = 9 if depth == 1 else 4
    assert block.kept_bytes == kept_maps * 4 * 64 * 56 * 48 + blocks * 2 * 2 * 4 * 64


def test_offset_and_stride_stand_for_every_axis() -> None:
    result = summary(nn.Sequential(nn.Conv2d(1, 2, (3, 6), stride=(2, 1))), (1, 20, 30))
    (row,) = csv.DictReader(io.StringIO(result.to_csv()))
    assert (row["receptive_field"], row["stride"], row["offset"]) == ("3x6", "2x1", "1x2.5")
    (plain,) = result.to_dict()["rows"]
    assert (plain["receptive_field"], plain["stride"], plain["offset"]) == ([3, 6], [2, 1], [1, 2.5])
    assert "3×6 2×1 1×2.5" in " ".join(str(result).split())


def test_large_shapes_are_not_rounded_in_csv() -> None:
    (row,) = csv.DictReader(io.StringIO(summary(nn.ReLU(), (1_234_567,)).to_csv()))
    assert row["output_shape"] == "1x1234567"


def test_frozen_layers_are_told_apart(alexnet: Summary) -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.ReLU())
    model[0].requires_grad_(False)
    model[1].bias.requires_grad_(False)  # type: ignore[union-attr]
    result = summary(model, (3, 8, 8))
    header, *rows = [line.split() for line in str(result).splitlines() if line[:1] in "012l"]
    assert header[4] == "trains"
    assert [row[4] for row in rows[:2]] == ["none", "part"]
    assert "| trains |" in result.to_markdown()
    assert [row["trainable"] for row in result.to_dict()["rows"]] == [0, 144, 0]
    assert "trains" not in str(alexnet)


def test_data_frame_has_the_rows(alexnet: Summary) -> None:
    pytest.importorskip("pandas")
    frame = alexnet.to_pandas()
    assert frame["multiply_adds"].sum() == alexnet.multiply_adds
    assert frame["name"].iloc[0] == "features.0"


def test_missing_pandas_is_named(alexnet: Summary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(StriateError, match="pip install"):
        alexnet.to_pandas()


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_plot_writes_the_format_of_the_suffix(alexnet: Summary, tmp_path: Path, suffix: str) -> None:
    path = alexnet.plot(tmp_path / f"bars.{suffix}")
    head = path.read_bytes()[:200]
    assert (b"<?xml" if suffix == "svg" else b"\x89PNG") in head


def test_networks_can_stand_side_by_side(alexnet: Summary, tmp_path: Path) -> None:
    small = summary(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()), (3, 8, 8))
    text = plot_summaries([alexnet, small], tmp_path / "both.svg").read_text()
    assert "features.8" in text


def test_unknown_plot_format_is_refused(alexnet: Summary, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.svg"):
        alexnet.plot(tmp_path / "bars.xyz")


def test_a_network_without_costs_still_has_a_table() -> None:
    result = summary(nn.Identity(), (3, 4, 4))
    assert "Identity" in str(result)
    assert result.to_csv().count("\n") == 2


class Scaled(nn.Module):
    """Has a layer that it calls twice, one that it never calls, a scale of its own, and sorts."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 2, 3, padding=1)
        self.scale = nn.Parameter(torch.ones(2, 1), requires_grad=False)
        self.idle = nn.Linear(3, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert not self.training
        return (self.conv(self.conv(x)) * self.scale).sort(2).values


TABLE = """\
Sequential on 1×2×40
{rule}
layer          type       output  parameters  trains  mult-adds  FLOPs  memory  training  field  stride  offset
{rule}
0              Conv1d     1×2×18          22     all        360    720   144 B         ?      5       2       2
1.conv         Conv1d     1×2×18          14     all        216    432   144 B         ?      9       2       2
1.conv         Conv1d     1×2×18    (reused)                216    432   144 B         ?     13       2       2
1.(mul, sort)  function   1×2×18           2    none          +      +   288 B         ?      ?
1.idle         Linear    not run          12     all                                   ?
{rule}
parameters    50 (200 B; 48 trainable, 2 frozen)
mult-adds     792 (792)
FLOPs         1,584 (1.58 k)
not counted   sort (1)
activations   720 B
training      not known: it fails in training mode; besides gradients 192 B, the optimizer's state {state}
note          run without 1 of its hooks, plain functions that could write elsewhere
counted       1 mult-add = 1 multiplication and 1 addition = 2 FLOPs, in convolutions and matrix products (also
"""


def test_text_to_the_letter() -> None:
    model = nn.Sequential(nn.Conv1d(2, 2, 5, 2), Scaled())
    model[0].register_forward_hook(lambda module, inputs, output: None)
    text = str(summary(model, (2, 40), depth=2))
    expected = TABLE.format(rule="─" * 111, state="(momentum 192 B, adam 384 B)").splitlines()
    assert text.splitlines()[: len(expected)] == expected
    (cut,) = [line for line in str(summary(model, (2, 40), depth=1)).splitlines() if line.startswith("1 ")]
    assert cut.split() == ["1", "Scaled", "1×2×18", "28", "part", "432+", "864+", "576", "B", "?", "?"]


def test_a_pipe_in_a_name_does_not_end_a_markdown_cell() -> None:
    model = nn.Sequential()
    model.add_module("a|b", nn.Tanh())
    lines = summary(model, (3, 4, 5)).to_markdown().splitlines()
    assert lines[2] == "| a\\|b | Tanh | 1×3×4×5 |  |  |  | 240 B |  | 1 | 1 | 0 |"
    assert lines[:2] == [
        "| layer | type | output | parameters | mult-adds | FLOPs | memory | training | field | stride | offset |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    assert lines[3:6] == ["", "Sequential on 1×3×4×5:", ""]
    assert "- field 1 pixels, of a unit of the last feature map" in lines
    assert [line.split()[1] for line in lines[-3:]] == ["counted", "memory", "training"]


def test_long_names_and_classes_are_cut_in_their_middle() -> None:
    model = nn.Sequential()
    kind = type("C" + 60 * "o" + "k", (nn.Tanh,), {})
    for name in ("first" + 200 * "x" + "a", "second" + 200 * "x" + "b", "b"):
        model.add_module(name, kind())
    _, rule, header, _, one, two, three, *_ = summary(model, (3, 4, 5)).to_text(width=100).splitlines()
    assert (len(rule), len(header)) == (100, 100)
    width = header.index("type")
    assert re.fullmatch("firstx+…x+a {2,}", one[:width])
    assert re.fullmatch("secondx+…x+b {2,}", two[:width])
    assert three[:width].strip() == "b"
    assert one[width:].split()[0].strip("Cok") == "…"
    whole = str(summary(model, (3, 4, 5))).splitlines()[4].split()
    assert whole[:2] == ["first" + 200 * "x" + "a", "C" + 60 * "o" + "k"]


@pytest.mark.parametrize("depth", [0, 1, 2, None])
def test_every_form_is_cut_at_the_depth_that_is_asked_for(depth: int | None) -> None:
    model = nn.Sequential(nn.Sequential(nn.Sequential(nn.Tanh(), nn.ReLU()), nn.ReLU()), nn.Tanh())
    names = {0: ["Sequential"], 1: ["0", "1"], 2: ["0.0", "0.1", "1"], None: ["0.0.0", "0.0.1", "0.1", "1"]}[depth]
    whole = summary(model, (3, 4, 5), depth=1)
    assert [row["layer"] for row in markdown_rows(whole.to_markdown(depth))] == names
    assert [row["name"] for row in csv.DictReader(io.StringIO(whole.to_csv(depth)))] == names
    assert [row["name"] for row in whole.to_dict(depth)["rows"]] == names
    text = str(summary(model, (3, 4, 5), depth=depth)).splitlines()
    assert [line.split()[0] for line in text[4 : 4 + len(names)]] == names
    assert list(pytest.importorskip("pandas").Series(whole.to_pandas(depth)["name"])) == names
