"""Runs of networks of one's own, looked at by commands that build them: only where their file is named."""

import pytest

import striate

NET = """
from torch import nn

def tiny(num_classes=3):
    pool = nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), pool, nn.Flatten(), nn.Linear(4, num_classes))

def signal(num_classes):
    pool = nn.AdaptiveAvgPool1d(1)
    return nn.Sequential(nn.Flatten(2), nn.Conv1d(3, 4, 3), nn.ReLU(), pool, nn.Flatten(), nn.Linear(4, num_classes))
"""


@pytest.fixture(scope="module", params=["tiny", "signal"])
def run(request, colours, tmp_path_factory):
    """A run of a network of images, and of one whose first layer is for signals."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "net.py").write_text(NET)
    fast = {"size": 16, "epochs": 1, "batch_size": 8, "workers": 0, "quiet": True, "report": False}
    striate.train(colours, model=f"{folder}/net.py:{request.param}", **fast, run=folder / "run")
    return folder / "run"


@pytest.mark.parametrize("command", ["summary", "compare", "field --samples 1", "gradients"])
def test_its_code_runs_only_where_the_file_is_named(cli, run, command):
    name, *words = command.split()
    line = cli(name, run, *words).line()
    assert "net.py" in line
    assert "--trust" in line
    said = cli(name, run, *words, "--trust", run.parent / "net.py")
    if name == "field" and "signal" in line:  # which has no map whose field could be looked at
        assert said.line() == "striate: Sequential gives no feature map (N, C, H, W) of more than one pixel"
    else:
        assert said.code == 0
        assert said.out
