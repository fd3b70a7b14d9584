"""Vision Transformer against torchvision, torch's own attention and hand counts."""

import pytest
import safetensors.torch
import torch
import torchvision
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models.vision_transformer import VisionTransformer as Theirs
from torchvision.models.vision_transformer import interpolate_embeddings

from striate.analysis import summary
from striate.errors import StriateError, UsageError
from striate.layers.attention import SelfAttention
from striate.models import create_model
from striate.models.vit import resize_positions


def weightless(name, **arguments):
    with torch.device("meta"):
        return create_model(name, **arguments)


def test_attention_is_torchs_own():
    ours, theirs = SelfAttention(24, 3).double(), nn.MultiheadAttention(24, 3, batch_first=True).double()
    theirs.load_state_dict(
        {
            "in_proj_weight": ours.qkv.weight,
            "in_proj_bias": ours.qkv.bias,
            "out_proj.weight": ours.projection.weight,
            "out_proj.bias": ours.projection.bias,
        }
    )
    x = torch.randn(2, 7, 24, dtype=torch.float64)
    wanted, _ = theirs(x, x, x)
    torch.testing.assert_close(ours(x), wanted, rtol=0, atol=1e-12)


def test_multiply_adds_count_attention():
    """By hand, by torch's counter, and as torchvision publishes them."""
    model = weightless("vit_b_16")
    tokens, width, hidden = 197, 768, 3072
    block = tokens * (4 * width * width + 2 * width * hidden) + 2 * tokens * tokens * width
    by_hand = 196 * 768 * width + 12 * block + width * 1000
    found = summary(model, (3, 224, 224)).multiply_adds
    assert found == by_hand
    with FlopCounterMode(display=False) as counter:
        model(torch.empty(1, 3, 224, 224, device="meta"))
    assert found == counter.get_total_flops() / 2
    published = torchvision.models.ViT_B_16_Weights.IMAGENET1K_V1.meta["_ops"]
    assert found == pytest.approx(published * 1e9, rel=1e-3)


@pytest.mark.parametrize(("size", "patch"), [(64, 8), (96, 8), (40, 4)])
def test_positions_are_resized_as_torchvision_does(size, patch):
    torch.manual_seed(0)
    positions = torch.randn(1, 1 + 36, 5)
    wanted = interpolate_embeddings(size, patch, {"encoder.pos_embedding": positions})["encoder.pos_embedding"]
    assert torch.equal(resize_positions(positions, (size // patch, size // patch)), wanted)


def test_positions_go_onto_oblong_grids_with_their_corners_in_place():
    corners = torch.randn(1, 1 + 9, 2)
    resized = resize_positions(corners, (4, 7))
    assert resized.shape == (1, 1 + 28, 2)
    grid, old = resized[0, 1:].view(4, 7, 2), corners[0, 1:].view(3, 3, 2)
    torch.testing.assert_close(grid[::3, ::6], old[::2, ::2])
    assert torch.equal(resized[:, 0], corners[:, 0])
    assert resize_positions(corners, (3, 3)) is corners
    with pytest.raises(StriateError, match="11 position embeddings fill no square"):
        resize_positions(torch.randn(1, 12, 2), (3, 3))


def test_weights_move_to_another_size_of_image_as_at_torchvision(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "vit.safetensors"
    small = create_model("vit_ti_16", input_size=96, stem="paper", num_classes=5)
    safetensors.torch.save_file(small.state_dict(), path)
    model = create_model("vit_ti_16", input_size=128, weights=path, stem="paper").eval()
    theirs = Theirs(128, 16, 12, 3, 192, 768, num_classes=5).eval()
    state = {}
    for key in theirs.state_dict():
        ours = key.replace("encoder.layers.encoder_layer_", "stages.block").replace("conv_proj", "stem.patches")
        ours = ours.replace("self_attention.in_proj_", "attention.qkv.").replace("self_attention.out_proj", "a.p")
        ours = ours.replace("a.p", "attention.projection").replace("mlp.0", "mlp.dense1").replace("mlp.3", "mlp.dense2")
        ours = ours.replace("ln_", "norm").replace("encoder.ln", "head.norm").replace("heads.head", "head.classifier")
        ours = ours.replace("class_token", "stem.class_token").replace("encoder.pos_embedding", "stem.positions")
        state[key] = small.state_dict()[ours]
    theirs.load_state_dict(interpolate_embeddings(128, 16, state))
    x = torch.randn(2, 3, 128, 128)
    with torch.no_grad():
        torch.testing.assert_close(model(x), theirs(x), rtol=0, atol=1e-5)


def test_maps_are_the_patches_tokens_row_by_row():
    """The patch at row 1, column 2 stands there; the class token stands nowhere."""
    model = create_model("vit_ti_16", input_size=(48, 64), stem="paper").eval()
    x = torch.randn(1, 3, 48, 64)
    with torch.no_grad():
        tokens, maps = model.features(x), model.feature_maps(x)
        embedded = model.stem.patches(x)
        stem = model.map_of(model.stem(x) - model.stem.positions)
    assert tokens.shape == (1, 13, 192)
    assert maps["block11"].shape == (1, 192, 3, 4)
    assert torch.equal(maps["block11"][0, :, 1, 2], tokens[0, 1 + 1 * 4 + 2])
    torch.testing.assert_close(stem, embedded)


def test_small_images_get_small_patches():
    model = weightless("vit_b_16", input_size=32)
    assert model.grid == (8, 8)
    assert weightless("vit_b_32", input_size=32).grid == (4, 4)
    assert weightless("vit_b_16", input_size=32, patch_size=16).grid == (2, 2)
    assert weightless("vit_b_16", input_size=(100, 224)).grid == (6, 14)


def test_dropout_falls_on_positions_and_dense_layers():
    model = weightless("vit_ti_16", dropout=0.1)
    assert sum(isinstance(module, nn.Dropout) for module in model.modules()) == 1 + 12 * 3
    assert not any(isinstance(module, nn.Dropout) for module in weightless("vit_ti_16").modules())


@pytest.mark.parametrize("arguments", [{"patch_size": 300}, {"patch_size": -1}, {"dropout": 1.0}])
def test_impossible_arguments_are_usage_errors(arguments):
    with pytest.raises(UsageError):
        weightless("vit_b_16", **arguments)


def test_card_says_that_it_is_no_cnn():
    from striate.models import get_card

    assert "no CNN" in get_card("vit_b_16").errata[0].right


@pytest.mark.parametrize(
    ("name", "layers", "heads"),
    [("ti_16", 12, 3), ("s_16", 12, 6), ("b_16", 12, 12), ("b_32", 12, 12), ("l_16", 24, 16), ("l_32", 24, 16)],
)
def test_layers_and_heads_of_the_papers_tables(name, layers, heads):
    """Each head has 64 numbers of a token."""
    model = weightless(f"vit_{name}")
    attention = [module for module in model.modules() if isinstance(module, SelfAttention)]
    assert len(attention) == layers
    assert {module.heads for module in attention} == {heads}
    assert {module.qkv.in_features // module.heads for module in attention} == {64}


def test_positions_start_small_and_the_class_token_at_zero():
    torch.manual_seed(0)
    stem = create_model("vit_ti_16").stem
    assert stem.positions.shape == (1, 197, 192)
    assert stem.positions.std().item() == pytest.approx(0.02, rel=0.03)
    assert stem.positions.mean().item() == pytest.approx(0, abs=1e-3)
    assert not stem.class_token.any()
