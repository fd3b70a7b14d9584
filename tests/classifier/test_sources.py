"""What takes a folder of images takes an archive, a list and an address of them."""

import importlib.util
import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from striate.classifier import places, train
from striate.data import FileImages, Preprocessing, open_dataset
from striate.data.archives import Member
from striate.errors import StriateError
from striate.training.batches import Batches

SPEC = importlib.util.spec_from_file_location("packing", Path(__file__).parents[1] / "packing.py")
packing = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(packing)

LOOK = Preprocessing((16, 16), 3, mean=(0.5,) * 3, std=(0.25,) * 3)


@pytest.fixture
def archive(colours, tmp_path):
    return packing.tarred(tmp_path / "colours.tar", packing.files_below(colours))


def test_training_from_an_archive_is_that_from_its_folder(colours, archive, tmp_path):
    runs = [
        train(source, model="lenet5", epochs=1, batch_size=4, run=tmp_path / name, quiet=True, report=False, workers=0)
        for source, name in ((colours, "folder"), (archive, "archive"))
    ]
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("folder", "archive")]
    assert all(np.array_equal(value, weights[1][name]) for name, value in weights[0].items())
    assert runs[0].evaluate().confusion.tolist() == runs[1].evaluate().confusion.tolist()


@pytest.mark.parametrize("workers", [0, 2])
def test_an_archive_that_is_replaced_in_training_is_named_in_one_line(archive, workers, capfd):
    split = open_dataset(archive, val_fraction=0, memory_limit=0).train
    assert isinstance(split.images, FileImages)
    assert isinstance(split.images.paths[0], Member)
    batches = Batches(split, LOOK, 5, workers=workers)
    list(batches.epoch(0))
    content = archive.read_bytes()
    (archive.parent / "other.tar").write_bytes(content)
    os.replace(archive.parent / "other.tar", archive)
    os.utime(archive, ns=(7, 7))
    with pytest.raises(
        StriateError, match=r"colours\.tar has changed since it was looked at; leave it as it is"
    ) as error:
        list(batches.epoch(1))
    assert "\n" not in str(error.value)
    del batches
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.slow
def test_places_that_are_no_paths_are_found_again(archive, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    url = "https://example.org/photos.zip"
    assert places.place_of(url) == {"source": url, "absolute_source": url}
    assert places.locate(url, url, "command") == url
    inside = str(archive / "train")
    assert places.locate("elsewhere", inside, "command") == inside
    for number in range(2):
        (tmp_path / f"s-{number}.tar").touch()
    pattern = str(tmp_path / "s-{0..1}.tar")
    assert places.locate(pattern, pattern, "command") == pattern
    with pytest.raises(StriateError, match="are not there any more"):
        places.locate("s-{0..2}.tar", str(tmp_path / "s-{0..2}.tar"), "command")
