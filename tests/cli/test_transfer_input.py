"""train --transfer with what users give it: each is one line that says what to do, or is done and said."""

import json
import os
import pickle
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import striate
from striate.engines import ENGINES
from striate.engines.engines import Kind

REGIMES = ["features", "head", "top", "full", "auto"]


@pytest.fixture(scope="module")
def source(tmp_path_factory, paint):
    """A ResNet-20 that tells three colours apart."""
    folder = tmp_path_factory.mktemp("source")
    photos = paint(folder / "photos", count=6)
    options = {"epochs": 1, "batch_size": 4, "quiet": True, "report": False, "workers": 0}
    striate.train(photos, model="resnet20_cifar", size=16, run=folder / "run", **options)
    return folder / "run"


@pytest.fixture
def photos(paint, tmp_path):
    return paint(tmp_path / "photos", count=6, seed=3)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("STRIATE_WEIGHTS", str(tmp_path / "none"))
    return tmp_path / "cache"


@pytest.fixture
def train(cli, tmp_path):
    """train(photos, weights, transfer="features", *more): the outcome; the run is `run` in the test's folder."""

    def run(photos, weights, *more, transfer="features", run="run"):
        steps = [] if transfer in ("features", "auto") else ["--epochs", "1"]
        given = ["--weights", weights, "--transfer", transfer, "--run", tmp_path / run, "--workers", "0"]
        return cli("train", photos, *given, *steps, *more)

    return run


def refused(done, tmp_path, *words):
    """One line with these words, and nothing is left behind."""
    (line,) = done.err.strip().splitlines()
    assert done.code in (1, 2)
    assert "Traceback" not in done.err
    assert line.startswith("striate: ")
    for word in words:
        assert word in line
    assert not (tmp_path / "run").exists()
    return line


@pytest.mark.parametrize("model", ["resnet32_cifar", "lenet5", "timm:resnet10t"])
def test_weights_of_another_network(model, train, source, photos, tmp_path):
    done = train(photos, source / "model.safetensors", "--model", model)
    refused(done, tmp_path, "weights of resnet20_cifar, which do not fit", "take resnet20_cifar as the network")


@pytest.mark.parametrize("more", [[], ["--model", "resnet20_cifar"]])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_file_that_is_cut_off(share, more, train, source, photos, tmp_path):
    cut = tmp_path / "cut.safetensors"
    content = (source / "model.safetensors").read_bytes()
    cut.write_bytes(content[: int(share * len(content))])
    refused(train(photos, cut, *more), tmp_path, str(cut), "not a whole safetensors file", "fetch or save it again")


class Code:
    """Runs code when it is read."""

    def __reduce__(self):
        return os.mkdir, ("it_ran",)


@pytest.mark.parametrize("model", ["resnet20_cifar", "timm:resnet10t"])
@pytest.mark.parametrize("name", ["code.pth", "code.safetensors", "bare.pth"])
def test_a_pickle_with_code_in_it_is_refused_and_not_run(name, model, train, photos, tmp_path):
    file = tmp_path / name
    if name == "code.pth":
        torch.save({"weight": Code()}, file)
    else:
        file.write_bytes(pickle.dumps(Code()))
    refused(train(photos, file, "--model", model), tmp_path, str(file), "save")
    assert not os.path.exists("it_ran")


def test_classes_that_the_data_lacks(train, source, paint, tmp_path, cli):
    two = paint(tmp_path / "two", names=["red", "violet"], count=6)
    done = train(two, source)
    assert done.code == 0
    assert "the weights are for 3 classes: for 2 head.classifier is new" in done.err
    assert striate.load(tmp_path / "run").classes == ("red", "violet")
    one = paint(tmp_path / "one", names=["red"], count=2)
    assert cli("predict", source, one).code == 0
    some = paint(tmp_path / "some", names=["red", "blue"], count=2)
    assert cli("evaluate", source, some).code == 0
    done = cli("evaluate", source, two)
    assert done.err.strip().endswith("does not know: 'violet'. It knows 'blue', 'green', 'red'")
    (two / "nothing").mkdir()
    done = train(two, source, run="other")
    assert "class 'nothing' has no images" in done.err
    assert not (tmp_path / "other").exists()


@pytest.mark.sampled
@pytest.mark.parametrize("transfer", REGIMES)
@pytest.mark.parametrize("alone", ["of one class", "of every class", "with a validation image of its own"])
def test_one_image(alone, transfer, train, source, paint, tmp_path):
    if alone == "of every class":
        photos = paint(tmp_path / "photos", count=1)
    else:
        photos = paint(tmp_path / "photos", names=["blue", "green"], count=6)
        paint(photos, names=["red"], count=1)
    if alone == "with a validation image of its own":
        photos.rename(tmp_path / "train")
        photos.mkdir()
        (tmp_path / "train").rename(photos / "train")
        paint(photos / "val", count=1, seed=7)
    done = train(photos, source, transfer=transfer)
    assert done.code == 0
    assert "Traceback" not in done.err
    assert "the nearest class mean by angle, as a class has few images" in done.err
    run = striate.load(tmp_path / "run")
    assert np.isfinite(run.predict_proba(photos)).all()


def test_a_validation_class_that_training_lacks(train, source, paint, tmp_path):
    paint(tmp_path / "photos/train", names=["blue", "green"], count=3)
    paint(tmp_path / "photos/val", names=["blue", "red"], count=2)
    done = train(tmp_path / "photos", source)
    refused(done, tmp_path, "class 'red' has no training images", "add some to train, or take the class out")


def test_pictures_with_transparency_are_laid_on_white_and_it_is_said(train, source, paint, tmp_path):
    photos = paint(tmp_path / "photos", count=6, mode="RGBA")
    done = train(photos, source)
    assert "18 images with transparency, laid on white" in done.err
    assert striate.load(tmp_path / "run").description.preprocessing.channels == 3


def test_filters_are_repeated_for_four_bands_and_it_is_said(train, source, tmp_path):
    rng = np.random.default_rng(0)
    for number, name in enumerate(["dark", "light"]):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for image in range(5):
            pixels = rng.integers(0, 100, (16, 16, 4)) + 120 * number
            np.save(tmp_path / "photos" / name / f"{image}.npy", pixels.astype(np.uint8))
    done = train(tmp_path / "photos", source)
    assert done.code == 0
    assert "is for 3 channels: its filters are repeated in turn and scaled by 3/4 for 4" in done.err
    before = load_file(source / "model.safetensors")
    after = load_file(tmp_path / "run/model.safetensors")
    first = next(name for name, tensor in before.items() if tensor.dim() == 4 and tensor.shape[1] == 3)
    torch.testing.assert_close(after[first], before[first][:, [0, 1, 2, 0]] * 0.75)
    assert striate.load(tmp_path / "run").evaluate(tmp_path / "photos").top1 == 1.0


@pytest.mark.parametrize("form", ["png", "tiff"])
def test_sixteen_bits_are_scaled_and_not_wrapped(form, train, source, tmp_path):
    """Levels that differ by a multiple of 256 are alike where they are wrapped; so are they where the rest is cut."""
    for level, name in ((20, "dark"), (120, "grey"), (220, "light")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for image in range(6):
            pixels = np.full((16, 16), 256 * (level + image) + 7, np.uint16)
            pixels[image] = 7
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{image}.{form}")
    done = train(tmp_path / "photos", source)
    assert done.code == 0
    assert "18 images in grey, repeated over 3 channels" in done.err
    look = striate.load(tmp_path / "run")
    vectors = look.embed(sorted((tmp_path / "photos").rglob(f"0.{form}")))
    assert np.abs(vectors[0] - vectors[2]).max() > 1e-3
    assert look.evaluate(tmp_path / "photos").top1 == 1.0


@pytest.mark.parametrize(("side", "mode"), [(32, "RGB"), (28, "L")])
def test_images_far_smaller_than_those_of_the_weights_are_enlarged_and_it_is_said(side, mode, train, paint, tmp_path):
    torch.manual_seed(0)
    state = striate.models.create_model("mobilenet_v1_0.25", num_classes=4).state_dict()
    save_file(state, tmp_path / "file.safetensors", {"input_size": "128"})
    photos = paint(tmp_path / "photos", count=6, side=side, mode=mode)
    model = ["--model", "mobilenet_v1_0.25"]
    done = train(photos, tmp_path / "file.safetensors", *model)
    said = f"the images are {side} pixels a side and the weights were trained at 128: they are enlarged to 128x128"
    assert f"{said}; --size N shows them at another size" in done.err
    done = train(photos, tmp_path / "file.safetensors", *model, "--size", "32", run="small")
    assert done.code == 0
    assert "enlarged" not in done.err


class Broken:
    """An engine that fails, or gives something else than the network."""

    name = "broken"

    def __init__(self, frozen, fails):
        self.eager, self.fails = frozen.eager(), fails

    def __call__(self, pictures):
        if self.fails:
            raise RuntimeError("no such operation")
        return self.eager(pictures) * 1.5


@pytest.mark.parametrize(
    ("fails", "words"),
    [
        (False, "engine 'folded' runs resnet20_cifar otherwise than PyTorch: outputs differ by 0.5 of the largest"),
        (True, "engine 'folded' cannot run resnet20_cifar (no such operation)"),
    ],
)
def test_an_engine_that_differs_or_fails_is_named_and_not_used(
    fails, words, train, source, photos, tmp_path, cli, monkeypatch
):
    assert train(photos, source, run="right").code == 0
    engines = {**ENGINES, "folded": Kind(lambda frozen, anew: Broken(frozen, fails))}
    for name in ("openvino", "onnxruntime"):
        engines[name] = Kind(engines[name].make, ("no_such_package",))
    monkeypatch.setattr("striate.engines.engines.ENGINES", engines)
    monkeypatch.setattr("striate.engines.choosing.ENGINES", engines)
    shutil.rmtree(tmp_path / "cache")
    done = train(photos, source)
    assert words in done.err
    right, found = (load_file(tmp_path / run / "model.safetensors") for run in ("right", "run"))
    for name in right:
        torch.testing.assert_close(found[name], right[name], rtol=1e-3, atol=1e-3)
    done = cli("predict", tmp_path / "run", photos, "--engine", "folded")
    assert f"{words}" in done.err
    assert "eager is used" in done.err
    assert cli("evaluate", tmp_path / "run", photos, "--engine", "folded").out.startswith("top-1 100.00%")
    done = cli("embed", photos, "--model", tmp_path / "run", "--engine", "folded", "--out", tmp_path / "vectors.csv")
    assert (done.code, words in done.err) == (0, True)


def test_only_new_pictures_go_through_the_network_and_nothing_is_stale(train, source, photos, paint, tmp_path):
    def known(done):
        (line,) = [line for line in done.err.splitlines() if line.startswith("features of")]
        return int(line.partition("; ")[2].split(" were known")[0]) if "were known" in line else 0

    assert known(train(photos, source, "--views", 0, run="1")) == 0
    shutil.copytree(photos, tmp_path / "renamed")
    photos = tmp_path / "renamed"
    assert known(train(photos, source, "--views", 0, run="2")) == 18
    paint(photos, names=["violet"], count=3)
    assert known(train(photos, source, "--views", 0, run="3")) == 18  # of 21, and of four classes
    Image.new("RGB", (16, 16), (9, 9, 9)).save(photos / "red" / "0.png")
    assert known(train(photos, source, "--views", 0, run="4")) == 20
    weights = tmp_path / "weights.safetensors"
    shutil.copy(source / "model.safetensors", weights)
    assert known(train(photos, weights, "--views", 0, run="5")) == 21  # the same ones under another name
    network = striate.load(source)
    with torch.no_grad():
        next(network.model.parameters()).mul_(1.5)
    network.save(weights)
    done = train(photos, weights, "--views", 0, run="6")
    assert known(done) == 0
    assert done.code == 0


@pytest.mark.parametrize("place", ["a file", "no home"])
def test_a_run_ends_where_nothing_can_be_kept_and_says_so(place, train, source, photos, tmp_path, monkeypatch):
    if place == "a file":
        (tmp_path / "file").write_text("")
        monkeypatch.setenv("STRIATE_CACHE", str(tmp_path / "file"))
        words = f"({tmp_path / 'file'}/features/"
    else:
        monkeypatch.delenv("STRIATE_CACHE")
        monkeypatch.setattr("pathlib.Path.home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
        words = "(no home folder to keep fetched files in; name one by STRIATE_CACHE.)"
    done = train(photos, source)
    assert done.code == 0
    assert f"the features are not kept, so that the next run takes them anew {words}" in done.err
    assert striate.load(tmp_path / "run").evaluate(photos).top1 == 1.0
    assert json.loads((tmp_path / "run/config.json").read_text(encoding="utf-8"))["transfer"] == "features"
