"""Inception v2 and v3: the paper's table 1, the released network's figures, torchvision's auxiliary head."""

import pytest
import torch
import torchvision

from striate.analysis import summary
from striate.errors import UsageError
from striate.models import create_model
from striate.weights import key_tables, load_state, rename

META = torch.device("meta")


def weightless(name, **arguments):
    with META:
        return create_model(name, **arguments)


def count(model):
    return sum(p.numel() for p in model.parameters())


def shapes(model, size):
    """Shapes of what each child of the stem and each stage puts out."""
    seen = {}
    for part in (model.stem, model.stages):
        for name, child in part.named_children():
            child.register_forward_hook(lambda module, args, y, name=name: seen.update({name: tuple(y.shape[1:])}))
    model(torch.empty(1, model.in_channels, size, size, device=META))
    return seen


def test_table_1_of_the_paper():
    """Each row's output is the next row's printed input."""
    assert shapes(weightless("inception_v2"), 299) == {
        "conv1": (32, 149, 149),
        "conv2": (32, 147, 147),
        "conv3": (64, 147, 147),
        "pool1": (64, 73, 73),
        "conv4": (80, 71, 71),
        "conv5": (192, 35, 35),
        "conv6": (288, 35, 35),
        "inception_a": (288, 35, 35),
        "reduction_a": (768, 17, 17),
        "inception_b": (768, 17, 17),
        "reduction_b": (1280, 8, 8),
        "inception_c": (2048, 8, 8),
    }


def test_figure_5_has_3x3_where_the_release_has_5x5():
    def kernels(name):
        return [unit.conv.kernel_size for unit in weightless(name).stages.inception_a[0].conv5x5]

    assert kernels("inception_v2") == [(1, 1), (3, 3)]
    assert kernels("inception_v3") == [(1, 1), (5, 5)]


def test_receptive_field_of_v3():
    costs = summary(weightless("inception_v3"), (3, 299, 299))
    assert costs.receptive_field == (1311, 1311)
    assert costs.multiply_adds == pytest.approx(5.71e9, rel=0.002)  # torchvision prints 5.713


def test_v3_is_48_layers_deep():
    """Convolutions on the longest way through the stem and one module of each kind, and the dense layer."""
    model = weightless("inception_v3")

    def convolutions(steps):
        return [step for step in steps if hasattr(step, "conv") or hasattr(step, "row")]

    def longest(module):
        return max(len(convolutions(branch)) for branch in module.children())

    stem = len(convolutions(model.stem))
    modules = sum(longest(module) for stage in model.stages for module in stage)
    assert stem + modules + 1 == 48


@pytest.mark.parametrize(("name", "parameters"), [("inception_v2", 27_589_040), ("inception_v3", 27_161_264)])
def test_auxiliary_head(name, parameters):
    model = weightless(name, auxiliary=True)
    assert count(model) == parameters
    x = torch.empty(2, 3, 299, 299, device=META)
    logits, extra = model(x, auxiliary=True)
    assert logits.shape == extra["inception_b"].shape == (2, 1000)
    norms = {module.__class__.__name__ for module in model.auxiliary.modules()}
    assert ("BatchNorm2d" in norms) == (name == "inception_v3")
    assert not weightless(name).auxiliary


def test_auxiliary_head_of_a_small_image():
    model = weightless("inception_v3", input_size=32, num_classes=10, auxiliary=True)
    logits, extra = model(torch.empty(2, 3, 32, 32, device=META), auxiliary=True)
    assert logits.shape == extra["inception_b"].shape == (2, 10)


def test_small_stem_keeps_a_small_images_rows():
    seen = shapes(weightless("inception_v3", input_size=32), 32)
    assert seen["inception_a"][1:] == (26, 26)
    assert seen["inception_c"][1:] == (5, 5)
    assert not [name for name in seen if name.startswith("pool")]


def test_weights_with_a_head_bring_what_they_need(tmp_path):
    """torchvision's published file holds the auxiliary head, which is left out or loaded."""
    from safetensors.torch import save_file

    peer = torchvision.models.Inception3(num_classes=5, init_weights=False).eval()
    path = tmp_path / "v3.safetensors"
    save_file(peer.state_dict(), path)
    model = create_model("inception_v3", weights=path).eval()
    assert model.spec.arguments["count_padding"] is True
    assert not model.auxiliary
    model = create_model("inception_v3", num_classes=5, auxiliary=True).eval()
    load_state(model, rename(peer.state_dict(), key_tables("inception_v3")["torchvision"]))
    x = torch.randn(2, 768, 17, 17)
    with torch.no_grad():
        torch.testing.assert_close(model.auxiliary["inception_b"](x), peer.AuxLogits(x))


def test_counting_the_padding_changes_the_averages():
    torch.manual_seed(0)
    counted = create_model("inception_v3", num_classes=2, count_padding=True).eval()
    plain = create_model("inception_v3", num_classes=2).eval()
    load_state(plain, counted.state_dict())
    x = torch.randn(1, 3, 80, 80)
    with torch.no_grad():
        assert not torch.allclose(counted(x), plain(x), rtol=1e-3)


def test_impossible_dropout():
    with pytest.raises(UsageError, match="dropout"):
        create_model("inception_v3", dropout=-0.1)
