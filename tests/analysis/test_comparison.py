"""Networks side by side to the letter: each figure in its column, what is not known, what is not counted."""

import csv
import io
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from striate.analysis import Comparison, Entry, Summary, bubbles, plots, summary
from striate.analysis.counting import COUNTED


class OnlyEvaluates(nn.Conv2d):
    """Fails in training mode, and does what no rule counts and no rule follows."""

    def forward(self, x: Tensor) -> Tensor:
        assert not self.training
        return super().forward(x).cumsum(2)


class Makes(nn.Module):
    """Takes no tensor."""

    def forward(self, count: int) -> Tensor:
        return torch.ones(count)


@pytest.fixture(scope="module")
def networks() -> Comparison:
    frozen = nn.Conv2d(3, 4, (3, 5), stride=(2, 1), padding=(1, 2))
    frozen.bias.requires_grad_(False)  # type: ignore[union-attr]
    uneven = nn.Sequential(frozen, nn.BatchNorm2d(4))
    even = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    whole = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Upsample(scale_factor=3))
    return Comparison(
        (
            Entry("uneven", summary(uneven, (2, 3, 20, 24)), 0.75648, "paper", "family"),
            Entry("even sides", summary(even, (1, 9, 9)), accuracy_source="not at this size"),
            Entry("whole", summary(whole, (3, 8, 8)), 0.5, "torchvision"),
            Entry("odd", summary(OnlyEvaluates(1, 1, 3), (1, 8, 8))),
            Entry("no input", summary(Makes(), inputs=(3,))),
        )
    )


def test_text_is_aligned_with_totals_that_say_what_is_not_counted(networks: Comparison) -> None:
    lines = str(networks).splitlines()
    rule = "─" * len(
        "network       input  parameters  mult-adds    FLOPs  activations  training  field  top-1 %  " + "-" * 16
    )
    assert lines[:10] == [
        rule,
        "network       input  parameters  mult-adds    FLOPs  activations  training  field  top-1 %  top-1 from",
        rule,
        "uneven      3×20×24         192     86.4 k  172.8 k       15 KiB    19 KiB    3×5     75.6  paper",
        "even sides    1×9×9          20        882   1.76 k        784 B     716 B      3           not at this size",
        "whole         3×8×8           0          0        0        120 B       0 B    all     50.0  torchvision",
        "odd           1×8×8          10       324+     648+        288 B         ?      ?",
        "no input                      0          0        0          0 B       0 B      ?",
        rule,
        "not counted   odd: cumsum (1)",
    ]
    assert "\n".join(lines[10:]) == COUNTED


def test_markdown_has_the_same_cells(networks: Comparison) -> None:
    lines = networks.to_markdown().split("\n")
    assert lines[:9] == [
        "| network | input | parameters | mult-adds | FLOPs | activations | training | field | top-1 % | top-1 from |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---|",
        "| uneven | 3×20×24 | 192 | 86.4 k | 172.8 k | 15 KiB | 19 KiB | 3×5 | 75.6 | paper |",
        "| even sides | 1×9×9 | 20 | 882 | 1.76 k | 784 B | 716 B | 3 |  | not at this size |",
        "| whole | 3×8×8 | 0 | 0 | 0 | 120 B | 0 B | all | 50.0 | torchvision |",
        "| odd | 1×8×8 | 10 | 324+ | 648+ | 288 B | ? | ? |  |  |",
        "| no input |  | 0 | 0 | 0 | 0 B | 0 B | ? |  |  |",
        "",
        "- not counted odd: cumsum (1)",
    ]
    rest = lines[9:]
    assert [line.split()[1] for line in rest[:-1]] == ["counted", "memory", "training"]
    assert rest[-1] == ""
    assert "  " not in "".join(rest)
    assert " ".join(line[2:] for line in rest[:-1]) == " ".join(COUNTED.split())


def test_csv_has_plain_numbers(networks: Comparison) -> None:
    uneven, even, whole, odd, none = csv.DictReader(io.StringIO(networks.to_csv()))
    assert uneven == {
        "network": "uneven",
        "input_shape": "2x3x20x24",
        "parameters": "192",
        "trainable_parameters": "188",
        "multiply_adds": "86400",
        "flops": "172800",
        "not_counted": "",
        "activation_bytes": "15360",
        "kept_bytes": "19232",
        "receptive_field": "3x5",
        "sees_all": "False",
        "top1": "0.75648",
        "top1_source": "paper",
    }
    assert (even["top1"], even["top1_source"]) == ("", "not at this size")
    assert (whole["sees_all"], whole["receptive_field"]) == ("True", "8x8")
    assert (odd["kept_bytes"], odd["receptive_field"], odd["not_counted"]) == ("", "", "cumsum (1)")
    assert (none["input_shape"], none["top1_source"]) == ("", "")
    assert "\r" not in networks.to_csv()


def test_plain_types_say_none_where_nothing_is_known(networks: Comparison) -> None:
    *_, odd, none = networks.to_dicts()
    assert (odd["kept_bytes"], odd["receptive_field"], odd["top1"], odd["top1_source"]) == (None, None, None, None)
    assert none["input_shape"] is None
    assert [entry["network"] for entry in networks.to_dicts()] == ["uneven", "even sides", "whole", "odd", "no input"]


def test_pictures_are_drawn_of_all_networks_by_their_names(networks: Comparison, monkeypatch) -> None:
    drawn: list = []

    def bars(summaries: list[Summary], path: Path, depth: int | None, *, names: list[str]) -> Path:
        drawn.append((summaries, depth, names))
        return Path(path)

    monkeypatch.setattr(plots, "plot_summaries", bars)
    monkeypatch.setattr(bubbles, "plot_accuracy", lambda entries, path: drawn.append(entries) or Path(path))
    assert networks.plot("bars.svg", 2) == Path("bars.svg")
    assert networks.plot("bars.svg") == Path("bars.svg")
    assert networks.plot_accuracy("bubbles.svg") == Path("bubbles.svg")
    summaries, names = [entry.summary for entry in networks.entries], [entry.name for entry in networks.entries]
    assert drawn == [(summaries, 2, names), (summaries, None, names), networks.entries]
