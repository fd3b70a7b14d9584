"""Classes of few images on the command line: said, and measured by figures to which each class counts alike."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def unbalanced(tmp_path):
    """40 pictures of one class and 4 of another."""
    rng = np.random.default_rng(0)
    for name, count in (("common", 40), ("rare", 4)):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for number in range(count):
            Image.fromarray(rng.integers(0, 255, (16, 16, 3), np.uint8)).save(tmp_path / f"photos/{name}/{number}.png")
    return tmp_path / "photos"


def test_it_is_said_and_measured_where_classes_are_unbalanced(cli, unbalanced, tmp_path):
    flags = ("--model", "lenet5", "--size", "16", "--epochs", "1", "--workers", "0", "--val-fraction", "0")
    told = cli("train", unbalanced, *flags, "--balance", "weights", "--run", tmp_path / "run")
    assert told.code == 0
    (line,) = (line for line in told.err.splitlines() if "unbalanced" in line)
    assert line.endswith("(10.0 times fewer); so that rare ones are not missed, train with --balance weights")
    (line,) = (line for line in told.out.splitlines() if "balanced accuracy" in line)
    assert ", macro F1 " in line
    assert line.endswith(": the means over the classes, each counting alike")
    refused = cli("train", unbalanced, "--balance", "sampled")
    assert (refused.code, refused.line()) == (2, "striate: unknown balance 'sampled'. Did you mean 'sampler'?")
