import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import striate

SOURCE = Path(striate.__file__).parent

#: The floors of the house: a package imports from packages on lower floors, and from itself.
FLOORS = {
    "cli": 8,
    "lab": 8,
    "serve": 8,
    "classifier": 7,
    "report": 6,
    "transfer": 5,
    "explain": 5,
    "export": 5,
    "training": 4,
    "data": 3,
    "augment": 3,
    "models": 2,
    "layers": 1,
    "weights": 1,
    "analysis": 1,
    "files": 0,
    "errors": -1,  # the cellar: everything may raise
}
#: Files that are no package of the house: they start it.
DOORS = {"__init__", "__main__"}

HEAVY = ("torch", "torchvision", "numpy", "cv2", "sklearn", "lightning_fabric", "PIL", "rich", "typer", "matplotlib")


def run(code: str) -> str:
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
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
    checked = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.If)
        for statement in node.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
    }
    assert checked == set(striate.__all__) - {"__version__"}


def test_the_version_is_a_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", striate.__version__)


def package_of(path: Path) -> str:
    """The package below striate that a file belongs to, or the file itself when it lies on top."""
    return path.relative_to(SOURCE).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    """The packages below striate that a file imports from, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
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
        for other in imported(path) - {package, "__version__", ""}:
            if FLOORS.get(other, 99) >= FLOORS[package]:
                above.append(f"{path.relative_to(SOURCE)} imports {other or 'striate'}")
    assert not above
