"""Killed anywhere and resumed, a run gives bit for bit the weights and metrics of one that was never stopped."""

import contextlib
import hashlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import striate
from striate.augment import Augment
from striate.errors import StriateError
from striate.training import Recipe
from striate.training.checkpoints import load_checkpoint

#: Runs a function of this file in a process that can be killed.
SCRIPT = (
    "import sys; sys.path.insert(0, sys.argv[1]); import test_resume; getattr(test_resume, sys.argv[2])(*sys.argv[3:])"
)
CASES = [("sgd", "0.02", "keras_mnist"), ("adamw", "0.002", "resnet20_cifar")]


def train(run: Path, optimizer: str, rate: str, network: str) -> None:
    """Dropout, batch norm, momentum, averaging, augmentation, a warm-up and a set that changes: all with a state."""
    recipe = Recipe(
        epochs=3,
        batch_size=32,
        average=0.95,
        warmup_epochs=1,
        optimizer=optimizer,
        learning_rate=float(rate),
        augment=Augment(translate=0.1, rotate=10),
        stage_decay=0.8,
        unfreeze="3:none",
    )
    options = {"freeze": "stem", "checkpoint_every": 0.2, "device": "cpu", "quiet": True, "report": False}
    striate.train("digits", model=network, recipe=recipe, run=run, seed=3, **options)


def go_on(run: Path) -> None:
    striate.resume(run, quiet=True, report=False, checkpoint_every=0.2)


def start(function: Callable[..., None], *arguments: object) -> subprocess.Popen:
    command = [sys.executable, "-c", SCRIPT, Path(__file__).parent, function.__name__, *arguments]
    return subprocess.Popen(list(map(str, command)))


def wait_for_step(run: Path, step: int) -> None:
    """Wait until the checkpoint stands at `step` or later."""
    for _ in range(1200):
        time.sleep(0.05)
        with contextlib.suppress(StriateError):  # none yet, or replaced while it was read
            if load_checkpoint(run / "last.ckpt")[1]["position"]["step"] >= step:
                return
    raise AssertionError(f"no checkpoint at step {step} within a minute")


def states_of(run: Path) -> dict[str, object]:
    """All that a run has arrived at: tables, weights, optimizer, average and random state, to the bit."""
    tensors, state = load_checkpoint(run / "last.ckpt")
    position = {name: value for name, value in state["position"].items() if name not in ("timing", "seconds")}
    bits = {name: tensor.numpy().tobytes() for name, tensor in tensors.items()}
    model = hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()
    return {"metrics": (run / "metrics.csv").read_text(), "model": model} | bits | position


def differences(first: Path, second: Path) -> list[str]:
    """Names of what differs between two runs."""
    one, other = states_of(first), states_of(second)
    return [name for name in one | other if one.get(name) != other.get(name)]


@pytest.mark.parametrize(("optimizer", "rate", "network"), [CASES[0], pytest.param(*CASES[1], marks=pytest.mark.slow)])
def test_killed_mid_epoch_and_resumed_equals_uninterrupted(optimizer, rate, network, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(whole, optimizer, rate, network)

    process = start(train, broken, optimizer, rate, network)
    wait_for_step(broken, 45)  # 40 steps an epoch: in the second one
    process.kill()
    assert process.wait() == -signal.SIGKILL
    position = load_checkpoint(broken / "last.ckpt")[1]["position"]
    assert position["stopped_by"] == ""
    assert position["epoch"] < 3

    process = start(go_on, broken)
    wait_for_step(broken, position["step"] + 25)
    process.kill()
    process.wait()

    go_on(broken)
    assert differences(broken, whole) == []


def test_resuming_a_finished_run_changes_nothing(tmp_path):
    run = tmp_path / "run"
    striate.train("digits", model="lenet5", epochs=1, run=run, quiet=True, report=False)
    before = states_of(run)
    classifier = striate.resume(run, quiet=True, report=False)
    assert states_of(run) == before
    assert classifier.evaluation is not None


def test_extension_trains_on_at_a_tenth_of_the_rate(tmp_path):
    run = tmp_path / "run"
    striate.train("digits", model="lenet5", epochs=1, learning_rate=0.02, run=run, quiet=True, report=False)
    striate.resume(run, extend=2, quiet=True, report=False)
    position = load_checkpoint(run / "last.ckpt")[1]["position"]
    assert position["epoch"] == 3
    assert position["stopped_by"] == "finished"
    rates = [row["learning_rate"] for row in position["history"]]
    assert 0 < rates[1] <= 0.002
    assert rates[2] < rates[1]
