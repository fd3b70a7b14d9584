"""Sheets of paper: words that fit, names cut where they are alike, and the same bytes for the same picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from PIL import Image

from striate.analysis.drawing import listed, log_ticks, sheet, told_apart, wrapped
from striate.errors import StriateError, UsageError


def test_long_names_are_cut_in_the_middle_and_keep_both_ends() -> None:
    assert told_apart(["n" * 28, "stages.layer4.2.branches.conv2.weight"]) == ["n" * 28, "stages.layer4…s.conv2.weight"]
    by_end = [f"encoder.layers.residual.block.conv{number}" for number in (1, 2)]
    assert told_apart(by_end, 20) == ["encoder.l…lock.conv1", "encoder.l…lock.conv2"]
    assert told_apart(["same"] * 3, 28) == ["same"] * 3


def test_names_that_differ_where_they_would_be_cut_are_written_otherwise() -> None:
    in_the_middle = [f"backbone.layers.block{number}.attention.query.projection" for number in (1, 2)]
    assert told_apart(in_the_middle, 28) == ["b.l.b1.a.query.projection", "b.l.b2.a.query.projection"]
    without_parts = [f"{'a' * 12}{letter}{'b' * 12}" for letter in "xy"]
    assert told_apart(without_parts, 20) == without_parts
    assert {len(name) for name in told_apart(without_parts, 20, longer=0)} == {20}


@pytest.mark.parametrize(
    ("names", "text"),
    [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")],
)
def test_a_list_reads_as_one(names: list[str], text: str) -> None:
    assert listed(names) == text


def test_words_are_broken_where_the_sheet_ends() -> None:
    wide = wrapped("WWW " * 60, 8)
    assert len(wide) > 1
    assert " ".join(wide) == ("WWW " * 60).strip()
    assert len(wrapped("iii " * 60, 8)) < len(wide)  # measured, not counted
    endless = wrapped(f"of {'/folder' * 40}", 8)
    assert "".join(endless) == f"of{'/folder' * 40}"
    assert wrapped("", 8) == []


@pytest.mark.parametrize("suffix", ["svg", "SVG", "Pdf", "PNG"])
def test_the_same_picture_has_the_same_bytes_whatever_the_users_settings(suffix: str, tmp_path: Path) -> None:
    def draw(name: str) -> bytes:
        with sheet(tmp_path / f"{name}.{suffix}", 1, "title", about="about", reading="reading") as body:
            body.subplots().plot([1, 2])
        return (tmp_path / f"{name}.{suffix}").read_bytes()

    first = draw("first")
    with matplotlib.rc_context({"font.size": 40, "svg.fonttype": "none", "axes.grid": True}):
        assert draw("second") == first
        assert matplotlib.rcParams["font.size"] == 40  # put back
    assert first[:5] == {"svg": b"<?xml", "pdf": b"%PDF-", "png": b"\x89PNG\r"}[suffix.lower()]


def test_a_picture_is_as_wide_as_a_page_and_its_words_come_on_top(laid_out: list[Any], tmp_path: Path) -> None:
    with sheet("x.svg", 2, "The $title$", about="How it was measured.", reading="What it says. " * 12) as body:
        body.subplots()
    (paper,) = laid_out
    assert paper.flaws == []
    assert paper.figure.get_size_inches()[0] == pytest.approx(6.7)
    assert paper.texts[0] == r"The \$title\$"  # dollars, and no formula
    assert paper.texts[1] == "How it was measured."
    assert " ".join(paper.texts[2:4]) == ("What it says. " * 12).strip()
    tops = [box.y1 for _, _, box in paper.words[:4]]
    assert tops == sorted(tops, reverse=True)
    below = max(box.y1 for text, _, box in paper.words[4:])
    assert min(box.y0 for _, _, box in paper.words[:4]) > below


def test_words_without_a_break_stay_on_the_paper(laid_out: list[Any]) -> None:
    with sheet("x.svg", 1, "m" * 200, about="W" * 200, reading="/folder" * 60):
        pass
    assert laid_out[0].flaws == []
    assert len(laid_out[0].texts) > 6


def test_a_picture_has_two_hundred_dots_an_inch(tmp_path: Path) -> None:
    with sheet(tmp_path / "x.PNG", 2, "") as body:
        body.text(0.5, 0.5, "words")
    with Image.open(tmp_path / "x.PNG") as image:
        assert (image.format, image.size) == ("PNG", (1340, 428))


def test_nothing_is_written_where_drawing_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), sheet(tmp_path / "x.svg", 1, ""):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (1e-9, 1, ["1e-08", "1e-06", "0.0001", "0.01", "1"]),
        (0.011, 0.9, ["0.02", "0.05", "0.1", "0.2", "0.5"]),
        (20, 60, ["20", "30", "40", "50", "60"]),
    ],
)
def test_a_logarithmic_axis_has_a_few_plain_ticks(low: float, high: float, labels: list[str], laid_out: Any) -> None:
    with sheet("x.svg", 2, "") as body:
        axes = body.subplots()
        axes.set_xticks([])
        axes.set_ylim(low, high)
        axes.set_yscale("log")
        log_ticks(axes.yaxis, low, high)
    assert laid_out[0].texts == labels


def test_where_matplotlib_is_missing_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(StriateError, match=r"^plot needs matplotlib: pip install matplotlib$"), sheet("x.svg", 2, ""):
        pass
    words = r"^cannot draw to 'x\.gif': its name must end in \.svg, \.png, \.pdf$"
    with pytest.raises(UsageError, match=words), sheet("x.gif", 2, ""):
        pass
