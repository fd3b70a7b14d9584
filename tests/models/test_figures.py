"""Figures of networks measured here, and those of peers as they were recorded."""

import json
from pathlib import Path

import pytest

from striate.models import figures, get_card, list_models
from striate.models.figures import PEER_FIGURES, Figures, measured, of_peers, recorded_costs
from striate.units import count


def test_figures_of_a_network_by_hand():
    """LeNet on 28x28: 6 maps of 28x28 from 25 pixels each, 16 of 10x10 from 150, then 400 x 120 x 84 x 10."""
    found = measured("LeNet-5")
    assert (found.source, found.name, found.input_size, found.parameters) == ("striate", "lenet5", 28, 61_706)
    assert found.multiply_adds == 6 * 784 * 25 + 16 * 100 * 150 + 400 * 120 + 120 * 84 + 84 * 10
    assert found.activation_bytes % 4 == 0
    assert found.receptive_field == 16  # 5, pooled 6, 5 more at stride 2: 14, pooled 16


def test_peers_are_read_from_the_record(monkeypatch):
    recorded = json.loads(PEER_FIGURES.read_text(encoding="utf-8"))
    (timm,) = [one for one in of_peers("resnet-50") if one.source.startswith("timm")]
    assert (timm.name, timm.parameters, timm.input_size) == ("resnet50", 25_557_032, 224)
    assert [one.source.split()[0] for one in of_peers("resnet50")] == list(recorded["resnet50"])
    assert of_peers("lenet5") == ()
    for name, libraries in recorded.items():
        assert set(libraries) == set(get_card(name).peers)
    monkeypatch.setattr(figures, "_recorded", lambda: {"lenet5": {"timm": {"source": "a", "name": "b",
                        "input_size": 1, "parameters": 2}}})  # fmt: skip
    assert of_peers("lenet5") == (Figures("a", "b", 1, 2, None, None, None),)


def test_a_network_without_a_record_file_has_no_peers(monkeypatch, tmp_path):
    monkeypatch.setattr(figures, "PEER_FIGURES", tmp_path / "none.json")
    figures._recorded.cache_clear()
    try:
        assert of_peers("resnet50") == ()
    finally:
        figures._recorded.cache_clear()
    with pytest.raises(AttributeError):
        measured("lenet5").name = "other"


def _quick_to_measure() -> list:
    """Every network; quick the smallest of a few families."""
    quick = {"lenet5", "lenet5_1998", "mcdnn_column", "striate_s", "all_cnn_c", "resnet20_cifar", "squeezenet1_1"}
    return [pytest.param(name, marks=[] if name in quick else [pytest.mark.slow]) for name in list_models()]


@pytest.mark.parametrize("name", _quick_to_measure())
def test_recorded_costs_are_the_measured_ones(name):
    assert recorded_costs()[name] == measured(name).multiply_adds, "run `python docs/generate.py costs`"


def test_every_network_has_a_recorded_cost_and_the_pages_have_the_same():
    assert list(recorded_costs()) == list_models(), "run `python docs/generate.py costs`"
    index = Path(__file__).resolve().parents[2] / "docs" / "networks.md"
    rows = [line.strip("| ").split(" | ") for line in index.read_text(encoding="utf-8").splitlines() if "| [" in line]
    assert {row[0].split("]")[0][1:]: row[4] for row in rows} == {
        name: count(cost) for name, cost in recorded_costs().items()
    }, "run `python docs/generate.py`"
