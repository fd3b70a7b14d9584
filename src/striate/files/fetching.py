"""Fetching a published file: whole and with the right checksum, or not at all.

What has arrived when a connection breaks stays beside the file's place, as `NAME.part`, and the next try goes on from
there where the server can (HTTP's `Range`). The checksum is that of the whole file, however many tries it took, so what
was put together from two different files is noticed and fetched anew. Where nobody states a checksum, what the server
calls this state of the file (`ETag`, else `Last-Modified`) stays beside it, as `NAME.part.state`, and the next try asks
for the rest of that very state (`If-Range`; RFC 9110, 13.1.5).
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from striate.errors import StriateError
from striate.files.checksums import Checksum
from striate.files.turns import one_at_a_time
from striate.files.writing import explain, make_folder_of, take_name, write_atomically

#: What helps where the folder for fetched files may not be written to.
ELSEWHERE = "STRIATE_CACHE names another folder for fetched files."

#: Behind the name of a file that has not arrived whole.
PART = ".part"

#: Behind that, of the file that says which state of it has arrived.
STATE = ".state"

#: Told how many bytes there are, and how many there will be where the server says it.
Shown = Callable[[int, int | None], None]


def fetch(
    urls: str | Sequence[str],
    path: Path,
    checksum: Checksum,
    by_hand: str,
    timeout: float = 30.0,
    shown: Shown | None = None,
) -> Path:
    """Bring the file at `path` from the first address that delivers it with its checksum; make its folder first.

    The file takes its name only when it is whole; until then an older one stays. What is cut short is kept for the next
    try, what is whole and another file is removed. Each address is asked once, and once more where what it added to a
    kept beginning does not belong to it. A second process that wants the same file waits, and finds it.

    Args:
        urls: its address, or several to be asked in turn.
        path: where the file is to lie.
        checksum: what its content must hash to; where it has no digits, the state and the length that the server says
            decide.
        by_hand: how to put it there where there is no connection, as the end of a sentence.
        timeout: seconds to wait for a server that says nothing.
        shown: told of every block that arrives.

    Returns:
        `path`.

    Raises:
        StriateError: no address delivered it (the message has the last one's reason, and `by_hand`), or it cannot be
            written.
    """
    make_folder_of(path, ELSEWHERE)
    part = path.with_name(path.name + PART)
    failed = "no address is known"
    try:
        with one_at_a_time(path):
            if checksum.digits and path.is_file() and checksum.is_of(path):
                return path  # another process was quicker
            for url in filter(None, [urls] if isinstance(urls, str) else urls):
                try:
                    _deliver(url, part, checksum, timeout, shown or _tell_nobody)
                    take_name(part, path)
                    return path
                except _NotDelivered as error:
                    failed = f"cannot fetch {url} ({error})"
    except OSError as error:
        raise explain(error, path, ELSEWHERE) from error
    goes_on = part.exists() and (bool(checksum.digits) or _state_of(part).exists())
    kept = "; what has arrived is kept, and the next try goes on from there" if goes_on else ""
    raise StriateError(f"{failed}{kept}; {by_hand}")


class _NotDelivered(Exception):
    """An address that did not deliver the file, and why."""


class _NothingMore(Exception):
    """The server has nothing behind the beginning that is kept."""


class _AnotherState(Exception):
    """The server goes on with another state of the file than the one that is kept."""


def _tell_nobody(done: int, total: int | None) -> None:
    pass


def _deliver(url: str, part: Path, checksum: Checksum, timeout: float, shown: Shown) -> None:
    """Make `part` the whole file, with its checksum; OSErrors are those of writing."""
    if not checksum.digits:
        _deliver_unstated(url, part, timeout, shown)
        return
    kept = part.stat().st_size if part.is_file() else 0
    try:
        went_on = _download(url, part, kept, timeout, shown)
    except _NothingMore:
        went_on = True
    is_right = checksum.is_of(part)
    if went_on and not is_right:
        part.unlink()
        _download(url, part, 0, timeout, shown)
        is_right = checksum.is_of(part)
    if not is_right:
        part.unlink()
        raise _NotDelivered("what arrived has another checksum than the published one")


def _deliver_unstated(url: str, part: Path, timeout: float, shown: Shown) -> None:
    """Make `part` the whole file, of which no checksum is stated; OSErrors are those of writing."""
    noted = _state_of(part)
    state = noted.read_text(encoding="utf-8", errors="replace").strip() if noted.is_file() else ""
    if not state:
        part.unlink(missing_ok=True)  # nothing could tell whether its two ends are of one file
    kept = part.stat().st_size if part.is_file() else 0
    try:
        _download(url, part, kept, timeout, shown, noted)
    except (_NothingMore, _AnotherState):
        part.unlink()
        _download(url, part, 0, timeout, shown, noted)
    noted.unlink(missing_ok=True)


def _state_of(part: Path) -> Path:
    return part.with_name(part.name + STATE)


def _note(state: str, noted: Path) -> None:
    """Write down which state of the file is arriving, where the server says it."""
    noted.unlink(missing_ok=True)
    if state:
        write_atomically(noted, state)


def _named_state(answer: Any) -> str:
    """What a server calls the state of a file that it sends; empty where it says nothing that can be relied on."""
    tag = answer.headers.get("ETag") or ""
    return "" if tag.startswith("W/") else tag or answer.headers.get("Last-Modified") or ""


def _download(url: str, part: Path, kept: int, timeout: float, shown: Shown, noted: Path | None = None) -> bool:
    """Write what an address delivers behind the `kept` bytes of `part`; return whether the server went on from there.

    A server that begins anew has its file written anew. `noted` is the file that holds the state of what is kept, or is
    to hold it. OSErrors are those of writing.
    """
    state = noted.read_text(encoding="utf-8", errors="replace").strip() if noted is not None and kept else ""
    with _opened(url, kept, timeout, state) as answer:
        done = kept if _goes_on(answer, kept) else 0
        if done and state and _named_state(answer) not in ("", state):
            raise _AnotherState
        if noted is not None and not done:
            _note(_named_state(answer), noted)
        expected = answer.headers.get("Content-Length")
        total = done + int(expected) if expected and expected.isdecimal() else None
        went_on = done > 0
        if not went_on:
            part.unlink(missing_ok=True)
        try:
            with open(part, "ab") as file:
                for block in _blocks(answer):
                    file.write(block)
                    done += len(block)
                    shown(done, total)
                file.flush()
                os.fsync(file.fileno())
        finally:
            if not done:
                part.unlink(missing_ok=True)
    if total is not None and done < total:
        raise _NotDelivered(f"the connection ended after {done:,} of {total:,} bytes")
    return went_on


def _opened(url: str, kept: int, timeout: float, state: str = "") -> Any:
    """The answer of an address that was asked for what comes behind the first `kept` bytes, of this state if any."""
    headers = {"Range": f"bytes={kept}-"} if kept else {}
    if state:
        headers["If-Range"] = state
    try:
        asked = urllib.request.Request(url, headers=headers)
        return urllib.request.urlopen(asked, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if kept and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise _NothingMore from error
        raise _NotDelivered(_reason(error)) from error
    except (OSError, http.client.HTTPException, ValueError) as error:  # URLError and time-outs are OSErrors
        raise _NotDelivered(_reason(error)) from error


def _goes_on(answer: Any, kept: int) -> bool:
    """Whether an answer is what comes behind the first `kept` bytes, and not the file from its beginning."""
    if getattr(answer, "status", None) != http.HTTPStatus.PARTIAL_CONTENT:
        return False
    begins = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range") or "")
    if begins is None or int(begins[1]) != kept:
        raise _NotDelivered("the server went on from another place than it was asked for")
    return True


def _blocks(answer: Any) -> Iterator[bytes]:
    """What an address delivers; its errors, apart from those of whoever writes it down."""
    try:
        while block := answer.read(1 << 20):
            yield block
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _NotDelivered(_reason(error)) from error


def _reason(error: Exception) -> str:
    cause: object = error
    if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
        cause = error.reason  # the plain reason, without "urlopen error" around it
    if isinstance(cause, socket.gaierror):
        return "no network, or no such server"
    return " ".join(str(cause).split()) or type(cause).__name__
