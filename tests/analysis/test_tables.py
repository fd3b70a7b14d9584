"""The forms in which a summary is given out."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest
import torch
import torchvision
from torch import nn

from striate.analysis import Summary, plot_summaries, summary
from striate.analysis.tables import bytes_text, count_text
from striate.errors import StriateError, UsageError


@pytest.fixture(scope="module")
def alexnet() -> Summary:
    with torch.device("meta"):
        return summary(torchvision.models.alexnet(), (3, 227, 227))


def test_text_is_aligned_and_fits(alexnet: Summary) -> None:
    lines = str(alexnet).splitlines()
    assert lines[0] == "AlexNet on 1×3×227×227"
    assert max(map(len, lines)) <= 110
    conv = next(line for line in lines if line.startswith("features.8 "))
    assert " ".join(conv.split()) == "features.8 Conv2d 1×256×13×13 884,992 149.5 M 169 KB 131 16 15"
    assert len({line.index("Conv2d") for line in lines if "Conv2d" in line}) == 1
    assert "61,100,840" in str(alexnet)
    assert "counted" in lines[-2]


def test_deep_names_are_shortened_to_fit() -> None:
    with torch.device("meta"):
        text = str(summary(torchvision.models.maxvit_t(), (3, 224, 224)))
    assert max(map(len, text.splitlines())) <= 110


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


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (4097, "4.10 K"), (149_520_384, "149.5 M"), (10**12, "1.00 T")],
)
def test_counts_are_shown_with_their_unit(value: int, text: str) -> None:
    assert count_text(value) == text


@pytest.mark.parametrize(("value", "text"), [(12, "12 B"), (802_816, "784 KB"), (2**20, "1.0 MB")])
def test_bytes_are_shown_in_units_of_1024(value: int, text: str) -> None:
    assert bytes_text(value) == text
