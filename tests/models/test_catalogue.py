"""Every network of the catalogue, by every name, against its card and through the battery."""

import importlib.util
import json
from pathlib import Path

import pytest
import timm
import torch

from striate.errors import UsageError
from striate.models import create_model, get_card, list_models
from striate.models.catalogue import aliases, families, options_of, title_of
from striate.weights.figure import METRICS

_spec = importlib.util.spec_from_file_location("check_model", Path(__file__).with_name("check_model.py"))
assert _spec is not None
assert _spec.loader is not None
battery = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(battery)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Images of 17 pixels gain nothing from threads, and threads that wait for each other lose much."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


#: So many layers that even without weights a pass takes seconds.
DEEPEST = (
    "resnet1001_v2_cifar",
    "densenet201",
    "densenet264",
    "densenet_bc190_k40_cifar",
    "densenet_bc250_k24_cifar",
)


def _smallest() -> set[str]:
    """The network with the fewest parameters of each family: the one that computes in the quick tests."""
    return {min(family.cards, key=lambda card: card.parameters).name for family in families().values()}


def _battery() -> list:
    smallest = _smallest()
    rows = []
    for name in list_models():
        for check in battery.CHECKS:
            slow = name in DEEPEST or (check in battery.ARITHMETIC and name not in smallest)
            marks = [pytest.mark.slow] if slow else []
            rows.append(pytest.param(name, check, id=f"{name}-{check.__name__}", marks=marks))
    return rows


@pytest.mark.parametrize(("name", "check"), _battery())
def test_battery(name, check):
    check(name)


@pytest.mark.parametrize("alias", sorted(aliases()))
def test_every_alias_builds_the_network_it_names(alias):
    assert alias not in list_models()
    card = get_card(alias)
    with torch.device("meta"):
        model = create_model(alias)
    assert model.spec.name == card.name
    assert sum(p.numel() for p in model.parameters()) == card.parameters


def test_no_alias_is_given_twice():
    given = [alias for name in list_models() for alias in get_card(name).aliases]
    assert len(given) == len(set(given))


def test_capitals_and_hyphens_do_not_matter():
    assert get_card("ResNet-50").name == "resnet50"
    assert get_card("MobileNet-V2").name == "mobilenet_v2"


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("vgg16", "vgg16"),
        ("VGG-16", "vgg_16"),
        ("vgg_d", "vgg_d"),
        ("ResNet-50", "resnet50"),
        ("tv_resnet50", "tv_resnet50"),
        ("MobileNetV2", "mobilenet_v2"),
    ],
)
def test_an_alias_that_is_another_word_stays_the_title(asked, title):
    assert title_of(asked) == title
    assert get_card(title) is get_card(asked)


@pytest.mark.parametrize("name", list_models())
def test_card_is_whole_and_goes_into_json(name):
    card = get_card(name)
    assert card.name == name
    assert card.family in families()
    assert card.paper.title
    assert card.paper.authors
    assert 1980 < card.paper.year < 2030
    assert card.introduces.endswith(".")
    assert set(card.options) <= set(options_of(families()[card.family]))
    for figure in card.published:
        assert figure.metric in METRICS
        assert figure.source
        assert set(figure.options) <= set(options_of(families()[card.family]))
        if figure.is_share:
            assert figure.data
            assert figure.input_size
            assert figure.value is None or 0 < figure.value < 1
        else:
            assert figure.value > 0
            assert figure.number == figure.printed
    assert json.loads(json.dumps(card.to_dict()))["parameters"] == card.parameters
    for source in card.weights:
        assert source.licence
        assert len(source.sha256) >= 8
        assert len(source.mean) == len(source.std) == card.in_channels
        assert source.url, "a name stands for a file that anybody can get"
        assert source.interpolation in ("bilinear", "bicubic")
        assert all(figure.metric == "top1" and 0 < figure.value < 1 for figure in source.accuracy)


def test_unknown_network_offers_the_nearest():
    with pytest.raises(UsageError, match="'resnet50'"):
        create_model("resnet5")


def test_unknown_option_offers_the_nearest():
    with pytest.raises(UsageError, match=r"unknown option of resnet50 'strid_in'.*stride_in"):
        create_model("resnet50", strid_in="3x3")


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_classes": 0},
        {"num_classes": 2.5},
        {"in_channels": -1},
        {"input_size": 0},
        {"input_size": (32, 32, 3)},
        {"input_size": "32"},
        {"shortcut": "D"},
        {"stem": "tiny"},
        {"activation": "rleu"},
        {"stride_in": "5x5"},
        {"weights": "imagnet"},
    ],
)
def test_impossible_arguments_are_usage_errors(arguments):
    with pytest.raises(UsageError):
        create_model("resnet50", **arguments)


def test_list_models_takes_a_pattern():
    assert list_models("resnet??_cifar") == [f"resnet{n}_cifar" for n in (20, 32, 44, 56)]
    assert list_models("nothing*") == []


@pytest.mark.parametrize("name", list_models("mobilenet_v2*"))
def test_counts_of_scaled_mobilenets_are_timms(name):
    spelled = next(alias for alias in get_card(name).aliases if alias.startswith("mobilenetv2_"))
    with torch.device("meta"):
        peer = timm.create_model(spelled)
    assert sum(p.numel() for p in peer.parameters()) == get_card(name).parameters
