"""Fixtures shared by all tests: where the real data sets and pretrained weights lie, if they are here at all."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


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
