"""VGG's columns against the paper's tables, the lectures' and the peers."""

import os

import pytest
import torch
import torchvision
from torch import nn

from striate.analysis import summary
from striate.errors import StriateError, UsageError
from striate.models import InputError, create_model, get_card, vgg
from striate.weights import key_tables, rename

pytestmark = pytest.mark.sampled

WEIGHT_LAYERS = {"vgg_a": 11, "vgg_a_lrn": 11, "vgg_b": 13, "vgg_c": 16, "vgg_d": 16, "vgg_e": 19}


@pytest.fixture
def narrow(monkeypatch):
    """Dense layers of 16: all else is VGG's own."""
    monkeypatch.setattr(vgg, "DENSE", (16, 16))


@pytest.mark.parametrize("name", WEIGHT_LAYERS)
def test_columns_have_the_papers_layers_and_parameters(name):
    """Tables 1 and 2; the paper prints millions."""
    with torch.device("meta"):
        model = create_model(name)
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len(layers) == WEIGHT_LAYERS[name]
    (printed,) = (figure for figure in get_card(name).published if figure.metric == "parameters")
    assert round(sum(p.numel() for p in model.parameters()) / 1e6) == printed.value / 1e6


def test_column_c_has_1x1_convolutions_where_d_has_3x3():
    with torch.device("meta"):
        models = [create_model(name) for name in ("vgg_c", "vgg_d")]
    kernels = [[layer.kernel_size[0] for layer in m.modules() if isinstance(layer, nn.Conv2d)] for m in models]
    assert kernels[0] == [3, 3, 3, 3, 3, 3, 1, 3, 3, 1, 3, 3, 1]
    assert kernels[1] == [3] * 13


def test_a_lrn_normalises_once_after_the_first_layer():
    with torch.device("meta"):
        model = create_model("vgg_a_lrn")
    assert [key for key, _ in model.stem.named_children()] == ["conv1", "act1", "norm", "pool"]
    assert sum(type(layer).__name__ == "LocalResponseNorm" for layer in model.modules()) == 1


def measured(name: str):
    with torch.device("meta"):
        return summary(create_model(name), (3, 224, 224))


@pytest.mark.parametrize(
    ("name", "field"), [("vgg_a", 150), ("vgg_b", 156), ("vgg_d", 212), ("vgg_e", 268), ("vgg16_bn", 212)]
)
def test_receptive_fields_of_the_last_map(name, field):
    """2 * 16 for the last pool's reach and 2 * stride for each 3x3: for D 212, CANON's figure."""
    assert measured(name).receptive_field == (field, field)


def test_sixteen_layers_cost_what_all_of_them_cost():
    """The lectures' 13.6 G and 48.6 MB leave the third convolution of 256 maps out; with it 15.5 G and 51.7 MiB."""
    result = measured("vgg_d")
    convolved = {row.name: row for row in result.rows if ".conv" in row.name}
    left_out = convolved["stages.stage3.conv3"]
    memory = sum(row.activation_bytes for row in convolved.values())
    assert len(convolved) == 13
    assert round(result.multiply_adds / 1e9, 1) == 15.5
    assert round((result.multiply_adds - left_out.multiply_adds) / 1e9, 1) == 13.6
    assert round(memory / 2**20, 1) == 51.7
    assert round((memory - left_out.activation_bytes) / 2**20, 1) == 48.6
    with torch.device("meta"):
        alexnet = summary(create_model("alexnet_one_column"), (3, 227, 227)).multiply_adds
    assert 19 <= (result.multiply_adds - left_out.multiply_adds) / alexnet <= 20
    assert round(result.multiply_adds / alexnet, 1) == 21.6
    errata = " ".join(map(str, get_card("vgg16").errata))
    assert all(figure in errata for figure in ("13.6 G", "48.6 MB", "15.5 G", "51.7 MiB", "21.6 times"))


def test_nineteen_layers_cost_the_printed_19_6():
    assert round(measured("vgg_e").multiply_adds / 1e9, 1) == 19.6


@pytest.mark.parametrize("usual", ["vgg11", "vgg13", "vgg16", "vgg19", "vgg11_bn", "vgg13_bn", "vgg16_bn", "vgg19_bn"])
def test_features_equal_torchvisions(usual, narrow):
    """Each column's numbered keys find their layers; the dense layers too are compared, narrow ones."""
    torch.manual_seed(0)
    features = torchvision.models.get_model(usual, init_weights=False, num_classes=1).features
    theirs = torchvision_like(features)
    ours = create_model(usual, pool=7, num_classes=4).double().eval()
    ours.load_state_dict(rename(theirs.state_dict(), key_tables("vgg")["torchvision"]))
    x = torch.randn(1, 3, 48, 64, dtype=torch.float64)
    with torch.no_grad():
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-9, atol=1e-12)
        assert float(theirs(x).std()) > 1e-3


class torchvision_like(nn.Module):
    """torchvision's forward, with narrow dense layers."""

    def __init__(self, features: nn.Module) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        drop = nn.Dropout()
        layers = [nn.Linear(512 * 49, 16), nn.ReLU(), drop, nn.Linear(16, 16), nn.ReLU(), drop, nn.Linear(16, 4)]
        self.classifier = nn.Sequential(*layers)
        self.double().eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


@pytest.fixture
def torchvision_file(tmp_path, narrow):
    from safetensors.torch import save_file

    torch.manual_seed(0)
    theirs = torchvision_like(torchvision.models.vgg.make_layers(torchvision.models.vgg.cfgs["A"])).float()
    path = tmp_path / "vgg11.safetensors"
    save_file(theirs.state_dict(), path)
    return path, theirs


def test_pretrained_weights_work_at_other_sizes(torchvision_file):
    path, theirs = torchvision_file
    x = torch.randn(1, 3, 70, 70)
    model = create_model("vgg11", weights=path, input_size=70).eval()
    assert model.fixed_size is None
    assert model.spec.arguments["pool"] == 7
    with torch.no_grad():
        torch.testing.assert_close(model(x), theirs(x), rtol=1e-4, atol=1e-6)
        assert model(torch.randn(2, 3, 40, 33)).shape == (2, 4)
    tuned = create_model("vgg11", weights=path, input_size=70, num_classes=2, in_channels=1)
    assert tuned(torch.randn(2, 1, 70, 70)).shape == (2, 2)


def test_pretrained_weights_turn_fully_convolutional(torchvision_file):
    path, theirs = torchvision_file
    model = create_model("vgg11", weights=path, fully_convolutional="map").eval()
    assert model.min_size == 224
    x = torch.randn(1, 3, 256, 224)
    with torch.no_grad():
        places = model(x)
        assert places.shape == (1, 4, 2, 1)
        map = theirs.features(x)
        for row in range(2):
            wanted = theirs.classifier(map[:, :, row : row + 7].flatten(1))
            torch.testing.assert_close(places[:, :, row, 0], wanted, rtol=1e-4, atol=1e-6)


def test_asking_for_another_pool_than_the_weights_need_is_an_error(torchvision_file):
    with pytest.raises(UsageError, match="pool=7"):
        create_model("vgg11", weights=torchvision_file[0], pool=1)


def test_weights_of_another_column_are_refused(torchvision_file):
    with pytest.raises(StriateError, match=r"missing stem\.conv2"):
        create_model("vgg13", weights=torchvision_file[0])


@pytest.mark.slow
def test_keras_file_is_fed_as_keras_feeds_it(tmp_path, narrow):
    """Flattened by place and then channel, blue before red, 0 to 255 less the mean: all of it is undone."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(224, 224, 3))
    y = layers.Flatten(name="flatten")(base.output)
    for name in ("fc1", "fc2"):
        y = layers.Dense(16, activation="relu", name=name)(y)
    theirs = keras.Model(base.input, layers.Dense(4, name="predictions")(y))
    path = tmp_path / "vgg16.h5"
    theirs.save(path)

    image = torch.randint(0, 256, (1, 224, 224, 3))
    fed = keras.applications.vgg16.preprocess_input(image.numpy().astype("float32"))
    wanted = torch.as_tensor(theirs(fed, training=False).detach().cpu())
    model = create_model("vgg16", weights=path).eval()
    mean, std = model.weights_source.normalisation(3)
    x = (image.permute(0, 3, 1, 2) / 255 - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    with torch.no_grad():
        torch.testing.assert_close(model(x), wanted, rtol=1e-3, atol=1e-4 * float(wanted.abs().max()))


@pytest.mark.parametrize("name", ["vgg_a", "vgg_d", "vgg16_bn"])
def test_a_width_multiplies_channels_and_hidden_layers(name):
    with torch.device("meta"):
        whole, half = create_model(name), create_model(name, width=0.5)
    widths = [
        [layer.weight.shape[0] for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        for model in (whole, half)
    ]
    assert widths[1] == [*(wide // 2 for wide in widths[0][:-1]), 1000]
    assert half.spec.arguments["width"] == 0.5
    with pytest.raises(UsageError, match=r"width is 0; a multiplier above 0"):
        create_model(name, width=0)


def test_hes_rule_keeps_the_signal_where_the_papers_fades(narrow):
    """Nineteen layers: the logits' spread over random images."""
    spread = {}
    for init in ("he", "gaussian"):
        torch.manual_seed(0)
        model = create_model("vgg_e", input_size=32, init=init).eval()
        with torch.no_grad():
            spread[init] = float(model(torch.randn(8, 3, 32, 32)).std())
    assert 0.05 < spread["he"] < 20
    assert spread["gaussian"] < 1e-6


def test_sizes():
    with torch.device("meta"):
        model = create_model("vgg16", input_size=(64, 96))
        assert model.head.dense1.in_features == 512 * 2 * 3
        assert model.fixed_size == (64, 96)
        any_size = create_model("vgg16", pool=7)
        for side in (32, 150, 300):
            assert any_size(torch.empty(1, 3, side, side)).shape == (1, 1000)
        with pytest.raises(InputError, match="32x32"):
            any_size(torch.empty(1, 3, 31, 31))
    with pytest.raises(UsageError, match="norm is 'layer'"):
        create_model("vgg16", norm="layer")


@pytest.mark.slow
def test_the_deepest_column_learns_from_hes_weights_only(monkeypatch):
    """Column E on 64 digits, 20 steps of Adam: from the paper's weights the loss stays where guessing has it."""
    monkeypatch.setattr(vgg, "DENSE", (512, 512))
    from sklearn.datasets import load_digits

    digits = load_digits()
    x = torch.tensor(digits.images[:64], dtype=torch.float32)[:, None]
    x = nn.functional.interpolate((x - x.mean()) / x.std(), 32, mode="bilinear")
    y = torch.tensor(digits.target[:64])
    losses = {}
    for init in ("he", "gaussian"):
        torch.manual_seed(0)
        model = create_model("vgg_e", num_classes=10, in_channels=1, input_size=32, init=init, dropout=0.0)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
        for step in range(20):
            half = slice(32 * (step % 2), 32 * (step % 2) + 32)
            loss = nn.functional.cross_entropy(model(x[half]), y[half])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        losses[init] = loss.item()
    guessing = torch.tensor(10.0).log().item()
    assert losses["he"] < 0.6 * guessing
    assert losses["gaussian"] > 0.95 * guessing
