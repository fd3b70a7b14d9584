"""CIFAR ResNets: the real weights through an independent network, and their accuracy on the real test set."""

import io
import json
import re

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import load_file, save_file

from striate.errors import UsageError
from striate.layers import PLACEMENTS
from striate.models import create_model


def first_images(shared_data, count=10_000):
    """The first of the 10,000 test images, normalised, and their labels; the mean and std are the weights' own."""
    table = pq.read_table(shared_data / "cifar10_jpeg" / "test.parquet").slice(0, count)
    encoded = table["image"].combine_chunks().field("bytes").to_pylist()
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in encoded])
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean[:, None, None]) / std[:, None, None], torch.tensor(table["label"].to_pylist())


def reference(weights: dict[str, torch.Tensor], x: torch.Tensor, blocks: int) -> torch.Tensor:
    """The source's network written out as functions on its own tensors."""

    def unit(x, conv, norm, stride=1):
        x = F.conv2d(x, weights[f"{conv}.weight"], stride=stride, padding=1)
        names = ("running_mean", "running_var", "weight", "bias")
        return F.batch_norm(x, *(weights[f"{norm}.{name}"] for name in names))

    x = unit(x, "conv1", "bn1").relu()
    for layer in (1, 2, 3):
        for i in range(blocks):
            at = f"layer{layer}.{i}"
            stride = 2 if layer > 1 and i == 0 else 1
            y = unit(x, f"{at}.conv1", f"{at}.bn1", stride).relu()
            y = unit(y, f"{at}.conv2", f"{at}.bn2")
            if stride == 2:
                x = x[:, :, ::2, ::2]
                zeros = torch.zeros(len(x), x.shape[1] // 2, *x.shape[2:])
                x = torch.cat([zeros, x, zeros], 1)
            x = (x + y).relu()
    return F.linear(x.mean((2, 3)), weights["linear.weight"], weights["linear.bias"])


@pytest.mark.parametrize("prefix", ["", "module."])
def test_files_are_read_with_and_without_the_prefix_of_parallel_training(prefix, tmp_path):
    model = create_model("resnet20_cifar")
    theirs = {}
    for key, tensor in model.state_dict().items():
        name = key.replace("stem.norm", "bn1").replace("stem.conv", "conv1").replace("head.classifier", "linear")
        name = re.sub(r"stages\.stage(\d)\.(\d)\.residual\.norm", r"layer\1.\2.bn", name)
        theirs[prefix + re.sub(r"stages\.stage(\d)\.(\d)\.residual\.", r"layer\1.\2.", name)] = tensor
    save_file(theirs, tmp_path / "theirs.safetensors")
    again = create_model("resnet20_cifar", weights=tmp_path / "theirs.safetensors")
    assert all(map(torch.equal, again.state_dict().values(), model.state_dict().values()))


def accuracy(model, images, labels) -> float:
    model.eval().to(memory_format=torch.channels_last)
    with torch.no_grad():
        batches = images.to(memory_format=torch.channels_last).split(500)
        predicted = torch.cat([model(x).argmax(1) for x in batches])
    return (predicted == labels).double().mean().item()


def test_logits_equal_an_independent_network(shared_weights):
    path = shared_weights / "resnet20_cifar10.safetensors"
    x = torch.randn(8, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    model = create_model("resnet20_cifar", weights=path).eval()
    with torch.no_grad():
        torch.testing.assert_close(model(x), reference(load_file(path), x, 3), rtol=1e-5, atol=1e-5)


def test_accuracy_on_a_part_of_the_real_test_set(shared_weights, shared_data):
    model = create_model("resnet20_cifar", weights=shared_weights / "resnet20_cifar10.safetensors")
    assert 100 * accuracy(model, *first_images(shared_data, 500)) == pytest.approx(81, abs=5)


@pytest.mark.slow
@pytest.mark.parametrize(("depth", "published"), [(20, 81.03), (32, 82.56), (44, 82.67), (56, 83.20)])
def test_accuracy_on_the_real_test_set(depth, published, shared_weights, shared_data):
    model = create_model(f"resnet{depth}_cifar", weights=shared_weights / f"resnet{depth}_cifar10.safetensors")
    measured = 100 * accuracy(model, *first_images(shared_data))
    print(f"resnet{depth}_cifar: {measured:.2f} %")
    assert measured == pytest.approx(published, abs=0.05)
    on_jpeg = model.weights_source.accuracy[-1]
    assert (on_jpeg.data, on_jpeg.value) == ("CIFAR-10 as JPEG", pytest.approx(published / 100))


@pytest.mark.parametrize("depth", [20, 32, 44, 56])
def test_files_load_and_tell_their_preprocessing(depth, shared_weights):
    model = create_model(f"resnet{depth}_cifar", weights=shared_weights / f"resnet{depth}_cifar10.safetensors")
    source = model.weights_source
    assert (source.input_size, source.crop_fraction, source.num_classes) == (32, 1.0, 10)
    assert source.mean == (0.485, 0.456, 0.406)
    assert source.licence == "BSD-2-Clause"
    assert json.loads(json.dumps(source.to_dict()))["std"] == [0.229, 0.224, 0.225]


def test_option_b_adds_two_projections():
    with torch.device("meta"):
        a, b = (sum(p.numel() for p in create_model("resnet20_cifar", shortcut=s).parameters()) for s in "AB")
    assert b - a == 16 * 32 + 2 * 32 + 32 * 64 + 2 * 64


def test_bottlenecks_and_pre_activation_differ_by_the_stems_norm_alone():
    """The stem's norm and each block's last one move to each block's front and the last stage's end."""
    with torch.device("meta"):
        original, moved = (
            [p.numel() for p in create_model(f"resnet164{version}_cifar").parameters()] for version in ("", "_v2")
        )
    projections = 2 * (64 + 128 + 256)  # norms of three projections that pre-activation does without
    widths = {64: 18, 128: 18, 256: 18}
    after = sum(2 * width * depth for width, depth in widths.items()) + 2 * 16
    before = 2 * (16 + 17 * 64 + 64 + 17 * 128 + 128 + 17 * 256) + 2 * 256
    assert sum(original) - sum(moved) == projections + after - before


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_each_placement_ends_in_a_rectified_map(placement):
    model = create_model("resnet20_cifar", placement=placement).eval()
    with torch.no_grad():
        features = model.features(torch.randn(2, 3, 32, 32))
    assert features.shape == (2, 64, 8, 8)
    assert features.min() >= 0
    assert 0.05 < (features == 0).float().mean() < 0.95 or placement == "relu_before_addition"


def test_first_block_activates_for_both_paths_and_the_others_for_their_branch():
    with torch.device("meta"):
        model = create_model("resnet20_cifar", placement="full_preactivation")
    shared = [block.shared for stage in model.stages for block in list(stage)[:3]]
    assert shared == [True, False, False] * 3
    assert [name for name, _ in model.stem.named_children()] == ["conv"]
    assert [name for name, _ in model.stages.stage3.named_children()] == ["0", "1", "2", "norm", "act"]


def test_gates_begin_at_the_bias_asked_for():
    model = create_model("resnet20_cifar", shortcut="exclusive_gate", gate_bias=-3.5)
    biases = [p for name, p in model.named_parameters() if name.endswith("gate.conv.bias")]
    assert len(biases) == 9
    assert all(bias.eq(-3.5).all() for bias in biases)
    with torch.device("meta"):
        gated, plain = (
            sum(p.numel() for p in create_model("resnet20_cifar", shortcut=s).parameters())
            for s in ("shortcut_gate", "A")
        )
    assert gated - plain == sum(
        i * o + o for i, o in [(16, 16)] * 3 + [(16, 32), *[(32, 32)] * 2, (32, 64), *[(64, 64)] * 2]
    )


def test_zero_init_is_refused_where_no_norm_ends_the_branch():
    with pytest.raises(UsageError, match="end in a convolution"):
        create_model("resnet110_v2_cifar", zero_init_residual=True)
