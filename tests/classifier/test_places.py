"""Places of images, and the names they give: found whatever letters the system's file names take."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from striate import files
from striate.classifier import places, runs
from striate.data import ArrayImages, Dataset, Split
from striate.errors import StriateError, UsageError


@pytest.fixture
def spelt(monkeypatch, tmp_path):
    """Pretends that the system spells the path "café" as the name of this test's folder."""
    for module in (files.paths, places, runs):
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


def test_the_name_of_a_known_data_set_is_no_file_even_where_one_has_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert places.locate("digits", "", "command") == "digits"
    assert places.locate("gone", str(tmp_path / "digits"), "command") == str(tmp_path / "digits")


def test_a_place_below_a_home_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / "photos").mkdir()
    assert places.locate("~/photos", "", "command") == "~/photos"
    assert places.place_of("~/photos") == {"source": "~/photos", "absolute_source": str(tmp_path / "photos")}
    with pytest.raises(StriateError, match=f"^{tmp_path}/gone: the images are not there any more"):
        places.locate("~/gone", "", "command")


def test_images_in_memory_have_no_place():
    assert places.place_of("") == {"source": "", "absolute_source": ""}
    with pytest.raises(StriateError, match=r"^the images were handed over in memory: hand them over again"):
        places.locate("", "", "command")


def test_what_is_gone_is_named_as_far_as_it_is_known(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StriateError) as error:
        places.locate("photos", "/there/photos", "striate train NEW")
    assert str(error.value) == (
        "/there/photos: the images are not there any more. If they lie elsewhere now: striate train NEW"
    )


def test_a_path_that_is_spelt_like_a_known_data_set_stays_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr(places, "open_dataset", lambda *given, **options: asked.append((*given, options)) or "opened")
    for source in (Path("digits"), "digits", Path("photos"), "photos"):
        assert places.open_place(source, seed=3) == "opened"
    given = (tmp_path / "digits", "digits", Path("photos"), "photos")
    assert asked == [(source, {"remember": True, "seed": 3}) for source in given]


@pytest.mark.parametrize(
    ("run", "source", "refused"),
    [
        ("photos/run", "photos", True),
        ("photos", "photos", True),
        ("photos/red/deep/run", "photos", True),
        ("photos-run", "photos", False),
        ("run", "photos", False),
        ("photos/../run", "photos", False),
        ("link/run", "photos", True),
        ("photos/run", "link", True),
        ("photos/run", "photos/red", False),
        ("run", "list.csv", False),
        ("digits/run", "digits", False),
        ("run", "", False),
        ("gone/run", "gone", False),
        ("~/photos/run", "photos", True),
        ("photos/run", "~/photos", True),
    ],
)
def test_a_run_lies_beside_its_images_and_not_among_them(run, source, refused, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    for name in ("photos/red", "digits"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "photos")
    (tmp_path / "list.csv").touch()
    labels = np.zeros(0, np.int64)
    nothing = Split("train", ArrayImages(np.zeros((0, 1, 1, 3), np.uint8), []), labels)
    for given in (source, Dataset(source, ("a",), 3, nothing, None, None, (), (), "")):
        if refused:
            with pytest.raises(UsageError, match=f"^{run} would lie among the images of {source}; give a folder else"):
                places.refuse_among_images(run, given)
        else:
            places.refuse_among_images(run, given)
