"""Fetching a published file: whole and with the right checksum, or not at all."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from striate.errors import StriateError
from striate.files import replacing


def fetch(urls: Sequence[str], target: Path, md5: str, timeout: float = 20.0) -> Path:
    """Download `target` from the first of `urls` that delivers it with the checksum `md5`.

    The file appears under its name only when it is whole; what is cut short is removed.

    Raises:
        StriateError: no address delivered it; the message gives the last reason.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    reason = "no address is known"
    for url in urls:
        try:
            with replacing(target) as temporary:
                _download(url, temporary, md5, timeout)
            return target
        except _WrongChecksum:
            reason = f"{url} has another checksum than the published one"
        except (OSError, http.client.HTTPException, ValueError) as error:  # URLError and time-outs are OSErrors
            cause: object = error
            if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
                cause = error.reason  # the plain reason, without "urlopen error" around it
            reason = f"{url}: {' '.join(str(cause).split()) or type(cause).__name__}"
    raise StriateError(f"{target.name} could not be downloaded ({reason})")


class _WrongChecksum(Exception):
    pass


def _download(url: str, path: Path, md5: str, timeout: float) -> None:
    digest = hashlib.md5(usedforsecurity=False)
    with urllib.request.urlopen(url, timeout=timeout) as answer, open(path, "xb") as stream:
        while block := answer.read(1 << 20):
            digest.update(block)
            stream.write(block)
    if digest.hexdigest() != md5:
        raise _WrongChecksum
