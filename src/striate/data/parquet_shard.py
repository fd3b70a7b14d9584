"""Images in Parquet files that are read when they are needed: a row group at a time, of which a few are held.

A column cannot be read but in whole pages, so a picture costs its row group; `datasets` has written groups of a hundred
pictures. Each process holds the groups that it read last, `CACHED` bytes of them, and one at least.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from striate.data.pieces import Pieces
from striate.data.stored import InFile, unreadable
from striate.data.tree import Place, child

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

#: Bytes of row groups that a process holds.
CACHED = 1 << 26
#: Bytes of a row group beyond which a picture takes long to be read.
LARGE_GROUP = 1 << 28


class Shard:
    """A Parquet file whose column of images stays in it.

    Args:
        path: where it lies.
        column: of the images.
        name: what it is called in reports.
        starts: the first row of each row group, and the number of rows; int64 (G + 1,).
    """

    def __init__(self, path: Path, column: str, name: str, starts: np.ndarray) -> None:
        self.pieces, self.column, self.name, self.starts = Pieces(path), column, name, starts
        self.outside: set[int] = set()  # rows whose images turned out to lie in files of their own

    def rows(self) -> Iterator[ShardRow]:
        """All rows."""
        return (ShardRow(self, row) for row in range(int(self.starts[-1])))

    def content(self, row: int) -> bytes:
        """The bytes of a row's image. Raises OSError."""
        self.pieces.demand_same()
        group = int(np.searchsorted(self.starts, row, side="right")) - 1
        contents, paths = _groups.read(self, group)
        place = row - int(self.starts[group])
        content = contents[place].as_py()
        if content is None and paths is not None and (path := paths[place].as_py()):
            self.outside.add(row)
            return child(self.pieces.path.parent, path).read_bytes()
        if content is None:
            raise unreadable("the row has no image")
        return bytes(content)


@dataclass(frozen=True, slots=True)
class ShardRow(InFile):
    """The image of one row."""

    shard: Shard
    row: int

    def __str__(self) -> str:
        return f"{self.shard.name}[{self.row}]"

    @property
    def suffix(self) -> str:
        """Rows have no endings."""
        return ""

    @property
    def size(self) -> int:
        """Not known before it is read."""
        return 0

    @property
    def file(self) -> Path | None:
        """The Parquet file, unless the image turned out to lie in one of its own."""
        return None if self.row in self.shard.outside else self.shard.pieces.path

    @property
    def part(self) -> str:
        """The column and the row."""
        return f"{self.shard.column}[{self.row}]"

    def read_bytes(self) -> bytes:
        """The bytes of the image. Raises OSError."""
        return self.shard.content(self.row)


#: What a row holds of an image: its bytes, or where they lie.
Content = bytes | ShardRow


def opened_shard(file: Place) -> pq.ParquetFile:
    """A Parquet file, opened. Raises what pyarrow raises."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if isinstance(file, Path):
        return pq.ParquetFile(file, memory_map=True)
    return pq.ParquetFile(pa.BufferReader(file.read_bytes()))


def shard_of(opened: pq.ParquetFile, path: Path, column: str, name: str) -> Shard:
    """The images of a column, to be read later."""
    groups = [opened.metadata.row_group(number) for number in range(opened.num_row_groups)]
    starts = np.cumsum([0, *(group.num_rows for group in groups)]).astype(np.int64)
    return Shard(path, column, name, starts)


def largest_group(file: Place) -> int:
    """Bytes of the largest row group of a file, unpacked. Raises what pyarrow raises."""
    metadata = opened_shard(file).metadata
    return max((metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups)), default=0)


def holds_images(kind: pa.DataType) -> bool:
    """Whether a column of this type can hold images."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and is_bytes(kind.field("bytes").type)
    return is_bytes(kind)


def is_bytes(kind: pa.DataType) -> bool:
    """Whether values of this type are bytes, or none at all."""
    import pyarrow as pa

    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_null(kind)


def column_bytes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The bytes in a column of images."""
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.struct_field(column, "bytes") if pa.types.is_struct(column.type) else column


def column_paths(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """The paths in a column of images, where it has any."""
    import pyarrow as pa
    import pyarrow.compute as pc

    has_paths = pa.types.is_struct(column.type) and column.type.get_field_index("path") >= 0
    return pc.struct_field(column, "path") if has_paths else None


class _Groups:
    """The row groups that this process holds, those used last at the end."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.held: OrderedDict[tuple[object, ...], tuple[pa.ChunkedArray, pa.ChunkedArray | None]] = OrderedDict()

    def read(self, shard: Shard, number: int) -> tuple[pa.ChunkedArray, pa.ChunkedArray | None]:
        """The bytes and the paths of a row group's images. Raises OSError."""
        key = (shard.pieces.path, shard.pieces.state, shard.column, number)
        with self.lock:
            if key in self.held:
                self.held.move_to_end(key)
                return self.held[key]
            found = self.held[key] = _read_group(shard, number)
            free = CACHED - sum(contents.nbytes for contents, _ in self.held.values())
            while free < 0 and len(self.held) > 1:
                _, (contents, _) = self.held.popitem(last=False)
                free += contents.nbytes
            return found

    def restart_in_child(self) -> None:
        """Start anew after a fork: whoever holds the lock is not here."""
        self.lock = threading.Lock()


def _read_group(shard: Shard, number: int) -> tuple[pa.ChunkedArray, pa.ChunkedArray | None]:
    import pyarrow as pa

    try:
        column = opened_shard(shard.pieces.path).read_row_group(number, [shard.column], use_threads=False)[shard.column]
        if len(column) != shard.starts[number + 1] - shard.starts[number]:
            raise unreadable("it has other rows than it says")
        return column_bytes(column), column_paths(column)
    except (pa.ArrowException, OSError) as error:
        reason = " ".join((getattr(error, "strerror", None) or str(error)).split()).rstrip(".")
        raise unreadable(f"row group {number} is damaged ({reason})") from error


_groups = _Groups()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_groups.restart_in_child)
