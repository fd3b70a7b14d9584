"""How often a run reads its files, and that what the check has found of the pictures reaches notes and report."""

import re
import shutil

import numpy as np
import pytest
from PIL import Image

from striate.classifier import train
from striate.data import KeptImages, open_dataset

FAST = {"model": "lenet5", "epochs": 1, "batch_size": 4, "size": 16, "quiet": True, "device": "cpu", "workers": 0}


@pytest.fixture
def photos(tmp_path):
    """Twenty pictures of two classes, no two of one size; one of them lies in both."""
    for number in range(20):
        folder = tmp_path / "photos" / ("beech" if number % 2 else "larch")
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (20 + number, 40 - number, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number:02d}.png")
    shutil.copy(tmp_path / "photos/beech/01.png", tmp_path / "photos/larch/wrong.png")
    return tmp_path / "photos"


def of(counts, folder):
    return {path: number for path, number in counts.items() if path.startswith(str(folder))}


def test_a_run_on_a_small_set_reads_each_file_once(photos, tmp_path, opened):
    train(photos, **FAST, val_fraction=0.3, run=tmp_path / "run")
    assert of(opened, photos) == {str(path): 1 for path in photos.rglob("*.png")}


def test_a_run_on_a_large_set_reads_each_file_once_for_each_use(photos, tmp_path, opened):
    dataset = open_dataset(photos, val_fraction=0.3, memory_limit=0)
    train(dataset, **FAST, report=False, run=tmp_path / "run")
    counts = of(opened, photos)
    training = [counts.pop(dataset.train.images.name(row)) for row in range(len(dataset.train))]
    assert sorted(training, reverse=True) == [2] * 12 + [1] * 3  # check, epoch of three batches of four
    assert list(counts.values()) == [3] * 6  # check, validation, last evaluation


def test_the_report_reads_a_picture_once_for_all_its_versions(photos, tmp_path, opened):
    dataset = open_dataset(photos, val_fraction=0.3, memory_limit=0)
    classifier = train(dataset, **FAST, run=tmp_path / "run")
    wrong = len(classifier.evaluation) - classifier.evaluation.correct
    assert sum(of(opened, photos).values()) == 21 + 12 + 2 * 6 + wrong + 6


def test_kept_pictures_give_the_very_model_that_files_give(photos, tmp_path):
    states = []
    for limit in (None, 0):
        dataset = open_dataset(photos, memory_limit=limit)
        assert isinstance(dataset.train.images, KeptImages) == (limit is None)
        run = tmp_path / f"run{limit}"
        states.append(train(dataset, **FAST, precision="32", report=False, run=run).model.state_dict())
    assert all(np.array_equal(states[0][name].numpy(), states[1][name].numpy()) for name in states[0])


def test_contradictions_reach_the_notes_and_the_report(photos, tmp_path, capsys):
    train(photos, **{**FAST, "quiet": False}, run=tmp_path / "run")
    places = [f"{photos}/beech/01.png", f"{photos}/larch/wrong.png"]
    told = capsys.readouterr().err
    (note,) = re.findall(r"note: the same picture under two labels: (.*)", told)
    assert all(place in note for place in places)
    page = (tmp_path / "run/report.html").read_text(encoding="utf-8")
    table = page.split("The same picture under two labels</h3>")[1].split("</table>")[0]
    words = re.sub(r"<[^>]*>", " ", table)
    for place, label in zip(places, ("beech", "larch"), strict=True):
        assert place.split("/")[-1] in words
        assert f"({label})" in re.sub(r"\(\s*(\w+)\s*\)", r"(\1)", words)
