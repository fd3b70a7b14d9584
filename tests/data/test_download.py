"""Fetching from a server on this machine that answers as servers do, and worse."""

import hashlib
import http.server
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from striate.data.download import fetch
from striate.errors import StriateError

CONTENT = np.random.default_rng(0).bytes((1 << 21) + 77)
MD5 = hashlib.md5(CONTENT).hexdigest()


@pytest.fixture
def address():
    """Addresses of files: whole, other, cut, slow, silent, blank, gone; and the paths that were asked for."""
    asked: list[str] = []
    over = threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            asked.append(self.path)
            kind = self.path.strip("/")
            if kind in ("whole", "other", "cut", "slow"):
                self.send_response(200)
                self.send_header("Content-Length", str(len(CONTENT)))
                self.end_headers()
                if kind == "slow":
                    over.wait(10)
                else:
                    self.wfile.write({"whole": CONTENT, "other": CONTENT[::-1], "cut": CONTENT[:9]}[kind])
            elif kind == "blank":
                self.wfile.write(b"\r\n")
            elif kind != "silent":
                self.send_error(404)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield (lambda kind: f"http://127.0.0.1:{server.server_port}/{kind}"), asked
        over.set()
        server.shutdown()


def reason(urls: list[str], target: Path, **options) -> str:
    with pytest.raises(StriateError) as caught:
        fetch(urls, target, MD5, **options)
    message = str(caught.value)
    assert message.startswith(f"{target.name} could not be downloaded (")
    assert "\n" not in message
    return message.removeprefix(f"{target.name} could not be downloaded (").removesuffix(")")


def test_a_file_of_any_length_arrives_whole_in_a_folder_made_for_it(tmp_path, address):
    url, asked = address
    target = tmp_path / "a" / "b" / "file.gz"
    assert fetch([url("whole"), url("gone")], target, MD5) == target
    assert target.read_bytes() == CONTENT
    assert asked == ["/whole"]
    assert [path.name for path in target.parent.iterdir()] == ["file.gz"]


def test_the_next_address_is_asked_whatever_the_one_before_did(tmp_path, address):
    url, asked = address
    for number, kind in enumerate(("gone", "other", "cut", "silent", "blank")):
        assert fetch([url(kind), url("whole")], tmp_path / str(number), MD5).read_bytes() == CONTENT
        assert asked[-2:] == [f"/{kind}", "/whole"]
    assert sorted(path.name for path in tmp_path.iterdir()) == list("01234")


def test_the_last_reason_is_told_plainly_and_nothing_is_left(tmp_path, address):
    url, _ = address
    target = tmp_path / "cache" / "file.gz"
    assert reason([url("other"), url("gone")], target) == f"{url('gone')}: HTTP Error 404: Not Found"
    assert reason([url("gone"), url("other")], target) == (
        f"{url('other')} has another checksum than the published one"
    )
    assert reason([url("cut")], target) == f"{url('cut')} has another checksum than the published one"
    assert reason([url("silent")], target) == f"{url('silent')}: Remote end closed connection without response"
    assert reason([url("blank")], target) == f"{url('blank')}: BadStatusLine"
    assert reason(["http://127.0.0.1:9/x"], target) == "http://127.0.0.1:9/x: [Errno 111] Connection refused"
    assert reason(["no address"], target) == "no address: unknown url type: 'no address'"
    assert reason([], target) == "no address is known"
    assert list(target.parent.iterdir()) == []


def test_a_server_that_stops_is_not_waited_for_longer_than_asked(tmp_path, address):
    url, _ = address
    began = time.perf_counter()
    assert reason([url("slow")], tmp_path / "file.gz", timeout=0.1) == f"{url('slow')}: timed out"
    assert time.perf_counter() - began < 5


def test_a_server_has_twenty_seconds_where_nothing_else_is_said(tmp_path, address, monkeypatch):
    url, _ = address
    waits: list[float] = []
    really = urllib.request.urlopen

    def urlopen(*arguments, timeout):
        waits.append(timeout)
        return really(*arguments, timeout=timeout)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    fetch([url("whole")], tmp_path / "file.gz", MD5)
    assert waits == [20]


def test_an_older_file_stays_where_nothing_better_comes(tmp_path, address):
    url, _ = address
    target = tmp_path / "file.gz"
    target.write_bytes(b"older")
    reason([url("other")], target)
    assert target.read_bytes() == b"older"
    fetch([url("whole")], target, MD5)
    assert target.read_bytes() == CONTENT
