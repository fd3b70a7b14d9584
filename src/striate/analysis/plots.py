"""Where memory, parameters and arithmetic lie in a network, as bars; several networks below each other, on one scale.

A picture fits on a page. A network that has more layers than rows there is shown by stages or blocks, or by its costly
layers with the sum of the others; of more networks than can be shown by layer each is one row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from striate.analysis.bars import MOST_ROWS, Bars, Block, Panel, draw_bars, folded, height_of
from striate.analysis.costs import Costs
from striate.analysis.drawing import listed, sheet
from striate.analysis.rows import Row
from striate.errors import UsageError
from striate.text_tables import shortened
from striate.units import binary_size, count, percent, sizes

#: Title of each panel, the attribute of a row and a summary, and how a bar's value is written.
KINDS: tuple[tuple[str, str, Callable[[float], str]], ...] = (
    ("memory (bytes)", "activation_bytes", binary_size),
    ("parameters", "parameters", partial(count, tenths=True)),
    ("multiply-adds", "multiply_adds", partial(count, tenths=True)),
)
PANELS = tuple(Panel(title, written) for title, _, written in KINDS)
#: What the reading calls them.
WORDS_FOR = ("memory", "parameters", "multiply-adds")
#: So many networks are shown by layer.
MOST_BY_LAYER = 6
LONGEST_TITLE = 46
#: A network is shown at a finer level where it would have fewer rows than these.
FEWEST_ROWS = 5
WITHOUT_WEIGHTS = (
    "Memory of outputs, in evaluation mode. Measured without weights: random and trained ones cost the same."
)


def _bars(name: str, measured: Row | Costs) -> Bars:
    return Bars(name, tuple(getattr(measured, attribute) for _, attribute, _ in KINDS))


def _shown(summary: Costs, depth: int | None, most: int) -> tuple[tuple[Bars, ...], int]:
    """At most `most` rows, and how many cost nothing: those at `depth`, or without one the finest view with so few.

    Where that view has fewer than `FEWEST_ROWS` it is the next finer one, with its cheapest rows folded.
    """
    if depth is not None:
        rows, free = _costly(summary.collapsed(depth))
        return folded(rows, most), free
    finer: tuple[list[Bars], int] = ([], 0)
    for view in _views(summary, most):
        rows, free = _costly(view)
        if len(rows) <= most and (len(rows) >= FEWEST_ROWS or not finer[0]):
            return tuple(rows), free
        if len(rows) > most:
            finer = rows, free
    return folded(finer[0], most), finer[1]


def _views(summary: Costs, most: int) -> Iterator[Sequence[Row]]:
    """The network at ever coarser levels: all layers, blocks, stages, parts."""
    deepest = max((row.depth for row in summary.rows), default=1)
    for level in range(deepest, 1, -1):
        yield summary.collapsed(level)
    parts = summary.collapsed(1)
    if len(parts) < FEWEST_ROWS:
        yield _by_stage(summary, most)
    yield parts


def _by_stage(summary: Costs, most: int) -> list[Row]:
    """The parts of the network, the costliest of them opened while there is room: stem, stage by stage, head."""
    rows = summary.collapsed(1)
    opened = {place: [row] for place, row in enumerate(rows)}
    for place in sorted(opened, key=lambda place: -_weight(rows[place], summary)):
        inside = list(rows[place].leaves(2))
        if sum(map(len, opened.values())) - 1 + len(inside) > most:
            break  # a cheaper part in more detail than a costlier one would mislead
        opened[place] = inside
    return [row for place in opened for row in opened[place]]


def _weight(row: Row, summary: Costs) -> float:
    """The row's shares of all costs together: a head with most parameters is no costlier than stages with the rest."""
    costs = ((getattr(row, kind), getattr(summary, kind)) for _, kind, _ in KINDS)
    return sum(part / whole for part, whole in costs if whole)


def _costly(rows: Sequence[Row]) -> tuple[list[Bars], int]:
    """Those that cost anything, and how many do not."""
    bars = [_bars(row.name, row) for row in rows]
    costly = [row for row in bars if any(row.values)]
    return costly, len(bars) - len(costly)


def plot_summaries(
    summaries: Sequence[Costs],
    path: str | Path,
    depth: int | None = None,
    *,
    names: Sequence[str] | None = None,
) -> Path:
    """Draw three columns of bars and write the picture to `path`: memory, parameters and multiply-adds.

    Bars run from the first layer, on top, to the last; those of one kind of cost have the same scale for all networks.
    More than `MOST_BY_LAYER` networks have one row each.

    Args:
        summaries: the networks.
        path: an .svg, .png or .pdf file.
        depth: levels of modules to show; by default as many as give a readable number of bars.
        names: of the networks; by default their classes.

    Raises:
        UsageError: the suffix is none of those, or more networks than fit on a page.
        StriateError: matplotlib is not installed.
    """
    number = len(summaries)
    if not 1 <= number <= MOST_ROWS:
        raise UsageError(f"{number} networks to draw; a page has room for 1 to {MOST_ROWS}")
    if depth and number > MOST_BY_LAYER:
        raise UsageError(
            f"{number} networks to draw to a depth of {depth}; bars by layer are readable for 1 to {MOST_BY_LAYER}, "
            "more are shown by a row each, without a depth"
        )
    called = [shortened(name, LONGEST_TITLE) for name in names or [summary.name for summary in summaries]]
    title, blocks, reading, about = _picture(summaries, called, depth)
    with sheet(path, height_of(blocks), title, about=about, reading=reading) as body:
        draw_bars(body, PANELS, blocks)
    return Path(path)


def _picture(summaries: Sequence[Costs], called: Sequence[str], depth: int | None) -> tuple[str, list[Block], str, str]:
    """Title, rows, and what is said of them and of how they were measured."""
    number = len(summaries)
    totals = tuple(map(_bars, called, summaries))
    if number > MOST_BY_LAYER:
        about = f"{WITHOUT_WEIGHTS} {_inputs_of(summaries)}"
        return f"Costs of {number} networks", [Block("", totals)], who_costs_most(totals), about
    most = MOST_ROWS // number
    shown = [_shown(summary, depth, most) for summary in summaries]
    free = sum(costless for _, costless in shown)
    about = WITHOUT_WEIGHTS + (f" Rows that cost none of the three are left out ({free})." if free else "")
    headings = [f"{name} on {_shapes(summary)}" for name, summary in zip(called, summaries, strict=True)]
    if number == 1:
        return (
            f"{called[0]} on an input of {_shapes(summaries[0])}",
            [Block("", shown[0][0])],
            where_most_lies(shown[0][0]),
            about,
        )
    blocks = [Block(heading, rows) for heading, (rows, _) in zip(headings, shown, strict=True)]
    return f"{listed(called)}: costs by layer", blocks, who_costs_most(totals), about


def _shapes(summary: Costs) -> str:
    return ", ".join(map(sizes, summary.input_shapes)) or "no input"


def _inputs_of(summaries: Sequence[Costs]) -> str:
    """Of networks whose inputs stand in no heading: what each of them sees."""
    shapes = {_shapes(summary) for summary in summaries}
    return f"Each on an input of {shapes.pop()}." if len(shapes) == 1 else "Each on an input of its own size."


def where_most_lies(rows: Sequence[Bars]) -> str:
    """A sentence on which row has the largest share of each cost; the sum of others is no row."""
    said = []
    for place, word in enumerate(WORDS_FOR):
        values = [row.values[place] or 0 for row in rows]
        total = sum(values)
        largest = max((value for row, value in zip(rows, values, strict=True) if not row.folded), default=0)
        if not largest:
            continue
        where = [row.name for row, value in zip(rows, values, strict=True) if value == largest and not row.folded]
        others, each = (f" and {len(where) - 1} more", " each") if len(where) > 1 else ("", "")
        said.append(f"{word} in {shortened(where[0], LONGEST_TITLE)}{others} ({percent(largest / total, 0)}{each})")
    return f"Most {listed(said)}." if said else "Nothing in it costs memory, parameters or multiply-adds."


def who_costs_most(networks: Sequence[Bars]) -> str:
    """A sentence on the network that costs most of each kind, and how many times what the cheapest one costs."""
    said = []
    for place, (word, (_, _, written)) in enumerate(zip(WORDS_FOR, KINDS, strict=True)):
        costs = [(int(row.values[place] or 0), row.name) for row in networks]
        (least, cheapest), (most, dearest) = min(costs, key=_cost), max(costs, key=_cost)
        if least == most:
            said.append(f"{word}: the same in all ({written(most)})")
        else:
            against = f", {_times(most / least)} {cheapest}" if least else f", none in {cheapest}"
            said.append(f"most {word}: {dearest} ({written(most)}{against})")
    sentence = "; ".join(said)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _cost(pair: tuple[int, str]) -> int:
    return pair[0]


def _times(ratio: float) -> str:
    return f"{ratio:.2f} times" if ratio < 10 else f"{ratio:,.0f} times"
