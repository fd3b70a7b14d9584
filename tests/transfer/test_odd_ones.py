import numpy as np
import pytest

from striate.transfer import odd_ones as module
from striate.transfer.odd_ones import odd_ones, oddity


def features(seed=0, count=200):
    """Images of two kinds, each in a direction of its own."""
    rng = np.random.default_rng(seed)
    kinds = np.eye(2, 20)[np.arange(count) % 2]
    return (kinds + 0.05 * rng.normal(size=(count, 20))).astype(np.float32)


def test_oddity_is_the_mean_angle_to_the_nearest_as_scikit_learn_finds_them():
    from sklearn.neighbors import NearestNeighbors

    found = features()
    distances, _ = NearestNeighbors(n_neighbors=11, metric="cosine").fit(found).kneighbors(found)
    assert oddity(found) == pytest.approx(distances[:, 1:].mean(1), abs=1e-5)


def test_what_lies_in_a_direction_of_its_own_is_odd_and_the_oddest_first():
    found = features()
    found[17] = np.eye(1, 20, 5)[0]
    found[40] = (np.eye(1, 20, 0)[0] + np.eye(1, 20, 1)[0]) * 7
    assert [row for row, _ in odd_ones(found)] == [17, 40]
    assert all(off > 6 for _, off in odd_ones(found))
    assert odd_ones(features()) == []
    assert odd_ones(found[:10]) == []


def test_of_very_many_images_some_are_neighbours(monkeypatch):
    monkeypatch.setattr(module, "MOST_NEIGHBOURS", 60)
    found = features()
    found[17] = np.eye(1, 20, 5)[0]
    assert [row for row, _ in odd_ones(found)] == [17]
    assert oddity(found).tolist() == oddity(found).tolist()
