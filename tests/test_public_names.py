"""What a user's script can name: every class that a public signature speaks of can be imported from striate itself, and
a script that uses every public name is typed.
"""

import dataclasses
import inspect
import os
import re
import subprocess
import sys
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import striate
import striate.types

README = Path(__file__).parents[1] / "README.md"
SOURCE = Path(striate.__file__).parents[1]
CLASSES = [name for name in striate.__all__ if isinstance(getattr(striate, name), type)]


def owners() -> dict[str, object]:
    """Every public name, and those for annotations."""
    offered = {name: getattr(striate, name) for name in striate.__all__ if name != "__version__"}
    return offered | {name: getattr(striate.types, name) for name in striate.types.__all__}


def functions_of(value: Any) -> Iterator[Any]:
    """A function; or of a class its fields, what makes one, and its public methods and properties."""
    if not isinstance(value, type):
        return iter([value] if inspect.isfunction(value) else [])
    members = {key: member for base in reversed(ours(value)) for key, member in vars(base).items()}
    found = [value] if dataclasses.is_dataclass(value) else []
    for key, member in members.items():
        plain = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
        plain = getattr(plain, "func", plain)  # a cached property
        if inspect.isfunction(plain) and (key == "__init__" or not key.startswith("_")):
            found.append(plain)
    return iter(found)


def ours(value: type) -> list[type]:
    """The classes of striate that one is made of."""
    return [base for base in value.__mro__ if base.__module__.startswith("striate")]


def classes_in(annotation: Any) -> set[type]:
    """Every class in an annotation."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return {annotation}
    if isinstance(annotation, list | tuple):
        return set().union(*map(classes_in, annotation))
    return set().union(*map(classes_in, typing.get_args(annotation)))


def hints_of(function: Any) -> dict[str, Any]:
    """Annotations as the classes that they name; of names for type checkers alone, those that users can import."""
    return typing.get_type_hints(function, localns=owners() | {"pandas": pytest.importorskip("pandas")})


@pytest.mark.parametrize("name", owners())
def test_whatever_a_public_signature_names_can_be_imported(name):
    offered = set(owners().values())
    missing = {
        f"{found.__qualname__} of {function.__qualname__}"
        for function in functions_of(owners()[name])
        for annotation in hints_of(function).values()
        for found in classes_in(annotation)
        if found.__module__.startswith("striate") and found not in offered
    }
    assert not missing


def test_names_for_annotations_are_no_second_home():
    assert not set(striate.types.__all__) & set(striate.__all__)
    assert len(set(striate.types.__all__)) == len(striate.types.__all__)


def script() -> str:
    """The lines of the README, and a use of every name."""
    (lines,) = re.findall(r"## Python\n\n```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    given = "import torch\nmy_module, batch = torch.nn.Flatten(), torch.zeros(2, 1, 64, 64)\n"
    taken = "def use_{0}(value: striate.{0}) -> None:\n    print(value)\n"
    uses = "\n".join((taken if name in CLASSES else "print(striate.{0})").format(name) for name in striate.__all__)
    types = f"from striate.types import {', '.join(striate.types.__all__)}\n"
    return f"{given}{lines}\n{types}\n{uses}\n{TYPED}"


#: What is what: a line that says so is checked as any other.
TYPED = """
from pathlib import Path
import numpy as np
from PIL import Image

one: striate.Prediction = clf.predict("cat.jpg")
same: striate.Prediction = clf.predict(Path("cat.jpg"))
picture: striate.Prediction = clf.predict(Image.new("RGB", (4, 4)))
bytes_: striate.Prediction = clf.predict(b"...", top=3)
many: striate.Predictions = clf.predict(["cat.jpg", Path("dog.jpg")])
lazy: striate.Predictions = clf.predict(str(number) for number in range(3))
either: striate.Prediction | striate.Predictions = clf.predict(np.zeros((4, 4, 3), np.uint8))
label: str | None = many[0].label
evaluation: striate.Evaluation = clf.evaluate("photos/test")
row: Row = striate.summary(model, (1, 64, 64)).root
step: Step = striate.layer((3, 32, 32), "conv 10 5x5")[0]
norms: Gradients = striate.gradients(model, batch, batch[:, 0, 0, 0].long())
scaled: Scaled = striate.scale("efficientnet_b0", {"macs": 1e9})
first: Recommendation = striate.recommend(2000, 224)[0]
recipe: striate.Recipe = striate.get_recipe("photos")
augment: striate.Augment = recipe.augment
clf.predict(3)  # WRONG: no image
"""


@pytest.mark.slow
def test_a_users_script_with_every_name_is_typed(tmp_path):
    """Strictly; and a line that is wrong is told."""
    text = script()
    (tmp_path / "user.py").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", str(tmp_path / "cache")]
    process = subprocess.run(
        [*command, "user.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(SOURCE)},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    wrong = next(number for number, line in enumerate(text.splitlines(), 1) if "# WRONG" in line)
    errors = [line for line in process.stdout.splitlines() if ": error: " in line and line.startswith("user.py")]
    assert errors, process.stdout + process.stderr
    assert {int(line.split(":")[1]) for line in errors} == {wrong}, process.stdout
