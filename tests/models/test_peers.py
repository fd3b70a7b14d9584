"""Every network that a card says a peer has too: the peer's weights give the peer's answers, and gradients."""

import sys
from pathlib import Path

import pytest

from striate.models import get_card
from striate.models.catalogue import families
from striate.weights import key_tables

sys.path.insert(0, str(Path(__file__).parents[2] / "bench"))
import peers

pytestmark = pytest.mark.sampled

#: The quick tests leave out networks with more parameters than this, but for a family's smallest.
LARGE = 12_000_000
#: The quick tests of gradients leave out those of more.
LARGE_BACKWARD = 30_000_000
#: Families of which one network stands for all: others have more of the same layers, counted on their cards.
SCALED = ("efficientnet", "mobilenet_v2")

#: And these are slow even where the family has nothing smaller.
TOO_LARGE = 70_000_000


def _smallest(family: str, library: str) -> str | None:
    named = [card for card in families()[family].cards if library in card.peers]
    return min(named, key=lambda card: card.parameters).name if named else None


def _named_as_torchvision(card) -> bool:
    tables = key_tables(card.family)
    return "torchvision" in card.peers and tables["timm"] is tables["torchvision"]


def _rows() -> list:
    rows = []
    for name, library in peers.SHARED:
        card = get_card(name)
        first = name == _smallest(card.family, library)
        quick = card.parameters < TOO_LARGE if first else card.parameters < LARGE and card.family not in SCALED
        if library == "timm" and _named_as_torchvision(card):
            quick = False  # the same table, and torchvision's row is quick
        marks = [] if quick else [pytest.mark.slow]
        rows.append(pytest.param(name, library, id=f"{name}-{library}", marks=marks))
    return rows


@pytest.mark.parametrize(("name", "library"), _rows())
def test_outputs_are_the_peers(name, library):
    assert peers.difference(name, library) < (1e-4 if library == "keras" else 1e-8)


def _gradients() -> list:
    """Of each family the smallest network that torchvision or timm has too."""
    rows = []
    for family in families():
        named = [(_smallest(family, library), library) for library in ("torchvision", "timm")]
        shared = [(name, library) for name, library in named if name is not None]
        if shared:
            name, library = min(shared, key=lambda row: get_card(row[0]).parameters)
            marks = [pytest.mark.slow] if get_card(name).parameters >= LARGE_BACKWARD else []
            rows.append(pytest.param(name, library, id=f"{name}-{library}", marks=marks))
    return rows


@pytest.mark.parametrize(("name", "library"), _gradients())
def test_gradients_are_the_peers(name, library):
    assert peers.gradient_difference(name, library) < 1e-7
