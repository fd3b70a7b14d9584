"""Every card's figures, sizes, peers, weights and paper, written down a second time in cards.txt, to be read at once.

A network of a line has: its figures (errors in %, on ImageNet at 224 pixels with one crop unless said); the names that
it has at its peers; the names of its weights; height, classes, channels, smallest images, and what else is not usual.
"""

from collections import defaultdict
from pathlib import Path

import pytest

from striate.models import get_card, list_models
from striate.weights import Figure

pytestmark = pytest.mark.sampled

FIGURES, PAPERS = Path(__file__).with_name("cards.txt").read_text(encoding="utf-8").split("\n\n")
WANTED = dict(line.split(": ", 1) for line in FIGURES.splitlines())


def line_of(figure: Figure) -> str:
    """The figure with all that it holds for, but what is usual."""
    share = figure.metric in ("top1", "top5")
    number = figure.printed
    if share:
        number = "none" if figure.value is None else f"{round(100 - 100 * figure.value, 4):g}"
    words = [figure.metric, number]
    words += [f"by {figure.source}"] if figure.source != "paper" else []
    words += [f"on {figure.data}"] if figure.data not in ("", "ImageNet") else []
    words += [f"at {figure.input_size}"] if figure.input_size not in (None, 224) else []
    if share and figure.crop != "one crop":
        words += [f"in {figure.crop or 'any crop'}"]
    words += [f"with {name}={value}" for name, value in figure.options.items()]
    words += [f"({figure.note})"] if figure.note else []
    return " ".join(words)


def words_of(name: str) -> str:
    card = get_card(name)
    small = "" if card.small_min_size is None else f"/{card.small_min_size}"
    sizes = f"{card.input_size}px {card.num_classes} of {card.in_channels} from {card.min_size}{small}"
    sizes += " fixed" * card.fixed_size
    sizes += f" base {card.base}" * (card.base is not None)
    sizes += f" auxiliary {card.auxiliary_weight}" * (card.auxiliary_weight > 0)
    parts = [
        "; ".join(map(line_of, card.published)),
        " ".join(f"{library}={spelled}" for library, spelled in card.peers.items()),
        " ".join(source.name for source in card.weights),
        sizes,
    ]
    return " | ".join(parts)


@pytest.mark.parametrize("name", list_models())
def test_a_card_has_what_is_written_down(name):
    assert words_of(name) == WANTED[name]


def test_every_network_stands_beside_its_paper_and_on_a_line():
    by_paper = defaultdict(list)
    for name in list_models():
        by_paper[str(get_card(name).paper)].append(name)
    wanted = dict(line.rsplit(" <- ", 1)[::-1] for line in PAPERS.splitlines())
    assert {paper: " ".join(names) for paper, names in by_paper.items()} == {
        paper: names for names, paper in wanted.items()
    }
    assert list(WANTED) == list_models()
