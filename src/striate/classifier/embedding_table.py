"""Feature vectors as a table on disk, written as they come; the file takes its name when all of them are there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from striate.errors import UsageError
from striate.files import at_home, explain, replacing

#: Ends of the names of files that can be written.
SUFFIXES = (".parquet", ".csv")


class EmbeddingTable(Protocol):
    """A file that is open, with a row for each image: `file`, then its features."""

    def write(self, names: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Write the features (N, D) of N images."""
        ...

    def close(self) -> None:
        """Write what comes at the end."""
        ...


class _Parquet:
    """Columns `file` and `features`, a list of D float32; what they are stands in the file's metadata."""

    def __init__(self, file: BinaryIO, width: int, about: Mapping[str, str]) -> None:
        import pyarrow
        import pyarrow.parquet

        self._arrow, self._type = pyarrow, pyarrow.list_(pyarrow.float32(), width)
        metadata = {f"striate.{name}": value for name, value in about.items()}
        fields = [pyarrow.field("file", pyarrow.string()), pyarrow.field("features", self._type)]
        self._schema = pyarrow.schema(fields, metadata=metadata)
        self._writer = pyarrow.parquet.ParquetWriter(file, self._schema, compression="zstd")

    def write(self, names: Sequence[str], vectors: NDArray[np.float32]) -> None:
        flat = self._arrow.array(vectors.ravel(), self._arrow.float32())
        columns = [self._arrow.array(names), self._arrow.FixedSizeListArray.from_arrays(flat, type=self._type)]
        self._writer.write_table(self._arrow.Table.from_arrays(columns, schema=self._schema))

    def close(self) -> None:
        self._writer.close()


class _Csv:
    """Columns `file`, `feature_1` and so on."""

    def __init__(self, file: BinaryIO, width: int, about: Mapping[str, str]) -> None:
        self._file = file
        self._rows([["file", *(f"feature_{number}" for number in range(1, width + 1))]])

    def write(self, names: Sequence[str], vectors: NDArray[np.float32]) -> None:
        self._rows([[name, *map(repr, vector)] for name, vector in zip(names, vectors.tolist(), strict=True)])

    def _rows(self, rows: list[list[Any]]) -> None:
        lines = io.StringIO()
        csv.writer(lines, lineterminator="\n").writerows(rows)
        self._file.write(lines.getvalue().encode("utf-8", "surrogateescape"))

    def close(self) -> None:
        pass


def check_path(path: Path) -> None:
    """Raise `UsageError` where the file's ending says no form that can be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: features are written as {' or '.join(SUFFIXES)}; its name must end so.")


@contextmanager
def embedding_table(path: str | Path, width: int, about: Mapping[str, str]) -> Iterator[EmbeddingTable]:
    """A table to write to, which becomes the file `path` when the block ends; where it raises, nothing is left of it.

    Args:
        path: the file to write, .parquet or .csv, in a folder that is there.
        width: features of each image, D.
        about: what they are, for the file's metadata.

    Raises:
        UsageError: another ending.
        StriateError: it cannot be written.
    """
    target = at_home(path)
    check_path(target)
    try:
        with replacing(target) as file:
            kind = _Parquet if target.suffix.lower() == ".parquet" else _Csv
            table = kind(file, width, about)
            yield table
            table.close()
    except OSError as error:
        raise explain(error, target) from error
