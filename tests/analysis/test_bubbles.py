"""Accuracy against cost, read off matplotlib's own objects: places, areas, colours, names or numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex

from striate.analysis import Entry, bubbles
from striate.analysis.drawing import COLOURS
from striate.errors import StriateError


@dataclass(frozen=True)
class Costs:
    """What a bubble needs of a summary."""

    parameters: int
    multiply_adds: int


def entry(name: str, parameters: float, multiply_adds: float, accuracy: float | None, group: str = "") -> Entry:
    return Entry(name, Costs(int(parameters), int(multiply_adds)), accuracy, "paper", group)  # type: ignore[arg-type]


ENTRIES = (
    entry("narrow", 2e6, 1e9, 0.5, "b"),
    entry("wide", 60e6, 8e9, 0.75, "a"),
    entry("middle", 20e6, 4e9, 0.625, "b"),
    entry("unknown", 1e6, 1e9, None, "b"),
)


def parts(figure: Any) -> tuple[Any, list[Any]]:
    """The chart, and the legends of the keys."""
    _, body = figure.subfigs
    return body.subfigs[0].axes[0], body.subfigs[1].legends


def words_of(figure: Any) -> list[str]:
    return [text.get_text() for text in figure.subfigs[0].texts]


def test_a_bubble_lies_at_cost_and_accuracy_and_its_area_is_the_parameters(drawn: list[Any]) -> None:
    bubbles.plot_accuracy(ENTRIES, "x.svg")
    axis, (areas, families) = parts(drawn[0])
    (points,) = axis.collections
    np.testing.assert_allclose(points.get_offsets(), [(8e9, 75), (4e9, 62.5), (1e9, 50)])  # the largest below
    np.testing.assert_allclose(points.get_sizes(), [3.5 * 60, 3.5 * 20, 3.5 * 2])
    colours = [to_hex(colour) for colour in points.get_facecolors()]
    assert colours == ["#999999", COLOURS[0].lower(), COLOURS[0].lower()]  # two of one family
    assert axis.get_xscale() == "log"
    (low, high), (bottom, top) = axis.get_xlim(), axis.get_ylim()
    assert low < 1e9 < 8e9 < high
    assert bottom < 50 < 75 < top
    assert [text.get_text() for text in families.get_texts()] == ["b", "other families"]
    assert [text.get_text() for text in areas.get_texts()] == ["area: parameters", "1 M", "10 M", "50 M", "150 M"]
    shown = [3.14159 * (handle.get_markersize() / 2) ** 2 for handle in areas.legend_handles[1:]]
    assert shown == pytest.approx([3.5, 35, 175, 525], rel=1e-4)
    assert axis.get_xlabel() == "multiply-adds for one image, at each network's own input size"
    assert axis.get_ylabel() == "published top-1 on ImageNet, %"
    assert {text.get_text(): text.xy for text in axis.texts} == {
        "narrow": (1e9, 50),
        "wide": (8e9, 75),
        "middle": (4e9, 62.5),
    }
    title, *others = words_of(drawn[0])
    assert title == "Accuracy against cost of 3 networks"
    assert "trained weights" in others[0]
    assert "Left out, as they have none: 1 of 4." in " ".join(others)


def test_families_of_one_network_have_no_colour_and_at_most_seven_others_have() -> None:
    assert bubbles._colours(["a", "b", "", ""]) == {}
    assert bubbles._colours(["b", "a", "a", "b"]) == {"a": COLOURS[0], "b": COLOURS[1]}
    many = [f"f{number}" for number in range(9) for _ in range(2 + number)]
    found = bubbles._colours(many)
    assert list(found) == [*(f"f{number}" for number in range(2, 9)), bubbles.OTHERS]
    assert len(set(found.values())) == 8


def test_one_bubble_has_room_above_and_below(drawn: list[Any]) -> None:
    bubbles.plot_accuracy(ENTRIES[:1], "x.svg")
    axis, keys = parts(drawn[0])
    bottom, top = axis.get_ylim()
    assert 1 <= 50 - bottom <= 2
    assert 1 <= top - 50 <= 2
    assert len(keys) == 1
    assert words_of(drawn[0])[0] == "Accuracy against cost of 1 network"


def test_the_reading_compares_the_best_with_the_cheapest_that_comes_near() -> None:
    best = entry("best", 1, 40e9, 0.84)
    assert bubbles.reading([best, entry("poor", 1, 1e6, 0.5)]) == (
        "Most accurate is best, 84.0% for 40.0 G multiply-adds; none within 5 points of it costs less."
    )
    near = [entry("nearer", 1, 20e9, 0.83), entry("near", 1, 1e9, 0.795), entry("far", 1, 1e8, 0.78)]
    assert bubbles.reading([*near, best]) == (
        "Most accurate is best, 84.0% for 40.0 G multiply-adds; near comes within 5 points of it (79.5%) for 2.5% "
        "of them."
    )


def test_many_networks_have_numbers_in_the_order_of_accuracy_and_a_list(laid_out: list[Any]) -> None:
    rng = np.random.default_rng(0)
    size, cost, accuracy = 10 ** rng.uniform(6, 8, 60), 10 ** rng.uniform(8, 10.5, 60), rng.uniform(0.6, 0.8, 60)
    many = [
        entry(f"a_network_with_a_much_longer_name_{n}", size[n], cost[n], float(accuracy[n]), f"family {n % 12}")
        for n in range(60)
    ]
    bubbles.plot_accuracy(many, "x.svg")
    (paper,) = laid_out
    assert paper.flaws == []
    axis, (_, families) = parts(paper.figure)
    places = {text.get_text(): text.xy for text in axis.texts}
    order = sorted(many, key=lambda one: -(one.accuracy or 0))
    assert places == {
        str(place): (one.summary.multiply_adds, 100 * (one.accuracy or 0)) for place, one in enumerate(order, 1)
    }
    listed = [text.split() for text in paper.texts if "…" in text and text.strip()[0].isdigit()]
    tails = {one.name[-2:]: str(place) for place, one in enumerate(order, 1)}
    assert {name[-2:]: number for number, name in listed} == tails
    assert len(families.get_texts()) == len(COLOURS) + 1


def test_names_stand_beside_their_bubbles_and_cover_nothing(laid_out: list[Any]) -> None:
    crowd = [entry(f"network number {number}", 5e6, 1e9 + 2e7 * number, 0.7 + 0.002 * number) for number in range(15)]
    bubbles.plot_accuracy([*crowd, *ENTRIES], "x.svg")
    (paper,) = laid_out
    assert paper.flaws == []
    axis, _ = parts(paper.figure)
    assert len(axis.texts) == 18
    frame = axis.get_window_extent()
    boxes = [box for text, _, box in paper.words if text.startswith("network number")]
    assert all(frame.x0 <= box.x0 and box.x1 <= frame.x1 and frame.y0 <= box.y0 and box.y1 <= frame.y1 for box in boxes)
    led = [text for text in axis.texts if text.arrow_patch is not None]
    assert 0 < len(led) < 18  # far ones have a line


def test_nothing_to_draw_is_said() -> None:
    elsewhere = Entry("other", ENTRIES[0].summary, None, "at 600 px")
    with pytest.raises(StriateError) as caught:
        bubbles.plot_accuracy([elsewhere, Entry("more", ENTRIES[0].summary)], "x.svg")
    assert str(caught.value) == (
        "none of these networks has a published top-1 on ImageNet in its form and at its size (other: at 600 px), so "
        "there is nothing to draw"
    )
    with pytest.raises(StriateError, match=r"in its form and at its size, so there is nothing to draw$"):
        bubbles.plot_accuracy([Entry("more", ENTRIES[0].summary)], "x.svg")
