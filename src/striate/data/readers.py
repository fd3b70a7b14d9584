"""Which reader takes what the user points at: told by the name, the kind of file, and what lies in a folder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from striate.data.archives import Archive, Member
from striate.data.asked import NOTHING, Asked
from striate.data.compressed import plain_tar
from striate.data.fetched import fetched
from striate.data.folder import list_folder
from striate.data.idx import idx_pairs, is_idx_name, labels_beside, list_idx
from striate.data.image_folder import list_image_folder, metadata_tables
from striate.data.images import printable
from striate.data.kept import MEMORY_LIMIT
from striate.data.listing import Listing
from striate.data.named import NAMES, list_named
from striate.data.parquet import list_parquet
from striate.data.parquet_files import parquet_files
from striate.data.table import list_csv
from striate.data.text_list import base_of, lines_of, list_text, split_lists
from striate.data.tree import P, Place
from striate.data.walk import extension_of, files_in, is_image, subfolders
from striate.data.web_dataset import is_shard, list_shards
from striate.errors import StriateError, UsageError, nearest
from striate.files import at_home, is_address

TABLES = (".csv", ".tsv")
LISTS = (".txt", ".lst")
_ARCHIVE = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz))$", re.IGNORECASE)
_OTHER_ARCHIVES = (".7z", ".rar", ".gz", ".bz2", ".xz", ".zst")
#: Numbers of shards, as in `train-{000..127}.tar`.
_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")
#: A range of more numbers is a mistake.
_MOST_SHARDS = 100_000


def list_source(
    source: str | Path, cache: str | Path | None = None, asked: Asked = NOTHING, limit: int = MEMORY_LIMIT
) -> Listing:
    """List the images of anything that `open_dataset` takes.

    Args:
        source: see there.
        cache: folder of what is fetched or unpacked; None for the usual one.
        asked: what the caller says of the labels.
        limit: bytes of Parquet files beyond which the images stay in them.

    Raises:
        StriateError: the source is missing, or no reader takes it.
        UsageError: it is empty, or a column that was asked for is not there.
    """
    if isinstance(source, str) and source in NAMES:
        return list_named(source, cache)
    if source == "":  # a variable of a shell that is not set, say; as a path it would be the folder one is in
        raise UsageError("the name of the images is empty; name a folder or a file ('.' for the folder you are in)")
    if len(several := expanded(str(source))) > 1 and not at_home(source).exists():
        return _list_shards(several, cache, asked)
    if isinstance(source, str) and is_address(source):
        return _list_file(fetched(source, cache), source, cache, asked, limit)
    path, where = at_home(source), printable(source)
    try:
        if path.is_dir():
            return list_place(path, asked, limit)
        if path.exists():
            return _list_file(path, str(source), cache, asked, limit)
    except PermissionError:
        raise StriateError(f"{where} cannot be read: permission denied") from None
    member, note = _inside_archive(path, cache)
    if member is not None:
        listing = _list_member(member, asked, limit)
        return replace(listing, notes=note + listing.notes)
    raise StriateError(_missing(path, where))


def is_there(source: str) -> bool:
    """Whether a source that was given as a string is still where it was."""
    if source in NAMES or is_address(source):
        return True
    if all(at_home(name).exists() for name in expanded(source)):
        return True
    return any(_ARCHIVE.search(above.name) and above.is_file() for above in at_home(source).parents)


def list_place(folder: P, asked: Asked = NOTHING, limit: int = MEMORY_LIMIT) -> Listing:
    """List the images of a folder, on the disk or in an archive. Raises as `list_source`."""
    if tables := metadata_tables(folder):
        return list_image_folder(folder, tables, asked)
    if files := parquet_files(folder):
        return list_parquet(files.splits, notes=files.notes, divided=files.divided, asked=asked, limit=limit)
    if pairs := idx_pairs(folder):
        return list_idx(pairs)
    if isinstance(folder, Path) and (shards := _shards_in(folder, asked)):
        return list_shards(shards, folder, asked)
    if lists := split_lists(folder):
        return list_text(lists, asked, divided=True)
    return list_folder(folder, asked.empty_classes)


def expanded(source: str) -> list[str]:
    """The names that a pattern with `{000..127}` stands for; without one the name itself.

    Raises:
        UsageError: the range counts down, or is endless.
    """
    match = _RANGE.search(source)
    if match is None:
        return [source]
    first, last = int(match[1]), int(match[2])
    if not first <= last < first + _MOST_SHARDS:
        raise UsageError(f"{match[0]} counts from {first} to {last}; a range of shards counts up")
    names = [f"{source[: match.start()]}{number:0{len(match[1])}}" for number in range(first, last + 1)]
    return [name + rest for name in names for rest in expanded(source[match.end() :])]


def _list_shards(names: Sequence[str], cache: str | Path | None, asked: Asked) -> Listing:
    """List the shards that a pattern stands for. Raises StriateError where one is missing."""
    archives = []
    for name in names:
        path = fetched(name, cache) if is_address(name) else at_home(name)
        if not path.is_file():
            raise StriateError(f"there is no '{printable(name)}', one of {len(names):,} shards")
        archives.append(Archive(path, name))
    return list_shards(archives, archives[0].pieces.path.parent, asked)


def _shards_in(folder: Path, asked: Asked) -> list[Archive]:
    """WebDataset's shards that lie directly in a folder, where the first tar file is one."""
    files = [file for file in files_in(folder) if file.suffix.lower() == ".tar"]
    if not files or not is_shard(Archive(files[0]), asked):
        return []
    return [Archive(file) for file in files]


def _list_file(path: Path, source: str, cache: str | Path | None, asked: Asked, limit: int) -> Listing:
    """List the images of a file that was called `source`. Raises as `list_source`."""
    where, extension = printable(source), path.suffix.lower()
    if _ARCHIVE.search(path.name):
        archive, note = _archive(path, source, cache)
        listing = _list_archive(archive, path.parent, asked, limit)
        return replace(listing, notes=note + listing.notes)
    if extension in (".parquet", ".pq"):
        return list_parquet({"train": [path]}, divided=False, asked=asked, limit=limit)
    if is_idx_name(path.name):
        return list_idx({"train": (path, labels_beside(path))})
    if (found := _list_words(path, asked)) is not None:
        return found
    if extension in _OTHER_ARCHIVES:
        raise StriateError(f"{where} is packed in a way that is not read in place; unpack it and give what it holds")
    raise StriateError(f"{where} is no folder, archive, CSV, text list, Parquet or IDX file")


def _list_words(path: Place, asked: Asked) -> Listing | None:
    """List the images that a table or a list names; None where a file is neither."""
    extension = path.suffix.lower()
    if extension in TABLES:
        return list_csv(path, asked)
    return list_text({"train": path}, asked) if extension in LISTS else None


def _archive(path: Path, source: str, cache: str | Path | None) -> tuple[Archive, tuple[str, ...]]:
    """An archive under the name that it was given by, and what is to be said of it."""
    if path.suffix.lower() == ".zip":
        return Archive(path, source), ()
    plain, note = plain_tar(path, cache)
    return Archive(plain, source), (note,) if note else ()


def _inside_archive(path: Path, cache: str | Path | None) -> tuple[Member | None, tuple[str, ...]]:
    """What `photos.zip/train` stands for, and what is to be said of the archive; None where there is no such place."""
    for above in path.parents:
        if _ARCHIVE.search(above.name) and above.is_file():
            archive, note = _archive(above, str(above), cache)
            member = archive.root / path.relative_to(above).as_posix()
            return (member, note) if member.exists() else (None, ())
    return None, ()


def _list_member(member: Member, asked: Asked, limit: int) -> Listing:
    """List the images of a folder or a table in an archive. Raises as `list_source`."""
    if member.is_dir():
        listing = list_place(member, asked, limit)
    elif member.suffix.lower() in (".parquet", ".pq"):
        listing = list_parquet({"train": [member]}, divided=False, asked=asked, limit=limit)
    elif (found := _list_words(member, asked)) is not None:
        listing = found
    else:
        raise StriateError(f"{printable(member)} is no folder, CSV, text list or Parquet file")
    return _with_what_was_seen(listing, member.archive)


def _list_archive(archive: Archive, folder: Path, asked: Asked, limit: int) -> Listing:
    """List the images of an archive, which lies in `folder`: of shards, of a table in it, or of its folders."""
    if archive.kind == "tar" and is_shard(archive, asked):
        return list_shards([archive], folder, asked)
    root = unwrapped(archive.root)
    table = _table_in(root)
    listing = None if table is None else _list_words(table, asked)
    return _with_what_was_seen(listing or list_place(root, asked, limit), archive)


def unwrapped(root: Member) -> Member:
    """The folder in an archive that holds its images: the only one in it, as long as that holds more than pictures."""
    inner, files = subfolders(root), files_in(root)
    if len(inner) != 1 or files:
        return root
    return unwrapped(inner[0]) if subfolders(inner[0]) or not all(map(is_image, files_in(inner[0]))) else root


def _table_in(root: Member) -> Member | None:
    """The one table, or the one list, that says what the images in an archive are, where its folders do not."""
    if len(subfolders(root)) > 1 or metadata_tables(root) or split_lists(root):
        return None
    files = files_in(root)
    tables = [file for file in files if extension_of(file) in TABLES]
    if len(tables) == 1:
        return tables[0]
    lists = [file for file in files if extension_of(file) in LISTS and _is_list(file)]
    return lists[0] if len(lists) == 1 and not tables else None


def _is_list(file: Member) -> bool:
    try:
        return base_of(file, lines_of(file.read_bytes().decode("utf-8"))) is not None
    except (OSError, UnicodeDecodeError):
        return False


def _with_what_was_seen(listing: Listing, archive: Archive) -> Listing:
    """The listing with what its archive's index told."""
    return replace(listing, notes=archive.notes + listing.notes, skipped=archive.skipped + listing.skipped)


def _missing(path: Path, where: str) -> str:
    """The message for a path that is not there, with the names nearest to it."""
    parent = path.parent
    if not parent.is_dir():
        while not parent.is_dir() and parent != parent.parent:
            parent = parent.parent
        return f"there is no '{where}': the path exists as far as {printable(parent)}"
    known = [printable(entry.name) for entry in parent.iterdir() if not entry.name.startswith(".")]
    if where == path.name:
        known += NAMES
    return f"there is no '{where}'.{nearest(path.name, sorted(set(known)))}"
