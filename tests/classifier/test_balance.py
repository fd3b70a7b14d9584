"""Classes of few images, from the flag to what is trained: by steps, on features, after a pause."""

import json

import numpy as np
import pytest
from PIL import Image
from sklearn.utils.class_weight import compute_sample_weight

import striate
from striate.classifier import beginning as beginning_module
from striate.data import open_dataset
from striate.errors import StriateError, UsageError
from striate.training.loop import Training
from striate.training.model_file import load_model
from striate.transfer.fitted import fit_once

FAST = {"model": "lenet5", "size": 16, "epochs": 2, "batch_size": 8, "workers": 0, "quiet": True, "report": False}


@pytest.fixture(scope="module")
def unbalanced(tmp_path_factory):
    """60 dark pictures, and 6 that are brighter above."""
    folder, rng = tmp_path_factory.mktemp("unbalanced"), np.random.default_rng(0)
    for name, count, light in (("common", 60, 0), ("rare", 6, 40)):
        (folder / name).mkdir()
        for number in range(count):
            picture = rng.integers(40, 120, (20, 20, 3), dtype=np.uint8)
            picture[:10] += np.uint8(light)
            Image.fromarray(picture).save(folder / name / f"{number}.png")
    return folder


def seen(monkeypatch) -> list[int]:
    """The labels of all pictures that are trained on from now on."""
    labels, take = [], Training.train_step

    def step(self, batch):
        labels.extend(batch.labels.tolist())
        take(self, batch)

    monkeypatch.setattr(Training, "train_step", step)
    return labels


def test_a_sampler_shows_rare_classes_as_often(unbalanced, tmp_path, monkeypatch):
    labels = seen(monkeypatch)
    run = striate.train(unbalanced, **FAST, run=tmp_path / "run", balance="sampler").path
    assert np.bincount(labels) / len(labels) == pytest.approx([0.5, 0.5], abs=0.1)
    config = json.loads((run / "config.json").read_text())
    assert config["recipe"]["balance"] == load_model(run / "model.safetensors")[1].recipe["balance"] == "sampler"
    labels.clear()
    striate.train(unbalanced, **FAST, run=tmp_path / "plain")
    assert np.mean(labels) < 0.2


@pytest.mark.parametrize("balance", ["sampler", "weights"])
def test_a_balanced_run_that_was_stopped_goes_on_bit_for_bit(balance, unbalanced, tmp_path, monkeypatch):
    asked = FAST | {"balance": balance, "settings": {"augment.mixup": 0.5, "label_smoothing": 0.1}}
    whole = striate.train(unbalanced, **asked, run=tmp_path / "whole")
    take = Training.train_step

    def step(self, batch):
        take(self, batch)
        self.interruption.requested = self.position.step == 3

    monkeypatch.setattr(Training, "train_step", step)
    with pytest.raises(StriateError, match="stopped"):
        striate.train(unbalanced, **asked, run=tmp_path / "parts")
    monkeypatch.undo()
    parts = striate.resume(tmp_path / "parts", quiet=True, report=False)
    assert (tmp_path / "parts" / "metrics.csv").read_bytes() == (tmp_path / "whole" / "metrics.csv").read_bytes()
    for key, tensor in whole.model.state_dict().items():
        assert tensor.equal(parts.model.state_dict()[key]), key


def test_weights_are_of_the_training_images(unbalanced, tmp_path, monkeypatch):
    """The loss of an untrained network by hand: each class makes half of it."""
    losses = []

    def step(self, batch):
        images = self.preprocessing.normalise(batch.images)
        labels, logits = batch.labels, self.module(images)
        each = -logits.log_softmax(1)[range(len(labels)), labels].detach().numpy()
        counts = np.bincount(self.train_batches.split.labels)
        weights = counts.sum() / (2 * counts)
        losses.append((self.objective(self.model, images, labels).loss.item(), (each * weights[labels]).mean()))
        self.position.step += 1
        self.position.step_in_epoch += 1
        self.sums.add([self.objective(self.model, images, labels).loss], logits, labels)

    monkeypatch.setattr(Training, "train_step", step)
    striate.train(unbalanced, **FAST | {"epochs": 1}, run=tmp_path / "run", balance="weights")
    assert len(losses) == 7
    for found, wanted in losses:
        assert found == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("balance", ["none", "sampler", "weights"])
def test_a_classifier_of_features_has_its_weights(balance, source, unbalanced, tmp_path, monkeypatch):
    given = []

    def fit(*told, **more):
        given.append(more["weights"])
        return fit_once(*told, **more)

    monkeypatch.setattr(beginning_module, "fit_once", fit)
    run = tmp_path / "run"
    asked = {"weights": source, "transfer": "features", "views": 1, "workers": 0, "quiet": True}
    striate.train(unbalanced, balance=balance, run=run, val_fraction=0, **asked)
    (weights,) = given
    told = load_model(run / "model.safetensors")[1].recipe
    page = (run / "report.html").read_text()
    if balance == "none":
        assert weights is None
        assert "balance" not in told
        return
    labels = open_dataset(unbalanced, val_fraction=0).train.labels
    np.testing.assert_allclose(weights, np.tile(compute_sample_weight("balanced", labels), 2)[:, None], rtol=1e-6)
    assert told["balance"] == balance
    assert f"<dt>balance</dt><dd>{balance}</dd>" in page
    assert "Each class counting alike: balanced accuracy" in page


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"balance": "weight"}, "unknown balance 'weight'. Did you mean 'weights'?"),
        ({"balance": "sampler", "settings": {"balance": "none"}}, "balance is given twice"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read(asked, words, tmp_path):
    with pytest.raises(UsageError) as refused:
        striate.train(tmp_path / "nothing", **asked)
    assert words in str(refused.value)
