"""Weights put into a network: what is loaded, what stays random, and a network on another's base."""

import hashlib
import json
from dataclasses import replace

import pytest
import torch
import torchvision
from safetensors.torch import save_file

from striate.errors import StriateError, UsageError
from striate.models import create_model, get_card, keras_examples, vgg
from striate.models.catalogue import cards
from striate.models.pretrained import Pretrained, input_size_of, options_needed
from striate.weights import WeightSource

SIZE = 32


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """VGG-16 with few maps and narrow dense layers: the same layers at a thousandth of the size."""
    columns = {**vgg.COLUMNS, "vgg_d": ((4, 4), (4, 4), (6, 6, 6), (6, 6, 6), (8, 8, 8))}
    monkeypatch.setattr(vgg, "COLUMNS", columns)
    monkeypatch.setattr(vgg, "DENSE", (5, 5))
    monkeypatch.setattr(keras_examples, "VGG_DENSE", 7)


def convolutions(model):
    return [tensor for key, tensor in model.state_dict().items() if "head" not in key]


def theirs() -> dict[str, torch.Tensor]:
    """The tensors of torchvision's VGG-16, under its names, at our narrow widths."""
    layers: list[int | str] = []
    for group in vgg.COLUMNS["vgg_d"]:
        layers += [*group, "M"]
    features = torchvision.models.vgg.make_layers(layers)
    state = {f"features.{key}": value for key, value in features.state_dict().items()}
    state |= {"classifier.0.weight": torch.randn(5, 8 * 49), "classifier.0.bias": torch.randn(5)}
    state |= {"classifier.3.weight": torch.randn(5, 5), "classifier.3.bias": torch.randn(5)}
    return state | {"classifier.6.weight": torch.randn(1000, 5), "classifier.6.bias": torch.randn(1000)}


def on_base(weights, **arguments):
    torch.manual_seed(1)
    return create_model("vgg16_cats_dogs", weights=weights, input_size=SIZE, **arguments)


def test_the_base_is_loaded_from_torchvisions_names_and_the_head_stays_random(tmp_path):
    state = theirs()
    save_file(state, tmp_path / "vgg.safetensors")
    model = on_base(tmp_path / "vgg.safetensors")
    given = [value for key, value in state.items() if key.startswith("features")]
    assert len(given) == 26
    assert all(map(torch.equal, convolutions(model), given))
    assert model.fresh == ("head.dense1", "head.classifier")
    assert (model.num_classes, model.fixed_size) == (1, (SIZE, SIZE))
    again = on_base(None)
    assert model.head.dense1.weight.shape == again.head.dense1.weight.shape == (7, 8)
    assert again.fresh == ()


def test_the_base_is_loaded_from_our_own_vgg_and_from_one_without_a_head(tmp_path):
    trained = create_model("vgg16", input_size=SIZE, num_classes=3)
    save_file(trained.state_dict(), tmp_path / "whole.safetensors")
    bare = {key: value for key, value in trained.state_dict().items() if not key.startswith("head")}
    save_file(bare, tmp_path / "bare.safetensors")
    for file in ("whole", "bare"):
        model = on_base(tmp_path / f"{file}.safetensors", num_classes=4)
        assert all(map(torch.equal, convolutions(model), convolutions(trained)))
        assert model.num_classes == 4
        assert model.weights_source.input_size == 150


def test_a_file_that_names_its_network_brings_its_size_and_lends_its_convolutions(tmp_path):
    """The options of its head mean nothing to a network on its base."""
    trained = create_model("vgg16", input_size=SIZE, num_classes=3, activation="elu")
    file = tmp_path / "vgg.safetensors"
    save_file(trained.state_dict(), file, metadata={"spec": json.dumps(trained.spec.to_dict())})
    again = create_model("vgg16", weights=file)
    assert (again.fixed_size, again.input_size, again.num_classes) == ((SIZE, SIZE), (SIZE, SIZE), 3)
    assert again.spec.arguments["activation"] == "elu"
    model = on_base(file)
    assert all(map(torch.equal, convolutions(model), convolutions(trained)))
    assert model.spec.arguments["activation"] == "elu"
    assert "pool" not in model.spec.arguments


def test_a_file_of_the_whole_network_is_loaded_whole(tmp_path):
    trained = on_base(None)
    save_file(trained.state_dict(), tmp_path / "own.safetensors")
    model = on_base(tmp_path / "own.safetensors")
    assert all(map(torch.equal, model.state_dict().values(), trained.state_dict().values()))
    assert model.fresh == ()


def test_grey_images_get_the_sum_of_the_first_convolutions_channels(tmp_path):
    save_file(theirs(), tmp_path / "vgg.safetensors")
    colour, grey = (on_base(tmp_path / "vgg.safetensors", in_channels=channels) for channels in (3, 1))
    torch.testing.assert_close(grey.stem.conv1.weight[:, 0], colour.stem.conv1.weight.sum(1))


def test_the_base_is_fetched_by_the_name_of_vgg16s_weights(tmp_path, monkeypatch):
    monkeypatch.setenv("STRIATE_WEIGHTS", str(tmp_path))
    torch.save(theirs(), tmp_path / "file.pth")
    digest = hashlib.sha256((tmp_path / "file.pth").read_bytes()).hexdigest()
    card = get_card("vgg16_cats_dogs")
    (record,) = card.weights
    assert record.file == get_card("vgg16").weights[0].file
    assert record.accuracy == ()
    monkeypatch.setitem(cards(), card.name, replace(card, weights=(replace(record, file="file.pth", sha256=digest),)))
    model = on_base("imagenet")
    assert torch.equal(model.stem.conv1.weight, torch.load(tmp_path / "file.pth")["features.0.weight"])
    assert model.weights_source.mean == (0.485, 0.456, 0.406)


def test_another_column_and_another_family_do_not_fit(tmp_path):
    save_file(create_model("resnet18").state_dict(), tmp_path / "resnet.safetensors")
    with pytest.raises(StriateError, match="weights of resnet18, which do not fit vgg16_cats_dogs"):
        on_base(tmp_path / "resnet.safetensors")
    state = theirs()
    state["features.28.weight"] = torch.randn(9, 6, 3, 3)
    save_file(state, tmp_path / "other.safetensors")
    with pytest.raises(StriateError, match="misshapen"):
        on_base(tmp_path / "other.safetensors")
    with pytest.raises(UsageError, match="unknown weights of vgg16_cats_dogs 'imagenet_v2'"):
        on_base("imagenet_v2")


def test_layers_left_random_by_other_classes_are_named(tmp_path):
    save_file(create_model("lenet5").state_dict(), tmp_path / "a.safetensors")
    assert create_model("lenet5", weights=tmp_path / "a.safetensors", num_classes=3).fresh == ("head.classifier",)
    assert create_model("lenet5", weights=tmp_path / "a.safetensors").fresh == ()


@pytest.mark.parametrize(
    ("name", "trained", "asked", "kept"),
    [
        ("densenet_bc100_k12_cifar", {"dropout": 0.2, "memory_efficient": True}, {}, {"dropout", "memory_efficient"}),
        ("densenet_bc100_k12_cifar", {"norm_eps": 0.01}, {"dropout": 0.1}, {"dropout"}),
        ("all_cnn_c", {"dropout": 0.1, "dropout_image": 0.3}, {"dropout": 0.4, "dropout_image": 0.0}, set()),
        ("resnet20_cifar", {"zero_init_residual": True}, {"zero_init_residual": False}, set()),
        ("resnet20_cifar", {"shortcut": "shortcut_gate", "gate_bias": -2.0}, {"gate_bias": -5.0}, set()),
        ("vgg16", {"init": "gaussian", "dropout": 0.1}, {"init": "he", "dropout": 0.7}, set()),
        ("efficientnet_b0", {"drop_path": 0.5, "norm_momentum": 0.3}, {"drop_path": 0.0, "norm_momentum": 0.01}, set()),
    ],
)
def test_how_it_was_trained_binds_no_network_that_starts_from_the_weights(name, trained, asked, kept, tmp_path):
    """Their form does; first weights, dropout and the like are those asked for, else the network's own."""
    first = create_model(name, **trained)
    file = tmp_path / "own.safetensors"
    save_file(first.state_dict(), file, metadata={"spec": json.dumps(first.spec.to_dict())})
    arguments = create_model(name, weights=file, **asked).spec.arguments
    assert asked.items() <= dict(arguments).items()
    own = create_model(name).spec.arguments
    assert all(arguments[option] == own[option] for option in kept - asked.keys())
    form = trained.keys() & {"norm_eps", "shortcut"}
    assert all(arguments[option] == trained[option] for option in form)


def needed(name, options, asked=None, of_base=None):
    found = Pretrained(WeightSource("some", "", options=options), {}, of_base)
    return options_needed(get_card(name), found, asked or {})


def test_what_a_family_has_by_habit_need_not_be_an_option_of_it():
    """PyTorch's padding and epsilon; a base's head may need what this network's has not."""
    assert needed("lenet5", {"padding": "symmetric", "norm_eps": 1e-5}) == {}
    for option, value in (("padding", "tensorflow"), ("norm_eps", 1e-3), ("form", "released"), ("stem", "paper")):
        with pytest.raises(UsageError, match=f"^some: needs {option}='?{value}'?, which lenet5 does not have$"):
            needed("lenet5", {option: value})
        assert needed("lenet5", {option: value}, of_base="vgg_d") == {}


def test_options_that_weights_need_are_added_and_not_contradicted():
    form = {"padding": "tensorflow", "norm_eps": 1e-3}
    assert needed("mobilenet_v2", form) == form
    assert needed("mobilenet_v2", form, {"padding": "tensorflow", "dropout": 0.5}) == form
    with pytest.raises(UsageError) as raised:
        needed("mobilenet_v2", form, {"norm_eps": 1e-5})
    assert str(raised.value) == (
        "weights 'some' of mobilenet_v2 need norm_eps=0.001 and norm_eps=1e-05 was asked for; "
        "leave the option out, or the weights"
    )


@pytest.mark.parametrize("weights", ["folder/imagenet", "folder\\imagenet", "imagenet.safetensors", "./imagenet"])
def test_a_path_is_told_from_a_name(weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StriateError, match="no such file of weights"):
        create_model("lenet5", weights=weights)


def test_a_name_that_the_network_has_no_weights_by_offers_what_there_is():
    with pytest.raises(UsageError) as raised:
        create_model("plain18", weights="imagenet")
    family = "resnet18, resnet34, resnet50, resnet101, resnet152, resnet50_v1_5, resnet101_v1_5, resnet152_v1_5"
    assert str(raised.value) == (
        f"plain18 has no published weights ({family} of its family have); weights takes the path of a safetensors file"
    )
    with pytest.raises(UsageError, match=r"^lenet5 has no published weights; weights takes the path"):
        create_model("lenet5", weights="imagenet")


def test_the_size_for_which_to_build_a_network_with_weights(tmp_path):
    """That of the weights, where they are the network's own and say it."""
    for name, side in (("efficientnet_b2", 288), ("resnet50", 224), ("vgg16_cats_dogs", 150)):
        assert input_size_of(get_card(name), "imagenet") == side
    assert input_size_of(get_card("lenet5"), tmp_path / "none.safetensors") == 28
    (tmp_path / "keras.h5").write_bytes(b"not looked into")
    assert input_size_of(get_card("efficientnet_b2"), tmp_path / "keras.h5") == 260
    for name, arguments, side in (
        ("lenet5", {"input_size": 40}, 40),
        ("vgg16_cats_dogs", {"input_size": SIZE}, SIZE),
        ("vgg16", {"input_size": SIZE}, 150),
    ):
        model = create_model(name, **arguments)
        file = tmp_path / f"{name}.safetensors"
        save_file(model.state_dict(), file, metadata={"spec": json.dumps(model.spec.to_dict())})
        card = get_card("lenet5" if name == "lenet5" else "vgg16_cats_dogs")
        assert input_size_of(card, file) == input_size_of(card, str(file)) == side
        save_file(model.state_dict(), file)  # one that does not say
        assert input_size_of(card, file) == card.input_size


def test_auxiliary_heads_of_other_classes_stay_fresh_and_those_of_the_same_are_loaded(tmp_path):
    trained = create_model("googlenet_d2l", auxiliary=True, num_classes=4)
    file = tmp_path / "trained.safetensors"
    save_file(trained.state_dict(), file)
    same = create_model("googlenet_d2l", weights=file, auxiliary=True)
    assert all(map(torch.equal, same.state_dict().values(), trained.state_dict().values()))
    assert same.fresh == ()
    other = create_model("googlenet_d2l", weights=file, auxiliary=True, num_classes=3)
    heads = [f"auxiliary.{name}." for name in trained.auxiliary]
    assert len(heads) == 2
    assert set(other.fresh) == {"head.classifier", *(f"{head}classifier" for head in heads)}
    for key, value in other.state_dict().items():
        if not key.startswith(tuple(other.fresh)):
            assert torch.equal(value, trained.state_dict()[key]), key
    bare = create_model("googlenet_d2l", weights=file)
    assert bare.fresh == ()
    assert not bare.auxiliary


def test_a_file_without_a_classifier_is_no_whole_network(tmp_path):
    state = create_model("lenet5").state_dict()
    file = tmp_path / "body.safetensors"
    save_file({key: value for key, value in state.items() if not key.startswith("head.classifier")}, file)
    with pytest.raises(StriateError, match=r"body\.safetensors: the file has no head\.classifier\.weight; give it"):
        create_model("lenet5", weights=file)
