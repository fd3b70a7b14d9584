import os
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from striate.data import pieces as module
from striate.data.pieces import Pieces


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "large"
    path.write_bytes(np.arange(10_000, dtype=np.uint32).tobytes())
    return path


def test_pieces_are_those_of_the_file(file):
    pieces, content = Pieces(file), file.read_bytes()
    assert pieces.size == 40_000
    for offset, size in ((0, 7), (39_990, 10), (0, 40_000), (123, 0)):
        assert pieces.read(offset, size) == content[offset : offset + size]
    assert pickle.loads(pickle.dumps(pieces)).read(8, 4) == content[8:12]


@pytest.mark.parametrize(("offset", "size"), [(-1, 4), (0, -1), (39_999, 2), (40_001, 0), (0, 1 << 62), (1 << 62, 1)])
def test_what_would_lie_outside_is_not_even_asked_for(file, offset, size):
    with pytest.raises(OSError, match="damaged: it would lie outside large"):
        Pieces(file).read(offset, size)


@pytest.mark.parametrize("has_pread", [True, False])
def test_threads_read_side_by_side(file, has_pread, monkeypatch):
    if not has_pread:  # as on Windows
        monkeypatch.delattr(os, "pread")
    pieces, content = Pieces(file), file.read_bytes()
    offsets = np.random.default_rng(0).integers(0, 39_000, 400).tolist()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda offset: pieces.read(offset, 900), offsets))
    assert found == [content[offset : offset + 900] for offset in offsets]


def test_no_more_files_are_held_open_than_agreed(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "OPEN_AT_ONCE", 3)
    module._open.clear()
    for number in range(10):
        (tmp_path / str(number)).write_bytes(bytes([number]))
        assert Pieces(tmp_path / str(number)).read(0, 1) == bytes([number])
        assert len(module._open) <= 3


def test_a_file_that_changes_is_read_no_more(file):
    pieces = Pieces(file)
    pieces.read(0, 4)
    os.utime(file, ns=(1, 1))
    with pytest.raises(OSError, match="large has changed since it was looked at; leave it as it is, or begin anew"):
        pieces.read(0, 4)
    assert Pieces(file).read(0, 4) == bytes(4)
