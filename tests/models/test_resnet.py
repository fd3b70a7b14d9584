"""ResNet against torchvision's, the paper's stride placement, plain twins and the small stem."""

import pytest
import torch
import torchvision
from torch import nn

from striate.errors import UsageError
from striate.models import create_model, get_card
from striate.weights import key_tables, load_state, rename


def scrambled(model: nn.Module) -> nn.Module:
    """Random batch-norm statistics and scales, so that no difference hides behind a fresh network's ones."""
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.weight.data, module.bias.data, module.running_mean):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) * 0.4 + 0.3)
            module.running_var.copy_(torch.rand(module.running_var.shape, generator=generator) + 0.5)
    return model.eval()


@pytest.mark.parametrize(
    ("name", "peer", "size"),
    [("resnet18", "resnet18", 75), ("resnet34", "resnet34", 64), ("resnet50_v1_5", "resnet50", 64)],
)
def test_outputs_equal_torchvisions(name, peer, size):
    theirs = scrambled(getattr(torchvision.models, peer)())
    ours = create_model(name).eval()
    load_state(ours, rename(theirs.state_dict(), key_tables("resnet")["torchvision"]))
    x = torch.randn(2, 3, size, size)
    with torch.no_grad():
        wanted = theirs(x)
        torch.testing.assert_close(ours(x), wanted, rtol=1e-5, atol=1e-5 * wanted.abs().max().item())


@pytest.mark.parametrize("depth", [101, 152])
def test_key_table_covers_the_deep_ones(depth):
    with torch.device("meta"):
        theirs = getattr(torchvision.models, f"resnet{depth}")().state_dict()
        ours = create_model(f"resnet{depth}_v1_5").state_dict()
    renamed = rename(theirs, key_tables("resnet")["torchvision"])
    assert {key: value.shape for key, value in renamed.items()} == {k: v.shape for k, v in ours.items()}


def test_stride_is_in_the_1x1_as_in_the_paper_unless_named():
    def strides(model):
        block = model.stages.stage2[0].residual
        return block.conv1.stride[0], block.conv2.stride[0]

    with torch.device("meta"):
        assert strides(create_model("resnet50")) == (2, 1)
        assert strides(create_model("resnet50", stride_in="3x3")) == (1, 2)
        assert strides(create_model("resnet50_v1_5")) == (1, 2)


def test_basic_blocks_leave_no_choice_of_stride():
    with pytest.raises(UsageError, match="basic blocks"):
        create_model("resnet18", stride_in="1x1")


def test_plain_network_is_the_residual_one_without_projections():
    projections = 64 * 128 + 2 * 128 + 128 * 256 + 2 * 256 + 256 * 512 + 2 * 512
    for depth in (18, 34):
        plain, residual = get_card(f"plain{depth}").parameters, get_card(f"resnet{depth}").parameters
        assert residual - plain == projections
    block = create_model("plain18").stages.stage1[0]
    x = torch.randn(2, 64, 8, 8)
    torch.testing.assert_close(block(x), block.residual(x).relu())


def test_shortcut_c_projects_in_every_block_and_a_never():
    with torch.device("meta"):
        count = {kind: sum(p.numel() for p in create_model("resnet34", shortcut=kind).parameters()) for kind in "ABC"}
    assert count["A"] == get_card("plain34").parameters
    widths = [64] * 3 + [128] * 3 + [256] * 5 + [512] * 2
    assert count["C"] - count["B"] == sum(width * width + 2 * width for width in widths)


@pytest.mark.parametrize(("size", "stem", "stride"), [(32, "small", 8), (64, "small", 8), (65, "paper", 32)])
def test_small_images_get_the_small_stem(size, stem, stride):
    with torch.device("meta"):
        model = create_model("resnet18", input_size=size)
        features = model.features(torch.empty(1, 3, size, size))
    assert model.spec.arguments["stem"] == stem
    assert features.shape[-1] == -(-size // stride)


def test_stem_can_be_named():
    with torch.device("meta"):
        assert create_model("resnet18", stem="small").stem.conv.kernel_size == (3, 3)
        assert create_model("resnet18", input_size=32, stem="paper").stem.conv.kernel_size == (7, 7)


def test_convolutions_start_as_he_et_al_drew_them():
    torch.manual_seed(0)
    conv = create_model("resnet18").stages.stage3[0].residual.conv2
    assert conv.weight.std().item() == pytest.approx((2 / (9 * 256)) ** 0.5, rel=0.01)


def test_zero_init_makes_every_block_its_shortcut():
    model = create_model("resnet50", zero_init_residual=True).eval()
    block = model.stages.stage1[1]
    x = torch.rand(1, 256, 4, 4)
    torch.testing.assert_close(block(x), x)
    assert create_model("resnet50").stages.stage1[1].residual.norm3.weight.min() == 1
    plain = create_model("plain18", zero_init_residual=True).eval()  # without shortcuts nothing would be left
    assert plain.stages.stage1[1](torch.rand(1, 64, 4, 4)).abs().max() > 0


def test_kerass_biases_and_epsilon_are_options():
    """Keras prints 25,583,592 trainable parameters: a bias more for each convolution's filter."""
    with torch.device("meta"):
        model = create_model("resnet50", conv_bias=True, norm_eps=1.001e-5)
    assert sum(p.numel() for p in model.parameters()) == 25_583_592
    assert {m.eps for m in model.modules() if isinstance(m, nn.BatchNorm2d)} == {1.001e-5}


def test_a_depth_is_one_row(monkeypatch):
    """The card, the name and the network of another depth follow from its row alone."""
    from striate.models import resnet

    monkeypatch.setitem(resnet.ROWS, "26", resnet.Row("bottleneck", (2, 2, 2, 2), 15_995_176, "2.3", (25.0, None), 8.0))
    card = resnet._residual_card("26")
    with torch.device("meta"):
        model = resnet.build(card.name, num_classes=1000, in_channels=3, input_size=None, **card.options)
    assert sum(p.numel() for p in model.parameters()) == card.parameters
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in model.modules()) == 26 + 4
