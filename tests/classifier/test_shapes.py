"""Several labels as pictures have them: circles, squares and stripes drawn on parts of photographs."""

import csv

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_sample_images

import striate

SIDE, NAMES = 24, ("circle", "square", "stripe")


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """600 pictures of one, two, all or none of the shapes, a quarter of which are for testing."""
    folder, rng = tmp_path_factory.mktemp("shapes"), np.random.default_rng(0)
    photos = [Image.fromarray(photo).resize((160, 107)) for photo in load_sample_images().images]
    rows = []
    for number in range(600):
        x, y = rng.integers(0, 160 - SIDE), rng.integers(0, 107 - SIDE)
        picture = photos[rng.integers(2)].crop((x, y, x + SIDE, y + SIDE)).point(lambda value: value // 2)
        pen, has = ImageDraw.Draw(picture), rng.random(3) < (0.5, 0.35, 0.15)
        places = rng.integers(1, SIDE - 15, (3, 2)).tolist()
        for name, there, (left, top) in zip(NAMES, has, places, strict=True):
            if there and name == "circle":
                pen.ellipse((left, top, left + 13, top + 13), fill="white")
            elif there and name == "square":
                pen.rectangle((left, top, left + 11, top + 11), fill="white")
            elif there:
                pen.line((0, top, SIDE, top + 10), fill="white", width=2)
        picture.save(folder / f"{number}.png")
        tags = "|".join(name for name, there in zip(NAMES, has, strict=True) if there)
        rows.append((f"{number}.png", tags, "test" if number >= 450 else "train"))
    with open(folder / "labels.csv", "w", newline="") as file:
        csv.writer(file).writerows([("path", "tags", "split"), *rows])
    return folder / "labels.csv"


@pytest.mark.slow
@pytest.mark.parametrize("balance", ["none", "weights", "sampler"])
def test_shapes_on_photographs_are_told_apart(shapes, balance, tmp_path):
    flags = {"epochs": 5, "batch_size": 16, "learning_rate": 0.05, "settings": {"augment.flip": 0.5}}
    found = striate.train(
        shapes,
        model="resnet20_cifar",
        balance=balance,
        **flags,
        workers=0,
        quiet=True,
        report=False,
        run=tmp_path / "r",
    )
    assert found.evaluation.mean_average_precision > 0.95
    assert found.evaluation.macro_f1 > 0.85


@pytest.mark.slow
def test_a_frozen_network_with_a_head_of_labels_is_fitted_and_trained(shapes, source, tmp_path):
    """All regimes begin with a logistic regression for each label, whose thresholds the file has."""
    asked = {"weights": source, "views": 0, "workers": 0, "quiet": True, "report": False}
    for transfer in ("features", "head", "auto"):
        settings = {"epochs": 1} if transfer == "head" else {}
        found = striate.train(
            shapes, transfer=transfer, settings=settings, balance="weights", run=tmp_path / transfer, **asked
        )
        evaluation = found.evaluation
        assert evaluation.thresholds == found.task.thresholds
        assert len(found.task.thresholds) == 3
        again = striate.load(found.path).evaluate(shapes, "test")
        assert again.macro_f1 == pytest.approx(evaluation.macro_f1, abs=0.02)
        assert evaluation.mean_average_precision > evaluation.labels.mean()
