"""The book's networks: counts layer by layer, and VGG-16's convolutions handed over."""

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.models import create_model
from striate.models.keras_examples import start_from_vgg16


def counts(model: nn.Module) -> list[int]:
    return [
        sum(p.numel() for p in layer.parameters())
        for layer in model.modules()
        if isinstance(layer, nn.Conv2d | nn.Linear)
    ]


def test_keras_mnist_layers_have_the_published_counts():
    assert counts(create_model("keras_mnist")) == [320, 18_496, 36_928, 36_928, 650]


def test_cats_and_dogs_layers_have_the_published_counts():
    with torch.device("meta"):
        model = create_model("keras_cats_dogs")
    assert counts(model) == [896, 18_496, 73_856, 147_584, 3_211_776, 513]
    assert model.features(torch.empty(1, 3, 150, 150, device="meta")).shape == (1, 128, 7, 7)


def test_dropout_stands_before_the_dense_layer_where_it_is_asked_for():
    with torch.device("meta"):
        without, model = create_model("keras_cats_dogs"), create_model("keras_cats_dogs", dropout=0.5)
    assert [key for key, _ in model.head.named_children()] == ["flatten", "dropout1", "dense1", "act1", "classifier"]
    assert model.head.dropout1.p == 0.5
    assert not any(isinstance(module, nn.Dropout) for module in without.modules())
    assert counts(model) == counts(without)
    with pytest.raises(UsageError, match="dropout"):
        create_model("keras_cats_dogs", dropout=1.5)


def test_vgg16_cats_dogs_is_the_base_and_two_dense_layers():
    with torch.device("meta"):
        model = create_model("vgg16_cats_dogs")
    layers = counts(model)
    assert len(layers) == 15
    assert sum(layers[:13]) == 14_714_688
    assert layers[13:] == [2_097_408, 257]


def test_vgg16s_convolutions_are_handed_over():
    torch.manual_seed(0)
    model = create_model("vgg16_cats_dogs", input_size=32).eval()
    with torch.no_grad():
        assert all(0 < p.abs().max() < 2 for key, p in model.named_parameters() if key.endswith("weight"))
        trained = create_model("vgg16", input_size=32, num_classes=2, pool=1).eval()
        x = torch.randn(1, 3, 32, 32)
        assert not torch.allclose(model.features(x), trained.features(x))
        assert start_from_vgg16(model, trained) is model
        assert torch.equal(model.features(x), trained.features(x))
    model.freeze()
    assert {key.split(".")[1] for key, p in model.named_parameters() if p.requires_grad} == {"dense1", "classifier"}


def test_other_convolutions_are_refused():
    with torch.device("meta"):
        model, other = create_model("vgg16_cats_dogs"), create_model("vgg16", in_channels=1)
    with pytest.raises(UsageError, match="vgg16_cats_dogs cannot start from vgg_d"):
        start_from_vgg16(model, other)


def kinds(part: nn.Module) -> list[str]:
    return [str(layer) for layer in part.modules() if not list(layer.children())]


def test_blocks_of_the_book_pool_by_maxima_but_for_the_last_on_digits():
    with torch.device("meta"):
        digits, pictures = create_model("keras_mnist"), create_model("keras_cats_dogs")
    for model, blocks in ((digits, 3), (pictures, 4)):
        parts = list(model.parts().values())
        assert len(parts) == blocks
        pooled = parts[:-1] if model is digits else parts
        assert all(str(part.pool) == str(nn.MaxPool2d(2)) for part in pooled)
    assert [name for name, _ in digits.stages.stage2.named_children()] == ["conv", "act"]
    assert {conv.padding for conv in pictures.modules() if isinstance(conv, nn.Conv2d)} == {(0, 0)}


def test_options_reach_the_base_of_vgg16_too():
    with torch.device("meta"):
        model = create_model("vgg16_cats_dogs", activation="elu", dropout=0.25, in_channels=1, input_size=(32, 64))
        plain = create_model("vgg16_cats_dogs")
    printed = kinds(model)
    assert printed.count("ELU(alpha=1.0)") == 14
    assert not any("ReLU" in layer for layer in printed)
    assert printed.count("Dropout(p=0.25, inplace=False)") == 1
    assert model.stem.conv1.in_channels == 1
    assert (model.fixed_size, model.head.dense1.in_features, model.min_size) == ((32, 64), 512 * 1 * 2, 32)
    assert (plain.fixed_size, plain.head.dense1.out_features) == ((150, 150), 256)
    assert [name for name, _ in plain.head.named_children()] == ["flatten", "dense1", "act1", "classifier"]


def test_first_weights_on_vgg16_are_hes():
    """Nothing fades through thirteen convolutions where they are to be trained from nothing."""
    torch.manual_seed(0)
    model = create_model("vgg16_cats_dogs", input_size=64)
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len(layers) == 15
    for layer in layers[:-1]:
        assert layer.weight.std().item() == pytest.approx((2 / layer.weight[0].numel()) ** 0.5, rel=0.1)
        assert not layer.bias.any()
