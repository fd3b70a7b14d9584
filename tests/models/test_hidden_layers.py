"""Hidden layers of one's own in a network's head: what they are, what stays of the old head, what weights fill."""

import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from striate.errors import UsageError
from striate.models import ConvNet, ModelSpec, create_model, vgg


def said(model: ConvNet) -> list[str]:
    """The head layer by layer."""
    return [f"{name}: {layer}".replace(", inplace=False", "") for name, layer in model.head.named_children()]


def linear(inputs: int, outputs: int) -> str:
    return f"Linear(in_features={inputs}, out_features={outputs}, bias=True)"


FLATTEN = "flatten: Flatten(start_dim=1, end_dim=-1)"


@pytest.mark.parametrize(
    ("name", "options", "layers"),
    [
        (  # no hidden layers before: half is dropped
            "resnet20_cifar",
            {"hidden": (12, 7)},
            [
                *("pool: AdaptiveAvgPool2d(output_size=1)", FLATTEN),
                *(f"dense1: {linear(64, 12)}", "act1: ReLU()", "dropout1: Dropout(p=0.5)"),
                *(f"dense2: {linear(12, 7)}", "act2: ReLU()", "dropout2: Dropout(p=0.5)"),
                f"classifier: {linear(7, 10)}",
            ],
        ),
        (  # as the two hidden layers that it stands for: tanh, and nothing dropped
            "lenet5",
            {"hidden": 9},
            [FLATTEN, f"dense1: {linear(400, 9)}", "act1: Tanh()", f"classifier: {linear(9, 10)}"],
        ),
        (
            "vgg_a",
            {"hidden": [9], "input_size": 32, "dropout": 0.25, "activation": "elu"},
            [
                *(FLATTEN, f"dense1: {linear(512, 9)}", "act1: ELU(alpha=1.0)", "dropout1: Dropout(p=0.25)"),
                f"classifier: {linear(9, 1000)}",
            ],
        ),
        (  # the classifier's own dropout stays before the first of them
            "mobilenet_v2_0.35",
            {"hidden": 9, "hidden_dropout": 0.125},
            [
                *("pool: AdaptiveAvgPool2d(output_size=1)", FLATTEN, "dropout: Dropout(p=0.2)"),
                *(f"dense1: {linear(1280, 9)}", "act1: ReLU6()", "dropout1: Dropout(p=0.125)"),
                f"classifier: {linear(9, 1000)}",
            ],
        ),
        (  # whose first dropout is numbered by the layer that it stood before
            "alexnet_one_column",
            {"hidden": 9, "hidden_dropout": 0},
            [
                *("pool: AdaptiveAvgPool2d(output_size=(6, 6))", FLATTEN, "dropout: Dropout(p=0.5)"),
                *(f"dense1: {linear(9216, 9)}", "act1: ReLU()", f"classifier: {linear(9, 1000)}"),
            ],
        ),
        ("lenet5", {"hidden": ()}, [FLATTEN, f"classifier: {linear(400, 10)}"]),
    ],
)
def test_a_head_with_hidden_layers_of_ones_own(name, options, layers):
    with torch.device("meta"):
        assert said(create_model(name, **options)) == layers


def test_a_norm_before_the_classifier_stays():
    model = create_model("vit_ti_16", hidden=8, num_classes=3, input_size=32)
    assert list(dict(model.head.named_children())) == ["token", "norm", "dense1", "act1", "dropout1", "classifier"]
    assert isinstance(model.head.act1, nn.GELU)
    assert model.eval()(torch.zeros(1, 3, 32, 32)).shape == (1, 3)


def test_the_spec_rebuilds_it():
    model = create_model("lenet5", hidden=(16, 8), num_classes=4)
    assert (model.spec.arguments["hidden"], model.spec.arguments["hidden_dropout"]) == ([16, 8], 0.0)
    record = ModelSpec.from_dict(json.loads(json.dumps(model.spec.to_dict())))
    again = create_model(record.name, **record.arguments)
    assert again.spec == model.spec
    again.load_state_dict(model.state_dict())
    x = torch.randn(2, 1, 28, 28)
    assert torch.equal(again.eval()(x), model.eval()(x))
    assert "hidden" not in create_model("lenet5").spec.arguments


def test_the_same_seed_gives_the_same_head():
    heads = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        heads.append(create_model("lenet5", hidden=4).head.dense1.weight)
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


def test_a_head_is_reset_with_and_without_hidden_layers():
    model = create_model("lenet5").double().eval().reset_head(3, hidden=6, hidden_dropout=0.5)
    assert [type(layer).__name__ for layer in model.head] == ["Flatten", "Linear", "Tanh", "Dropout", "Linear"]
    assert model.head.dense1.weight.dtype == torch.float64
    assert not model.head.dropout1.training
    assert (model.num_features, model.num_classes) == (6, 3)
    dense = model.head.dense1
    model.reset_head(5)
    assert model.head.dense1 is dense
    assert (model.spec.arguments["num_classes"], model.spec.arguments["hidden"]) == (5, [6])
    model.reset_head(2, hidden=(4, 4))
    assert model.head.dense1 is not dense
    assert model(torch.zeros(1, 1, 28, 28).double()).shape == (1, 2)


def test_auxiliary_heads_get_new_classifiers_and_keep_their_hidden_layers():
    with torch.device("meta"):
        model = create_model("googlenet", auxiliary=True)
        hidden = [dict(head.named_children())["dense"] for head in model.auxiliary.values()]
        model.reset_head(3, hidden=5)
    assert [head.classifier.out_features for head in model.auxiliary.values()] == [3, 3]
    assert all(head.dense is layer for head, layer in zip(model.auxiliary.values(), hidden, strict=True))


def test_a_network_of_ones_own_has_hidden_layers_with_relu():
    head = {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "classifier": nn.Linear(4, 5, bias=False)}
    model = ConvNet(nn.Conv2d(3, 4, 3), {"a": nn.ReLU()}, head, in_channels=3).reset_head(2, hidden=7)
    assert said(model)[2:4] == [f"dense1: {linear(4, 7)}".replace("bias=True", "bias=False"), "act1: ReLU()"]
    assert model.spec.arguments == {}


def test_freezing_all_trains_the_whole_new_head():
    model = create_model("resnet20_cifar", hidden=(6, 5)).freeze("all")
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert trained == {f"head.{layer}.{kind}" for layer in ("dense1", "dense2", "classifier") for kind in KINDS}


KINDS = ("weight", "bias")


@pytest.mark.parametrize(
    ("name", "kind"), [("lenet5_1998", "RBFOutput"), ("nin_cifar", "Conv2d"), ("squeezenet1_1", "Conv2d")]
)
def test_a_head_that_ends_in_no_dense_layer_takes_none(name, kind):
    with pytest.raises(UsageError, match=f"^{name} classifies by a layer of the kind {kind}; hidden layers stand"):
        create_model(name, hidden=10)


@pytest.mark.parametrize("hidden", ["256", "256,128", 0, -1, True, [8, 0], [8, 2.5], [True], 65_537, 8.0, {"a": 1}])
def test_what_is_no_width_is_told(hidden):
    with pytest.raises(UsageError, match=r"^hidden is .*; give the widths of the head's hidden layers, whole numbers"):
        create_model("lenet5", hidden=hidden)


@pytest.mark.parametrize("dropout", [1, -0.1, "0.5", True, float("nan")])
def test_a_dropout_of_hidden_layers_is_a_fraction(dropout):
    with pytest.raises(UsageError, match=r"^hidden_dropout is .*; a fraction from 0 up to 1 is needed"):
        create_model("lenet5", hidden=4, hidden_dropout=dropout)


def test_a_dropout_of_no_hidden_layers_and_misspelt_options_are_told():
    with pytest.raises(UsageError, match=r"^hidden_dropout is for new hidden layers; give hidden"):
        create_model("lenet5", hidden_dropout=0.5)
    with pytest.raises(UsageError, match=r"unknown option of lenet5 'hiden'\. Did you mean 'hidden'"):
        create_model("lenet5", hiden=4)


@pytest.fixture
def narrow(monkeypatch):
    """VGGs with few maps and narrow dense layers."""
    narrow = {"vgg_a": ((4,), (4,), (6, 6), (6, 6), (8, 8)), "vgg_d": ((4, 4), (4, 4), (6, 6, 6), (6, 6, 6), (8, 8, 8))}
    monkeypatch.setattr(vgg, "COLUMNS", {**vgg.COLUMNS, **narrow})
    monkeypatch.setattr(vgg, "DENSE", (5, 5))


@pytest.fixture
def file(tmp_path):
    """Saves a network's weights: file(name, described, ...) -> path, described by its spec or not at all."""

    def save(name: str, described: bool = True, **options: object):
        torch.manual_seed(5)
        model = create_model(name, **options)
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.safetensors"
        save_file(model.state_dict(), path, {"spec": json.dumps(model.spec.to_dict())} if described else None)
        return path, model.state_dict()

    return save


def loaded(model: ConvNet, state: dict[str, torch.Tensor]) -> set[str]:
    """The layers of the head whose tensors are those of `state`; all that is before the head must be."""
    own = model.state_dict()
    same = {key for key, value in own.items() if key in state and torch.equal(value, state[key])}
    assert {key for key in own if not key.startswith("head.")} <= same
    return {key.split(".")[1] for key in own if key.startswith("head.")} - {
        key.split(".")[1] for key in own.keys() - same
    }


@pytest.mark.parametrize("described", [True, False])
@pytest.mark.parametrize("classes", [10, 3])
def test_weights_fill_all_but_the_new_head(described, classes, file, narrow):
    """Also where the weights have hidden layers of their own, of other widths or under other names."""
    for name, options in (("resnet20_cifar", {}), ("lenet5", {}), ("vgg_a", {"input_size": 32, "num_classes": 10})):
        path, state = file(name, described, **options)
        model = create_model(name, weights=path, hidden=(6, 5), **options | {"num_classes": classes})
        assert loaded(model, state) == set()
        assert model.fresh == ("head.dense1", "head.dense2", "head.classifier")


def test_weights_bring_their_hidden_layers(file):
    path, state = file("resnet20_cifar", hidden=(6, 5), hidden_dropout=0.25)
    whole = create_model("resnet20_cifar", weights=path)
    assert loaded(whole, state) == {"dense1", "dense2", "classifier"}
    assert (whole.fresh, whole.spec.arguments["hidden"]) == ((), [6, 5])
    assert whole.head.dropout1.p == 0.5  # what only training does is no matter of the weights
    other = create_model("resnet20_cifar", weights=path, num_classes=4)
    assert loaded(other, state) == {"dense1", "dense2"}
    assert other.fresh == ("head.classifier",)
    for hidden in ((6, 4), (6,), (6, 5, 4), ()):
        anew = create_model("resnet20_cifar", weights=path, hidden=hidden)
        assert loaded(anew, state) == set()
        assert anew.spec.arguments["hidden"] == list(hidden)
    same = create_model("resnet20_cifar", weights=path, hidden=(6, 5))
    assert loaded(same, state) == {"dense1", "dense2", "classifier"}


def test_what_stands_before_the_dense_layers_is_loaded(file):
    path, state = file("vit_ti_16", input_size=32, num_classes=7)
    model = create_model("vit_ti_16", weights=path, hidden=4, input_size=32)
    assert loaded(model, state) == {"token", "norm"} & {key.split(".")[1] for key in state if key.startswith("head.")}


def test_a_network_on_anothers_base_has_hidden_layers_too(file, narrow):
    path, _ = file("vgg16", input_size=32, num_classes=3)
    model = create_model("vgg16_cats_dogs", weights=path, input_size=32, hidden=(3, 2))
    assert model.fresh == ("head.dense1", "head.dense2", "head.classifier")
    own, _ = file("vgg16_cats_dogs", input_size=32, hidden=(3, 2), num_classes=1)
    again = create_model("vgg16_cats_dogs", weights=own, input_size=32)
    assert (again.fresh, again.spec.arguments["hidden"]) == ((), [3, 2])
