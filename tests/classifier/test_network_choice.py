"""Which network is taken where none is named: the most accurate on ImageNet of those at hand."""

from types import SimpleNamespace

import pytest

from striate.classifier import network_choice
from striate.classifier.network_choice import by_accuracy, usual_network
from striate.weights.places import VARIABLE


@pytest.fixture
def here(monkeypatch):
    """What is at hand: pairs of a network and of the classes that its weights know."""

    def put(*found):
        at_hand = [
            SimpleNamespace(network=name, source=SimpleNamespace(num_classes=classes), path=place)
            for place, (name, classes) in enumerate(found)
        ]
        monkeypatch.setattr(network_choice, "weights_at_hand", lambda: at_hand)
        monkeypatch.setattr(network_choice, "work_of", lambda one: {"efficientnet_lite2": 9e8}.get(one.network, 3e8))

    return put


def test_the_most_accurate_on_imagenet_is_the_first(here):
    here(("mobilenet_v1", 1000), ("efficientnet_lite2", 1000), ("resnet20_cifar", 10), ("efficientnet_lite0", 1000))
    assert [one.network for one in by_accuracy(1)] == ["efficientnet_lite2", "efficientnet_lite0", "mobilenet_v1"]
    assert usual_network() == ("efficientnet_lite2", 1)


def test_one_whose_accuracy_nobody_published_is_the_last(here):
    here(("resnet50_v2", 1000), ("mobilenet_v1", 1000), ("resnet101_v2", 1000), ("efficientnet_lite0", 1000))
    ranked = [one.network for one in by_accuracy(1)]
    assert ranked[:2] == ["efficientnet_lite0", "mobilenet_v1"]
    assert set(ranked[2:]) == {"resnet50_v2", "resnet101_v2"}


def test_of_many_images_only_quick_ones_take_features(here):
    here(("mobilenet_v1", 1000), ("efficientnet_lite2", 1000), ("efficientnet_lite0", 1000))
    assert [one.network for one in by_accuracy(10_000)] == ["efficientnet_lite0", "mobilenet_v1"]
    here(("efficientnet_lite2", 1000), ("mobilenet_v1", 1000))
    assert [one.network for one in by_accuracy(10**9)] == ["mobilenet_v1"]
    here()
    assert list(by_accuracy(1)) == []


def test_of_two_files_of_a_network_the_first_is_taken(here):
    here(("mobilenet_v1", 1000), ("mobilenet_v1", 1000))
    assert [one.path for one in by_accuracy(1)] == [0]


def test_real_networks_cost_what_they_do(shared_weights, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(shared_weights))
    assert len(list(by_accuracy(1))) == 7  # those of CIFAR-10 are not among them
    assert next(by_accuracy(10_000)).network == "efficientnet_lite0"
    assert [at_hand.network for at_hand in by_accuracy(10**9)] == ["mobilenet_v1_0.25"]
