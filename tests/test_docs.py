"""The pages made from the code are those the code makes now; run `python docs/generate.py` when they are not."""

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

from striate.models import get_card, list_models
from striate.models.card_text import facts, printed_rows
from striate.models.catalogue import families
from striate.models.errata import errata

DOCS = Path(__file__).resolve().parents[1] / "docs"
MEND = "run `python docs/generate.py`"


def generator():
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("family", list(families()))
def test_every_card_is_on_its_familys_page(family):
    page = (DOCS / "networks" / f"{family}.md").read_text(encoding="utf-8")
    titles = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]
    assert titles == [card.name for card in families()[family].cards], MEND
    for card in families()[family].cards:
        section = page.partition(f"## {card.name}\n")[2].partition("\n## ")[0]
        told = [line for line in section.splitlines() if line.startswith("- **")]
        assert told == [f"- **{heading}**: {sentence}" for heading, sentence in facts(card)], MEND
        rows = [tuple(line.strip("| ").split(" | ")) for line in section.splitlines() if line.startswith("| ")][1:]
        ours = next(number for number, row in enumerate(rows) if row[0] == "striate")
        assert rows[:ours] == printed_rows(card), MEND
        assert rows[ours][1:3] == (card.name, f"{card.parameters:,}"), MEND
        assert [row[1] for row in rows[ours + 1 :]] == list(card.peers.values()), MEND


def test_the_index_and_the_errata_are_whole():
    index = (DOCS / "networks.md").read_text(encoding="utf-8")
    rows = {line.split("]")[0].removeprefix("| ["): line for line in index.splitlines() if line.startswith("| [")}
    assert list(rows) == list_models(), MEND
    for name, row in rows.items():
        card, cells = get_card(name), [cell.strip() for cell in row.strip("| ").split(" | ")]
        told = [str(card.paper.year), str(card.input_size), f"{card.parameters:,}"]
        assert cells[0] == f"[{name}](networks/{card.family}.md#{name.replace('.', '')})", MEND
        assert cells[1:4] == told, MEND
        assert cells[-1] == card.introduces, MEND
    page = (DOCS / "errata.md").read_text(encoding="utf-8")
    for erratum, names in errata():
        whose = f"**{', '.join(names)}**: " if names else ""
        assert f"- {whose}{erratum}." in page, MEND


def test_every_shared_network_stands_in_the_table_of_equality():
    table = (DOCS / "equality.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if "| --" not in line]
    told = {(row[0], row[1], row[2]): row for row in rows if row[0] in list_models()}
    shared = {(name, *peer) for name in list_models() for peer in get_card(name).peers.items()}
    assert set(told) == shared, "run `python docs/generate.py equality`"
    for (_, library, _), row in told.items():
        assert float(row[4]) < (1e-4 if library == "keras" else 1e-8)


def test_what_makes_the_pages_stands_without_the_tests():
    """Peers are built in `bench/`, where networks are set beside them; tests are nobody's library."""
    tree = ast.parse((DOCS / "generate.py").read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    others = {name.split(".")[0] for name in names} - {"striate", "torch"} - set(sys.stdlib_module_names)
    assert others == {"peers"}
    assert (DOCS.parent / "bench" / "peers.py").is_file()
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert "bench" in words
    assert "tests" not in words


@pytest.mark.slow
def test_pages_are_what_the_code_makes():
    for path, text in generator().networks().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: {MEND}"
    kept = {path.stem for path in (DOCS / "networks").glob("*.md")}
    assert kept == set(families())
