"""Write the pages that follow from the code: `python docs/generate.py [networks] [costs] [peers] [equality]`.

networks  docs/networks.md, one page per family under docs/networks/, and docs/errata.md: from the cards and from
          measuring every network on weightless tensors.
costs     src/striate/models/costs.json: the multiply-adds of every network, measured, for `striate models`.
peers     src/striate/models/peer_figures.json: the same networks at torchvision, timm and Keras, measured.
equality  docs/equality.md: largest difference between our outputs and the peers' with their weights put into ours.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import sys
from pathlib import Path

import torch

from striate.files import write_atomically
from striate.models import get_card, list_models
from striate.models.card_text import as_markdown
from striate.models.catalogue import families
from striate.models.errata import errata
from striate.models.figures import COSTS, PEER_FIGURES, Figures, measured
from striate.text_tables import Column, Table
from striate.units import count, whole

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench"))  # where networks are set side by side with their peers

MADE = "<!-- Made by docs/generate.py; change the cards, not this page. -->\n"


def networks() -> dict[Path, str]:
    """The pages about networks by their path."""
    docs = ROOT / "docs"
    pages = {docs / "networks.md": _index(), docs / "errata.md": _errata()}
    for family in families().values():
        cards = "\n".join(as_markdown(card) for card in family.cards)
        pages[docs / "networks" / f"{family.name}.md"] = f"{MADE}# {family.name}\n\n{cards}"
    return pages


def _index() -> str:
    lines = [
        MADE + "# Networks\n",
        "Parameters and multiply-adds are of the network as `create_model(name)` builds it, measured at the input size",
        "named; the receptive field is that of a unit of the last feature map, where it has one.\n",
    ]
    rows = []
    for name in list_models():
        card, figures = get_card(name), measured(name)
        rows.append(
            [
                f"[{name}](networks/{card.family}.md#{name.replace('.', '')})",
                str(card.paper.year),
                str(card.input_size),
                whole(figures.parameters),
                count(figures.multiply_adds or 0),
                whole(figures.receptive_field) if figures.receptive_field else "-",
                card.introduces,
            ]
        )
    headers = ("network", "year", "input", "parameters", "multiply-adds", "receptive field", "introduced")
    columns = [Column(header, right=header not in ("network", "introduced")) for header in headers]
    return "\n".join([*lines, *Table(columns, rows).markdown()]) + "\n"


def costs() -> dict[Path, str]:
    """The record of what one pass of each network costs."""
    return {COSTS: json.dumps({name: measured(name).multiply_adds for name in list_models()}, indent=1) + "\n"}


def _errata() -> str:
    lines = [MADE + "# Errata\n", "What papers, notes and tools print, and what is right; figures are measured here.\n"]
    for erratum, names in errata():
        whose = f"**{', '.join(names)}**: " if names else ""
        lines.append(f"- {whose}{erratum}.")
    lines.append("\nHow tools count differently, and where they are wrong: [counters.md](counters.md).")
    return "\n".join(lines) + "\n"


def peers() -> dict[Path, str]:
    """The record of the peers' figures."""
    record: dict[str, dict[str, dict[str, object]]] = {}
    for name in list_models():
        for library, spelled in get_card(name).peers.items():
            figures = _at_keras(name, spelled) if library == "keras" else _at_torch(name, library, spelled)
            record.setdefault(name, {})[library] = dataclasses.asdict(figures)
            print(name, figures)
    return {PEER_FIGURES: json.dumps(record, indent=1) + "\n"}


def _at_torch(name: str, library: str, spelled: str) -> Figures:
    from peers import theirs
    from striate.analysis import summary

    side = get_card(name).input_size
    with torch.device("meta"):
        result = summary(theirs(name, library), (3, side, side))
    return Figures(
        source=f"{library} {importlib.metadata.version(library)}",
        name=spelled,
        input_size=side,
        parameters=result.parameters,
        multiply_adds=result.multiply_adds,
        activation_bytes=result.activation_bytes,
        receptive_field=result.receptive_field[0] if result.receptive_field else None,
    )


def _at_keras(name: str, spelled: str) -> Figures:
    from peers import theirs_in_keras

    parameters = sum(weight.numpy().size for weight in theirs_in_keras(name).trainable_weights)
    return Figures(f"keras {importlib.metadata.version('keras')}", spelled, get_card(name).input_size, parameters)


def equality() -> dict[Path, str]:
    """The page of differences; minutes of work."""
    from peers import SHARED, difference, options

    versions = ", ".join(
        f"{library} {importlib.metadata.version(library)}" for library in ("torch", "torchvision", "timm", "keras")
    )
    lines = [
        MADE + "# The peers' weights give the peers' answers\n",
        "Random weights of the peer's network (batch norms with random statistics) are put into ours through the key",
        "table; both look at two random images in evaluation mode. The difference is the largest of any logit, over",
        "the largest difference between the two images' logits, in float64. With Keras, whose batch norms work in",
        "float32 whatever they are given, it is over the largest logit.",
        f"Zero means equal bit for bit. {versions}.\n",
        "| network | peer | its name | our options | largest difference |",
        "|---|---|---|---|---|",
    ]
    for name, library in SHARED:
        given = ", ".join(f"{k}={v!r}" for k, v in options(name, library).items()) or "-"
        cells = (name, library, get_card(name).peers[library], given, f"{difference(name, library):.1e}")
        print(*cells)
        lines.append("| " + " | ".join(cells) + " |")
    return {ROOT / "docs" / "equality.md": "\n".join(lines) + "\n"}


def main() -> None:
    """Write the pages asked for; what our networks' measurements make by default."""
    makers = {"networks": networks, "costs": costs, "peers": peers, "equality": equality}
    for word in sys.argv[1:] or ["networks", "costs"]:
        if word not in makers:
            raise SystemExit(__doc__)
        for path, text in makers[word]().items():
            path.parent.mkdir(exist_ok=True)
            write_atomically(path, text)


if __name__ == "__main__":
    main()
