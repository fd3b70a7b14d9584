"""Folders of images with a table of what they are, as Hugging Face's `imagefolder` has them.

`metadata.csv`, `metadata.jsonl` or `metadata.parquet` lies beside the images or in a folder above them, one in each
split's folder or one for all; its column `file_name` (or one that ends so) holds paths from there. What `datasets`
documents in "Create an image dataset" (huggingface.co/docs/datasets/image_dataset) holds here: splits are said by names
of folders, else of files. Where no column says the classes, the folders do, as without a table (which `datasets` leaves
out unless it is told `drop_labels=False`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from striate.data.asked import NOTHING, Asked
from striate.data.csv_file import Table, read_csv
from striate.data.few import few
from striate.data.images import printable
from striate.data.listing import Listing, choice_note, class_name
from striate.data.metadata_files import read_json_lines, read_parquet_table
from striate.data.split_names import says_nothing, split_of
from striate.data.table import list_tables
from striate.data.tree import Place, child, relative
from striate.data.walk import Walk, is_image, subfolders
from striate.errors import StriateError
from striate.units import plural

_READERS: dict[str, Callable[[Place], Table]] = {
    "metadata.csv": read_csv,
    "metadata.jsonl": read_json_lines,
    "metadata.parquet": read_parquet_table,
}
PATH_COLUMN = "file_name"


def metadata_tables(folder: Place) -> list[Table]:
    """The tables of what the images in a folder are: its own, and those of the folders of its splits.

    None where no column of theirs is one of file names: they are about something else.

    Raises:
        StriateError: they are of several kinds, or damaged.
    """
    tables = [_READERS[file.name](file) for file in _files(folder)]
    return tables if any(map(_path_columns, tables)) else []


def _files(folder: Place) -> list[Place]:
    splits = [inner for inner in subfolders(folder) if says_nothing(inner.name)]
    places = [folder, *splits, *(deeper for inner in splits for deeper in subfolders(inner))]
    found = [file for place in places for name in _READERS if (file := child(place, name)).is_file()]
    if len({file.suffix for file in found}) > 1:
        names = few([printable(file) for file in found], 3)
        raise StriateError(f"{printable(folder)} holds metadata of several kinds ({names}); keep one of them")
    return found


def list_image_folder(folder: Place, tables: Sequence[Table], asked: Asked = NOTHING) -> Listing:
    """List the images of a folder of which tables, its `metadata_tables`, say what they are.

    Raises:
        StriateError: no labels, none of the images is there.
        UsageError: there is no column of a name that was asked for.
    """
    where = printable(folder)
    columns = {name: column for table in reversed(tables) for name, column in table.columns.items()}
    spelt = [columns[name] for name in dict.fromkeys(name for table in tables for name in _path_columns(table))]
    notes = choice_note(spelt, "where the images are")

    def split_in(table: Table, image: Place) -> str | None:
        return _split(relative(image, folder).parts)

    def class_in(image: Place) -> str:
        return _class(relative(image, folder).parts)

    listed = list_tables(tables, spelt[0], where, asked, split_in, class_in)
    return replace(listed, notes=listed.notes + notes + _stray_note(folder, listed))


def _path_columns(table: Table) -> list[str]:
    """The columns of file names, the likeliest first."""
    exactly = [PATH_COLUMN] if PATH_COLUMN in table.columns else []
    return exactly + [name for name in table.columns if name.endswith(f"_{PATH_COLUMN}")]


def _split(parts: Sequence[str]) -> str | None:
    """The split that the innermost folder speaks of, else the file's own name."""
    name = parts[-1].rpartition(".")[0] or parts[-1]
    return next((split for part in (*reversed(parts[:-1]), name) if (split := split_of(part))), None)


def _class(parts: Sequence[str]) -> str:
    """The folder that an image lies in, unless that is one of a split, or of all images."""
    return class_name(parts[-2]) if len(parts) > 1 and not says_nothing(parts[-2]) else ""


def _stray_note(folder: Place, listed: Listing) -> tuple[str, ...]:
    """A line on images that no row names."""
    named = {*(str(item) for part in listed.parts.values() for item in part.items)}
    stray = [image for image in Walk().files(folder) if is_image(image) and str(image) not in named]
    if not stray:
        return ()
    return (f"{plural(len(stray), 'image')} left out, which no row names (first: {printable(stray[0])})",)
