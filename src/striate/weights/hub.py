"""Files of the Hugging Face Hub, `hf:ORG/NAME[@REVISION]`: in a folder of one's own, in the Hub's cache, or fetched.

Its own client fetches them: it goes on where a connection broke off, keeps one copy for all programs (HF_HOME,
HF_HUB_CACHE), and has the address of another server (HF_ENDPOINT) and a token (HF_TOKEN). What it fetched is compared
with the SHA-256 that the Hub states.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from striate.errors import StriateError, UsageError
from striate.files import cache_folder, digest_of
from striate.weights.places import given_folders
from striate.weights.source import HUB

#: What a repository holds of which one is enough, the first that is there.
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
CONFIG = "config.json"

_NAMED = re.compile(r"[\w.-]+/[\w.-]+(?:@[\w./-]+)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_hub(weights: object) -> bool:
    """Whether weights are named as a repository of the Hub's."""
    return str(weights).startswith(HUB)


def repository_named(weights: str) -> str:
    """`ORG/NAME[@REVISION]` of `hf:ORG/NAME[@REVISION]`.

    Raises:
        UsageError: it is written otherwise.
    """
    repository = weights.removeprefix(HUB)
    if _NAMED.fullmatch(repository) is None or ".." in repository:
        raise UsageError(
            f"{weights}: a repository of the Hugging Face Hub is written hf:ORG/NAME or hf:ORG/NAME@REVISION"
        )
    return repository


def hub_file(repository: str, *files: str) -> Path:
    """The first of these files that a repository has, fetched where it is not on this machine; its checksum holds.

    Raises:
        StriateError: it can neither be found nor fetched (the line says where to put it), or is damaged.
    """
    for file in files:
        if (path := hub_file_at_hand(repository, file)) is not None:
            return _whole(path)
    try:
        import huggingface_hub
    except ImportError as error:
        raise StriateError(
            f"{HUB}{repository} is fetched by huggingface_hub: pip install 'striate[timm]'; or {_by_hand(repository)}"
        ) from error
    name, _, revision = repository.partition("@")
    with hub_as_it_can_be_reached(), _without_bars():
        for file in files:
            try:
                return _whole(Path(huggingface_hub.hf_hub_download(name, file, revision=revision or None)))
            except StriateError:
                raise
            except Exception as error:  # of the client's, of the connection's: many kinds
                if _lacks_the_file(error):
                    continue
                raise _not_fetched(repository, error) from error
    raise StriateError(f"{HUB}{repository} has no {' or '.join(files)}")


def hub_file_at_hand(repository: str, file: str) -> Path | None:
    """A file of a repository on this machine: `ORG/NAME/FILE` in one of the folders, or in the Hub's own cache."""
    for folder in (*given_folders(), cache_folder()):
        path = folder / repository / file
        if path.is_file():
            return path
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    name, _, revision = repository.partition("@")
    found = try_to_load_from_cache(name, file, revision=revision or None)
    return Path(found) if isinstance(found, str) else None


def folder_by_hand(repository: str) -> Path:
    """Where the files of a repository may be put by hand."""
    return cache_folder() / repository


@contextmanager
def hub_as_it_can_be_reached() -> Iterator[None]:
    """Without a network the hub's client looks into its cache at once, instead of trying again for a minute."""
    from huggingface_hub import constants

    was = constants.HF_HUB_OFFLINE
    try:
        socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, 443)
    except OSError:
        constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = was


@contextmanager
def _without_bars() -> Iterator[None]:
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    was = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not was:
            enable_progress_bars()


def _whole(path: Path) -> Path:
    """The file, where its content is what the Hub states: in its cache files are called by their SHA-256."""
    kept = path.resolve()
    if _SHA256.fullmatch(kept.name) and digest_of(kept) != kept.name:
        raise StriateError(f"{path}: damaged (its sha256 is not {kept.name[:8]}...); delete {kept} and try again")
    return path


def _lacks_the_file(error: Exception) -> bool:
    from huggingface_hub import errors

    return isinstance(error, errors.EntryNotFoundError) and not isinstance(error, errors.LocalEntryNotFoundError)


def _by_hand(repository: str) -> str:
    name = repository.partition("@")[0]
    return f"put the files {CONFIG} and {WEIGHTS[0]} of {name} into {folder_by_hand(repository)}"


def _not_fetched(repository: str, error: Exception) -> StriateError:
    from huggingface_hub import errors

    name, _, revision = repository.partition("@")
    if isinstance(error, errors.RevisionNotFoundError):
        return StriateError(f"{HUB}{repository}: {name} has no revision '{revision}'")
    if isinstance(error, errors.GatedRepoError):
        return StriateError(f"{HUB}{repository}: its owner lends it only to those who ask; HF_TOKEN says who you are")
    if isinstance(error, errors.RepositoryNotFoundError):
        return StriateError(
            f"{HUB}{repository}: the Hub has no such repository, or shows it only to those with a token"
        )
    if isinstance(error, errors.LocalEntryNotFoundError | errors.OfflineModeIsEnabled | ConnectionError):
        return StriateError(f"{HUB}{repository}: no network; {_by_hand(repository)}")
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return StriateError(f"{HUB}{repository}: cannot be fetched ({reason}); {_by_hand(repository)}")
