"""Silence: what libraries say on Python's logs while they convert a network is not for whoever classifies pictures."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO


@contextmanager
def without_words() -> Iterator[None]:
    """While active, nothing is logged below an error, and what Python code prints is dropped."""
    before = logging.root.manager.disable
    logging.disable(logging.ERROR)
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            yield
    finally:
        logging.disable(before)
