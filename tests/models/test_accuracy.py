"""Which accuracy belongs to which network: one source for `compare`, `recommend` and the cards, for all networks."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from striate.analysis import summary
from striate.models import create_model, get_card, list_models
from striate.models import recommendation as recommending
from striate.models.accuracy import Accuracy, accuracies, accuracy_of, form_of, has_form, measured_as
from striate.models.budget import Cost
from striate.models.card_text import facts
from striate.models.comparison import as_entry, published
from striate.models.recommendation import recommend
from striate.weights import CIFAR10, IMAGENET, ONE_CROP, Figure, WeightSource

pytestmark = pytest.mark.sampled


@pytest.fixture
def free(monkeypatch):
    """Networks that cost nothing, so that all of them fit; what they cost is looked at elsewhere."""
    monkeypatch.setattr(recommending, "cost_of", lambda name, size: Cost(0, 0, 0))


def shown(name: str) -> float | None:
    """What `compare` shows of a network on its card's size of image; the summary is of no layers."""
    card = get_card(name)
    nothing = summary(nn.Sequential(), (card.in_channels, card.input_size, card.input_size))
    return as_entry(card, nothing, name).accuracy


def test_recommend_and_compare_say_the_same_of_every_network(free):
    named = {one.name: one for one in recommend(10**7, 2000, count=200)}
    assert set(named) == set(published())
    for name in list_models():
        assert shown(name) == (named[name].accuracy if name in named else None), name
    for name, one in named.items():
        assert one.input_size == get_card(name).input_size
        assert one.source == accuracy_of(get_card(name)).source


def test_small_pictures_are_ranked_by_cifar_and_by_nothing_else(free):
    named = {one.name: one.accuracy for one in recommend(10**7, 32, count=200)}
    assert len(named) > 15
    for name in list_models():
        found = accuracy_of(get_card(name), CIFAR10)
        assert named.get(name) == (found.value if found else None), name


def test_all_are_of_imagenet_and_plausible():
    found = {name: accuracy_of(get_card(name)) for name in published()}
    assert len(found) > 60
    assert all(0.4 < accuracy.value < 0.9 for accuracy in found.values())
    assert all(accuracy.figure.data == IMAGENET for accuracy in found.values())
    assert all(accuracy.figure.crop == ONE_CROP for accuracy in found.values())
    assert all(get_card(name).num_classes == 1000 for name in found)


@pytest.mark.parametrize("name", [name for name in list_models() if get_card(name).weights and not get_card(name).base])
def test_weights_speak_for_the_form_that_they_build_alone(name):
    """Built once as on its card and once with all that the weights bring; what changes nothing at that size apart."""
    card = get_card(name)
    found = accuracy_of(card)
    with torch.device("meta"):
        own = create_model(name).spec.arguments
    for source in card.weights:
        needed = {key: value for key, value in form_of(source, card.family).items() if key in own and key != "stem"}
        same = all(own[key] == value for key, value in needed.items())
        if found is not None and found.weights is source:
            assert same
            assert found.figure.input_size == card.input_size == source.input_size
        elif found is not None and same and source.input_size == card.input_size:
            assert all(found.value >= figure.value for figure in source.accuracy if figure.crop == ONE_CROP)


def test_forms_that_differ_are_named():
    assert {name: measured_as(get_card(name)) for name in list_models() if measured_as(get_card(name))} == {
        "resnet50": "resnet50_v1_5",
        "resnet101": "resnet101_v1_5",
        "resnet152": "resnet152_v1_5",
        "googlenet": "googlenet_torchvision",
    }


@pytest.mark.parametrize(
    ("name", "value", "source"),
    [
        ("vgg_d", 0.71592, "weights 'imagenet' of torchvision"),  # the paper's is of whole images of 256 pixels
        ("resnet18", 0.69758, "weights 'imagenet' of torchvision"),  # the paper's is of ten crops
        ("mobilenet_v1", 0.706, "paper"),
        ("densenet161", 0.77138, "weights 'imagenet' of torchvision"),  # the paper's own training reached 77.67 %
        ("efficientnet_b2", 0.801, "paper"),  # its weights were measured at 288 pixels, not 260
        ("inception_v3", 0.788, "paper"),  # its weights average with the padding counted
        ("resnet50_v2_keras", 0.76, "Keras Applications"),
    ],
)
def test_the_figure_is_the_one_for_this_form_size_and_crop(name, value, source):
    found = accuracy_of(get_card(name))
    assert (found.value, found.source) == (pytest.approx(value), source)


@pytest.mark.parametrize("name", ["alexnet", "resnet50", "googlenet", "resnet152_v2", "vit_l_16", "zfnet", "lenet5"])
def test_no_figure_of_another_form_size_or_crop_is_taken(name):
    assert accuracy_of(get_card(name)) is None


def test_the_usual_errors_of_resnets_are_torchvisions():
    """7.13 % and its kin are printed beside the paper's form; they are one crop of the form with the stride in 3x3."""
    figures = {(f.metric, f.crop): f for f in get_card("resnet50").published}
    usual = figures["top5", ONE_CROP]
    assert (usual.source, usual.options, usual.number) == ("torchvision", {"stride_in": "3x3"}, "7.13")
    assert figures["top1", "10 crops"].number == "22.85"


@pytest.mark.parametrize("name", list_models())
def test_every_figure_stands_on_the_card_with_what_it_holds_for(name):
    card = get_card(name)
    said = "\n".join(sentence for _, sentence in facts(card))
    for figure in (*card.published, *(figure for source in card.weights for figure in source.accuracy)):
        if figure.is_share:
            assert f"{figure.number} ({figure.data}" in said
            assert f"{figure.input_size} px" in said
            assert all(f"{key}={value!r}" in said for key, value in figure.options.items())


def test_a_network_for_small_images_has_not_the_form_of_its_large_stem():
    card = get_card("resnet18")
    assert [has_form(card, {"stem": "paper"}, size) for size in (64, 65)] == [False, True]
    assert [has_form(card, {"stem": "small"}, size) for size in (64, 65)] == [True, False]
    assert has_form(card, {"stride_in": "3x3", "no_option_of_its": 1}, 224)
    assert not has_form(card, {"shortcut": "C"}, 224)


def figure(metric, value, **holds_for):
    return Figure(metric, value, **{"data": IMAGENET, "input_size": 224, "crop": ONE_CROP, **holds_for})


def test_every_figure_of_one_crop_comes_with_the_form_it_holds_for():
    """Those of the weights first: their form is their publisher's, and what the record adds or says otherwise."""
    by_weights = (figure("top1", 0.7), figure("top5", 0.9), figure("top1", 0.75, crop="10 crops"))
    source = WeightSource(
        "own", "f", accuracy=by_weights, style="torchvision", options={"norm_eps": 1e-3, "stride_in": "1x1"}
    )
    printed = (
        figure("top1", 0.6, options={"shortcut": "C"}),
        figure("top1", None),
        figure("top1", 0.8, crop="10 crops"),
        figure("top1", 0.95, data=CIFAR10, input_size=32),
        figure("top5", 0.85),
        figure("parameters", 7.0),
    )
    card = replace(get_card("resnet50"), weights=(source,), published=printed)
    form = {"stride_in": "1x1", "stem": "paper", "norm_eps": 1e-3}
    assert form_of(source, "resnet") == form
    assert form_of(source, "lenet") == {"norm_eps": 1e-3, "stride_in": "1x1"}  # no tables
    assert list(accuracies(card)) == [
        (Accuracy(by_weights[0], source), form),
        (Accuracy(printed[0]), {"shortcut": "C"}),
    ]
    assert list(accuracies(card, metric="top5")) == [
        (Accuracy(by_weights[1], source), form),
        (Accuracy(printed[4]), {}),
    ]
    assert list(accuracies(card, CIFAR10)) == [(Accuracy(printed[3]), {})]
    one, other = Accuracy(figure("top1", 0.7, source="somebody"), source), Accuracy(figure("top1", 0.6))
    assert (one.value, one.source, other.value, other.source) == (0.7, "weights 'own' of somebody", 0.6, "paper")


def test_of_several_figures_the_best_counts_and_those_of_weights_before_all():
    card = replace(get_card("resnet18"), weights=(), published=(figure("top1", 0.6), figure("top1", 0.7)))
    assert accuracy_of(card) == Accuracy(figure("top1", 0.7))
    assert accuracy_of(card, size=128) is None
    weak, strong = (WeightSource(f"{v}", "f", accuracy=(figure("top1", v),)) for v in (0.4, 0.5))
    for weights in ((weak, strong), (strong, weak)):
        assert accuracy_of(replace(card, weights=weights)).weights is strong
    elsewhere = replace(card, published=(figure("top1", 0.9, input_size=160), figure("top1", 0.2)))
    assert accuracy_of(elsewhere).value == 0.2
    assert accuracy_of(elsewhere, size=160).value == 0.9


def test_any_of_the_files_may_tell_which_network_was_measured():
    card = get_card("resnet50")
    first, second = card.weights[:2]
    alone = replace(first, file="nobody_elses.pth")
    assert measured_as(replace(card, weights=(alone, second))) == "resnet50_v1_5"
    assert measured_as(replace(card, weights=(second, alone))) == "resnet50_v1_5"
    assert measured_as(replace(card, weights=(alone,))) is None
    fitting = replace(alone, options={"stride_in": "1x1"})
    assert measured_as(replace(card, weights=(second, fitting))) is None
    assert measured_as(replace(card, weights=())) is None
