"""A card as a person reads it: text for a terminal, Markdown for the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from striate.models.accuracy import form_of
from striate.models.card import Card
from striate.models.figures import Figures, measured, of_peers
from striate.models.options import defaults_of
from striate.weights import THE_PAPER, WeightSource

HEADER = ("", "name", "parameters", "multiply-adds", "receptive field", "input")
#: What of `Card.published` has a column of the table.
IN_TABLE = ("parameters", "multiply_adds")


def quantity(value: int | float | None) -> str:
    """Three figures and a letter: 3.86 G, 25.6 M, 812 K."""
    if value is None:
        return "-"
    for unit, letter in ((1e9, " G"), (1e6, " M"), (1e3, " K")):
        if value >= unit:
            return f"{value / unit:.3g}{letter}" if value / unit < 999.5 else f"{value / unit:.0f}{letter}"
    return f"{value:g}"


def figure_rows(card: Card) -> list[tuple[str, ...]]:
    """What is printed of the network, what it has here and what at its peers, a row each under `HEADER`."""
    return [*printed_rows(card), *map(_row, (measured(card.name), *of_peers(card.name)))]


def printed_rows(card: Card) -> list[tuple[str, ...]]:
    """The counts that its paper prints, and whoever else does, a row for each of them."""
    printed: dict[str, dict[str, str]] = {}
    for figure in card.published:
        if figure.metric in IN_TABLE:
            printed.setdefault(figure.source, {}).setdefault(figure.metric, figure.number)
    return [
        (source, card.name, counts.get("parameters", "-"), counts.get("multiply_adds", "-"), "-", "-")
        for source, counts in (printed or {THE_PAPER: {}}).items()
    ]


def _row(figures: Figures) -> tuple[str, ...]:
    field = f"{figures.receptive_field:,} px" if figures.receptive_field else "-"
    cost = quantity(figures.multiply_adds)
    return figures.source, figures.name, f"{figures.parameters:,}", cost, field, f"{figures.input_size} px"


def facts(card: Card) -> list[tuple[str, str]]:
    """What else is on the card, as (heading, sentence), in the order of reading."""
    lines = [("paper", str(card.paper))]
    lines += [("published", str(figure)) for figure in card.published if figure.metric not in IN_TABLE]
    tied = "; built for one size, `input_size` asks for another" if card.fixed_size else ""
    small = card.small_min_size
    stem = f"; {small}x{small} with the small stem" if small is not None and small < card.min_size else ""
    lines.append(("smallest image", f"{card.min_size}x{card.min_size} pixels{stem}{tied}"))
    lines += [("deviation", sentence) for sentence in card.deviations]
    lines += [("erratum", str(erratum)) for erratum in card.errata]
    lines += [("weights", _weights(card, source)) for source in card.weights]
    options = ", ".join(f"{name}={value!r}" for name, value in defaults_of(card).items())
    lines += [("options", options)] if options else []
    heads = f"{card.auxiliary_weight:g} times the loss of each is added; `auxiliary=True` builds them"
    lines += [("auxiliary heads", heads)] if card.auxiliary_weight else []
    lines += [("aliases", ", ".join(card.aliases))] if card.aliases else []
    return lines


def _weights(card: Card, source: WeightSource) -> str:
    own = defaults_of(card)
    form = {name: value for name, value in form_of(source, card.family).items() if name in own and name != "stem"}
    said = [str(figure) for figure in source.accuracy]
    said += [f"of {card.base}: its convolutions alone"] if card.base else []
    said += [f"needs {name}={value!r}" for name, value in form.items() if value != own[name]]
    said += [f"{source.interpolation} resizing"]
    return f"{source.name} ({source.origin}, {source.licence}) {'; '.join(said)}"


def as_text(card: Card) -> str:
    """The card for a terminal."""
    rows = figure_rows(card)
    table = "\n".join(_aligned([HEADER, *rows]))
    lines = facts(card)
    width = max(len(heading) for heading, _ in lines)
    body = "\n".join(f"{heading:{width}}  {sentence}" for heading, sentence in lines)
    return f"{card.name}: {card.introduces}\n\n{table}\n\n{body}"


def _aligned(rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        cells = [
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def as_markdown(card: Card) -> str:
    """The card as a section of a page."""
    table = [HEADER, ("---",) * len(HEADER), *figure_rows(card)]
    lines = [f"## {card.name}", "", card.introduces, ""]
    lines += ["| " + " | ".join(row) + " |" for row in table]
    lines += ["", *(f"- **{heading}**: {sentence}" for heading, sentence in facts(card))]
    return "\n".join(lines) + "\n"
