"""Files are written through `striate.files` and fetched through `striate.files.fetching`, and in no other way."""

import ast
from pathlib import Path

import pytest

import striate

SOURCE = Path(striate.__file__).parent

#: Modules that write, move or fetch files.
MODULES = {"shutil", "tempfile", "mmap", "zipfile", "http.client", "urllib.request", "requests", "huggingface_hub"}
#: Methods of paths, and functions of os, NumPy, OpenCV, matplotlib, safetensors and others, that do nothing else.
WRITERS = {
    "write_text", "write_bytes", "touch", "mkdir", "makedirs", "symlink_to", "hardlink_to", "symlink", "truncate",
    "fsync", "fdopen", "extract", "extractall", "savez", "savez_compressed", "savetxt", "tofile", "memmap", "imwrite",
    "imsave", "save_file", "SummaryWriter", "FileLock", "FileHandler",
}  # fmt: skip
#: Those that write where they are given a place to write to.
WRITERS_TO = {"save", "savefig", "dump", "to_parquet", "to_pickle"}
#: Those that are something else in the hands of others.
OF_OS = {"replace", "rename", "renames", "link", "mkfifo"}
#: Whose `open` takes the mode after the place.
OPENERS = {"io", "tarfile", "gzip", "bz2", "lzma", "Image", "RunFolder"}

#: Who may, and why.
ALLOWED = {
    "files/writing.py": {
        "open": "here a file is opened for writing",
        "fsync": "what is written is put on the disk",
        "replace": "and then takes its name",
        "mkdir": "the folder of a file to be written",
    },
    "files/placing.py": {
        "shutil": "a file of the user's is copied as it is, with its times",
        "open": "a copy, in a place where nothing was",
        "link": "which then has its name in one step, never in the place of another",
        "replace": "or so where a drive knows no second names",
        "mkdir": "the folder that it is put into",
        "symlink": "or a link to it",
    },
    "files/moving.py": {
        "link": "a file of the user's has both names for a moment, never in the place of another",
        "rename": "or moves at once where a drive knows no second names",
        "mkdir": "the folder that it is moved into",
    },
    "files/fetching.py": {
        "urllib.request": "here a file is fetched",
        "http.client": "its errors",
        "open": "what has arrived, to go on with",
        "fsync": "which is put on the disk before it takes its name",
    },
    "files/keeping.py": {
        "mkdir": "the folder of folders",
        "tempfile": "a folder that takes its name when it is filled",
        "rename": "and then does",
        "shutil": "what was not used for long is removed",
    },
    "files/turns.py": {"FileLock": "an empty file, locked while another is fetched"},
    "training/run_folder.py": {
        "mkdir": "a run takes its name by making its folder, which fails where the name is taken",
        "FileLock": "an empty file, locked while the run is written to",
    },
    "training/events.py": {"SummaryWriter": "TensorBoard's own files, to which it appends as training goes on"},
    "data/block_file.py": {
        "memmap": "a file is mapped to be read",
        "save": "to bytes",
    },
    "data/room.py": {"shutil": "the free space of a disk"},
    "data/listen.py": {
        "tempfile": "a file without a name for what C libraries say while a picture is decoded",
        "fdopen": "the same as a stream of C's",
    },
    "cli/app.py": {"open": "os.devnull, in place of output that the caller has closed"},
    "cli/output.py": {"shutil": "the size of the terminal"},
    "cli/long_json.py": {"tempfile": "a file without a name for what is printed when all of it is there"},
    "training/counting.py": {"shutil": "the size of the terminal"},
    "cli/kernel.py": {"save": "into the file that `write_atomically` has opened"},
    "analysis/drawing.py": {"savefig": "into the file that `write_atomically` has opened"},
    "report/charts.py": {"savefig": "into memory, for the page"},
    "report/pictures.py": {"save": "into memory, for the page"},
    "training/model_file.py": {"save": "to bytes"},
    "weights/pickles.py": {"zipfile": "an archive is read, and its checksums compared"},
    "weights/keras_archive.py": {"zipfile": "an archive is read"},
    "data/zip_files.py": {"zipfile": "an archive's index is read"},
    "weights/hub.py": {"huggingface_hub": "the Hub's own client, with its cache"},
    "training/checkpoints.py": {"save": "to bytes"},
    "files/kept_arrays.py": {"save": "to bytes"},
}


def writers(tree: ast.AST) -> set[str]:
    """What a module uses that writes or fetches files."""
    modules, of_others = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            of_others |= {alias.name for alias in node.names if not node.module.startswith("striate.")}
    found = modules & MODULES
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call):
            continue
        method = isinstance(call.func, ast.Attribute)
        name = call.func.attr if method else getattr(call.func, "id", "")
        owner = getattr(call.func.value, "id", "") if method else ""
        if (
            name in WRITERS
            or (name in WRITERS_TO and (call.args or call.keywords) and (method or name in of_others))
            or (name in OF_OS and owner == "os")
            or (name in ("replace", "rename") and method and len(call.args) == 1 and not call.keywords)  # a path's own
            or (name == "open" and opens_to_write(call, method, owner))
        ):
            found.add(name)
    return found


def opens_to_write(call: ast.Call, method: bool, owner: str) -> bool:
    """Whether a file is opened for writing, or may be as the mode is not known."""
    if owner == "os":
        return "O_RDONLY" not in ast.dump(call)
    place = 0 if method and owner not in OPENERS else 1
    (mode,) = [word.value for word in call.keywords if word.arg == "mode"] or call.args[place : place + 1] or [None]
    if mode is None:
        return False
    return not (isinstance(mode, ast.Constant) and isinstance(mode.value, str)) or bool(set(mode.value) & set("wax+"))


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("open(path, 'w')", "open"),
        ("open(path, mode='rb+')", "open"),
        ("open(path, mode)", "open"),
        ("path.open('ab')", "open"),
        ("gzip.open(path, 'xb')", "open"),
        ("os.open(path, os.O_WRONLY | os.O_CREAT)", "open"),
        ("os.replace(a, b)", "replace"),
        ("path.replace(other)", "replace"),
        ("path.rename(other)", "rename"),
        ("path.write_text('a')", "write_text"),
        ("os.fsync(3)", "fsync"),
        ("path.mkdir(parents=True)", "mkdir"),
        ("picture.save(path)", "save"),
        ("np.save(path, values)", "save"),
        ("drawn.savefig(path)", "savefig"),
        ("from torch import save; save(state, path)", "save"),
        ("json.dump(value, file)", "dump"),
        ("frame.to_parquet(path)", "to_parquet"),
        ("import shutil", "shutil"),
        ("from tempfile import mkstemp", "tempfile"),
        ("from urllib import request", "urllib.request"),
        ("import urllib.request", "urllib.request"),
    ],
)
def test_a_writer_of_ones_own_is_seen(line, name):
    assert writers(ast.parse(line)) == {name}


@pytest.mark.parametrize(
    "line",
    [
        "write_atomically(path, text.replace('a', 'b'))",
        "open(path, 'rb')",
        "open(path)",
        "path.open()",
        "Image.open(path)",
        "tarfile.open(path, 'r:*')",
        "os.open(path, os.O_RDONLY)",
        "replace(record, name='a')",
        "dataclasses.replace(record, **fields)",
        "rename(state, table)",
        "table.renames(keys)",
        "from striate.analysis.drawing import save; save(drawn, path)",
        "summary.to_csv()",
        "json.dumps(value)",
        "import urllib.error",
    ],
)
def test_readers_and_text_are_no_writers(line):
    assert not writers(ast.parse(line))


def test_nobody_writes_or_fetches_by_another_way():
    found = {}
    for path in SOURCE.rglob("*.py"):
        if used := writers(ast.parse(path.read_text(encoding="utf-8"))):
            found[path.relative_to(SOURCE).as_posix()] = used
    assert found == {file: set(reasons) for file, reasons in ALLOWED.items()}
