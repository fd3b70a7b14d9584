"""Confident learning held against a plain reading of the paper, loop by loop."""

import numpy as np
import pytest

from striate.transfer.label_errors import (
    FEWEST,
    confident_classes,
    confident_joint,
    label_errors,
    out_of_fold,
    thresholds,
)


def drawn(seed, count=400, classes=4):
    """Probabilities of images, some of whose labels were changed."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, classes, count)
    scores = rng.normal(size=(count, classes)) + 2.5 * np.eye(classes)[true]
    probabilities = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    labels = np.where(rng.random(count) < 0.1, rng.integers(0, classes, count), true)
    return probabilities, labels


def by_the_paper(probabilities, labels):
    """Section 3.1: thresholds t_j, then each image in at most one cell of C."""
    classes = probabilities.shape[1]
    pairs = list(zip(probabilities, labels, strict=True))
    mean = [np.mean([p[j] for p, label in pairs if label == j]) for j in range(classes)]
    joint = [[0] * classes for _ in range(classes)]
    cells = []
    for p, label in pairs:
        above = [j for j in range(classes) if p[j] >= mean[j]]
        cell = max(above, key=lambda j: p[j]) if above else None
        cells.append(cell)
        if cell is not None:
            joint[label][cell] += 1
    return mean, joint, cells


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_confident_joint_is_that_of_the_paper(seed):
    probabilities, labels = drawn(seed)
    mean, joint, cells = by_the_paper(probabilities, labels)
    assert thresholds(probabilities, labels) == pytest.approx(mean)
    assert confident_joint(probabilities, labels).tolist() == joint
    assert confident_classes(probabilities, labels).tolist() == [-1 if cell is None else cell for cell in cells]
    expected = {
        row: probabilities[row, cell] - probabilities[row, labels[row]]
        for row, cell in enumerate(cells)
        if cell is not None and cell != labels[row]
    }
    errors = label_errors(probabilities, labels)
    assert [entry.row for entry in errors] == sorted(expected, key=lambda row: -expected[row])
    for entry in errors:
        assert entry.suggested == cells[entry.row]
        assert entry.probability == probabilities[entry.row, entry.suggested]
        assert entry.own == probabilities[entry.row, labels[entry.row]]


def test_of_classes_with_too_few_images_nothing_is_said():
    probabilities, labels = drawn(3, 60, 3)
    labels = np.where(labels == 2, 0, labels)
    labels[: FEWEST - 1] = 2
    errors = label_errors(probabilities, labels)
    assert not {entry.row for entry in errors} & set(range(FEWEST - 1))
    assert not any(entry.suggested == 2 for entry in errors)
    assert np.isinf(thresholds(probabilities, labels)[2])
    assert errors


def test_no_image_is_judged_by_what_has_seen_it():
    """With as many features as images a classifier tells those that it has seen, and guesses the others."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(120, 300)).astype(np.float32)
    labels = rng.integers(0, 2, 120)
    probabilities = out_of_fold(features, labels, 2)
    assert probabilities.sum(1) == pytest.approx(np.ones(120))
    assert 0.3 < (probabilities.argmax(1) == labels).mean() < 0.7


def test_changed_labels_are_the_most_suspicious():
    rng = np.random.default_rng(1)
    labels = np.arange(300) % 3
    features = (rng.normal(size=(300, 8)) + 4 * np.eye(3, 8)[labels]).astype(np.float32)
    changed = rng.permutation(300)[:9]
    given = labels.copy()
    given[changed] = (given[changed] + 1) % 3
    probabilities = out_of_fold(features, given, 3)
    errors = label_errors(probabilities, given)
    assert len(errors) >= 6
    assert {entry.row for entry in errors} <= set(changed.tolist())
    assert all(entry.suggested == labels[entry.row] for entry in errors)
    assert np.array_equal(out_of_fold(features, given, 3), probabilities)  # the same folds again


@pytest.mark.slow
@pytest.mark.parametrize("share", [0.02, 0.05])
def test_swapped_labels_of_flowers(shared_data, shared_weights, tmp_path, monkeypatch, share):
    import shutil

    from striate.classifier.choices import preprocessing_for
    from striate.classifier.network_choice import by_accuracy, made
    from striate.data import open_dataset
    from striate.transfer.features import Extractor

    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "e.safetensors").symlink_to(shared_weights / "efficientnet_lite0_imagenet.safetensors")
    monkeypatch.setenv("STRIATE_WEIGHTS", str(weights))
    shutil.unpack_archive(shared_data / "flowers.tar", tmp_path, filter="data")
    dataset = open_dataset(tmp_path / "flowers", memory_limit=0)
    at_hand = next(by_accuracy(3666))
    network = made(at_hand, dataset)
    extractor = Extractor(network, preprocessing_for(network, dataset, at_hand.source.input_size))
    features = np.concatenate([extractor.take(split).of() for split in dataset.splits])
    labels = np.concatenate([split.labels for split in dataset.splits])
    rng = np.random.default_rng(0)
    swapped = rng.permutation(len(labels))[: round(share * len(labels))]
    given = labels.copy()
    given[swapped] = (given[swapped] + rng.integers(1, 5, len(swapped))) % 5
    errors = label_errors(out_of_fold(features, given, 5), given)
    assert len({entry.row for entry in errors[:50]} & set(swapped.tolist())) >= 35


def test_the_likeliest_class_counts_only_where_it_reaches_its_threshold():
    first, second = [[0.9, 0.1]] * 5, [[0.65, 0.35]] * 4 + [[0.6, 0.4]]
    probabilities, labels = np.array(first + second), np.repeat([0, 1], 5)
    assert thresholds(probabilities, labels) == pytest.approx([0.9, 0.36])
    assert confident_classes(probabilities, labels).tolist() == [0] * 5 + [-1] * 4 + [1]
