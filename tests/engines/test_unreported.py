"""A network is converted without a word to anybody: no process is started, nothing is left in the home folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("openvino")

CONVERT = """
import sys
import torch
tried = []
sys.addaudithook(lambda event, arguments: tried.append(event) if event in EVENTS else None)
from striate.engines.unreported import openvino
layer, example = torch.nn.Conv2d(3, 4, 3), torch.zeros(1, 3, 8, 8)
network = openvino().convert_model(torch.jit.trace(layer, example), example_input=example, input=[1, 3, 8, 8])
print(len(network.inputs), tried, "openvino_telemetry" in sys.modules)
"""
EVENTS = ("os.fork", "subprocess.Popen", "socket.connect", "socket.getaddrinfo")


def run(program: str, home: Path) -> str:
    quiet = {name: value for name, value in os.environ.items() if name not in ("CI", "TF_BUILD", "JENKINS_URL")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", f"EVENTS = {EVENTS}\n{program}"],
        env=quiet | {"HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_openvino_tells_nobody_of_a_conversion(tmp_path):
    assert run(CONVERT, tmp_path) == "1 [] False"
    assert not (tmp_path / "intel").exists()


def test_who_imports_the_telemetry_elsewhere_still_can(tmp_path):
    program = "from striate.engines.unreported import openvino\nopenvino()\nimport openvino_telemetry as found\n"
    assert run(f"{program}print(found.__name__)", tmp_path) == "openvino_telemetry"


def test_openvino_is_the_one_that_is_there_already(tmp_path):
    program = "import sys\nfrom striate.engines.unreported import openvino\nsys.modules['openvino'] = sys\n"
    assert run(f"{program}print(openvino() is sys)", tmp_path) == "True"
