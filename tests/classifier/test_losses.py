"""Training with a network's own loss and on one sigmoid, from pictures to predictions."""

import numpy as np
import pytest
import torch

import striate
from striate.errors import UsageError

FAST = {"quiet": True, "report": False, "device": "cpu", "precision": "32", "workers": 0}


def test_two_classes_on_one_sigmoid(paint, tmp_path):
    photos = paint(tmp_path / "photos", names=("blue", "red"), count=20)
    run = tmp_path / "run"
    classifier = striate.train(photos, model="keras_cats_dogs", size=46, epochs=3, batch_size=4, run=run, **FAST)
    assert classifier.model.num_classes == 1
    assert classifier.classes == ("blue", "red")
    assert classifier.evaluation.top1 == 1.0
    image = photos / "red" / "0.png"
    probabilities = classifier.predict_proba([image, photos / "blue" / "0.png"])
    assert probabilities.shape == (2, 2)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-6)
    assert probabilities.argmax(1).tolist() == [1, 0]
    again = striate.load(run)
    assert again.predict(image).label == "red"


def test_one_sigmoid_is_no_head_for_three_classes(colours, tmp_path):
    classifier = striate.train(
        colours, model="keras_cats_dogs", size=46, epochs=1, batch_size=4, run=tmp_path / "run", **FAST
    )
    assert classifier.model.num_classes == 3


def test_the_published_lenet_learns_by_its_own_loss(tmp_path):
    rate = {"optimizer": "adamw", "learning_rate": 0.005}
    classifier = striate.train("digits", model="lenet5_1998", epochs=5, settings=rate, run=tmp_path / "run", **FAST)
    assert classifier.description.recipe["loss"] == "own"
    assert classifier.evaluation.top1 > 0.85
    assert torch.equal(
        striate.load(tmp_path / "run").model.head.classifier.weight,
        striate.create_model("lenet5_1998").head.classifier.weight,
    )


def test_its_loss_is_refused_for_other_networks_before_anything_is_written(tmp_path):
    with pytest.raises(UsageError, match="RBF outputs"):
        striate.train("digits", model="lenet5", settings={"loss": "rbf"}, run=tmp_path / "run", **FAST)
    assert not (tmp_path / "run").exists()
