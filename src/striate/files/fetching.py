"""Fetching a published file: whole and with the right checksum, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from striate.errors import StriateError
from striate.files.checksums import Checksum
from striate.files.writing import explain, make_folder_of, replacing

#: What helps where the folder for fetched files may not be written to.
ELSEWHERE = "STRIATE_CACHE names another folder for fetched files."


def fetch(urls: str | Sequence[str], path: Path, checksum: Checksum, by_hand: str, timeout: float = 30.0) -> Path:
    """Bring the file at `path` from the first address that delivers it with its checksum; make its folder first.

    The file takes its name only when it is whole; until then an older one stays, and what is cut short is removed. Each
    address is asked once.

    Args:
        urls: its address, or several to be asked in turn.
        path: where the file is to lie.
        checksum: what its content must hash to.
        by_hand: how to put it there where there is no connection, as the end of a sentence.
        timeout: seconds to wait for a server that says nothing.

    Returns:
        `path`.

    Raises:
        StriateError: no address delivered it (the message has the last one's reason, and `by_hand`), or it cannot be
            written.
    """
    make_folder_of(path, ELSEWHERE)
    failed = "no address is known"
    for url in filter(None, [urls] if isinstance(urls, str) else urls):
        try:
            with replacing(path) as file:
                _download(url, file, checksum, timeout)
            return path
        except _NotDelivered as error:
            failed = f"cannot fetch {url} ({error})"
        except OSError as error:
            raise explain(error, path, ELSEWHERE) from error
    raise StriateError(f"{failed}; {by_hand}")


class _NotDelivered(Exception):
    """An address that did not deliver the file, and why."""


def _download(url: str, file: BinaryIO, checksum: Checksum, timeout: float) -> None:
    digest = hashlib.new(checksum.algorithm, usedforsecurity=False)
    for block in _blocks(url, timeout):
        digest.update(block)
        file.write(block)
    if not checksum.fits(digest.hexdigest()):
        raise _NotDelivered("what arrived has another checksum than the published one")


def _blocks(url: str, timeout: float) -> Iterator[bytes]:
    """What an address delivers; its errors, apart from those of whoever writes it down."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            while block := answer.read(1 << 20):
                yield block
    except (OSError, http.client.HTTPException, ValueError) as error:  # URLError and time-outs are OSErrors
        cause: object = error
        if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
            cause = error.reason  # the plain reason, without "urlopen error" around it
        raise _NotDelivered(" ".join(str(cause).split()) or type(cause).__name__) from error
