"""Dense layers as convolutions: the same answers at the same size, the sliding window's on larger images."""

import json

import pytest
import torch
from torch import nn

from striate.analysis import summary
from striate.errors import UsageError
from striate.models import ConvNet, InputError, ModelSpec, alexnet, create_model, to_fully_convolutional, vgg, zfnet
from striate.weights import load_state

pytestmark = pytest.mark.sampled

#: Networks of every kind of head, small, with the size they are built for.
BUILT = [
    ("lenet5", {"input_size": 32}),
    ("lenet5", {"input_size": (32, 40)}),
    ("keras_mnist", {}),
    ("alexnet", {"input_size": 99}),
    ("zfnet", {"input_size": 32}),
    ("vgg11_bn", {"pool": 2, "input_size": 64}),
    ("squeezenet1_1", {"input_size": 64}),
    ("nin_cifar", {"input_size": 32}),
    ("resnet20_cifar", {"input_size": 32}),
]


@pytest.fixture
def narrow(monkeypatch):
    """Hidden layers of 32 and 24 in place of twice 4096, which would only take time."""
    for family in (alexnet, vgg, zfnet):
        monkeypatch.setattr(family, "DENSE", (32, 24))


def built(name, **arguments):
    torch.manual_seed(0)
    return create_model(name, num_classes=4, **arguments).double().eval()


def image(model, height, width, count=1):
    torch.manual_seed(1)
    return torch.randn(count, model.in_channels, height, width, dtype=torch.float64)


@pytest.mark.parametrize(("name", "arguments"), BUILT, ids=lambda value: str(value))
def test_answers_at_the_original_size_are_the_same(name, arguments, narrow):
    model = built(name, **arguments)
    size = model.spec.arguments["input_size"]
    height, width = size or model.fixed_size
    x = image(model, height, width, 2)
    with torch.no_grad():
        wanted = model(x)
        turned = [to_fully_convolutional(model, form) for form in ("average", "map")]
        averaged, mapped = (other(x) for other in turned)
    assert not any(module.training for other in turned for module in other.modules())
    assert wanted.std() > 1e-3
    torch.testing.assert_close(averaged, wanted, rtol=0, atol=1e-10)
    assert mapped.shape[:2] == (2, 4)
    torch.testing.assert_close(mapped.mean((2, 3)), wanted, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "arguments", "window", "stride"),
    [
        ("lenet5", {"input_size": 32}, (32, 32), 4),
        ("lenet5", {"input_size": (32, 40)}, (32, 40), 4),
        ("keras_mnist", {}, (28, 28), 4),
        ("keras_cats_dogs", {"input_size": 50}, (50, 50), 16),
    ],
)
def test_a_larger_image_gets_the_logits_of_every_window(name, arguments, window, stride):
    """Networks that do not pad: each place equals the crop that begins at stride times its row and column."""
    model = built(name, **arguments)
    rows, columns = 3, 4
    x = image(model, window[0] + (rows - 1) * stride, window[1] + (columns - 1) * stride + 1)
    with torch.no_grad():
        places = to_fully_convolutional(model, "map")(x)
        average = to_fully_convolutional(model)(x)
        assert places.shape == (1, 4, rows, columns)
        for i in range(rows):
            for j in range(columns):
                crop = x[:, :, i * stride : i * stride + window[0], j * stride : j * stride + window[1]]
                torch.testing.assert_close(places[:, :, i, j], model(crop), rtol=0, atol=1e-10)
    torch.testing.assert_close(average, places.mean((2, 3)), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("name", "size", "kernel"), [("vgg_a", 64, 2), ("alexnet", 99, 2)], ids=lambda v: str(v))
def test_each_place_is_the_old_head_on_its_window_of_the_map(name, size, kernel, narrow):
    """Holds for networks that pad, too, whose windows see their neighbours."""
    model = built(name, input_size=size)
    x = image(model, size + 64, size + 40)
    with torch.no_grad():
        features = model.stages(model.stem(x))
        places = to_fully_convolutional(model, "map")(x)
        assert places.shape[2:] == (features.shape[2] - kernel + 1, features.shape[3] - kernel + 1)
        for i in range(places.shape[2]):
            for j in range(places.shape[3]):
                wanted = model.head(features[:, :, i : i + kernel, j : j + kernel])
                torch.testing.assert_close(places[:, :, i, j], wanted, rtol=0, atol=1e-10)


def test_vgg_has_a_7x7_and_two_1x1_convolutions():
    with torch.device("meta"):
        turned = create_model("vgg16").to_fully_convolutional("map")
        kernels = [layer.kernel_size for layer in turned.head if isinstance(layer, nn.Conv2d)]
        assert kernels == [(7, 7), (1, 1), (1, 1)]
        assert turned(torch.empty(1, 3, 384, 512)).shape == (1, 1000, 6, 10)
        assert sum(p.numel() for p in turned.parameters()) == 138_357_544


def test_the_smallest_image_has_one_place():
    with torch.device("meta"):
        for name in ("vgg_a", "alexnet", "alexnet_one_column", "lenet5", "zfnet"):
            model = create_model(name)
            turned = model.to_fully_convolutional("map")
            side = turned.min_size
            assert turned(torch.empty(1, model.in_channels, side, side)).shape[2:] == (1, 1), name
            with pytest.raises(InputError, match=f"{side}x{side}"):
                turned(torch.empty(1, model.in_channels, side - 1, side))
            with pytest.raises(RuntimeError):
                turned.head(turned.stages(turned.stem(torch.empty(1, model.in_channels, side - 1, side - 1))))
    assert turned.fixed_size is None


def test_the_network_itself_stays_and_shares_nothing():
    model = built("lenet5", input_size=32)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    turned = model.to_fully_convolutional()
    with torch.no_grad():
        for parameter in turned.parameters():
            parameter.zero_()
    assert isinstance(model.head.classifier, nn.Linear)
    assert model.fixed_size == (32, 32)
    assert all(value.equal(before[key]) for key, value in model.state_dict().items())
    assert "fully_convolutional" not in model.spec.arguments


@pytest.mark.parametrize("form", ["average", "map"])
@pytest.mark.parametrize(("name", "arguments"), BUILT, ids=lambda value: str(value))
def test_spec_rebuilds_it(name, arguments, form):
    with torch.device("meta"):
        turned = create_model(name, num_classes=4, **arguments).to_fully_convolutional(form)
        record = ModelSpec.from_dict(json.loads(json.dumps(turned.spec.to_dict())))
        again = create_model(record.name, **record.arguments)
    assert again.spec == turned.spec
    assert str(again) == str(turned)
    assert again.min_size == turned.min_size


def test_turning_again_changes_the_form_only():
    model = built("keras_mnist")
    x = image(model, 40, 36)
    with torch.no_grad():
        places = model.to_fully_convolutional("map")
        averaged = places.to_fully_convolutional("average")
        torch.testing.assert_close(averaged(x), places(x).mean((2, 3)))
        torch.testing.assert_close(averaged.to_fully_convolutional("map")(x), places(x))
    assert averaged.spec.arguments["fully_convolutional"] == "average"


def test_heads_features_embedding_freezing_and_summary_go_on_working(narrow):
    turned = built("vgg_a", input_size=32).to_fully_convolutional()
    turned.reset_head(7)
    x = image(turned, 64, 96, 2)
    with torch.no_grad():
        assert turned(x).shape == (2, 7)
        assert turned.embed(x).shape == (2, turned.num_features) == (2, 24)
        torch.testing.assert_close(turned.head(turned.features(x)), turned(x))
    assert turned.spec.arguments["num_classes"] == 7
    turned.freeze("stage4")
    assert turned.frozen == ("stem", "stage2", "stage3", "stage4")
    measured = summary(turned, (3, 64, 96))
    assert measured.parameters == sum(p.numel() for p in turned.parameters())
    # the dense layers now cost their price at each of 2 x 3 places
    dense = {row.name: row.multiply_adds for row in measured.rows if row.name.startswith("head.dense")}
    assert dense == {"head.dense1": 6 * 512 * 32, "head.dense2": 6 * 32 * 24}


def test_gradients_reach_everything_and_frozen_layers_stay_frozen():
    model = built("lenet5", input_size=32)
    model.head.c5.requires_grad_(False)
    turned = model.to_fully_convolutional("map").train()
    turned(image(turned, 48, 48, 2)).square().sum().backward()
    without = {key for key, p in turned.named_parameters() if p.grad is None}
    assert without == {"head.c5.weight", "head.c5.bias"}


def test_weights_fit_either_form():
    """A file of the turned network goes into the plain one and the other way round."""
    plain = built("lenet5", input_size=32)
    turned = plain.to_fully_convolutional("map")
    other = built("lenet5", input_size=32)
    with torch.no_grad():
        other.head.c5.weight.zero_()
    load_state(other, turned.state_dict())
    assert other.head.c5.weight.equal(plain.head.c5.weight)
    load_state(turned, {key: 2 * value for key, value in plain.state_dict().items()})
    assert turned.head.c5.weight.flatten(1).equal(2 * plain.head.c5.weight)


def own_network(head, **arguments):
    """Put together by hand: it has no spec that could rebuild it."""
    return ConvNet(nn.Conv2d(2, 4, 3), {"a": nn.ReLU()}, head, in_channels=2, min_size=3, **arguments)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("trains", [True, False])
def test_layers_that_stay_keep_what_they_learned(bias, trains):
    """A convolution and its norm before dense layers, with or without biases; the copy trains as the network does."""
    torch.manual_seed(0)
    model = own_network(
        {
            "conv": nn.Conv2d(4, 6, 1, bias=bias),
            "norm": nn.BatchNorm2d(6),
            "act": nn.Tanh(),
            "flatten": nn.Flatten(),
            "dropout": nn.Dropout(0.0),
            "dense": nn.Linear(6 * 2 * 3, 5, bias=bias),
            "classifier": nn.Linear(5, 3, bias=bias),
        },
        fixed_size=(4, 5),
    ).double()
    model(torch.randn(8, 2, 4, 5, dtype=torch.float64))  # its norm has seen images
    model.train(trains)
    turned = to_fully_convolutional(model, "map")
    assert [module.training for module in turned.head] == [trains] * 6
    assert list(dict(turned.head.named_children())) == ["conv", "norm", "act", "dropout", "dense", "classifier"]
    assert (turned.head.dense.bias is not None, turned.head.classifier.bias is not None) == (bias, bias)
    assert (turned.spec, turned.fixed_size, turned.min_size) == (ModelSpec("custom"), None, 4)
    model.eval()
    turned.eval()
    x = torch.randn(2, 2, 6, 9, dtype=torch.float64)
    with torch.no_grad():
        places = turned(x)
        assert places.shape == (2, 3, 3, 5)
        for i in range(3):
            for j in range(5):
                torch.testing.assert_close(places[:, :, i, j], model(x[:, :, i : i + 4, j : j + 5]))
    model.head.norm.running_mean.zero_()
    assert turned.head.norm.running_mean.any()


def test_dense_layers_on_a_map_of_any_size_tell_no_kernel():
    model = own_network({"flatten": nn.Flatten(), "classifier": nn.Linear(4 * 9, 3)})
    with pytest.raises(UsageError, match="custom has dense layers on a map whose size it does not tell"):
        to_fully_convolutional(model)


@pytest.mark.parametrize("name", ["striate_m", "lenet5_1998"])
def test_heads_that_are_no_chain_are_refused(name):
    with pytest.raises(UsageError, match="cannot become fully convolutional"):
        create_model(name).to_fully_convolutional()


def test_a_hidden_layer_behind_an_average_is_refused():
    model = create_model("vgg_a", pool=1, num_classes=3, input_size=32)
    with pytest.raises(UsageError, match="takes any size of image as it is"):
        model.to_fully_convolutional()


def test_unknown_forms_offer_the_known():
    with pytest.raises(UsageError, match="Did you mean 'average'"):
        create_model("lenet5", fully_convolutional="averaged")
