"""How files of Keras's networks want their images: some blue before red, less a mean; told here by hand-made files."""

import h5py
import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from striate.classifier.plan import pretrained_channels
from striate.models import create_model, get_card, vgg
from striate.models.catalogue import families
from striate.models.pretrained import input_size_of
from striate.weights import key_tables
from striate.weights.images import CAFFE, HALVES, IMAGENET_STATISTICS, Images
from striate.weights.keras import read_keras

COLUMN = ((4, 4), (4, 4), (5, 5, 5), (5, 5, 5), (6, 6, 6))
#: As "caffe" preprocessing has them: of blue, green and red, on pixels from 0 to 255.
BLUE_GREEN_RED = (103.939, 116.779, 123.68)


@pytest.fixture
def file(tmp_path, monkeypatch):
    """VGG-16 with few maps, in the layout in which Keras Applications publishes its weights."""
    monkeypatch.setattr(vgg, "COLUMNS", {**vgg.COLUMNS, "vgg_d": COLUMN})
    monkeypatch.setattr(vgg, "DENSE", (7, 7))
    rng = np.random.default_rng(0)
    layers, channels = {}, 3
    for block, widths in enumerate(COLUMN, 1):
        for number, width in enumerate(widths, 1):
            layers[f"block{block}_conv{number}"] = (rng.normal(size=(3, 3, channels, width)), rng.normal(size=width))
            channels = width
    for name, (inputs, outputs) in {"fc1": (channels * 49, 7), "fc2": (7, 7), "predictions": (7, 9)}.items():
        layers[name] = (rng.normal(size=(inputs, outputs)), rng.normal(size=outputs))
    path = tmp_path / "vgg16_weights.h5"
    with h5py.File(path, "w") as out:
        names = list(layers)
        names.insert(names.index("fc1"), "flatten")
        out.attrs["layer_names"] = [name.encode() for name in names]
        out.create_group("flatten").attrs["weight_names"] = np.array([], dtype="S1")
        for name, (kernel, bias) in layers.items():
            group = out.create_group(name)
            group.attrs["weight_names"] = [f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()]
            group[f"{name}/kernel:0"] = kernel.astype(np.float32)
            group[f"{name}/bias:0"] = bias.astype(np.float32)
    return path


def test_the_first_convolution_sees_blue_green_red_less_the_mean(file):
    model = create_model("vgg16", weights=file).eval()
    source = model.weights_source
    pixels = torch.randint(0, 256, (2, 3, 32, 32)).float()  # red, green, blue
    ours = (pixels / 255 - torch.tensor(source.mean)[:, None, None]) / torch.tensor(source.std)[:, None, None]
    theirs = pixels.flip(1) - torch.tensor(BLUE_GREEN_RED)[:, None, None]
    with h5py.File(file) as out:
        kernel = torch.from_numpy(out["block1_conv1/block1_conv1/kernel:0"][()]).permute(3, 2, 0, 1)
        bias = torch.from_numpy(out["block1_conv1/block1_conv1/bias:0"][()])
    wanted = F.conv2d(theirs, kernel, bias, padding=1)
    with torch.no_grad():
        torch.testing.assert_close(model.stem.conv1(ours), wanted, rtol=1e-4, atol=1e-2)
    assert model.num_classes == 9


def test_a_run_can_be_planned_with_such_a_file(file):
    assert pretrained_channels("vgg16", file) == 3
    assert input_size_of(get_card("vgg16"), file) == 224


def test_a_file_that_says_how_its_images_were_is_believed(file, tmp_path):
    own = tmp_path / "vgg16.safetensors"
    said = {"input_mean": "[0.4, 0.5, 0.6]", "input_std": "[1, 1, 1]"}
    save_file(read_keras(file), own, metadata=said)
    model = create_model("vgg16", weights=own)
    assert (model.weights_source.mean, model.weights_source.std) == ((0.4, 0.5, 0.6), (1, 1, 1))
    torch.testing.assert_close(model.stem.conv1.weight, read_keras(file)["block1_conv1.weight"])
    save_file(read_keras(file), own)  # one that does not say
    silent = create_model("vgg16", weights=own)
    assert silent.weights_source.mean == tuple(mean / 255 for mean in reversed(BLUE_GREEN_RED))
    torch.testing.assert_close(silent.stem.conv1.weight, model.stem.conv1.weight.flip(1))


def test_which_of_kerass_networks_are_fed_how():
    """As the `preprocess_input` of each module of Keras Applications has it."""
    fed = {family: tables["keras"].images for family in families() if "keras" in (tables := key_tables(family))}
    halves = ("mobilenet_v1", "mobilenet_v2", "inception_v3", "inception_resnet", "xception", "nasnet", "resnet_v2")
    assert fed == {
        **dict.fromkeys(("vgg", "resnet"), CAFFE),
        **dict.fromkeys(("densenet", "efficientnet"), IMAGENET_STATISTICS),
        **dict.fromkeys(halves, HALVES),
    }
    assert CAFFE.mean == pytest.approx([mean / 255 for mean in reversed(BLUE_GREEN_RED)])
    assert CAFFE.std == pytest.approx((1 / 255,) * 3)
    assert CAFFE.blue_first
    assert Images((0.5, 0.5, 0.5), (0.5, 0.5, 0.5), "bilinear", blue_first=False) == HALVES
