import ast
import functools
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import striate

SOURCE = Path(striate.__file__).parent

#: The floors of the house: a package imports from packages on lower floors, and from itself.
FLOORS = {
    "cli": 9,
    "lab": 9,
    "serve": 9,
    "types": 9,
    "experiments": 8,
    "classifier": 7,
    "report": 6,
    "transfer": 5,
    "explain": 5,
    "export": 5,
    "training": 4,
    "engines": 3,
    "data": 3,
    "augment": 3,
    "models": 2,
    "layers": 1,
    "weights": 1,
    "analysis": 1,
    "caller": 0,
    "allocator": 0,
    "files": 0,
    "notebook": 0,
    "strict_json": 0,
    "version": 0,
    "text_tables": 0,
    "units": 0,
    "errors": -1,  # the cellar: everything may raise
}
#: Files that are no package of the house: they start it.
DOORS = {"__init__", "__main__"}


@functools.cache
def parsed(path: Path) -> ast.Module:
    """A file's syntax, which several tests walk through."""
    return ast.parse(path.read_text(encoding="utf-8"))


HEAVY = ("torch", "torchvision", "numpy", "cv2", "sklearn", "lightning_fabric", "PIL", "rich", "typer", "matplotlib")


def run(code: str) -> str:
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=110)
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


def test_importing_striate_imports_nothing_heavy():
    code = f"import sys, striate; print([name for name in {HEAVY} if name in sys.modules])"
    assert run(code) == "[]"


def test_names_are_listed_without_importing_them():
    code = "import sys, striate; dir(striate), striate.__version__; print('torch' in sys.modules)"
    assert run(code) == "False"
    assert set(striate.__all__) <= set(dir(striate))


@pytest.mark.parametrize("name", striate.__all__)
def test_every_public_name_resolves(name):
    assert getattr(striate, name) is getattr(striate, name)
    assert name.startswith("__") or callable(getattr(striate, name))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'trainn'"):
        _ = striate.trainn  # type: ignore[attr-defined]
    assert not hasattr(striate, "__path_of_nowhere__")


def test_public_names_are_those_that_type_checkers_see():
    tree = ast.parse((SOURCE / "__init__.py").read_text())
    (block,) = (node.body for node in tree.body if isinstance(node, ast.If))
    imports = [alias for line in block if isinstance(line, ast.ImportFrom) for alias in line.names]
    renamed = [name.id for line in block if isinstance(line, ast.Assign) for name in line.targets[0].elts]
    assert {alias.asname for alias in imports if alias.asname} | set(renamed) == set(striate.__all__) - {"__version__"}


def test_the_version_is_a_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", striate.__version__)


STATE = """
import importlib, os, pkgutil, signal, sys, warnings
import cv2, numpy, PIL.Image, PIL.ImageFile, torch
import {others}
import striate

def state():
    return {{
        "threads of OpenCV": cv2.getNumThreads(),
        "optimised OpenCV": cv2.useOptimized(),
        "threads of PyTorch": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "numbers of PyTorch": (torch.get_default_dtype(), torch.get_float32_matmul_precision()),
        "PyTorch repeats itself": (torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark),
        "chance": (torch.initial_seed(), numpy.random.get_state()[1].tolist()),
        "gradients": torch.is_grad_enabled(),
        "errors of NumPy": numpy.geterr(),
        "pictures of Pillow": (PIL.Image.MAX_IMAGE_PIXELS, PIL.ImageFile.LOAD_TRUNCATED_IMAGES),
        "warnings": (list(warnings.filters), warnings.showwarning),
        "signals": [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)],
        "environment": dict(os.environ),
        "excepthook": sys.excepthook,
        "path": list(sys.path),
    }}

cv2.setNumThreads(3)
torch.set_num_threads(2)
before = state()
for module in pkgutil.walk_packages(striate.__path__, "striate."):
    if module.name != "striate.__main__":
        importlib.import_module(module.name)
after = state()
print([name for name in before if before[name] != after[name]], sum(name[:8] == "striate." for name in sys.modules))
"""


def test_importing_any_module_changes_nothing_in_the_users_process():
    """Other people's libraries, which may change some of it, are imported before."""
    others = "lightning_fabric, torch.utils.data, filelock, typer, markupsafe, safetensors.torch"
    changed, count = run(STATE.format(others=others)).rsplit(" ", 1)
    assert changed == "[]"
    assert int(count) > 250


def package_of(path: Path) -> str:
    """The package below striate that a file belongs to, or the file itself when it lies on top."""
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """The packages below striate that a file imports from, wherever in the file."""
    found = set()
    for node in ast.walk(parsed(path)):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            modules = [f"{node.module}.{alias.name}" for alias in node.names]
        for module in modules:
            head, _, rest = module.partition(".")
            if head == "striate":
                found.add(rest.split(".")[0])
    return found


FILES = sorted(path for path in SOURCE.rglob("*.py") if package_of(path) not in DOORS)


def test_every_package_has_a_floor():
    assert {package_of(path) for path in FILES} <= set(FLOORS)
    assert len(FILES) > 50


@pytest.mark.parametrize("package", sorted({package_of(path) for path in FILES}))
def test_a_package_imports_from_lower_floors_only(package):
    above = []
    for path in FILES:
        if package_of(path) != package:
            continue
        for other in imported(path) - {package, ""}:
            if FLOORS.get(other, 99) >= FLOORS[package]:
                above.append(f"{path.relative_to(SOURCE)} imports {other or 'striate'}")
    assert not above


def graph(root: Path) -> dict[str, set[str]]:
    """Which module of the package at `root` imports which: anywhere in its file, for type checkers alone too."""
    names = {}
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    edges: dict[str, set[str]] = {}
    for name, path in names.items():
        edges[name] = set()
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                edges[name] |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                whole = {f"{node.module}.{alias.name}" for alias in node.names}  # modules, or names in one
                edges[name] |= {each if each in names else str(node.module) for each in whole}
        edges[name] &= names.keys() - {name}
    return edges


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of modules each of which leads to all the others."""
    reached = {}
    for start in edges:
        found, waiting = set(), [start]
        while waiting:
            new = edges[waiting.pop()] - found
            found |= new
            waiting += new
        reached[start] = found
    groups = {frozenset({one, *(two for two in reached[one] if one in reached[two])}) for one in edges}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def test_no_module_imports_itself_by_way_of_others():
    edges = graph(SOURCE)
    assert len(edges) > 250
    assert circles(edges) == []


LATE = "def f():\n    from house.{} import f"
FOR_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import house.{}"


@pytest.mark.parametrize("back", ["from house.{} import f", "from house import {}", "import house.{}", LATE, FOR_TYPES])
def test_circles_are_found_whatever_way_they_close(tmp_path, back):
    files = {"__init__": "", "a": "import house.b", "b": "from house import c", "d": "import house.a"}
    for closing, found in ((back.format("a"), [["house.a", "house.b", "house.c"]]), ("import math", [])):
        house = tmp_path / str(len(found)) / "house"
        house.mkdir(parents=True)
        for name, text in {**files, "c": closing}.items():
            (house / f"{name}.py").write_text(text, encoding="utf-8")
        assert circles(graph(house)) == found


#: What has a method `open` that is no text file's.
OTHER_OPENERS = {"os", "Image", "tarfile", "zipfile", "RunFolder"}


def without_encoding(tree: ast.AST) -> list[int]:
    """Lines that read or write text in whatever encoding the machine happens to have."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or "encoding" in {word.arg for word in node.keywords}:
            continue
        method = isinstance(node.func, ast.Attribute)
        name = node.func.attr if method else getattr(node.func, "id", "")
        owner = getattr(node.func.value, "id", "") if method else ""
        if name in ("read_text", "write_text"):
            found.append(node.lineno)
        elif name in ("open", "fdopen") and owner not in OTHER_OPENERS - ({"os"} if name == "fdopen" else set()):
            place = 0 if method and name == "open" else 1
            modes = [word.value for word in node.keywords if word.arg == "mode"] or node.args[place : place + 1]
            if not modes or "b" not in str(getattr(modes[0], "value", "")):
                found.append(node.lineno)
    return found


@pytest.mark.parametrize(
    "line", ["p.read_text()", "p.write_text('a')", "open(p)", "open(p, 'w')", "p.open()", "os.fdopen(3, 'w')"]
)
def test_text_without_an_encoding_is_seen(line):
    assert without_encoding(ast.parse(line)) == [1]
    assert not without_encoding(ast.parse(line.replace(")", ", encoding='utf-8')").replace("(,", "(")))


@pytest.mark.parametrize(
    "line", ["open(p, 'rb')", "p.open('xb')", "os.fdopen(3, 'wb')", "Image.open(p)", "os.open(p, 0)"]
)
def test_bytes_need_no_encoding(line):
    assert not without_encoding(ast.parse(line))


def test_every_text_file_is_read_and_written_in_a_named_encoding():
    trees = {path: parsed(path) for path in SOURCE.rglob("*.py")}
    wrong = [f"{path.relative_to(SOURCE)}:{line}" for path, tree in trees.items() for line in without_encoding(tree)]
    assert not wrong


PARTS = (
    "analysis",
    "augment",
    "classifier",
    "cli",
    "data",
    "experiments",
    "layers",
    "models",
    "report",
    "training",
    "weights",
)


@pytest.mark.parametrize("part", PARTS)
def test_a_part_offers_all_that_it_gathers_from_its_modules(part):
    package = importlib.import_module(f"striate.{part}")
    tree = ast.parse((SOURCE / part / "__init__.py").read_text(encoding="utf-8"))
    told = [*tree.body, *(node for block in tree.body if isinstance(block, ast.If) for node in block.body)]
    gathered = {
        alias.asname or alias.name
        for node in told
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("striate.")
        for alias in node.names
    }
    made = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    public = {name for name in gathered | made if not name.startswith("_")}
    assert set(package.__all__) == public
    assert len(package.__all__) == len(public)
    assert all(hasattr(package, name) for name in package.__all__)
