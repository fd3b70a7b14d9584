"""LeNet, as taught and as published, layer by layer."""

import pytest
import torch
from torch import nn

from striate.layers import RBFOutput, ScaledTanh, TableConv2d, TrainableSubsampling
from striate.models import InputError, create_model, get_card

LAYERS = (nn.Conv2d, nn.Linear, TableConv2d, TrainableSubsampling, RBFOutput)

#: The paper's table I as printed: rows are maps of S2, columns maps of C3.
TABLE_I = """
X . . . X X X . . X X X X . X X
X X . . . X X X . . X X X X . X
X X X . . . X X X . . X . X X X
. X X X . . X X X X . . X . X X
. . X X X . . X X X X . X X . X
. . . X X X . . X X X X . X X X
"""


def counts(model: nn.Module) -> list[int]:
    """Parameters of each layer in order."""
    return [sum(p.numel() for p in layer.parameters()) for layer in model.modules() if isinstance(layer, LAYERS)]


def test_lenet_layers_have_the_taught_counts():
    assert counts(create_model("lenet5")) == [156, 2416, 48_120, 10_164, 850]


def test_lenet_has_the_same_layers_at_28_with_padding_and_at_32_without():
    small, large = create_model("lenet5"), create_model("lenet5", input_size=32)
    assert small.stem.conv.padding == (2, 2)
    assert large.stem.conv.padding == (0, 0)
    assert counts(small) == counts(large)
    assert small.stem(torch.zeros(1, 1, 28, 28)).shape == (1, 6, 14, 14)
    assert large.features(torch.zeros(1, 1, 32, 32)).shape == (1, 16, 5, 5)
    padded = torch.nn.functional.pad(x := torch.randn(2, 1, 28, 28), (2, 2, 2, 2))
    large.load_state_dict(small.state_dict())
    torch.testing.assert_close(small(x), large(padded))


def test_lenet_squashes_with_tanh_unless_told():
    assert isinstance(create_model("lenet5").stem.act, nn.Tanh)
    assert isinstance(create_model("lenet5", activation="sigmoid").stem.act, nn.Sigmoid)


def test_lenet_says_which_size_it_was_built_for():
    with pytest.raises(InputError, match="built for 28x28 pixels and got 32x32"):
        create_model("lenet5")(torch.zeros(1, 1, 32, 32))


def test_the_published_lenet_has_the_papers_counts():
    model = create_model("lenet5_1998")
    # C1, S2, C3, S4, C5, F6 and the fixed outputs
    assert counts(model) == [156, 12, 1516, 32, 48_120, 10_164, 0]
    assert get_card("lenet5_1998").parameters == 60_000
    assert model.head.classifier.weight.numel() == 840


def test_the_published_lenet_has_the_papers_maps():
    model = create_model("lenet5_1998").eval()
    seen = {}
    for key, module in model.named_modules():
        module.register_forward_hook(lambda _, __, y, key=key: seen.update({key: tuple(y.shape[1:])}))
    model(torch.zeros(1, 1, 32, 32))
    shapes = {key: shape for key, shape in seen.items() if key.endswith(("conv", "subsampling", "f6", "classifier"))}
    assert shapes == {
        "stem.conv": (6, 28, 28),
        "stem.subsampling": (6, 14, 14),
        "stages.stage1.conv": (16, 10, 10),
        "stages.stage1.subsampling": (16, 5, 5),
        "stages.stage2.conv": (120, 1, 1),
        "head.f6": (84,),
        "head.classifier": (10,),
    }
    assert sum(isinstance(module, ScaledTanh) for module in model.modules()) == 6


def test_c3_sees_what_table_i_says():
    rows = [line.split() for line in TABLE_I.strip().splitlines()]
    printed = [tuple(row for row in range(6) if rows[row][column] == "X") for column in range(16)]
    conv = create_model("lenet5_1998").stages.stage1.conv
    assert list(conv.table) == printed
    assert conv.dense_weight().abs().sum((2, 3)).gt(0).int().T.tolist() == [
        [int(mark == "X") for mark in row] for row in rows
    ]


def test_the_published_lenet_pads_small_images_into_its_field():
    small, large = create_model("lenet5_1998", input_size=28), create_model("lenet5_1998")
    large.load_state_dict(small.state_dict())
    padded = torch.nn.functional.pad(x := torch.randn(2, 1, 28, 28), (2, 2, 2, 2))
    torch.testing.assert_close(small(x), large(padded))


def test_the_published_lenet_answers_with_the_nearest_bitmap():
    model = create_model("lenet5_1998").eval()
    model.head.f6.weight.data.zero_()
    for digit, bitmap in enumerate(model.head.classifier.weight):
        # F6 says the bitmap: 1.7159 tanh(2a/3) is 1 at a = 1
        model.head.f6.bias.data.copy_(bitmap)
        logits = model(torch.zeros(1, 1, 32, 32))
        assert logits.argmax().item() == digit
        assert logits.max().item() == pytest.approx(0, abs=1e-3)


def test_another_number_of_classes_keeps_the_trained_layers():
    model = create_model("lenet5_1998")
    f6 = model.head.f6
    model.reset_head(26)
    assert model.num_classes == 26
    assert model.num_features == 84
    assert model.head.f6 is f6
    assert model(torch.zeros(1, 1, 32, 32)).shape == (1, 26)


def test_networks_say_which_loss_they_were_made_for():
    assert create_model("lenet5_1998").loss == "rbf"
    assert create_model("lenet5").loss == "cross_entropy"


@pytest.mark.parametrize("name", ["lenet5", "lenet5_1998"])
@pytest.mark.parametrize(("size", "padding"), [((31, 31), 2), ((31, 40), 2), ((40, 31), 2), ((32, 40), 0)])
def test_the_shorter_side_decides_about_the_padding(name, size, padding):
    with torch.device("meta"):
        model = create_model(name, input_size=size)
        assert model.stem.conv.padding == (padding, padding)
        assert model(torch.empty(2, 1, *size)).shape == (2, 10)
