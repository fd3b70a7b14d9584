"""A card as a person reads it: text for a terminal, Markdown for the documentation."""

from __future__ import annotations

from striate.models.accuracy import form_of
from striate.models.card import Card
from striate.models.figures import Figures, measured, of_peers
from striate.models.options import defaults_of
from striate.text_tables import Column, Table, described, wrapped
from striate.units import count, whole
from striate.weights import THE_PAPER, WeightSource

COLUMNS = (
    Column("", right=False, least=16),
    Column("name", right=False, least=12),
    Column("parameters"),
    Column("multiply-adds"),
    Column("receptive field", rank=2),
    Column("input", rank=1),
)
#: What of `Card.published` has a column of the table.
IN_TABLE = ("parameters", "multiply_adds")


def figure_rows(card: Card) -> list[tuple[str, ...]]:
    """What is printed of the network, what it has here and what at its peers, a row each under `COLUMNS`."""
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
    field = f"{whole(figures.receptive_field)} px" if figures.receptive_field else "-"
    cost = "-" if figures.multiply_adds is None else count(figures.multiply_adds)
    return figures.source, figures.name, whole(figures.parameters), cost, field, f"{figures.input_size} px"


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


def as_text(card: Card, width: int | None = None) -> str:
    """The card for a terminal of `width` columns; whole lines without a width."""
    table = Table(COLUMNS, figure_rows(card))
    said = described([*table.left_out(width), *facts(card)], width)
    return f"{wrapped(f'{card.name}: {card.introduces}', width)}\n\n{table.text(width, ruled=False)}\n\n{said}"


def as_markdown(card: Card) -> str:
    """The card as a section of a page."""
    lines = [f"## {card.name}", "", card.introduces, "", *Table(COLUMNS, figure_rows(card)).markdown()]
    lines += ["", *(f"- **{heading}**: {sentence}" for heading, sentence in facts(card))]
    return "\n".join(lines) + "\n"
