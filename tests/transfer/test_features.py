"""Features against the network itself, and what is kept of them."""

import dataclasses

import numpy as np
import pytest
import torch

import striate
from striate.data import open_dataset
from striate.data.views import VIEWS
from striate.errors import StriateError
from striate.models.embedding import Embedding, Probes
from striate.models.obtain import adapt
from striate.transfer import cache as caching
from striate.transfer.cache import FeatureCache
from striate.transfer.features import Extractor


@pytest.fixture
def classifier(trained):
    return striate.load(trained)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "features"


@pytest.fixture
def split(colours):
    return open_dataset(colours, val_fraction=0).train


def extractor(classifier, **options):
    return Extractor(classifier.model, classifier.description.preprocessing, **options)


def live(classifier, split, view=VIEWS["centre"][0]):
    look = classifier.description.preprocessing
    pictures = np.stack([view.cut(split.images.read(row), look) for row in range(len(split))])
    with torch.no_grad():
        x = look.normalise(torch.from_numpy(pictures).permute(0, 3, 1, 2))
        maps = classifier.model.feature_maps(x)
        return classifier.model.embed(x).numpy(), {name: each.mean((2, 3)).numpy() for name, each in maps.items()}


def test_they_are_what_the_network_gives(classifier, split):
    taken = extractor(classifier)
    found = taken.take(split)
    vectors, maps = live(classifier, split)
    assert (len(found), taken.reckoned) == (30, 30)
    assert found.values.dtype == np.float32
    np.testing.assert_allclose(found.of(), vectors, atol=1e-5)
    assert found.stages == tuple(maps)
    for name in found.stages:
        np.testing.assert_allclose(found.of(name), maps[name], atol=1e-5)


def test_they_are_reckoned_once(classifier, split):
    first = extractor(classifier).take(split)
    again = extractor(classifier)
    np.testing.assert_array_equal(again.take(split).values, first.values)
    assert (again.reckoned, again.chosen) == (0, None)
    without = extractor(classifier, cache=False)
    np.testing.assert_allclose(without.take(split).values, first.values, atol=1e-5)
    assert without.reckoned == 30


def test_only_new_pictures_are_reckoned_wherever_they_lie(classifier, split, paint, tmp_path):
    extractor(classifier).take(split.subset(np.arange(20)))
    rest = extractor(classifier)
    found = rest.take(split)
    assert rest.reckoned == 10
    np.testing.assert_allclose(found.of(), live(classifier, split)[0], atol=1e-5)
    moved = extractor(classifier)
    turned = np.arange(29, -1, -1)
    np.testing.assert_array_equal(moved.take(split.subset(turned)).values, found.values[turned])
    assert moved.reckoned == 0
    others = open_dataset(paint(tmp_path / "others", seed=5), val_fraction=0).train
    other = extractor(classifier)
    other.take(others)
    assert other.reckoned == 30


@pytest.mark.parametrize("change", ["weights", "mean", "size", "view"])
def test_whatever_changes_is_reckoned_anew(classifier, split, change):
    before = extractor(classifier).take(split)
    look, view = classifier.description.preprocessing, VIEWS["centre"][0]
    if change == "weights":
        with torch.no_grad():
            next(classifier.model.parameters()).mul_(1.5)
    elif change == "view":
        view = VIEWS["flip"][1]
    else:
        changed = {"mean": (0.1,) * 3} if change == "mean" else {"resize": "crop", "crop_fraction": 0.5}
        look = dataclasses.replace(look, **changed)
    classifier.description = dataclasses.replace(classifier.description, preprocessing=look)
    taken = extractor(classifier)
    found = taken.take(split, view)
    assert taken.reckoned == 30
    np.testing.assert_allclose(found.of(), live(classifier, split, view)[0], atol=1e-5)
    assert np.abs(found.values - before.values).max() > 1e-4


@pytest.mark.parametrize("damage", ["cut off", "flipped", "empty", "text"])
def test_a_damaged_file_is_reckoned_anew(classifier, split, cache, damage):
    expected = extractor(classifier).take(split)
    (file,) = cache.rglob("*.safetensors")
    content = bytearray(file.read_bytes())
    content[-5] ^= 255
    spoilt = {"cut off": content[: len(content) // 2], "flipped": content, "empty": b"", "text": b"features"}
    file.write_bytes(spoilt[damage])
    taken = extractor(classifier)
    np.testing.assert_allclose(taken.take(split).values, expected.values, atol=1e-6)
    assert taken.reckoned == 30
    again = extractor(classifier)
    again.take(split)
    assert again.reckoned == 0
    assert len(list(cache.rglob("*.safetensors"))) == 1


def test_two_runs_share_the_folder(classifier, split):
    first, second = extractor(classifier), extractor(classifier)
    half = np.arange(15)
    first.take(split.subset(half))
    second.take(split.subset(half + 10))
    third = extractor(classifier)
    np.testing.assert_allclose(third.take(split).of(), live(classifier, split)[0], atol=1e-5)
    assert (second.reckoned, third.reckoned) == (10, 5)


def test_where_nothing_can_be_kept_they_are_reckoned_all_the_same(classifier, split, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "file"))
    taken = extractor(classifier)
    taken.take(split)
    taken.take(split)
    assert taken.reckoned == 60


def test_networks_not_used_for_the_longest_time_go_first(cache, monkeypatch):
    monkeypatch.setattr(caching, "MOST", 5_000)
    values = np.ones((2, 200), np.float32)
    for name in "abc":
        FeatureCache(name * 32, 200).add([b"1" * 32, b"2" * 32], values)
    kept = {folder.name[0] for folder in cache.iterdir()}
    assert "c" in kept
    assert "a" not in kept


def test_pictures_without_a_digest_are_known_by_their_pixels(classifier, split):
    bare = dataclasses.replace(split, facts=None)
    extractor(classifier).take(bare)
    again = extractor(classifier)
    again.take(bare)
    assert again.reckoned == 0


def test_progress_counts_what_goes_through_the_network(classifier, split):
    told = []
    extractor(classifier).take(split, shown=lambda done, total: told.append((done, total)))
    assert told[-1] == (30, 30)
    extractor(classifier).take(split, shown=lambda done, total: told.append("again"))
    assert "again" not in told


def test_networks_of_others_have_features_too():
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 3, stride=2), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    )
    network = adapt(torch.nn.Sequential(module, torch.nn.Linear(6, 3)), {"input_size": (16, 16), "in_channels": 3})
    x = torch.randn(4, 3, 16, 16)
    with torch.no_grad():
        probes, columns = Probes(network).eval(), Probes(network).eval().columns((16, 16))
        torch.testing.assert_close(probes(x)[:, columns["features"]], module(x))
        torch.testing.assert_close(Embedding(network)(x), module(x))
    assert not network.last_layer._forward_pre_hooks


def test_what_was_done_before_it_was_stopped_is_kept(classifier, split, monkeypatch, cache):
    monkeypatch.setattr("striate.transfer.features.KEPT_AT_ONCE", 8)
    monkeypatch.setattr("striate.transfer.features.images_at_once", lambda *given, **options: 4)

    def stopped(done, total):
        assert total == 30
        if done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extractor(classifier).take(split, shown=stopped)
    assert len(list(cache.rglob("*.safetensors"))) == 3  # of 8, 8 and 4 pictures
    rest = extractor(classifier)
    np.testing.assert_allclose(rest.take(split).of(), live(classifier, split)[0], atol=1e-5)
    assert rest.reckoned == 10


def test_a_damaged_picture_takes_nothing_with_it(classifier, split, monkeypatch):
    monkeypatch.setattr("striate.transfer.features.images_at_once", lambda *given, **options: 4)
    read = type(split.images).read

    def damaged(images, row, *more):
        if row == 13:
            raise StriateError("13.png: truncated")
        return read(images, row, *more)

    with monkeypatch.context() as patched:
        patched.setattr(type(split.images), "read", damaged)
        with pytest.raises(StriateError, match=r"13\.png"):
            extractor(classifier).take(split)
    rest = extractor(classifier)
    rest.take(split)
    assert rest.reckoned == 18


def test_other_classes_and_another_head_cost_nothing(classifier, split):
    first = extractor(classifier).take(split)
    classifier.model.reset_head(7)
    again = extractor(classifier)
    np.testing.assert_array_equal(again.take(split).values, first.values)
    assert again.reckoned == 0


def test_why_they_are_not_kept_is_told(classifier, split, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "file"))
    taken = extractor(classifier)
    taken.take(split)
    assert str(tmp_path / "file") in taken.unkept
    monkeypatch.delenv("STRIATE_CACHE")
    monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    taken = extractor(classifier)
    taken.take(split)
    assert taken.unkept.startswith("no home folder to keep fetched files in; name one by STRIATE_CACHE")
    without = extractor(classifier, cache=False)
    without.take(split)
    assert (taken.reckoned, without.unkept) == (30, "")
