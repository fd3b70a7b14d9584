"""A classifier that is kept: bit for bit the one that was fitted, and only ever of the same features and labels."""

import dataclasses
import os

import numpy as np
import pytest

from striate.errors import UsageError
from striate.files import cache_folder
from striate.transfer import fitted
from striate.transfer.fitted import fit_once
from striate.transfer.shallow import fit

RNG = np.random.default_rng(0)
LABELS = np.repeat(np.arange(3), 20)
FEATURES = (RNG.normal(size=(60, 8)) + np.eye(3, 8)[LABELS] * 2).astype(np.float32)


@pytest.fixture
def fits(monkeypatch, tmp_path):
    """How often something was fitted."""
    times = []
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path))
    monkeypatch.setattr(fitted, "fit", lambda *words, **more: times.append(words) or fit(*words, **more))
    return times


def same(one, other):
    for field in dataclasses.fields(one):
        mine, others = getattr(one, field.name), getattr(other, field.name)
        assert type(mine) is type(others)
        np.testing.assert_array_equal(mine, others)


@pytest.mark.parametrize("loss", ["svm", "softmax", "logistic", "ridge"])
def test_the_second_is_the_first_bit_for_bit(fits, loss):
    labels = LABELS if loss in ("svm", "softmax") else np.eye(3, dtype=np.float32)[LABELS]
    first = fit_once(FEATURES, labels, 3, loss, seed=1, bias=True, copies=1)
    second = fit_once(FEATURES, labels, 3, loss, seed=1, bias=True, copies=1)
    assert len(fits) == 1
    same(first, second)
    same(first, fit(FEATURES, labels, 3, loss, seed=1))


def test_whatever_is_otherwise_is_fitted_anew(fits):
    usual = {"loss": "svm", "seed": 0, "bias": True, "copies": 1}
    fit_once(FEATURES, LABELS, 3, **usual)
    changed = FEATURES.copy()
    changed[7, 3] = np.nextafter(changed[7, 3], np.float32(9))
    relabelled = LABELS.copy()
    relabelled[5] = 2
    fit_once(changed, LABELS, 3, **usual)
    fit_once(FEATURES, relabelled, 3, **usual)
    fit_once(FEATURES, LABELS, 4, **usual)
    for other in ({"loss": "softmax"}, {"seed": 1}, {"bias": False}, {"copies": 2}):
        fit_once(FEATURES, LABELS, 3, **usual | other)
    assert len(fits) == 8
    fit_once(FEATURES, LABELS, 3, **usual)
    assert len(fits) == 8


@pytest.mark.parametrize("length", [0, 9, 100, -1])
def test_a_file_that_was_cut_off_is_none(fits, length):
    first = fit_once(FEATURES, LABELS, 3, "svm", seed=0)
    (file,) = cache_folder().rglob("*.safetensors")
    os.truncate(file, length % file.stat().st_size)
    same(first, fit_once(FEATURES, LABELS, 3, "svm", seed=0))
    fit_once(FEATURES, LABELS, 3, "svm", seed=0)
    assert len(fits) == 2


def test_where_none_can_be_kept_it_is_fitted_all_the_same(fits, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "file" / "cache"))
    same(fit_once(FEATURES, LABELS, 3, "svm", seed=0), fit(FEATURES, LABELS, 3, "svm", seed=0))


def test_what_cannot_be_fitted_is_said(fits):
    with pytest.raises(UsageError, match="shallow classifier"):
        fit_once(FEATURES, LABELS, 3, "trees")


def test_weights_are_part_of_what_is_fitted(fits):
    weights = np.ones((60, 1), np.float32)
    first = fit_once(FEATURES, LABELS, 3, "svm", weights, seed=0)
    same(first, fit_once(FEATURES, LABELS, 3, "svm", weights, seed=0))
    assert len(fits) == 1
    weights[3] = 2
    found = fit_once(FEATURES, LABELS, 3, "svm", weights, seed=0)
    fit_once(FEATURES, LABELS, 3, "svm", seed=0)
    assert len(fits) == 3
    same(found, fit(FEATURES, LABELS, 3, "svm", seed=0, weights=weights))
