"""What a command loads: those that only run a network or read images load no library of training."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.sampled

CODE = """
import sys
from striate.cli import start
sys.argv = ["striate", *sys.argv[1:]]
try:
    start.main()
except SystemExit as leaving:
    assert not leaving.code, leaving.code
print(*{name.split(".")[0] for name in sys.modules} | ({"torch._dynamo"} & set(sys.modules)))
"""
#: Together they take seconds and 260 MB: Fabric brings torchmetrics, and that torchvision and PyTorch's compiler.
OF_TRAINING = {"lightning_fabric", "torchmetrics", "torchvision", "torch._dynamo", "scipy", "sklearn", "matplotlib"}


@pytest.mark.parametrize(
    "command",
    ["--help", "train --help", "recipes --help", "summary --help", "weights list --help", "experiment --help"],
)
def test_help_waits_for_nothing_heavy(command):
    """It is there in half a second: nothing of a network is imported."""
    process = subprocess.run(
        [sys.executable, "-c", CODE, *command.split()], capture_output=True, text=True, timeout=100, check=True
    )
    loaded = set(process.stdout.splitlines()[-1].split())
    assert "typer" in loaded
    assert not loaded & {*OF_TRAINING, "torch", "numpy", "cv2", "PIL"}


@pytest.mark.parametrize(
    "command",
    [
        "predict {run} {images}",
        "evaluate {run}",
        "check {images}",
        "summary lenet5",
        "card lenet5",
        "models",
        "recipes",
        "experiment",
        "experiment cats_and_dogs",
        "weights list",
        "weights verify lenet5",
        "weights where",
    ],
)
def test_a_command_without_training_loads_nothing_of_it(command, run, colours):
    arguments = command.format(run=run, images=colours).split()
    process = subprocess.run(
        [sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, timeout=100, check=False
    )
    assert process.returncode == 0, process.stderr
    loaded = set(process.stdout.splitlines()[-1].split())
    assert "typer" in loaded
    assert not loaded & OF_TRAINING


def test_a_classifier_of_features_does_not_wait_for_what_trains(trained, colours, tmp_path):
    words = ["train", str(colours), "--weights", str(trained), "--transfer", "features", "--run", str(tmp_path / "new")]
    process = subprocess.run(
        [sys.executable, "-c", CODE, *words], capture_output=True, text=True, timeout=100, check=False
    )
    assert process.returncode == 0, process.stderr
    assert not set(process.stdout.splitlines()[-1].split()) & {"lightning_fabric", "torchmetrics", "torchvision"}
