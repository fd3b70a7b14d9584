"""Runs and weights of networks that were trained for a moment, which several tests here read."""

import json
import shutil
from pathlib import Path

import pytest

import striate
from striate.training.run_folder import RunFolder


@pytest.fixture
def edited(trained, tmp_path):
    """A run folder with these fields of its config.json set, and without one: edited(without="", **fields)."""

    def edit(without: str = "", **fields) -> RunFolder:
        config = json.loads((trained / "config.json").read_text(encoding="utf-8")) | fields
        config.pop(without, None)
        (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
        return RunFolder(tmp_path)

    return edit


@pytest.fixture(scope="session")
def two_networks(tmp_path_factory, paint) -> Path:
    """A folder with weights of two networks, trained for a moment on small pictures: one has batch norms, one none."""
    folder = tmp_path_factory.mktemp("weights")
    photos = paint(folder / "photos", count=12)
    for name in ("resnet20_cifar", "lenet5"):
        found = striate.train(
            photos, model=name, epochs=1, run=folder / "runs" / name, quiet=True, report=False, workers=0
        )
        shutil.copy(found.path / "model.safetensors", folder / f"{name}.safetensors")
    return folder


@pytest.fixture(scope="session")
def source(tmp_path_factory, paint) -> Path:
    """A ResNet-20 trained for a moment on three colours: it has batch norms, stages and a dense head."""
    folder = tmp_path_factory.mktemp("source")
    photos = paint(folder / "photos", count=12)
    run = folder / "run"
    striate.train(photos, model="resnet20_cifar", epochs=2, batch_size=4, run=run, quiet=True, report=False, workers=0)
    return run


@pytest.fixture(scope="session")
def photos(tmp_path_factory, paint) -> Path:
    """Two colours that it has not seen apart before."""
    return paint(tmp_path_factory.mktemp("new") / "photos", names=["blue", "violet"], count=20, seed=9)
