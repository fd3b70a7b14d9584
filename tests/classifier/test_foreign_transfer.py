"""Networks of libraries and of one's own under every regime: begun, frozen, resumed and used as those here."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import striate
from striate.classifier import resume
from striate.classifier.request import Request
from striate.classifier.transfer_choice import choose_transfer
from striate.errors import UsageError
from striate.models.libraries import library_network
from striate.models.references import reference_to
from striate.training.checkpoints import load_checkpoint

FAST = {"workers": 0, "quiet": True, "report": False, "size": 32}
NET = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self, num_classes):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, 2), nn.BatchNorm2d(6), nn.ReLU())
        self.body = nn.Sequential(nn.Conv2d(6, 12, 3, 2), nn.BatchNorm2d(12), nn.ReLU())
        self.fc = nn.Linear(12, num_classes)

    def forward(self, x):
        return self.fc(self.body(self.stem(x)).mean((2, 3)) * 1)


def build(num_classes=5):
    torch.manual_seed(3)
    return Net(num_classes)
"""
NAMES = ["timm:mobilenetv3_small_050", "torchvision:shufflenet_v2_x0_5", "net.py:build"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    Path("net.py").write_text(NET, encoding="utf-8")


@pytest.fixture
def photos(paint, tmp_path):
    return paint(tmp_path / "photos", names=["red", "blue"], count=8, side=32)


def weights_of(name):
    """A file of a network's own tensors, for five classes."""
    torch.manual_seed(1)
    if name == "net.py:build":
        scope = {"__name__": "net"}
        exec(NET, scope)
        module = scope["build"]()
    else:
        module = library_network(reference_to(name), num_classes=5)
    torch.save(module.state_dict(), "weights.pth")
    return {f"module.{key}": value for key, value in module.state_dict().items()}


def trust(name):
    return {"trust": "net.py"} if name == "net.py:build" else {}


@pytest.mark.sampled
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("regime", ["features", "head", "top", "full", "auto"])
def test_every_regime_begins_with_the_features_and_moves_what_it_should(name, regime, photos):
    before = weights_of(name)
    # colours alone tell these images apart: under weights of noise others of them may be taken for divergence
    steps = {} if regime in ("features", "auto") else {"epochs": 1, "settings": {"average": 0}, "policy": "none"}
    found = striate.train(photos, model=name, weights="weights.pth", transfer=regime, run="run", **steps, **FAST)
    config = json.loads(Path("run/config.json").read_text(encoding="utf-8"))
    assert config["transfer"] == ("features" if regime == "auto" else regime)
    assert (config["freeze"] is None) == (regime == "full")
    again = striate.load("run", **trust(name))
    pictures = sorted(photos.rglob("*.png"))
    np.testing.assert_allclose(again.predict_proba(pictures), found.predict_proba(pictures), atol=1e-5)
    assert np.isfinite(again.embed(pictures)).all()
    assert again.evaluate(photos).loss == pytest.approx(found.evaluation.loss, rel=1e-3)
    last = Path("run/last.ckpt")
    after = load_file("run/model.safetensors")
    assert after.keys() == before.keys()  # the file is complete
    if last.exists():
        after = {key.removeprefix("model/"): value for key, value in load_checkpoint(last)[0].items()}
    classifier = found.model.fresh[0] if found.model.fresh else f"module.{found.model.anatomy.classifier}"
    moved = {key for key in before if not key.startswith(classifier) and not torch.equal(after[key], before[key])}
    if regime in ("features", "head", "auto"):
        assert not moved
    else:
        frozen = config["freeze"] and found.model.up_to(config["freeze"])
        assert moved
        assert not any(key.startswith(tuple(f"module.{part}." for part in frozen or ("none",))) for key in moved)


def test_weights_that_are_given_it_are_transferred_by_themselves_and_those_that_it_has_are_left_alone(photos):
    def regime(**asked):
        asked = Request(source=photos, model="net.py:build", **asked)
        return choose_transfer(asked, striate.open_dataset(photos)).regime

    weights_of("net.py:build")
    assert regime(weights="weights.pth") == "auto"
    assert regime(weights="weights.pth", settings={"epochs": 2}) == "full"
    assert regime() == regime(settings={"epochs": 2}) == ""


@pytest.mark.sampled
@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_was_stopped_goes_on_bit_for_bit(name, photos):
    weights_of(name)
    common = {"model": name, "weights": "weights.pth", "transfer": "top", "epochs": 2, **FAST}
    striate.train(photos, run="whole", **common)
    striate.train(photos, run="part", time_limit=1e-9, **common)
    resume("part", quiet=True, report=False, **trust(name))
    assert Path("whole/metrics.csv").read_bytes() == Path("part/metrics.csv").read_bytes()
    whole, part = load_file("whole/model.safetensors"), load_file("part/model.safetensors")
    assert all(torch.equal(whole[key], part[key]) for key in whole)


def test_images_are_fed_as_the_file_says_else_as_the_library_does_else_it_is_told(photos, paint):
    def look(name, weights, **options):
        run = f"run{len(list(Path().glob('run*')))}"
        given = {**FAST, **options}
        striate.train(photos, model=name, weights=weights, transfer="features", run=run, **given)
        config = json.loads(Path(run, "config.json").read_text(encoding="utf-8"))
        return config["preprocessing"], " ".join(config["notes"])

    state = weights_of("timm:mobilenetv3_small_050")
    fed, notes = look("timm:mobilenetv3_small_050", "weights.pth", size=None)
    assert (fed["mean"], fed["size"], fed["interpolation"]) == ([0.485, 0.456, 0.406], [224, 224], "bicubic")
    assert "the images are 32 pixels a side and the weights were trained at 224: they are enlarged" in notes
    said = {"input_mean": "[0.1, 0.2, 0.3]", "input_std": "[1, 1, 1]", "input_size": "40", "padding": "tf_same"}
    save_file({key.removeprefix("module."): value for key, value in state.items()}, "said.safetensors", said)
    fed, notes = look("timm:mobilenetv3_small_050", "said.safetensors", size=None)
    assert (fed["mean"], fed["size"]) == ([0.1, 0.2, 0.3], [40, 40])
    assert "'said.safetensors' says that its network has padding=tensorflow, which timm:mobilenetv3" in notes
    weights_of("net.py:build")
    fed, notes = look("net.py:build", "weights.pth")
    assert "'weights.pth' does not say how the images of its network were fed" in notes
    run = max(Path().glob("run*"))
    again, notes = look("net.py:build", run, size=None)
    assert (again["mean"], again["size"]) == (fed["mean"], fed["size"])  # as that run
    assert "does not say" not in notes


@pytest.mark.parametrize(("channels", "words"), [(1, "summed for 1"), (4, "repeated in turn and scaled by 3/4 for 4")])
def test_filters_are_adapted_to_other_channels_and_it_is_said(channels, words, tmp_path):
    before = weights_of("timm:mobilenetv3_small_050")
    rng = np.random.default_rng(0)
    for number, name in enumerate("ab"):
        (tmp_path / "arrays" / name).mkdir(parents=True)
        for image in range(4):
            pixels = (rng.integers(0, 90, (32, 32, channels)) + 120 * number).astype(np.uint8)
            np.save(tmp_path / "arrays" / name / f"{image}.npy", pixels)
    given = {"model": "timm:mobilenetv3_small_050", "weights": "weights.pth", "transfer": "features"}
    found = striate.train(tmp_path / "arrays", run="run", **given, **FAST)
    notes = json.loads(Path("run/config.json").read_text(encoding="utf-8"))["notes"]
    assert any(note.endswith(f"is for 3 channels: its filters are {words}") for note in notes)
    first = load_file("run/model.safetensors")["module.conv_stem.weight"]
    old = before["module.conv_stem.weight"]
    torch.testing.assert_close(first, old.sum(1, keepdim=True) if channels == 1 else old[:, [0, 1, 2, 0]] * 0.75)
    assert found.description.preprocessing.channels == channels


def test_a_changed_function_of_the_same_layers_and_weights_has_features_of_its_own(photos, capsys):
    weights_of("net.py:build")
    given = {
        "model": "net.py:build",
        "weights": "weights.pth",
        "transfer": "features",
        "views": 0,
        **FAST,
        "quiet": False,
    }

    def known(run):
        capsys.readouterr()
        striate.train(photos, run=run, **given)
        return "16 were known" in capsys.readouterr().err

    assert (known("first"), known("second")) == (False, True)
    Path("net.py").write_text(NET.replace("* 1)", "* 2)"), encoding="utf-8")
    assert (known("third"), known("fourth")) == (False, True)
    first, third = (striate.load(run, trust="net.py") for run in ("third", "fourth"))
    np.testing.assert_allclose(first.predict_proba(photos), third.predict_proba(photos), atol=1e-6)


def test_a_regime_that_is_asked_for_is_done_or_refused(photos):
    with pytest.raises(UsageError, match=r"timm:resnet10t would begin at random weights.*give a file of weights with"):
        striate.train(photos, model="timm:resnet10t", transfer="features", run="run", **FAST)
    assert not Path("run").exists()
    striate.train(photos, model="net.py:build", transfer="features", run="run", **FAST)  # its function has them
    config = json.loads(Path("run/config.json").read_text(encoding="utf-8"))
    assert (config["transfer"], config["freeze"]) == ("features", "all")
    assert any("the weights that the network is made with" in note for note in config["notes"])
    assert not any("random" in note for note in config["notes"])
    scope = {"__name__": "net"}
    exec(NET, scope)
    module = scope["build"]()
    before = module.stem[0].weight.clone()
    found = striate.train(photos, model=module, transfer="head", epochs=1, run="handed", **FAST)
    assert torch.equal(found.model.module.stem[0].weight, before)
    assert json.loads(Path("handed/config.json").read_text(encoding="utf-8"))["transfer"] == "head"
