"""Data sets from a server on this machine."""

import functools
import http.server
import importlib.util
import threading
from pathlib import Path

import pytest

from striate.data import open_dataset
from striate.data.readers import is_there
from striate.errors import StriateError, UsageError

SPEC = importlib.util.spec_from_file_location("packing", Path(__file__).parents[1] / "packing.py")
packing = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(packing)
png, packed = packing.png, packing.packed

PETS = {f"{name}/{row}.png": png(10 * kind + row) for kind, name in enumerate(("cat", "dog")) for row in range(2)}


@pytest.fixture
def served(tmp_path):
    """The address of a folder, and what was asked for."""
    asked = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            asked.append(self.path)
            super().do_GET()

    (tmp_path / "web").mkdir()
    handler = functools.partial(Handler, directory=tmp_path / "web")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", tmp_path / "web", asked
        server.shutdown()


@pytest.mark.parametrize("name", ["pets.zip", "pets.tar", "pets.tar.gz"])
def test_an_archive_at_an_address_is_fetched_once(served, tmp_path, name):
    url, web, asked = served
    packed(web / name, PETS)
    first = open_dataset(f"{url}/{name}", cache=tmp_path / "cache", val_fraction=0)
    assert first.classes == ("cat", "dog")
    assert first.source == f"{url}/{name}"
    assert first.train.images.name(0) == f"{url}/{name}/cat/0.png"
    (web / name).unlink()
    again = open_dataset(f"{url}/{name}", cache=tmp_path / "cache", val_fraction=0)
    assert again.fingerprint == first.fingerprint
    assert asked == [f"/{name}"]
    assert not list((tmp_path / "cache").rglob("*.part*"))


def test_a_table_at_an_address(served, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    url, web, _ = served
    pq.write_table(pa.table({"image": [png(0), png(1)], "label": ["a", "b"]}), web / "x.parquet")
    assert open_dataset(f"{url}/x.parquet?download=true", cache=tmp_path / "cache", val_fraction=0).classes == (
        "a",
        "b",
    )


def test_shards_at_addresses(served, tmp_path):
    url, web, asked = served
    for shard in range(2):
        packed(
            web / f"s-{shard}.tar",
            {
                f"{shard}{row}.{end}": made
                for row in range(2)
                for end, made in (("png", png(row)), ("cls", b"ab"[row : row + 1]))
            },
        )
    dataset = open_dataset(f"{url}/s-{{0..1}}.tar", cache=tmp_path / "cache", val_fraction=0)
    assert (dataset.classes, len(dataset.train)) == (("a", "b"), 4)
    assert asked == ["/s-0.tar", "/s-1.tar"]


def test_what_cannot_be_fetched_is_one_line_and_leaves_nothing(served, tmp_path):
    url, _, _ = served
    with pytest.raises(StriateError) as caught:
        open_dataset(f"{url}/gone.zip", cache=tmp_path / "cache")
    assert str(caught.value).startswith(
        f"cannot fetch {url}/gone.zip (HTTP Error 404: File not found); put the file gone.zip into "
    )
    assert "\n" not in str(caught.value)
    assert not [file for file in (tmp_path / "cache").rglob("*") if file.is_file()]
    with pytest.raises(UsageError, match="names no file"):
        open_dataset(f"{url}/", cache=tmp_path / "cache")


def test_without_a_network_it_is_said(tmp_path, monkeypatch):
    import socket

    def nobody(*_, **__):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(
        StriateError, match=r"^cannot fetch http://example.org/a.zip \(no network, or no such server\); put"
    ):
        open_dataset("http://example.org/a.zip", cache=tmp_path)


def test_sources_are_there_or_not(tmp_path):
    packed(tmp_path / "a.zip", PETS)
    assert is_there("mnist")
    assert is_there("https://example.org/x.zip")
    assert is_there(str(tmp_path / "a.zip"))
    assert is_there(str(tmp_path / "a.zip" / "cat"))
    assert not is_there(str(tmp_path / "b.zip"))
    assert not is_there(str(tmp_path / "a-{0..1}.tar"))
