"""Places of images, and the names they give: found whatever letters the system's file names take."""

import os
import subprocess
import sys

import pytest

from striate import files
from striate.classifier import places, runs
from striate.errors import StriateError


@pytest.fixture
def spelt(monkeypatch, tmp_path):
    """Pretends that the system spells the path "café" as the name of this test's folder."""
    for module in (files, places, runs):
        monkeypatch.setattr(module, "as_spelt_here", lambda text: str(tmp_path) if text == "café" else text)
    return str(tmp_path)


def test_a_place_is_found_as_the_system_spells_it(spelt):
    assert places.locate("elsewhere", "café", "command") == spelt
    assert places.locate("café", "", "command") == spelt


def test_the_absolute_place_comes_first_and_the_one_that_is_there_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    assert places.locate("second", str(tmp_path / "first"), "command") == str(tmp_path / "first")
    assert places.locate("second", str(tmp_path / "gone"), "command") == "second"
    assert places.locate("digits", "", "command") == "digits"
    with pytest.raises(StriateError, match=f"^{tmp_path / 'gone'}: the images are not there any more.*: command$"):
        places.locate("gone", "", "command")


def test_a_known_name_has_no_path_and_anything_else_has(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert places.place_of("digits") == {"source": "digits", "absolute_source": ""}
    assert places.place_of("photos") == {"source": "photos", "absolute_source": str(tmp_path / "photos")}


def test_a_run_is_called_after_its_images_as_the_system_spells_them(spelt, tmp_path):
    assert runs._stem("café") == tmp_path.name
    assert runs._stem("nowhere/list.csv") == "list"


def test_the_place_of_the_training_is_recognised_as_the_system_spells_it(spelt, tmp_path):
    assert files.at_home("café") == tmp_path


@pytest.mark.slow
def test_images_with_letters_beyond_ascii_where_file_names_are_ascii(paint, tmp_path):
    paint(tmp_path / "été")
    ascii_only = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "OMP_NUM_THREADS": "1"}
    train = ["train", "été", "--model", "lenet5", "--epochs", "1", "--workers", "0"]
    for words in (train, ["train", "--resume", "runs/été", "--extend", "1"], ["evaluate", "runs/été", "été"]):
        command = [sys.executable, "-m", "striate", *words]
        done = subprocess.run(command, cwd=tmp_path, env=ascii_only, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "on 3 val images" in done.stdout
