"""Rows of bars: from zero, on one scale, folded where they are many."""

from __future__ import annotations

from typing import Any

import pytest

from striate.analysis.bars import MOST_ROWS, Bars, Block, Panel, draw_bars, folded, height_of
from striate.analysis.drawing import COLOURS, sheet

PANELS = (Panel("cost (bytes)", "{:g} B".format), Panel("time (ms)", "{:g} ms".format, limit=30))
#: The largest share of the first figure has "much", of the second "slow"; "small" and "tiny" have least.
ROWS = [
    Bars("small", (2, 3)),
    Bars("much", (90, 1)),
    Bars("tiny", (1, 2)),
    Bars("slow", (0, 80)),
    Bars("free", (7, None)),
]


def drawn_from(rows: list[Bars], drawn: list[Any], *more: Block, **options: Any) -> list[Any]:
    blocks = [Block("first", tuple(rows)), *more]
    with sheet("x.svg", height_of(blocks), "") as body:
        draw_bars(body, PANELS, blocks, **options)
    return [axis for part in drawn[-1].subfigs for axis in part.axes]


def lengths(axis: Any) -> list[float]:
    return [patch.get_width() for patch in axis.patches]


def test_the_largest_stay_in_their_order_and_the_others_are_one_sum() -> None:
    assert folded(ROWS, 5) == tuple(ROWS)
    assert folded(ROWS, 4) == (*(ROWS[i] for i in (1, 3, 4)), Bars("and 2 others", (3, 5), folded=True))
    assert folded(ROWS, 3) == (ROWS[1], ROWS[3], Bars("and 3 others", (10, 5), folded=True))
    for most in (1, 2, 3, 4, 5):
        shown = folded(ROWS, most)
        assert len(shown) == most
        assert [sum(row.values[panel] or 0 for row in shown) for panel in (0, 1)] == [100, 86]
    alike = [Bars(str(number), (1, 1)) for number in range(9)]
    assert [row.name for row in folded(alike, 4)] == ["0", "1", "2", "and 6 others"]


def test_bars_begin_at_zero_and_share_a_scale(drawn: list[Any]) -> None:
    cost, time, other_cost, other_time = drawn_from(ROWS, drawn, Block("second", (Bars("one", (45, 2)),)))
    assert lengths(cost) == [2, 90, 1, 0, 7]
    assert lengths(time) == [3, 1, 2, 80, 0]
    assert lengths(other_cost) == [45]
    for axis in (cost, time, other_cost, other_time):
        assert {patch.get_x() for patch in axis.patches} == {0}
        assert axis.get_xlim()[0] == 0
        assert axis.get_ylim()[0] > axis.get_ylim()[1]  # the first row is on top
    assert cost.get_xlim() == other_cost.get_xlim()
    assert time.get_xlim() == other_time.get_xlim()
    assert 1.2 < cost.get_xlim()[1] / 90 < 2  # room for the figures
    assert [cost.get_title(loc="left"), time.get_title(loc="left")] == ["cost (bytes)", "time (ms)"]
    assert [label.get_text() for label in cost.get_yticklabels()] == [row.name for row in ROWS]
    colours = [tuple(round(255 * part) for part in axis.patches[0].get_facecolor()[:3]) for axis in (cost, time)]
    assert colours == [tuple(bytes.fromhex(colour[1:])) for colour in COLOURS[:2]]


def test_a_figure_stands_beside_its_bar_and_none_where_there_is_none(drawn: list[Any]) -> None:
    _, time = drawn_from(ROWS, drawn)
    figures = {text.get_text(): text.xy for text in time.texts}
    assert figures == {"3 ms": (3, 0), "1 ms": (1, 1), "2 ms": (2, 2), "80 ms": (80, 3)}


def test_a_sum_has_a_figure_and_no_bar(drawn: list[Any]) -> None:
    cost, _ = drawn_from([ROWS[0], Bars("and 90 others", (5000, 40), folded=True)], drawn)
    assert lengths(cost) == [2, 0]
    assert cost.get_xlim()[1] < 5
    assert [text.get_text() for text in cost.texts if "all" in text.get_text()] == ["5000 B in all"]


def test_a_limit_is_a_line_that_is_never_outside(drawn: list[Any]) -> None:
    cost, time = drawn_from([Bars("quick", (5, 4), faint=True), Bars("quicker", (5, 2))], drawn)
    assert not cost.lines
    (line,) = time.lines
    assert list(line.get_xdata()) == [30, 30]
    assert time.get_xlim()[1] > 30
    assert [patch.get_alpha() for patch in time.patches] == [0.35, 1]


def test_nothing_at_all_can_be_drawn(drawn: list[Any]) -> None:
    cost, _ = drawn_from([], drawn)
    assert cost.get_xlim()[0] == 0
    cost, _ = drawn_from([Bars("nothing", (0, None))], drawn)
    assert lengths(cost) == [0]


@pytest.mark.parametrize("blocks", [1, 6])
def test_so_many_rows_as_are_allowed_fit_on_a_page(blocks: int, laid_out: list[Any]) -> None:
    each = MOST_ROWS // blocks
    rows = tuple(Bars(f"layer.with.a.long.name.{row}", (10.0**row, row * 99999)) for row in range(each))
    made = [Block(f"network {block}", rows) for block in range(blocks)]
    with sheet("x.svg", height_of(made), "title", about="about " * 40, reading="reading " * 40) as body:
        draw_bars(body, PANELS, made)
    assert laid_out[0].flaws == []
    assert sum("…" in text for text in laid_out[0].texts) == 0
