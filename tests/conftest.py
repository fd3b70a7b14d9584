"""Fixtures shared by all tests: where the real data sets and pretrained weights lie, if they are here at all, and a
small run to use and to spoil.
"""

import gc
import importlib.util
import io
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

SHARED = Path(__file__).resolve().parents[2] / "shared"
#: Seconds that a slow test may take; the others have the limit that pyproject.toml sets.
SLOW_LIMIT = 1800
COLOURS = {"blue": (40, 40, 200), "green": (40, 200, 40), "red": (200, 40, 40)}


#: Of a test marked `sampled` one case in so many is run by `make test`, from the first one on; the rest are slow. It is
#: a prime, so that of a test of several parameters each has another value from one case to the next.
SAMPLED = 7


def pytest_configure() -> None:
    """Nothing that is collected is garbage: a million objects that need not be looked through over and over."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Nor is it later, while the tests run: an eighth of their time went into looking for it."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out the slow ones
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Most cases of sampled tests are slow, and slow tests get a longer time limit."""
    cases: Counter[str] = Counter()
    for item in items:
        if item.get_closest_marker("sampled") and hasattr(item, "callspec"):
            test = item.nodeid.partition("[")[0]
            if cases[test] % SAMPLED:
                item.add_marker(pytest.mark.slow)
            cases[test] += 1
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.timeout(SLOW_LIMIT))


@pytest.fixture(scope="session", autouse=True)
def cache_of_tests(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is fetched, converted or remembered stays away from the user's own."""
    os.environ["STRIATE_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets (STRIATE_DATA, else ../shared/data)."""
    folder = Path(os.environ.get("STRIATE_DATA", SHARED / "data"))
    if not folder.is_dir():
        pytest.skip(f"real data sets are not at {folder} (set STRIATE_DATA)")
    return folder


@pytest.fixture(scope="session")
def shared_weights() -> Path:
    """The folder of real pretrained weights (STRIATE_WEIGHTS, else ../shared/weights)."""
    folder = Path(os.environ.get("STRIATE_WEIGHTS", SHARED / "weights"))
    if not folder.is_dir():
        pytest.skip(f"pretrained weights are not at {folder} (set STRIATE_WEIGHTS)")
    return folder


def _paint(folder: Path, names=COLOURS, count: int = 10, side: int = 16, mode: str = "RGB", seed: int = 0) -> Path:
    """A folder of noisy pictures of one colour, by class."""
    rng = np.random.default_rng(seed)
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            noise = rng.integers(-40, 40, (side, side, 3))
            pixels = np.clip(np.array(COLOURS.get(name, (90, 90, 90))) + noise, 0, 255).astype(np.uint8)
            Image.fromarray(pixels).convert(mode).save(folder / name / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def paint() -> Callable[..., Path]:
    """Makes a folder of noisy pictures: paint(folder, names=..., count=10, side=16, mode="RGB", seed=0)."""
    return _paint


@pytest.fixture(scope="session")
def colours(tmp_path_factory) -> Path:
    """Thirty pictures of three colours; not to be written to."""
    return _paint(tmp_path_factory.mktemp("data") / "colours")


@pytest.fixture(scope="session")
def trained(tmp_path_factory, colours) -> Path:
    """A run trained on `colours` for two epochs; not to be written to."""
    from striate.classifier import train

    run = tmp_path_factory.mktemp("runs") / "colours"
    train(colours, model="lenet5", epochs=2, batch_size=4, run=run, quiet=True, report=False, workers=0)
    return run


@pytest.fixture
def run(trained, tmp_path) -> Path:
    """A copy of the trained run, to spoil."""
    return Path(shutil.copytree(trained, tmp_path / "run"))


def _module(name: str) -> ModuleType:
    """A file of helpers beside this one."""
    specification = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = sys.modules[name] = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def cloudy() -> Callable[..., np.ndarray]:
    """Makes a picture like no other: cloudy(seed, "red", (96, 128)) -> uint8 (96, 128, 3); see ailing.py."""
    picture: Callable[..., np.ndarray] = _module("ailing").picture
    return picture


@pytest.fixture
def ailing(tmp_path) -> tuple[Path, dict[str, list[str]]]:
    """A folder of 200 pictures with twelve kinds of fault, and the planted images by kind; see ailing.py."""
    folder = tmp_path / "ailing"
    return folder, _module("ailing").make_ailing(folder)


@pytest.fixture
def drawn(monkeypatch) -> list[Any]:
    """The figures that were drawn, in place of files."""
    figures: list[Any] = []
    monkeypatch.setattr("striate.analysis.drawing.save", lambda figure, path: figures.append(figure) or Path(path))
    return figures


@pytest.fixture
def laid_out(monkeypatch) -> list[Any]:
    """The pictures that were drawn as they lie on paper, in place of files; see paper.py."""
    lay_out, sheets = _module("paper").lay_out, []
    monkeypatch.setattr("striate.analysis.drawing.save", lambda figure, path: sheets.append(lay_out(figure)) or path)
    return sheets


@pytest.fixture
def windows(monkeypatch) -> Callable[[Path], bool]:
    """Files behave as on Windows until the test is over; see windows.py. Tells whether this process has one open."""
    manners = _module("windows")
    manners.behave_like_windows(monkeypatch)
    return manners.is_open


@pytest.fixture
def opened(monkeypatch) -> Counter[str]:
    """Counts how often each file is opened."""
    counts: Counter[str] = Counter()
    really = io.open

    def counting(file, *arguments, **options):
        counts[str(file)] += 1
        return really(file, *arguments, **options)

    monkeypatch.setattr(io, "open", counting)
    monkeypatch.setattr("builtins.open", counting)
    return counts


@pytest.fixture
def locked(monkeypatch) -> None:
    """A folder called `locked` cannot be listed, not even by root."""
    really = os.scandir

    def scandir(path):
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return really(path)

    monkeypatch.setattr(os, "scandir", scandir)
