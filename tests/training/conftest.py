"""The small training that many tests here take to pieces: `small.training(folder, recipe)`, see small.py."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def small() -> ModuleType:
    """The module small.py."""
    specification = importlib.util.spec_from_file_location("small", Path(__file__).with_name("small.py"))
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
