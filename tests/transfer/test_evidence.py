"""What a network tells of images before anything is trained."""

import itertools
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import striate
from striate.analysis import summary
from striate.data import open_dataset
from striate.models import create_model
from striate.transfer import evidence, pace
from striate.transfer.evidence import distance_of, gather
from striate.transfer.pace import pace_of
from striate.transfer.probing import probe
from striate.transfer.similarity import distance

STAGES = ("stage1", "stage2", "stage3")


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def classifier(trained):
    return striate.load(trained)


@pytest.fixture
def split(colours):
    return open_dataset(colours, val_fraction=0).train


def test_it_is_of_the_rows_that_are_looked_at(classifier, split):
    look, rows = classifier.description.preprocessing, np.arange(0, 30, 2)
    split = replace(split, labels=np.random.default_rng(0).permutation(split.labels))  # so that many are told wrong
    shown = []
    found = gather(classifier.model, look, split, rows, 0.7, lambda done, total: shown.append((done, total)))
    some = split.subset(rows)
    vectors = classifier.embed([some.images.read(row) for row in range(15)])
    expected = probe(vectors, some.labels)
    assert (found.images, found.imagenet, found.network) == (15, 0.7, "lenet5")
    assert (found.probe.right == expected.right).all()
    assert (found.probe.nearest == expected.nearest).all()
    assert list(found.probes)[-1] == "features"
    assert len(found.probes) > 1
    assert found.forecast.images == 30
    assert shown[-1] == (15, 15)
    assert found.seconds > 0
    assert math.isnan(found.distance)  # LeNet has no batch norm


def test_a_distance_is_of_so_many_images_from_the_first_to_the_last(colours, monkeypatch):
    network, look = create_model("resnet20_cifar").eval(), striate.Preprocessing((32, 32), 3, (0.5,) * 3, (0.5,) * 3)
    monkeypatch.setattr(evidence, "distance", lambda network, images: images)
    split = open_dataset(colours, val_fraction=0).train
    few = distance_of(network, look, split, 3)
    every = torch.cat([distance_of(network, look, split.subset([row])) for row in (0, 14, 29)])
    assert torch.equal(few, every)
    assert len(distance_of(network, look, split)) == evidence.COMPARED


def test_what_is_kept_already_takes_no_time(classifier, split):
    look = classifier.description.preprocessing
    gather(classifier.model, look, split, np.arange(30))
    assert gather(classifier.model, look, split, np.arange(30)).seconds == 0


def test_the_time_is_of_all_that_is_not_kept(classifier, split, monkeypatch):
    look, seconds = classifier.description.preprocessing, itertools.count()
    gather(classifier.model, look, split, np.arange(10))
    monkeypatch.setattr(evidence, "time", SimpleNamespace(perf_counter=lambda: float(next(seconds))))
    # ten of these twenty take a second together, and of all thirty twenty are not kept
    assert gather(classifier.model, look, split, np.arange(20)).seconds == pytest.approx(2)


def test_of_parts_that_tell_as_much_the_last_is_the_best(classifier, split):
    found = gather(classifier.model, classifier.description.preprocessing, split, np.arange(30))
    best = max(found.probes.values(), key=lambda one: one.accuracy).accuracy
    last = [name for name, one in found.probes.items() if one.accuracy == best][-1]
    assert found.best_stage == last


def test_the_distance_is_of_images_as_the_network_sees_them(split):
    torch.manual_seed(0)
    network = create_model("resnet20_cifar", num_classes=3).eval()
    look = striate.Preprocessing((32, 32), 3, (0.4, 0.5, 0.6), (0.2, 0.2, 0.3))
    rows = np.linspace(0, 29, 24).astype(int)
    pictures = np.stack([look(split.images.read(int(row))) for row in rows])
    expected = distance(network, look.normalise(torch.from_numpy(pictures).permute(0, 3, 1, 2)))
    assert distance_of(network, look, split) == pytest.approx(expected, rel=1e-6)
    assert expected > 0


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_pace_leaves_the_network_alone(precision):
    network = create_model("resnet20_cifar", num_classes=3).eval()
    look = striate.Preprocessing((32, 32), 3, (0.5,) * 3, (0.5,) * 3)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    rows = summary(network, (3, 32, 32)).rows
    found = pace_of(network, look, rows, precision)
    paces = found.trained
    # the head alone needs the forward pass, of which two thirds of the cost of training are spared
    assert paces["head"] == pytest.approx(paces["full"] / 3, rel=0.01)
    assert found.validated == pytest.approx(paces["full"] / 3)
    assert found.of("full", 5, 200, 60) == pytest.approx(5 * (200 * paces["full"] + 60 * paces["full"] / 3))
    # stage 3 holds three quarters of the parameters before the head, and a third of the work
    work = {
        stage: sum(row.multiply_adds for row in rows if row.name.startswith(f"stages.{stage}.")) for stage in STAGES
    }
    share = work["stage3"] / sum(row.multiply_adds for row in rows)
    assert paces["top"] == pytest.approx(paces["full"] * (1 + 2 * share) / 3, rel=0.01)
    assert not network.frozen
    assert not network.training
    assert all(weight.grad is None for weight in network.parameters())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_pace_is_of_the_precision_of_training(monkeypatch):
    network = create_model("resnet20_cifar", num_classes=3).eval()
    look = striate.Preprocessing((32, 32), 3, (0.5,) * 3, (0.5,) * 3)
    seen = []
    monkeypatch.setattr(pace, "cross_entropy", lambda found, labels: (seen.append(found.dtype), found.sum())[1])
    for precision in ("32-true", "bf16-mixed"):
        pace.pace_of(network, look, summary(network, (3, 32, 32)).rows, precision)
    assert {torch.float32, torch.bfloat16} == set(seen)
    assert seen[0] is torch.float32
