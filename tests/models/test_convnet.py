"""ConvNet's own manners: auxiliary heads, freezing, export, what the error lines say."""

import copy
import pickle
import warnings
from collections import OrderedDict

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.models import ConvNet, InputError, create_model


def tiny() -> ConvNet:
    stages = {"a": nn.Conv2d(4, 4, 3, padding=1), "b": nn.Conv2d(4, 6, 3, padding=1)}

    def head(width):
        return {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "classifier": nn.Linear(width, 5)}

    auxiliary = {"a": nn.Sequential(OrderedDict(head(4)))}
    return ConvNet(nn.Conv2d(3, 4, 3), stages, head(6), in_channels=3, min_size=3, auxiliary=auxiliary)


def test_auxiliary_heads_answer_when_asked():
    model = tiny()
    x = torch.randn(2, 3, 9, 9)
    logits, auxiliary = model(x, auxiliary=True)
    torch.testing.assert_close(logits, model(x))
    assert list(auxiliary) == ["a"]
    torch.testing.assert_close(auxiliary["a"], model.auxiliary["a"](model.feature_maps(x)["a"]))
    model.reset_head(2)
    logits, auxiliary = model(x, auxiliary=True)
    assert logits.shape == auxiliary["a"].shape == (2, 2)


def test_convolutional_classifier_can_be_replaced():
    head = {"classifier": nn.Conv2d(4, 5, 1), "pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten()}
    model = ConvNet(nn.Conv2d(3, 4, 3), {"a": nn.ReLU()}, head, in_channels=3, min_size=3)
    x = torch.randn(2, 3, 8, 8)
    assert (model.num_features, model.num_classes) == (4, 5)
    assert model.embed(x).shape == (2, 4)
    assert model.reset_head(7)(x).shape == (2, 7)


@pytest.mark.parametrize("name", ["squeezenet1_1", "all_cnn_c", "nin_cifar", "lenet5", "resnet20_cifar"])
def test_the_embedding_is_what_the_classifier_sees_averaged_over_places(name):
    torch.manual_seed(0)
    model = create_model(name, input_size=32).eval()
    seen = []
    model.head.classifier.register_forward_pre_hook(lambda layer, inputs: seen.append(inputs[0]))
    x = torch.randn(3, model.in_channels, 32, 32)
    with torch.no_grad():
        embedding, _ = model.embed(x), model(x)
    (vectors,) = seen  # the classifier itself has no part in an embedding
    if vectors.dim() == 4:
        assert vectors.shape[2] > 1
        vectors = vectors.flatten(2).sum(2) / vectors[0, 0].numel()
    assert embedding.shape == (3, model.num_features)
    torch.testing.assert_close(embedding, vectors)


def test_a_new_head_keeps_device_and_type():
    model = create_model("lenet5").double().reset_head(3)
    assert model.head.classifier.weight.dtype == torch.float64


def test_a_head_needs_a_class():
    with pytest.raises(UsageError, match="num_classes is 0"):
        tiny().reset_head(0)


def test_unknown_stage_offers_the_nearest():
    with pytest.raises(UsageError, match="'stage3'"):
        create_model("resnet20_cifar").freeze("stage33")


def test_freezing_less_thaws_what_was_frozen_before():
    model = create_model("resnet20_cifar").train().freeze().freeze("stage1")
    assert model.frozen == ("stem", "stage1")
    assert all(p.requires_grad for p in model.stages.stage3.parameters())
    assert model.stages.stage3.training
    assert not model.stages.stage1.training


def test_what_is_thawed_trains_at_once_where_the_network_trains():
    model = create_model("resnet20_cifar").train().freeze("stage2").unfreeze()
    assert model.frozen == ()
    assert all(module.training for module in model.modules())
    assert not create_model("resnet20_cifar").eval().freeze("stem").unfreeze().stages.training


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (torch.zeros(3, 32, 32), r"batch \(N, 3, H, W\).*shape \(3, 32, 32\)"),
        (torch.zeros(1, 3, 32, 32, dtype=torch.uint8), "uint8"),
        (torch.zeros(1, 1, 32, 32), "in_channels=1"),
        (torch.zeros(1, 3, 0, 32), "0x32 pixels; the smallest it takes is 1x1"),
    ],
)
def test_wrong_input_is_one_clear_line(x, said):
    with pytest.raises(InputError, match=said) as caught:
        create_model("resnet20_cifar")(x)
    assert "\n" not in str(caught.value)


def test_networks_are_exported_and_traced_without_the_check():
    model = create_model("resnet20_cifar").eval()
    x = torch.randn(2, 3, 32, 32)
    batch = torch.export.Dim("batch", min=2, max=64)
    exported = torch.export.export(model, (x,), dynamic_shapes={"x": {0: batch}}, strict=False)
    larger = torch.randn(5, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(exported.module()(larger), model(larger))
        with warnings.catch_warnings():
            warnings.simplefilter("error", torch.jit.TracerWarning)  # nothing of the images' shape is looked at
            traced = torch.jit.trace(model, x)
        torch.testing.assert_close(traced(larger), model(larger))
    graph = torch.fx.symbolic_trace(model, concrete_args={"auxiliary": False})
    torch.testing.assert_close(graph(larger), model(larger))


@pytest.mark.parametrize(("module", "asked"), [(torch.compiler, "is_compiling"), (torch.jit, "is_tracing")])
def test_no_image_is_refused_while_torch_makes_a_graph(module, asked, monkeypatch):
    model = create_model("lenet5")
    with pytest.raises(InputError):
        model.check_input(torch.zeros(1, 3, 2, 2))
    monkeypatch.setattr(module, asked, lambda: True)
    model.check_input(torch.zeros(1, 3, 2, 2))


def test_networks_can_be_copied_and_pickled():
    model = create_model("lenet5").freeze("stem")
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.spec == model.spec
        assert twin.frozen == ("stem",)


@pytest.mark.parametrize("size", [(32, 40), (40, 32)])
def test_a_fixed_size_is_that_of_both_sides(size):
    model = create_model("lenet5", input_size=32)
    with pytest.raises(InputError, match=rf"built for 32x32 pixels and got {size[0]}x{size[1]}; .*=\({size[0]}, "):
        model.check_input(torch.empty(1, 1, *size))


def network(classifier: nn.Module, **options) -> ConvNet:
    return ConvNet(nn.Conv2d(3, 4, 3), {"a": nn.ReLU()}, {"classifier": classifier}, in_channels=3, **options)


def test_what_is_not_said_of_a_network_of_ones_own():
    model = network(nn.Linear(4, 5))
    said = (model.min_size, model.fixed_size, model.input_size, model.loss, model.auxiliary_weight)
    assert said == (1, None, None, "cross_entropy", 0.0)
    assert (model.spec.name, dict(model.spec.arguments)) == ("custom", {})
    assert (model.weights_source, model.fresh, model.frozen, len(model.auxiliary)) == (None, (), (), 0)
    told = network(nn.Linear(4, 5), min_size=7, fixed_size=(9, 8), loss="rbf", auxiliary_weight=0.3)
    said = (told.min_size, told.fixed_size, told.input_size, told.loss, told.auxiliary_weight)
    assert said == (7, (9, 8), (9, 8), "rbf", 0.3)


def test_a_network_put_together_by_hand_gets_a_new_last_layer():
    model = network(nn.Linear(4, 5))
    old = model.head.classifier
    assert model.reset_head(7).head.classifier is not old
    assert (model.num_classes, model.num_features) == (7, 4)
    assert model.spec.arguments == {}  # nothing rebuilds it


def test_a_new_head_is_in_the_spec():
    model = create_model("lenet5").reset_head(3)
    assert model.spec.name == "lenet5"
    assert model.spec.arguments["num_classes"] == 3
    assert model.spec.arguments["activation"] == "tanh"


def test_parts_are_the_stem_and_the_stages_in_order():
    model = create_model("resnet20_cifar")
    assert list(model.parts()) == ["stem", "stage1", "stage2", "stage3"]
    assert model.parts()["stem"] is model.stem
    assert model.parts()["stage2"] is model.stages.stage2
    assert model.freeze("stem").frozen == ("stem",)
    assert model.freeze("stage2").frozen == ("stem", "stage1", "stage2")
    assert model.freeze().frozen == model.freeze("all").frozen == ("stem", "stage1", "stage2", "stage3")
    assert all(p.requires_grad for p in model.head.parameters())
    with pytest.raises(UsageError, match=r"unknown stage of resnet20_cifar 'al'.*'all'"):
        model.freeze("al")


def test_the_error_says_what_the_network_was_built_for():
    one, three = create_model("lenet5"), create_model("resnet20_cifar")
    with pytest.raises(InputError) as raised:
        one(torch.zeros(2, 3, 28, 28))
    assert str(raised.value) == (
        "lenet5 was built for 1 input channel and got 3 (shape (2, 3, 28, 28)); build it with in_channels=3"
    )
    with pytest.raises(InputError, match="built for 3 input channels and got 1"):
        three.feature_maps(torch.zeros(2, 1, 28, 28))
    with pytest.raises(InputError) as raised:
        one.embed(torch.zeros(1, 1, 28, 30))
    assert str(raised.value) == "lenet5 was built for 28x28 pixels and got 28x30; build it with input_size=(28, 30)"
    with pytest.raises(InputError) as raised:
        one(torch.zeros(1, 1, 28, 28, dtype=torch.int64))
    assert str(raised.value) == (
        "lenet5 takes a floating-point batch (N, 1, H, W) and got torch.int64 of shape (1, 1, 28, 28)"
    )
    three.check_input("no tensor")  # what torch.fx sends through is not looked at
