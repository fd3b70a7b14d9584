"""Advice: networks whose weights are at hand look at the images, and a regime is chosen."""

import math
import shlex
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import striate
from striate.classifier import advising, looking
from striate.errors import UsageError
from striate.transfer import evidence
from striate.transfer.decision import decide
from striate.transfer.probing import Probe


@pytest.fixture
def photos(paint, tmp_path, two_networks, monkeypatch):
    monkeypatch.setenv("STRIATE_WEIGHTS", str(two_networks))
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    return paint(tmp_path / "photos", names=["blue", "violet", "grey"], count=20, seed=4)


def test_every_network_at_hand_looks_at_the_images(photos, two_networks):
    found = striate.advise(photos)
    assert {one.network for one in found.evidence} == {"resnet20_cifar", "lenet5"}
    forecasts = [one.forecast.accuracy for one in found.evidence]
    assert forecasts == sorted(forecasts, reverse=True)
    assert (found.images, found.classes, found.counts.tolist(), found.side) == (
        54, ("blue", "grey", "violet"), [18, 18, 18], 16,
    )  # fmt: skip
    assert all(one.images == 54 and math.isnan(one.imagenet) for one in found.evidence)
    assert found.decision == decide(54, 3, found.best.distance, found.best.side, found.best.forecast.accuracy)
    assert [plan.regime for plan in found.plans] == ["features", "head", "top", "full"]
    assert found.plans[0].accuracy == found.best.forecast.accuracy
    assert all(plan.seconds > found.plans[0].seconds for plan in found.plans[1:])
    assert found.weights == str(two_networks / f"{found.best.network}.safetensors")
    assert found.command == f"striate train {photos} --weights {found.weights} --transfer {found.decision.regime}"


def test_only_those_that_are_named_look(photos):
    (one,) = striate.advise(photos, ["lenet5"]).evidence
    assert one.network == "lenet5"
    with pytest.raises(UsageError, match="vgg16"):
        striate.advise(photos, ["vgg16"])


def test_of_many_images_a_share_of_each_class_is_looked_at(photos, monkeypatch):
    monkeypatch.setattr(evidence, "MOST_IMAGES", 30)
    found = striate.advise(photos, ["lenet5"], seed=1)
    assert (found.best.images, found.best.forecast.images) == (30, 54)
    dataset = striate.open_dataset(photos)
    rows = advising._rows(dataset, 1)
    assert len(set(rows.tolist())) == 30
    assert np.bincount(dataset.train.labels[rows]).min() >= 5


def test_in_plain_values_it_says_all(photos):
    found = striate.advise(photos, ["lenet5"])
    plain = found.to_dict()
    assert plain["networks"][0]["accuracy"] == found.best.probe.accuracy
    assert plain["networks"][0]["distance"] is None
    assert plain["networks"][0]["forecast"]["images"] == 54
    assert plain["choice"]["regime"] == found.decision.regime
    assert list(plain["networks"][0]["stages"])[-1] == "features"
    assert "lenet5" in repr(found)
    assert "<table>" in found._repr_html_()


def test_what_no_advice_can_be_given_on_is_refused(paint, tmp_path, photos, monkeypatch):
    few = paint(tmp_path / "few", names=["blue", "violet"], count=3)
    with pytest.raises(UsageError, match="it takes 8 images of two classes"):
        striate.advise(few)
    monkeypatch.setenv("STRIATE_WEIGHTS", str(tmp_path / "few"))
    with pytest.raises(UsageError, match="no pretrained weights are on this machine"):
        striate.advise(photos)
    table = tmp_path / "values.csv"
    lines = [f"{path},{number}.5" for number, path in enumerate(sorted(photos.rglob("*.png")))]
    table.write_text("\n".join(["image,label", *lines]), encoding="utf-8")
    with pytest.raises(UsageError, match="one class each"):
        striate.advise(striate.open_dataset(table, task="regression"))


def test_the_five_most_accurate_of_imagenet_look_at_photographs(paint, tmp_path, shared_weights, monkeypatch):
    monkeypatch.setenv("STRIATE_WEIGHTS", str(shared_weights))
    dataset = striate.open_dataset(paint(tmp_path / "large", count=4, side=80))
    assert [at_hand.network for at_hand in advising._networks(dataset, [])] == [
        "efficientnet_lite2", "efficientnet_lite0", "mobilenet_v2", "mobilenet_v1", "mobilenet_v1_0.75",
    ]  # fmt: skip
    small = striate.open_dataset(paint(tmp_path / "small", count=4, side=32))
    assert [at_hand.network for at_hand in advising._networks(small, [])][-2:] == ["resnet20_cifar", "resnet32_cifar"]


def test_its_command_can_be_copied_whatever_the_place_is_called(photos):
    spaced = photos.rename(photos.with_name("my photos"))
    found = striate.advise(spaced, ["lenet5"])
    assert shlex.split(found.command)[2] == str(spaced)


@pytest.mark.parametrize(("chosen", "overruled"), [("resnet20_cifar", "lenet5"), ("lenet5", "")])
def test_the_network_that_is_most_accurate_on_imagenet_may_be_overruled(photos, monkeypatch, chosen, overruled):
    monkeypatch.setattr(looking, "accuracy_of", {"lenet5": 0.8, "resnet20_cifar": 0.7}.get)
    monkeypatch.setattr(
        advising, "preferred", lambda found, classes: next(one for one in found if one.network == chosen)
    )
    found = striate.advise(photos)
    assert (found.best.network, found.overruled) == (chosen, overruled)
    assert found.to_dict()["overruled"] == overruled


@pytest.mark.parametrize(("gained", "lost", "earlier"), [(12, 2, "stage2"), (12, 6, ""), (0, 0, "")])
def test_an_earlier_stage_is_named_where_it_tells_plainly_more(photos, gained, lost, earlier):
    found = striate.advise(photos, ["resnet20_cifar"])

    def probe_of(right):
        return Probe(right, right, np.zeros(len(right)))

    last, stage = np.arange(54) < 30, np.arange(54) < 30
    stage[30 : 30 + gained], stage[:lost] = True, False
    probes = {"stage1": probe_of(last), "stage2": probe_of(stage), "features": probe_of(last)}
    found = replace(found, evidence=(replace(found.best, probes=probes),))
    assert found.earlier == found.to_dict()["earlier"] == earlier


def test_the_preferred_network_comes_first_and_the_others_by_forecast(monkeypatch):
    found = [SimpleNamespace(forecast=SimpleNamespace(accuracy=value)) for value in (0.7, 0.9, 0.6, 0.8)]
    monkeypatch.setattr(advising, "preferred", lambda evidence, classes: evidence[2])
    assert advising._in_order(found, 10) == [2, 1, 3, 0]
