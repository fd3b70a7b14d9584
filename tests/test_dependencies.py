"""The package depends on what it imports, and on nothing else."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: Distributions whose module has another name.
MODULES = {
    "huggingface-hub": "huggingface_hub",
    "lightning-fabric": "lightning_fabric",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "pillow-heif": "pillow_heif",
    "scikit-learn": "sklearn",
    "tensorboard": "torch.utils.tensorboard",
}


#: What PyTorch itself imports, to export to ONNX.
OF_TORCH = {"onnx", "onnxscript"}


def modules(requirements: list[str]) -> set[str]:
    """What one imports of each requirement, such as "pillow>=10.3"."""
    names = [re.split(r"[<>=!~\[; ]", requirement)[0] for requirement in requirements]
    return {MODULES.get(name, name) for name in names}


def imported(folder: Path) -> set[str]:
    """Modules of others that the files in a folder import, anywhere in a file."""
    found = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    board = {name for name in found if name.startswith("torch.utils.tensorboard")}
    return board | {name.split(".")[0] for name in found} - set(sys.stdlib_module_names) - {"striate"}


def test_every_dependency_is_imported_and_every_import_is_one():
    extras = PROJECT["optional-dependencies"]
    needed, wanted = modules(PROJECT["dependencies"]), set()
    for name in ("tensorboard", "pandas", "timm", "keras", "heic", "fast"):  # of use to the package itself
        wanted |= modules(extras[name])
    assert imported(ROOT / "src") == (needed | wanted) - OF_TORCH
    assert not needed & wanted


def test_what_tests_import_is_in_their_extra():
    others = modules(PROJECT["dependencies"]) | modules(PROJECT["optional-dependencies"]["test"])
    installed = set(importlib.metadata.packages_distributions())  # others are files here, and modules that tests make
    assert (imported(ROOT / "tests") & installed) - others == set()
