"""Fetching a published file: whole and with the right checksum, or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import tempfile
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from striate.errors import StriateError


def fetch(urls: Sequence[str], target: Path, md5: str, timeout: float = 20.0) -> Path:
    """Download `target` from the first of `urls` that delivers it with the checksum `md5`.

    The file appears under its name only when it is whole; what is cut short is removed.

    Raises:
        StriateError: no address delivered it; the message gives the last reason.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    reason = "no address is known"
    for url in urls:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            digest = hashlib.md5(usedforsecurity=False)
            with (
                os.fdopen(descriptor, "wb") as stream,
                urllib.request.urlopen(url, timeout=timeout) as answer,
            ):
                while block := answer.read(1 << 20):
                    digest.update(block)
                    stream.write(block)
                stream.flush()
                os.fsync(stream.fileno())
            if digest.hexdigest() == md5:
                os.replace(temporary, target)
                return target
            reason = f"{url} has another checksum than the published one"
        except (
            OSError,
            http.client.HTTPException,
            ValueError,
        ) as error:  # URLError and time-outs are OSErrors
            cause: object = error
            if isinstance(error, urllib.error.URLError) and not isinstance(error, urllib.error.HTTPError):
                cause = error.reason  # the plain reason, without "urlopen error" around it
            reason = f"{url}: {cause or type(cause).__name__}"
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
    raise StriateError(f"{target.name} could not be downloaded ({reason})")
