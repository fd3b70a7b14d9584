"""Training from every kind of source, from pretrained weights, with frozen parts; and what the model file then says."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import striate
from striate.errors import StriateError

FAST = {"model": "lenet5", "epochs": 1, "quiet": True, "report": False, "device": "cpu", "precision": "32"}


def rows_of(folder: Path) -> list[tuple[Path, str]]:
    return [(path, path.parent.name) for path in sorted(folder.glob("*/*.png"))]


def test_from_csv_and_parquet_as_from_the_folder(colours, tmp_path):
    with (tmp_path / "list.csv").open("w") as file:
        csv.writer(file).writerows([("path", "label"), *rows_of(colours)])
    table = {
        "image": [{"bytes": path.read_bytes(), "path": path.name} for path, _ in rows_of(colours)],
        "label": [label for _, label in rows_of(colours)],
    }
    pq.write_table(pa.table(table), tmp_path / "images.parquet")
    states = []
    for number, source in enumerate((colours, tmp_path / "list.csv", tmp_path / "images.parquet")):
        classifier = striate.train(source, **FAST, workers=0, run=tmp_path / f"run{number}")
        assert classifier.classes == ("blue", "green", "red")
        states.append(classifier.model.state_dict())
    for state in states[1:]:
        for name, tensor in state.items():
            torch.testing.assert_close(tensor, states[0][name], rtol=0, atol=0, msg=f"{name} differs")


def test_from_grey_images_it_makes_a_grey_network(paint, tmp_path):
    classifier = striate.train(paint(tmp_path / "grey", mode="L"), **FAST, workers=0, run=tmp_path / "run")
    assert classifier.model.in_channels == 1
    assert len(classifier.description.preprocessing.mean) == 1
    assert classifier.predict(np.zeros((20, 20, 3), np.uint8)).label in classifier.classes


def test_from_images_with_alpha_it_can_keep_four_channels(paint, tmp_path):
    folder = paint(tmp_path / "clear", mode="RGBA")
    assert striate.train(folder, **FAST, workers=0, run=tmp_path / "three").model.in_channels == 3
    dataset = striate.open_dataset(folder, channels=4)
    classifier = striate.train(dataset, **FAST, workers=0, run=tmp_path / "four")
    assert classifier.model.in_channels == 4
    assert classifier.predict(folder / "red" / "0.png").label in classifier.classes


def test_images_of_different_sizes_give_the_same_weights_with_and_without_workers(tmp_path):
    rng = np.random.default_rng(0)
    for label in ("a", "b"):
        (tmp_path / "mixed" / label).mkdir(parents=True)
        for number in range(10):
            pixels = rng.integers(0, 256, (20 + number, 35 - number, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "mixed" / label / f"{number}.png")
    settings = {"augment.rotate": 20, "augment.flip": 0.5, "augment.brightness": 0.2}
    runs = [tmp_path / "alone", tmp_path / "helped"]
    for run, workers in zip(runs, (0, 2), strict=True):
        striate.train(tmp_path / "mixed", **FAST, settings=settings, workers=workers, run=run)
    assert (runs[0] / "model.safetensors").read_bytes() == (runs[1] / "model.safetensors").read_bytes()
    assert (runs[0] / "metrics.csv").read_bytes() == (runs[1] / "metrics.csv").read_bytes()


def test_everything_left_open_is_chosen_sensibly(colours, tmp_path):
    run = tmp_path / "run"
    classifier = striate.train(colours, epochs=1, quiet=True, report=False, run=run)
    config = json.loads((run / "config.json").read_text())
    assert min(classifier.description.preprocessing.size) >= 16
    assert max(classifier.description.preprocessing.size) <= 64
    assert classifier.description.preprocessing.channels == 3
    assert sum(parameter.numel() for parameter in classifier.model.parameters()) < 2_000_000
    assert 2 <= config["recipe"]["batch_size"] <= 8  # of 27 training images
    assert config["workers"] == 0  # the images fit into memory


def test_the_model_file_says_what_it_was_made_of(trained, colours):
    description = striate.load(trained).description
    assert description.network["name"] == "lenet5"
    assert description.classes == ("blue", "green", "red")
    assert description.recipe["epochs"] == 2
    assert description.data["images"] == {"train": 27, "val": 3}
    assert description.data["fingerprint"] == striate.open_dataset(colours).fingerprint
    assert {"epoch", "accuracy", "loss"} <= set(description.metrics)
    assert description.versions["torch"] == torch.__version__
    pixels = np.stack([np.asarray(Image.open(path)) for path, _ in rows_of(colours)]) / 255
    np.testing.assert_allclose(description.preprocessing.mean, pixels.mean((0, 1, 2)), atol=0.02)


def test_without_validation_images_the_last_weights_are_kept(colours, tmp_path):
    classifier = striate.train(colours, **{**FAST, "epochs": 2}, val_fraction=0, workers=0, run=tmp_path / "run")
    assert classifier.description.metrics == {"epoch": 2}
    assert classifier.evaluation.split == "train"


def test_a_classifiers_own_file_is_a_start_with_its_size_and_normalisation(trained, paint, tmp_path):
    other = paint(tmp_path / "other", ["red", "green"], seed=1)
    file = trained / "model.safetensors"
    classifier = striate.train(other, **FAST, weights=file, learning_rate=0.0, workers=0, run=tmp_path / "run")
    first, second = striate.load(trained).description.preprocessing, classifier.description.preprocessing
    assert second.size == first.size
    assert second.mean == pytest.approx(first.mean)
    before, after = load_file(file), load_file(tmp_path / "run" / "model.safetensors")
    for name, tensor in after.items():
        assert name.startswith("head.classifier") or torch.equal(tensor, before[name]), name


def test_a_frozen_part_keeps_its_weights_and_batch_norm_statistics(paint, tmp_path):
    photos = paint(tmp_path / "photos", count=8)
    base = {**FAST, "model": "resnet20_cifar", "workers": 0, "batch_size": 8}
    striate.train(photos, **base, run=tmp_path / "base")
    start = tmp_path / "base" / "model.safetensors"
    tuned = striate.train(photos, **base, weights=start, freeze="all", run=tmp_path / "tuned").model.state_dict()
    before = load_file(start)
    changed = {name for name, tensor in tuned.items() if not torch.equal(tensor, before[name])}
    assert {"head.classifier.weight", "head.classifier.bias"} <= changed
    assert all(name.startswith("head.") for name in changed)


def test_fine_tuning_published_weights_of_a_cifar_resnet(shared_weights, shared_data, tmp_path):
    table = pq.ParquetFile(shared_data / "cifar10_jpeg" / "test.parquet").read_row_group(0).slice(0, 60).to_pylist()
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    for number, row in enumerate(table):
        label = next(value for name, value in row.items() if "label" in name)
        image = next(value for value in row.values() if isinstance(value, dict))
        folder = tmp_path / "few" / f"{label}_{names[label]}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.open(io.BytesIO(image["bytes"])).save(folder / f"{number}.png")
    weights = shared_weights / "resnet20_cifar10.safetensors"
    settings = {**FAST, "model": "resnet20_cifar", "weights": weights, "learning_rate": 1e-4, "freeze": "all"}
    classifier = striate.train(tmp_path / "few", **settings, workers=0, run=tmp_path / "run")
    assert classifier.description.preprocessing.size == (32, 32)
    assert classifier.evaluate(tmp_path / "few").top1 > 0.7  # it kept what it knew, last layer included


def test_a_run_resumes_when_the_pretrained_file_is_gone(trained, colours, tmp_path):
    weights = tmp_path / "start.safetensors"
    weights.write_bytes((trained / "model.safetensors").read_bytes())
    striate.train(colours, **FAST, weights=weights, workers=0, run=tmp_path / "run")
    weights.unlink()
    assert striate.resume(tmp_path / "run", extend=1, quiet=True, report=False).evaluation is not None


def test_a_failed_start_leaves_no_folder(colours, tmp_path):
    with pytest.raises(StriateError, match="larger than the 27 images"):
        striate.train(colours, **FAST, batch_size=1000, run=tmp_path / "deep" / "run")
    assert not list(tmp_path.iterdir())
