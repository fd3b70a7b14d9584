"""Families of others in the catalogue: by a call, by an entry point, and what is refused."""

import warnings
from importlib import metadata
from types import SimpleNamespace

import pytest
from torch import nn

import striate
from striate.errors import UsageError
from striate.models import Card, ConvNet, Family, Paper, catalogue
from striate.models.catalogue import cards, families, get_card, list_models, register


def build(name: str, *, num_classes: int, in_channels: int, input_size=None, width: int = 4) -> ConvNet:
    stages = {"one": nn.Sequential(nn.Conv2d(width, width, 3), nn.ReLU())}
    head = {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "classifier": nn.Linear(width, num_classes)}
    return ConvNet(nn.Conv2d(in_channels, width, 3), stages, head, in_channels=in_channels, min_size=5)


def family(name: str = "mine", *names: str, **fields) -> Family:
    paper = Paper("A net", "Me", 2026)
    made = [
        Card(each, fields.pop("of", name), paper, "Nothing new.", 32, 3106, min_size=5, **fields)
        for each in names or ("mynet",)
    ]
    return Family(name, build, tuple(made))


@pytest.fixture(autouse=True)
def as_before():
    """The catalogue afterwards is that of before."""
    yield
    catalogue._registered.clear()
    for cached in (families, cards, catalogue.aliases):
        cached.cache_clear()


def test_a_registered_network_is_like_any_other(colours, tmp_path):
    mine = family(aliases=("my_net",))
    assert striate.register(mine) is mine
    assert list_models("mynet") == ["mynet"]
    assert get_card("My-Net").name == "mynet"
    network = striate.create_model("mynet", num_classes=3, width=6)
    assert (network.num_classes, network.num_features) == (3, 6)
    run = tmp_path / "run"
    trained = striate.train(colours, model="mynet", run=run, epochs=1, workers=0, quiet=True, report=True)
    assert (striate.load(run).predict_proba(colours) == trained.predict_proba(colours)).all()
    assert "Nothing new." in (run / "report.html").read_text()
    assert register(family()).cards[0].aliases == ()  # a family may be written anew, as in a notebook


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: family("resnet"), "the family 'resnet' is in the catalogue already"),
        (lambda: family("mine", "resnet18"), "the name 'resnet18' of the family 'mine' is taken"),
        (lambda: family("mine", "vgg16"), "the name 'vgg16' of the family 'mine' is taken"),
        (lambda: family("mine", "same", "same"), "the name 'same' of the family 'mine' is taken"),
        (lambda: family("mine", "My-Net"), "the name 'My-Net' of the family 'mine' is written with small letters"),
        (lambda: family("mine", of="yours"), "the card of mynet is of the family 'yours', not 'mine'"),
        (lambda: Family("mine", build, ()), "is no family"),
        (lambda: "mine", "'mine' is no family: give a striate.models.Family with its cards"),
    ],
)
def test_what_cannot_be_added_is_told(made, said):
    before = list_models()
    with pytest.raises(UsageError, match=said):
        register(made())
    assert list_models() == before


def test_entry_points_bring_families_and_broken_ones_only_a_warning(monkeypatch):
    def fail():
        raise ImportError("no such module")

    points = [
        SimpleNamespace(value="theirs:FAMILY", load=lambda: family("theirs", "theirnet")),
        SimpleNamespace(value="broken:FAMILY", load=fail),
        SimpleNamespace(value="copy:FAMILY", load=lambda: family("copy", "resnet18")),
    ]
    asked = []
    monkeypatch.setattr(metadata, "entry_points", lambda *, group: asked.append(group) or points)
    families.cache_clear()
    cards.cache_clear()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert list_models("theirnet") == ["theirnet"]
    assert asked == ["striate.families"]
    assert [str(each.message) for each in told] == [
        "the families of 'broken:FAMILY' are left out: no such module",
        "the families of 'copy:FAMILY' are left out: the name 'resnet18' of the family 'copy' is taken",
    ]
