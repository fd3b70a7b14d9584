"""Which of the networks at hand a run takes: the most accurate on ImageNet, of far images the one that tells most."""

from dataclasses import replace

import pytest

import striate
from striate.classifier import looking, transfer_choice
from striate.classifier.looking import suited
from striate.classifier.request import Request
from striate.classifier.transfer_choice import choose_transfer
from striate.data.targets import MULTI_LABEL
from striate.models.at_hand import weights_at_hand
from striate.training.progress import Quiet
from striate.training.watch import Watch


@pytest.fixture
def photos(paint, tmp_path, two_networks, monkeypatch):
    monkeypatch.setenv("STRIATE_WEIGHTS", str(two_networks))
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    return striate.open_dataset(paint(tmp_path / "photos", names=["blue", "violet"], count=20, seed=4))


@pytest.fixture
def far(monkeypatch):
    """As if the images were so far: far(0.3) -> the names of the networks whose distance was asked for."""

    def put(distance):
        asked = []
        monkeypatch.setattr(looking, "distance_of", lambda network, *rest: asked.append(network.spec.name) or distance)
        return asked

    return put


@pytest.fixture
def margins(monkeypatch):
    """The mean margins of networks' probes: margins(lenet5=0.5, ...) -> the names of those that looked."""

    def put(**by_name):
        real, looked = looking.gather, []

        def gather(network, *given):
            evidence = real(network, *given)
            looked.append(evidence.network)
            probe = evidence.probe
            clear = replace(probe, margins=0 * probe.margins + by_name[evidence.network])
            return replace(
                evidence, probes={"features": clear}, distance=0.3, imagenet={"lenet5": 0.6}.get(evidence.network, 0.7)
            )

        monkeypatch.setattr(looking, "gather", gather)
        return looked

    return put


def of_both(dataset, told):
    """The choice of both networks, ResNet-20 being the more accurate on ImageNet."""
    usable = sorted(weights_at_hand(), key=lambda one: one.network, reverse=True)
    assert [one.network for one in usable] == ["resnet20_cifar", "lenet5"]
    return suited(usable[0], iter(usable[1:]), dataset, 0, told.append)


def test_of_images_that_are_not_far_the_first_is_taken_and_none_looks(photos, far, margins):
    asked, looked, told = far(0.05), margins(lenet5=0.9, resnet20_cifar=0.1), []
    found, why = of_both(photos, told)
    assert (found.network, why, told) == ("resnet20_cifar", (), [])
    assert (asked, looked) == (["resnet20_cifar"], [])


@pytest.mark.parametrize("clearest", ["lenet5", "resnet20_cifar"])
def test_of_far_images_all_look_and_the_clearest_is_taken(photos, far, margins, clearest):
    far(0.3)
    looked, told = margins(**{"lenet5": 0.5, "resnet20_cifar": 0.5, clearest: 0.6}), []
    found, why = of_both(photos, told)
    assert found.network == clearest
    assert looked == ["resnet20_cifar", "lenet5"]
    assert told == ["these images look far from ImageNet's, so 2 networks look at 36 of them"]
    assert why == (f"of 2 networks that looked at these images {clearest} is preferred",)


def test_where_there_is_no_choice_nothing_is_measured(photos, far, margins):
    asked, looked, (first, *others) = far(0.3), margins(lenet5=0.9), weights_at_hand()
    assert suited(first, others, replace(photos, task=MULTI_LABEL), 0, print) == (first, ())
    assert suited(first, others, replace(photos, train=photos.train.subset([0, 1, 2])), 0, print) == (first, ())
    assert asked == []
    assert suited(first, [], photos, 0, print) == (first, ())
    assert looked == []


def test_what_others_cost_is_not_asked_where_they_need_not_look(photos, far):
    far(0.05)
    first, *others = weights_at_hand()
    rest = iter(others)
    suited(first, rest, photos, 0, print)
    assert list(rest) == others


class Told(Quiet):
    def __init__(self):
        self.lines = []

    def message(self, text):
        self.lines.append(text)


@pytest.mark.parametrize(
    ("limit", "model", "lines"),
    [(0, "lenet5", 1), (looking.TAKE, "lenet5", 1), (looking.TAKE - 1, "resnet20_cifar", 0)],
)
def test_a_run_begins_with_it_where_there_is_time_and_says_why(photos, far, margins, monkeypatch, limit, model, lines):
    far(0.3)
    margins(lenet5=0.9, resnet20_cifar=0.1)
    usable = sorted(weights_at_hand(), key=lambda one: one.network, reverse=True)
    monkeypatch.setattr(transfer_choice, "by_accuracy", lambda images: iter(usable))
    progress = Told()
    chosen = choose_transfer(Request(source=photos, transfer="auto"), photos, Watch(progress, limit))
    assert (chosen.asked.model, chosen.asked.weights.name) == (model, f"{model}.safetensors")
    assert len(progress.lines) == lines
    assert ["is preferred" in note for note in chosen.notes] == [True] * lines
