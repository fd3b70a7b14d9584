"""What is shipped: the wheel and the source archive hold what they must, and their page's links lead somewhere."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import types
import zipfile
from email import message_from_string
from pathlib import Path

import pytest

import striate

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HOOK = PROJECT["tool"]["hatch"]["metadata"]["hooks"]["custom"]
LINK = re.compile(r"\]\(([^)\s]+)\)")
VERSIONS = ("3.11", "3.12", "3.13", "3.14")


class Interface:
    """What a hook of hatchling's is given."""

    def __init__(self, root: str, config: dict[str, str]) -> None:
        self.root, self.config = root, config


@pytest.fixture
def hook(monkeypatch):
    """The module hatch_build.py, also where hatchling is not installed."""
    if importlib.util.find_spec("hatchling") is None:
        interface = types.ModuleType("hatchling.metadata.plugin.interface")
        interface.MetadataHookInterface = Interface
        for name in ("hatchling", "hatchling.metadata", "hatchling.metadata.plugin"):
            monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
        monkeypatch.setitem(sys.modules, interface.__name__, interface)
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shipped() -> set[str]:
    """Every file below src/striate that is neither compiled nor cached."""
    files = (path.relative_to(ROOT / "src") for path in (ROOT / "src" / "striate").rglob("*") if path.is_file())
    return {path.as_posix() for path in files if "__pycache__" not in path.parts}


def page_shows(text: str) -> None:
    """The links of a page are addresses; the pictures lie where pictures are shown."""
    assert len(LINK.findall(text)) > 5
    assert all(place.startswith("https://") for place in LINK.findall(text))
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
    assert pictures == [HOOK["pictures"].format(version=striate.__version__) + "docs/report.png"]


def test_the_package_holds_only_code_and_the_data_it_reads():
    data = {path for path in shipped() if not path.endswith(".py")}
    assert {"striate/py.typed", "striate/report/template.html", "striate/models/imagenet_classes.tsv"} <= data
    readers = (path for path in shipped() if path.endswith((".py", ".html")))  # a template includes the style
    code = "\n".join((ROOT / "src" / path).read_text(encoding="utf-8") for path in readers)
    unread = {path for path in data if Path(path).name not in code and Path(path).name != "py.typed"}
    assert not unread
    ignored = {line.strip("*/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()}
    assert not [path for path in data if ignored & {*Path(path).parts, Path(path).suffix}]  # hatch would leave it out
    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": ["src/striate"]}


def test_the_readmes_links_lead_to_files_of_the_repository():
    places = LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    relative = [place for place in places if "://" not in place]
    assert "docs/report.png" in relative
    assert not [place for place in relative if not (ROOT / place.partition("#")[0]).is_file()]


def test_links_become_absolute_where_there_is_no_repository(hook):
    change = hook.with_absolute_links
    text = "![a](p/a.png) [b](docs/b.md#c) [c](https://x.example) [d](#here) [e](mailto:a@b.example)"
    assert change(text, "F/", "P/") == (
        "![a](P/p/a.png) [b](F/docs/b.md#c) [c](https://x.example) [d](#here) [e](mailto:a@b.example)"
    )
    metadata = {"version": striate.__version__}
    hook.ReadmeHook(str(ROOT), HOOK).update(metadata)
    assert metadata["readme"]["content-type"] == "text/markdown"
    page_shows(metadata["readme"]["text"])


def test_the_addresses_are_one_projects():
    urls = PROJECT["project"]["urls"]
    assert list(urls) == ["Homepage", "Documentation", "Source", "Changelog", "Issues"]
    home = urls["Homepage"]
    assert all(place.startswith(home) and place.startswith("https://") for place in [*urls.values(), *HOOK.values()])
    assert HOOK["files"] == urls["Source"] + "v{version}/"
    assert urls["Changelog"] == urls["Source"] + "CHANGELOG.md"
    assert (ROOT / urls["Documentation"].removeprefix(urls["Source"])).is_dir()


def test_the_versions_agree():
    project = PROJECT["project"]
    assert project["version"] == striate.__version__
    told = {entry.rpartition(" ")[2] for entry in project["classifiers"] if entry.startswith("Programming Language")}
    assert set(VERSIONS) <= told
    assert project["requires-python"] == f">={VERSIONS[0]}"
    assert PROJECT["tool"]["mypy"]["python_version"] == VERSIONS[0]
    assert " ".join(VERSIONS) in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(re.fullmatch(r"[\w-]+>=\d[\d.]*", line) for line in project["dependencies"])


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel and the source archive, built here without a network."""
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=100)
    (wheel,), (archive,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, archive


def test_the_wheel_holds_the_package_and_nothing_else(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
        about = {name for name in names if name.startswith(f"striate-{striate.__version__}.dist-info/")}
        metadata = message_from_string(wheel.read(next(name for name in about if name.endswith("METADATA"))).decode())
        entries = wheel.read(next(name for name in about if name.endswith("entry_points.txt"))).decode()
    assert names - about == shipped()
    assert {name.partition("/")[2] for name in about} == {
        *("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE", "licenses/NOTICE")
    }
    assert "striate = striate.cli:process" in entries
    assert metadata["License-Expression"] == "Apache-2.0"
    assert len(metadata.get_all("Project-URL")) == 5
    page_shows(metadata.get_payload())


def test_the_source_archive_holds_what_builds_and_tests_the_package(built):
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"src/{path}" for path in shipped()} <= names
    assert {"tests/conftest.py", "tests/data/turned.heic", "docs/report.png", "Makefile", "hatch_build.py"} <= names
    assert {name.partition("/")[0] for name in names} == {
        *("src", "tests", "docs", "bench", "examples", "README.md", "CHANGELOG.md", "LICENSE", "NOTICE", "Makefile"),
        *("hatch_build.py", "pyproject.toml", "PKG-INFO", ".gitignore"),
    }
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]


COMPILES = """
import sys, warnings
from pathlib import Path
warnings.simplefilter("error")
for path in Path(sys.argv[1]).rglob("*.py"):
    compile(path.read_bytes(), str(path), "exec")
print(sys.version_info[:2])
"""


def interpreter(version: str) -> str | None:
    """A Python of this version: the one that runs, one of pyenv's, or the one on the path."""
    if sys.version.startswith(f"{version}."):
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    return str(found[-1]) if found else shutil.which(f"python{version}")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_source_compiles_without_a_warning(version):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"Python {version} is not installed")
    command = [python, "-I", "-c", COMPILES, str(ROOT / "src")]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=100)
    if ran.returncode == 127:
        pytest.skip(f"Python {version} is on the path but does not run")  # as pyenv's stand-ins are
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == str(tuple(map(int, version.split("."))))
