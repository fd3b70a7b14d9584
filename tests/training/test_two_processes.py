"""Two processes that share each batch train what one process trains on the whole of it: clipped, measured, unfrozen.

So of every task.
"""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from striate.training.checkpoints import load_checkpoint

#: A process that trains nothing yet and forks: the libraries are imported once.
SCRIPT = """
import importlib.util, json, sys
from pathlib import Path
from lightning_fabric import Fabric
specification = importlib.util.spec_from_file_location("small", sys.argv[1])
small = importlib.util.module_from_spec(specification)
specification.loader.exec_module(small)
folder, fields = Path(sys.argv[2]), json.loads(sys.argv[3])


def train(fabric):
    import torch
    torch.manual_seed(0)
    saved = []
    save = lambda network, best, learnt: saved.append(best["epoch"])
    model = small.stateless().freeze("stem")
    run = small.training(folder, small.recipe(**fields), model=model, fabric=fabric, task=sys.argv[4], save=save)
    position = run.train()
    outcome = [position.stopped_by, position.epoch, saved]
    (folder / f"{fabric.global_rank}.json").write_text(json.dumps(outcome))


Fabric(accelerator="cpu", devices=2, strategy="ddp_fork").launch(train)
"""
#: Clipped to far less than its gradients, and the stem frozen in the first epoch.
FIELDS = {"clip_norm": 0.05, "learning_rate": 0.5, "epochs": 2, "unfreeze": "2:none"}


@pytest.fixture(
    scope="module",
    params=["single-label", *(pytest.param(task, marks=pytest.mark.slow) for task in ("multi-label", "regression"))],
)
def folders(request, tmp_path_factory, small) -> tuple[Path, Path]:
    """The same training in one process and in two."""
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    torch.manual_seed(0)
    small.training(one, small.recipe(**FIELDS), model=small.stateless().freeze("stem"), task=request.param).train()
    where = (str(Path(small.__file__)), str(two), json.dumps(FIELDS), request.param)
    done = subprocess.run([sys.executable, "-c", SCRIPT, *where], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return one, two


def test_weights_and_momenta_are_those_of_one_process(folders):
    one, two = (load_checkpoint(folder / "last.ckpt")[0] for folder in folders)
    assert "optimizer/stem.weight/momentum_buffer" in one
    for name, tensor in one.items():
        if name.startswith(("model/", "optimizer/")):
            torch.testing.assert_close(two[name], tensor, rtol=1e-4, atol=1e-6, msg=name)


def test_figures_are_of_all_images(folders):
    one, two = (list(csv.DictReader((folder / "metrics.csv").open(encoding="utf-8"))) for folder in folders)
    assert len(one) == len(two) == 2
    for row, other in zip(one, two, strict=True):
        assert row.keys() == other.keys()
        for name in row.keys() - {"val_top5"}:
            assert float(other[name]) == pytest.approx(float(row[name]), rel=1e-4), name


def test_only_the_first_saves_and_both_end_together(folders):
    first, second = (json.loads((folders[1] / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first[:2] == second[:2] == ["finished", 2]
    assert first[2]
    assert second[2] == []
