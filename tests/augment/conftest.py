"""The helpers of these tests, by their name: pytest imports test files alone."""

import importlib.util
import sys
from pathlib import Path

_specification = importlib.util.spec_from_file_location("chance", Path(__file__).with_name("chance.py"))
sys.modules["chance"] = importlib.util.module_from_spec(_specification)
_specification.loader.exec_module(sys.modules["chance"])
