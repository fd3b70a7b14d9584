"""Networks of one's own and of libraries: trained, loaded elsewhere, resumed, and never run unasked."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import striate
from striate.classifier import resume
from striate.errors import StriateError, UsageError
from striate.training.checkpoints import load_checkpoint

ODD = Path(__file__).parents[1] / "models" / "odd_networks.py"
FAST = {"epochs": 2, "batch_size": 4, "workers": 0, "quiet": True, "device": "cpu", "report": False}


@pytest.fixture
def net(tmp_path, monkeypatch) -> Path:
    """A file of networks in the folder one is in."""
    monkeypatch.chdir(tmp_path)
    return Path(shutil.copy(ODD, tmp_path / "net.py"))


@pytest.mark.sampled
@pytest.mark.parametrize("name", ["Functional", "TwoOutputs", "own_pool", "OneDimensional", "in_place", "Tokens"])
def test_a_network_of_ones_own_is_trained_saved_loaded_and_resumed(name, net, colours, tmp_path):
    whole = striate.train(colours, model=f"net.py:{name}", run="whole", **{**FAST, "epochs": 3})
    assert whole.model.num_classes == 3
    code = (
        "import sys, striate; import numpy as np; "
        "np.save(sys.argv[2], striate.load(sys.argv[1], trust='net.py').predict_proba(sys.argv[3]))"
    )
    subprocess.run([sys.executable, "-c", code, "whole", "there.npy", colours], check=True, timeout=100)
    np.testing.assert_array_equal(np.load("there.npy"), whole.predict_proba(colours))

    striate.train(colours, model=f"net.py:{name}", run="part", **{**FAST, "epochs": 3}, time_limit=1e-9)
    assert json.loads(Path("part/config.json").read_text())["network"]["origin"]["sha256"]
    resume("part", trust="net.py", quiet=True, report=False)
    ours, theirs = (load_checkpoint(Path(run) / "last.ckpt")[0] for run in ("whole", "part"))
    assert all(tensor.equal(theirs[key]) for key, tensor in ours.items())
    assert Path("whole/metrics.csv").read_bytes() == Path("part/metrics.csv").read_bytes()
    assert Path("whole/model.safetensors").read_bytes() == Path("part/model.safetensors").read_bytes()


def test_nobodys_code_is_run_unasked(net, colours):
    striate.train(colours, model="net.py:TwoOutputs", run="run", **FAST)
    net.write_text("raise SystemExit('this was run')")
    untold = r"the network is made by net\.py:TwoOutputs, code that is run only where you name it: --trust net\.py"
    with pytest.raises(StriateError, match=f"^run/model.safetensors: {untold}"):
        striate.load("run")
    with pytest.raises(StriateError, match=f"^run: {untold}"):
        resume("run", extend=1)
    for go_on in (striate.load, resume):
        with pytest.raises(StriateError, match=r"net\.py is not what it was when the network was trained"):
            go_on("run", trust="net.py")


def test_a_module_is_trained_in_place_from_the_weights_it_has(colours, tmp_path):
    torch.manual_seed(3)
    mine = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    mine.append(nn.Linear(4, 3))
    start = mine[0].weight.detach().clone()
    still = striate.train(colours, model=mine, run=tmp_path / "still", **{**FAST, "learning_rate": 0})
    assert still.model.module is mine
    assert mine[0].weight.equal(start)
    moved = striate.train(colours, model=mine, run=tmp_path / "moved", **FAST)
    assert not mine[0].weight.equal(start)
    assert moved.predict_proba(colours).shape == (30, 3)
    with pytest.raises(StriateError, match=r"was handed over in Python; hand one over again: striate\.load\("):
        striate.load(tmp_path / "moved")
    other = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    other.append(nn.Linear(4, 3))
    again = striate.load(tmp_path / "moved", model=other)
    assert (again.predict_proba(colours) == moved.predict_proba(colours)).all()
    assert again.model.module is other
    extended = resume(tmp_path / "moved", extend=1, model=other, quiet=True, report=False)
    assert extended.model.module is other


def test_a_function_with_arguments_makes_the_network_and_is_known_again(colours, tmp_path, net, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "net", None)
    del sys.modules["net"]
    import net as mine

    trained = striate.train(colours, model=mine.own_pool, options={"width": 6}, run="run", **FAST)
    assert trained.model.module[0].out_channels == 6
    assert trained.description.network["name"] == "net:own_pool"
    assert trained.description.network["arguments"]["width"] == 6
    with pytest.raises(StriateError, match="run only where you name it: --trust net "):
        striate.load("run")
    for again in (striate.load("run", trust="net"), striate.load("run", model=mine.own_pool)):
        assert (again.predict_proba(colours) == trained.predict_proba(colours)).all()
    sys.modules.pop("net")


def test_a_librarys_network_needs_no_trust_and_takes_grey_as_colour(paint, tmp_path):
    grey = paint(tmp_path / "grey", mode="L")
    run = tmp_path / "run"
    trained = striate.train(grey, model="torchvision:shufflenet_v2_x0_5", size=32, run=run, **FAST)
    assert (trained.model.in_channels, trained.description.preprocessing.channels) == (3, 3)
    again, same = striate.load(run), {"engine": "eager"}  # of equal ones the quickest is a matter of the moment
    assert (again.predict_proba(grey, **same) == trained.predict_proba(grey, **same)).all()
    assert again.description.network["origin"]["versions"].keys() == {"torchvision"}


def test_a_second_head_is_trained_or_refused(net, colours):
    with pytest.raises(UsageError, match=r"net\.py:TwoHeads has auxiliary heads and no weight for their losses"):
        striate.train(colours, model="net.py:TwoHeads", run="run", **FAST)
    assert not Path("run").exists()
    striate.train(colours, model="net.py:TwoHeads", run="run", **FAST, settings={"auxiliary_weight": 0.3})
    head = Path("run/metrics.csv").read_text().splitlines()[0].split(",")
    assert {"train_side_loss", "train_total_loss"} <= set(head)


def test_weights_of_its_own_start_another_run(net, colours):
    first = striate.train(colours, model="net.py:TwoOutputs", run="first", **FAST)
    taken = striate.train(
        colours,
        model="net.py:TwoOutputs",
        weights="first/model.safetensors",
        run="second",
        **{**FAST, "learning_rate": 0},
    )
    assert taken.model.module.last.weight.equal(first.model.module.last.weight)
    torch.testing.assert_close(taken.predict_proba(colours), first.predict_proba(colours), rtol=0.2, atol=0.05)
    two = [folder for folder in Path(colours).iterdir() if folder.name != "red"]
    for folder in two:
        shutil.copytree(folder, Path("pair") / folder.name)
    striate.train(
        "pair", model="net.py:TwoOutputs", weights="first/model.safetensors", freeze="all", run="third", **FAST
    )
    third = striate.load("third", trust="net.py").model
    assert third.module.body[0].weight.equal(first.model.module.body[0].weight)
    assert third.num_classes == 2
    with pytest.raises(StriateError, match=r"nowhere\.safetensors of net\.py:TwoOutputs: no such file"):
        striate.train(colours, model="net.py:TwoOutputs", weights="nowhere.safetensors", run="fourth", **FAST)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("net.py:nothing", "unknown function in net.py 'nothing'"),
        ("gone.py:build", r"gone\.py: no such file"),
        ("timm:nonet", "unknown network of timm 'nonet'"),
        ("torchvision:nonet", "unknown network of torchvision 'nonet'"),
        ("nopackage:Net", "nopackage:Net: cannot be imported"),
        (3, "model is 3; give a name"),
    ],
)
def test_what_cannot_be_made_is_refused_before_images_are_looked_for(model, said, net, tmp_path):
    with pytest.raises(UsageError, match=said):
        striate.train(tmp_path / "no_images_here", model=model, run="run")
    assert not Path("run").exists()
