"""Where decoded pictures are kept decides nothing of a run but its speed."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import striate
from striate.classifier.run_config import RunConfig
from striate.training.run_folder import RunFolder

FAST = {"model": "lenet5", "size": 32, "batch_size": 4, "device": "cpu", "precision": "32", "report": False}


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two classes of six photographs each that are decoded smaller, and a cache folder of their own."""
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    for number in range(12):
        few = np.random.default_rng(number).integers(0, 256, (5, 6, 3), dtype=np.uint8)
        target = tmp_path / "large" / "ab"[number % 2] / f"{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(few).resize((800 - 20 * number, 600), Image.Resampling.BICUBIC).save(target)
    return tmp_path / "large"


def test_runs_are_the_same_whatever_is_kept_and_say_where(large, tmp_path, capfd):
    said, metrics = {}, set()
    for way, workers in (("off", 0), ("ram", 0), ("disk", 2), ("auto", 0)):
        run = tmp_path / way
        striate.train(large, **FAST, epochs=4, recipe="photos", cache=way, workers=workers, run=run)
        metrics.add((run / "metrics.csv").read_text())
        said[way] = next(line for line in capfd.readouterr().err.splitlines() if line.startswith("cache: "))
        assert RunConfig.read(RunFolder(run)).cache == way
    assert len(metrics) == 1
    assert said["off"] == "cache: off, pictures are decoded anew each time"
    assert said["ram"].startswith("cache: 12 decoded pictures in memory, ")
    (file,) = (tmp_path / "cache" / "pictures").rglob("pictures.bin")
    assert said["disk"].startswith(f"cache: 12 decoded pictures in {file}, ")
    assert said["auto"].split(",")[0] in (said["ram"].split(",")[0], "cache: off")


def test_a_run_goes_on_with_another_cache(large, tmp_path):
    whole, parted = tmp_path / "whole", tmp_path / "parted"
    settings = {**FAST, "recipe": "photos", "workers": 0, "quiet": True}
    striate.train(large, **settings, epochs=2, cache="off", run=whole)
    striate.resume(whole, extend=1, quiet=True, report=False)
    striate.train(large, **settings, epochs=2, cache="disk", run=parted)
    striate.resume(parted, extend=1, cache="ram", quiet=True, report=False)
    assert (whole / "metrics.csv").read_text() == (parted / "metrics.csv").read_text()
