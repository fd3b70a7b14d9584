"""Fetching from a server on this machine that answers as servers do, and worse."""

import errno
import hashlib
import http.server
import io
import re
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from striate.errors import StriateError
from striate.files import Checksum, fetching
from striate.files.fetching import fetch

CONTENT = np.random.default_rng(0).bytes((1 << 21) + 77)
MD5 = Checksum("md5", hashlib.md5(CONTENT).hexdigest())
BY_HAND = "put it there by hand"


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


class Ranges(http.server.BaseHTTPRequestHandler):
    """A server that goes on from where it is asked to, as its path says: how many bytes it sends, and of what."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        kind, _, most = self.path.strip("/").partition("-")
        content = CONTENT[::-1] if kind == "other" else CONTENT
        begins = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(begins[1]) if begins and kind != "plain" else 0
        self.server.asked.append((self.path, self.headers.get("Range")))
        if first >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if first else 200)
        if first:
            claimed = first + 1 if kind == "elsewhere" else first
            self.send_header("Content-Range", f"bytes {claimed}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first : first + int(most)] if most else content[first:])


@pytest.fixture
def ranges():
    """Its addresses, and what was asked for: path and range."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Ranges) as server:
        server.daemon_threads, server.asked = True, []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield (lambda kind: f"http://127.0.0.1:{server.server_port}/{kind}"), server.asked
        server.shutdown()


def reason(urls: str | list[str], target: Path, **options) -> str:
    with pytest.raises(StriateError) as caught:
        fetch(urls, target, MD5, BY_HAND, **options)
    message = str(caught.value)
    assert message.endswith(f"; {BY_HAND}")
    assert "\n" not in message
    return message.removesuffix(f"; {BY_HAND}")


def test_a_file_of_any_length_arrives_whole_in_a_folder_made_for_it(tmp_path, address):
    url, asked = address
    target = tmp_path / "a" / "b" / "file.gz"
    assert fetch([url("whole"), url("gone")], target, MD5, BY_HAND) == target
    assert target.read_bytes() == CONTENT
    assert asked == ["/whole"]
    assert [path.name for path in target.parent.iterdir()] == ["file.gz"]


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_the_first_digits_of_a_checksum_are_enough(tmp_path, address, algorithm):
    url, _ = address
    digits = hashlib.new(algorithm, CONTENT).hexdigest()[:8]
    assert fetch(url("whole"), tmp_path / "file", Checksum(algorithm, digits), BY_HAND).read_bytes() == CONTENT
    with pytest.raises(StriateError, match="another checksum"):
        fetch(url("other"), tmp_path / "other", Checksum(algorithm, digits), BY_HAND)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_next_address_is_asked_whatever_the_one_before_did_and_each_once(tmp_path, address):
    url, asked = address
    for number, kind in enumerate(("gone", "other", "cut", "silent", "blank")):
        assert fetch([url(kind), url("whole")], tmp_path / str(number), MD5, BY_HAND).read_bytes() == CONTENT
        assert asked[2 * number :] == [f"/{kind}", "/whole"]
    assert sorted(path.name for path in tmp_path.iterdir()) == list("01234")


def test_the_last_reason_is_told_plainly_and_nothing_is_left(tmp_path, address):
    url, _ = address
    target = tmp_path / "cache" / "file.gz"

    def because(kind: str, why: str) -> str:
        return f"cannot fetch {url(kind)} ({why})"

    other = "what arrived has another checksum than the published one"
    assert reason([url("other"), url("gone")], target) == because("gone", "HTTP Error 404: Not Found")
    assert reason([url("gone"), url("other")], target) == because("other", other)
    assert reason(url("silent"), target) == because("silent", "Remote end closed connection without response")
    assert reason(url("blank"), target) == because("blank", "BadStatusLine")
    assert reason("http://127.0.0.1:9/x", target) == (
        "cannot fetch http://127.0.0.1:9/x ([Errno 111] Connection refused)"
    )
    assert reason("no address", target) == "cannot fetch no address (unknown url type: 'no address')"
    assert reason([], target) == reason("", target) == "no address is known"
    assert list(target.parent.iterdir()) == []


def test_a_server_that_stops_is_not_waited_for_longer_than_asked(tmp_path, address):
    url, _ = address
    began = time.perf_counter()
    assert reason(url("slow"), tmp_path / "file.gz", timeout=0.1) == f"cannot fetch {url('slow')} (timed out)"
    assert time.perf_counter() - began < 5


def test_a_server_has_thirty_seconds_where_nothing_else_is_said(tmp_path, address, monkeypatch):
    url, _ = address
    waits: list[float] = []
    really = urllib.request.urlopen

    def urlopen(*arguments, timeout):
        waits.append(timeout)
        return really(*arguments, timeout=timeout)

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    fetch(url("whole"), tmp_path / "file.gz", MD5, BY_HAND)
    assert waits == [30]


def test_an_older_file_stays_where_nothing_better_comes(tmp_path, address):
    url, _ = address
    target = tmp_path / "file.gz"
    target.write_bytes(b"older")
    reason(url("other"), target)
    assert target.read_bytes() == b"older"
    fetch(url("whole"), target, MD5, BY_HAND)
    assert target.read_bytes() == CONTENT


def test_a_folder_that_may_not_be_written_to_is_told_as_that_and_how_to_choose_another(tmp_path, address):
    url, asked = address
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StriateError) as caught:
        fetch(url("whole"), tmp_path / "cache" / "file.gz", MD5, BY_HAND)
    assert str(caught.value).startswith(f"{tmp_path}/cache/file.gz: cannot be written (")
    assert str(caught.value).endswith("). STRIATE_CACHE names another folder for fetched files.")
    assert asked == []


def test_a_full_disk_is_told_as_that_and_no_other_address_is_asked(tmp_path, address, monkeypatch):
    url, asked = address

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetching, "open", lambda *arguments: Full(), raising=False)
    with pytest.raises(StriateError, match=r"file\.gz: the disk is full"):
        fetch([url("whole"), url("other")], tmp_path / "file.gz", MD5, BY_HAND)
    assert asked == ["/whole"]


KEPT = "; what has arrived is kept, and the next try goes on from there"


def test_what_is_cut_short_is_kept_and_gone_on_with(tmp_path, ranges):
    url, asked = ranges
    target, part = tmp_path / "file.gz", tmp_path / "file.gz.part"
    said = reason(url("whole-1000000"), target)
    assert said == (
        f"cannot fetch {url('whole-1000000')} (the connection ended after 1,000,000 of {len(CONTENT):,} bytes){KEPT}"
    )
    assert part.read_bytes() == CONTENT[:1_000_000]
    assert reason(url("whole-5"), target).endswith(KEPT)
    assert part.read_bytes() == CONTENT[:1_000_005]
    assert fetch(url("whole"), target, MD5, BY_HAND).read_bytes() == CONTENT
    assert asked[1:] == [("/whole-5", "bytes=1000000-"), ("/whole", "bytes=1000005-")]
    assert [path.name for path in tmp_path.iterdir()] == ["file.gz"]


def test_an_address_that_is_gone_leaves_what_is_kept_for_the_next(tmp_path, ranges):
    url, _ = ranges
    target, part = tmp_path / "file.gz", tmp_path / "file.gz.part"
    part.write_bytes(CONTENT[:77])
    assert reason("http://127.0.0.1:9/x", target).endswith(f"Connection refused){KEPT}")
    assert part.read_bytes() == CONTENT[:77]
    fetch(["http://127.0.0.1:9/x", url("whole")], target, MD5, BY_HAND)
    assert target.read_bytes() == CONTENT


def test_a_server_that_knows_no_ranges_begins_anew(tmp_path, ranges):
    url, asked = ranges
    (tmp_path / "file.gz.part").write_bytes(CONTENT[:77])
    fetch(url("plain"), tmp_path / "file.gz", MD5, BY_HAND)
    assert (tmp_path / "file.gz").read_bytes() == CONTENT
    assert asked == [("/plain", "bytes=77-")]


def test_a_beginning_of_another_file_is_fetched_anew(tmp_path, ranges):
    """Whether it is shorter than the file, as long, or longer."""
    url, asked = ranges
    for number, kept in enumerate((b"x" * 77, CONTENT[::-1], CONTENT + b"x")):
        target = tmp_path / str(number)
        (tmp_path / f"{number}.part").write_bytes(kept)
        assert fetch(url("whole"), target, MD5, BY_HAND).read_bytes() == CONTENT
    assert asked == [
        ("/whole", said) for kept in (77, len(CONTENT), len(CONTENT) + 1) for said in (f"bytes={kept}-", None)
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1", "2"]


def test_a_whole_file_that_has_only_no_name_yet_is_taken(tmp_path, ranges):
    url, asked = ranges
    (tmp_path / "file.gz.part").write_bytes(CONTENT)
    assert fetch(url("whole"), tmp_path / "file.gz", MD5, BY_HAND).read_bytes() == CONTENT
    assert asked == [("/whole", f"bytes={len(CONTENT)}-")]


def test_an_altered_file_is_refused_and_nothing_of_it_is_kept(tmp_path, ranges):
    url, asked = ranges
    (tmp_path / "file.gz.part").write_bytes(CONTENT[:77])
    other = "what arrived has another checksum than the published one"
    assert reason(url("other"), tmp_path / "file.gz") == f"cannot fetch {url('other')} ({other})"
    assert [said for _, said in asked] == ["bytes=77-", None]
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_goes_on_from_elsewhere_is_not_believed(tmp_path, ranges):
    url, _ = ranges
    part = tmp_path / "file.gz.part"
    part.write_bytes(CONTENT[:77])
    assert "the server went on from another place than it was asked for" in reason(
        url("elsewhere"), tmp_path / "file.gz"
    )
    assert part.read_bytes() == CONTENT[:77]


def test_without_a_published_checksum_only_a_whole_answer_counts(tmp_path, ranges):
    url, asked = ranges
    target, nothing = tmp_path / "file.gz", Checksum("sha256", "")
    for _ in range(2):
        with pytest.raises(StriateError, match=r"ended after 9 of [\d,]+ bytes\); put it there by hand"):
            fetch(url("whole-9"), target, nothing, BY_HAND)
    assert fetch(url("whole"), target, nothing, BY_HAND).read_bytes() == CONTENT
    assert [said for _, said in asked] == [None] * 3


def test_what_arrives_is_told_with_what_is_kept(tmp_path, ranges):
    url, _ = ranges
    told = []
    (tmp_path / "file.gz.part").write_bytes(CONTENT[:77])
    fetch(url("whole"), tmp_path / "file.gz", MD5, BY_HAND, shown=lambda *moment: told.append(moment))
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[0][0] > 77


def test_processes_that_want_the_same_file_fetch_it_once(tmp_path, ranges):
    url, asked = ranges
    code = (
        "import sys\nfrom pathlib import Path\nfrom striate.files import Checksum\n"
        "from striate.files.fetching import fetch\n"
        "fetch(sys.argv[1], Path(sys.argv[2]), Checksum('md5', sys.argv[3]), '')"
    )
    arguments = [sys.executable, "-c", code, url("whole"), str(tmp_path / "file.gz"), MD5.digits]
    processes = [subprocess.Popen(arguments) for _ in range(3)]
    assert [process.wait(100) for process in processes] == [0, 0, 0]
    assert (tmp_path / "file.gz").read_bytes() == CONTENT
    assert asked == [("/whole", None)]
    assert [path.name for path in tmp_path.iterdir()] == ["file.gz"]


class States(http.server.BaseHTTPRequestHandler):
    """A server whose file is at one state or another, as its attributes say; it breaks off after so many bytes."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        server = self.server
        server.asked.append((self.headers.get("Range"), self.headers.get("If-Range")))
        begins = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") in (None, server.state) or server.careless
        first = int(begins[1]) if begins and same else 0
        if first >= len(server.content):
            self.send_error(416)
            return
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(server.content) - 1}/{len(server.content)}")
        if server.state:
            self.send_header(server.header, server.state)
        self.send_header("Content-Length", str(len(server.content) - first))
        self.end_headers()
        self.wfile.write(server.content[first : server.most])


@pytest.fixture
def stated():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), States) as server:
        server.daemon_threads = True
        server.asked, server.content, server.most, server.careless = [], CONTENT, None, False
        server.header, server.state = "ETag", '"one"'
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        server.url = f"http://127.0.0.1:{server.server_port}/file.zip"
        yield server
        server.shutdown()


NOTHING_STATED = Checksum("sha256", "")


def broken_off(server, target):
    server.most = 1000
    with pytest.raises(StriateError, match="what has arrived is kept, and the next try goes on from there"):
        fetch(server.url, target, NOTHING_STATED, BY_HAND)
    server.most = None
    server.asked.clear()


@pytest.mark.parametrize(("header", "state"), [("ETag", '"one"'), ("Last-Modified", "Tue, 01 Jan 2030 00:00:00 GMT")])
def test_the_same_state_is_gone_on_with(stated, tmp_path, header, state):
    stated.header, stated.state = header, state
    broken_off(stated, tmp_path / "a.zip")
    assert fetch(stated.url, tmp_path / "a.zip", NOTHING_STATED, BY_HAND).read_bytes() == CONTENT
    assert stated.asked == [("bytes=1000-", state)]
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("careless", [False, True])
def test_another_state_is_fetched_anew(stated, tmp_path, careless):
    broken_off(stated, tmp_path / "a.zip")
    stated.content, stated.state, stated.careless = CONTENT[::-1], '"two"', careless
    assert fetch(stated.url, tmp_path / "a.zip", NOTHING_STATED, BY_HAND).read_bytes() == CONTENT[::-1]
    assert stated.asked == [("bytes=1000-", '"one"'), *([(None, None)] * careless)]
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


@pytest.mark.parametrize("state", ["", 'W/"weak"'])
def test_a_state_that_says_nothing_is_not_gone_on_with(stated, tmp_path, state):
    stated.state, stated.most = state, 1000
    with pytest.raises(StriateError, match=r"ended after 1,000 of [\d,]+ bytes\); put it there by hand"):
        fetch(stated.url, tmp_path / "a.zip", NOTHING_STATED, BY_HAND)
    stated.most = None
    assert fetch(stated.url, tmp_path / "a.zip", NOTHING_STATED, BY_HAND).read_bytes() == CONTENT
    assert [said for said, _ in stated.asked] == [None, None]
