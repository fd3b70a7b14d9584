import dataclasses
import json
import pickle

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from striate.data import Preprocessing
from striate.errors import StriateError
from striate.models import create_model
from striate.training.checkpoints import checksum
from striate.training.model_file import Description, load_model, save_model


def small_model():
    torch.manual_seed(0)
    return create_model("lenet5", num_classes=3, in_channels=1)


def description(model, **more) -> Description:
    return Description(
        network={"name": model.spec.name, "arguments": dict(model.spec.arguments)},
        classes=("cat", "Hündin", "日本"),
        preprocessing=Preprocessing((28, 28), 1, (0.13,), (0.31,), "stretch", 0.9),
        **{
            "recipe": {"epochs": 3, "milestones": [0.5], "augment": {"flip": 0.5}},
            "data": {"source": "photos/", "fingerprint": "ab12", "train": 10},
            "metrics": {"accuracy": 0.1 + 0.2, "epoch": 2},
            "versions": {"striate": "0.1.0", "torch": "2"},
            **more,
        },
    )


@pytest.fixture
def saved(tmp_path):
    model = small_model()
    path = save_model(tmp_path / "model.safetensors", model, description(model))
    return path


def refused(path) -> str:
    with pytest.raises(StriateError) as error:
        load_model(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Description) if field.name != "checksum"])
def test_every_field_of_the_description_comes_back(saved, field):
    _, found = load_model(saved)
    assert getattr(found, field) == getattr(description(small_model()), field)


def test_the_network_comes_back_in_evaluation_mode_and_computes_the_same(saved):
    model = small_model().eval()
    found, _ = load_model(str(saved))
    assert not found.training
    images = torch.randn(2, 1, 28, 28)
    assert torch.equal(found(images), model(images))


def test_a_network_in_channels_last_comes_back(tmp_path):
    model = create_model("resnet20_cifar", num_classes=3, in_channels=3).to(memory_format=torch.channels_last)
    path = save_model(tmp_path / "model.safetensors", model, description(model))
    found, _ = load_model(path)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, found.state_dict()[name]), name


def test_whatever_the_length_of_the_header_the_file_is_not_taken_for_a_pickle(tmp_path):
    # a safetensors file starts with the length of its header, a pickle with 0x80, which such a length can have too
    model = small_model()
    path = tmp_path / "model.safetensors"
    starts = set()
    for padding in range(0, 264, 8):
        save_model(path, model, description(model, data={"source": "x" * padding}))
        starts.add(path.read_bytes()[0])
        found, _ = load_model(path)
        assert found.num_classes == 3
    assert 0x80 in starts


@pytest.mark.parametrize("name", ["model.pt", "model.pth", "model.safetensors", "model"])
@pytest.mark.parametrize("protocol", [0, 2, 4, "zip"])
def test_pickles_are_refused_whatever_their_name(tmp_path, name, protocol):
    path = tmp_path / name
    if protocol == "zip":
        torch.save(small_model().state_dict(), path)
    else:
        path.write_bytes(pickle.dumps({"weight": [1.0]}, protocol=protocol))
    message = refused(path)
    if protocol != 0 or path.suffix in (".pt", ".pth"):
        assert "a pickle can run any code" in message


def test_a_pickle_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        path = tmp_path / "model.safetensors"
        path.write_bytes(pickle.dumps(Trap(), protocol=protocol))
        refused(path)
    assert not (tmp_path / "sprung").exists()


def test_weights_that_do_not_say_what_they_are_are_refused(tmp_path):
    path = tmp_path / "foreign.safetensors"
    save_file(small_model().state_dict(), path)
    assert "does not guess" in refused(path) or "do not say" in refused(path)
    save_file(small_model().state_dict(), path, {"format": "pt"})
    assert "do not say" in refused(path)


def test_a_missing_file_is_one_clear_line(tmp_path):
    assert "no such" in refused(tmp_path / "model.safetensors")
    refused(tmp_path)


def test_a_checkpoint_points_to_the_model_beside_it(tmp_path):
    (tmp_path / "last.ckpt").write_bytes(b"anything")
    assert str(tmp_path / "model.safetensors") in refused(tmp_path / "last.ckpt")


@pytest.mark.parametrize("keep", [0, 5, 30, 1000, -1])
def test_a_truncated_file_is_one_clear_line(saved, keep):
    saved.write_bytes(saved.read_bytes()[:keep])
    assert "damaged" in refused(saved)


def describe_otherwise(path, text: str) -> None:
    """Put another description into a model file."""
    with safe_open(path, framework="pt") as file:
        metadata = {key: text if value.startswith("{") else value for key, value in file.metadata().items()}
    save_file(load_file(path), path, metadata)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"classes": ["a"], "preprocessing": {}, "network": {}}'])
def test_a_damaged_description_is_one_clear_line(saved, text):
    describe_otherwise(saved, text)
    with pytest.raises(StriateError) as error:
        load_model(saved)
    assert "\n" not in str(error.value)


def change_network(path, **changes) -> None:
    """Let a model file say that its weights belong to another network."""
    with safe_open(path, framework="pt") as file:
        ((_, text),) = file.metadata().items()
    values = json.loads(text)
    values["network"]["name"] = changes.pop("name", values["network"]["name"])
    values["network"]["arguments"] |= changes
    describe_otherwise(path, json.dumps(values))


def test_weights_of_another_network_are_refused_by_the_files_name(saved):
    change_network(saved, num_classes=5)
    with pytest.raises(StriateError, match=r"\b5\b") as error:
        load_model(saved)
    assert str(saved) in str(error.value)


def test_a_network_that_is_not_in_the_catalogue_is_a_clear_error(saved):
    change_network(saved, name="lenet99")
    with pytest.raises(StriateError, match="lenet99"):
        load_model(saved)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"classes": ["a", "b"]}, "2 names of classes for 3 outputs"),
        ({"classes": ["a", "b", "c", "d"]}, "4 names of classes for 3 outputs"),
        ({"classes": ["a", "b", "a"]}, "two of its classes have one name"),
        ({"classes": "abc"}, "no names"),
        ({"classes": [1, 2, 3]}, "no names"),
        ({"network": {"name": "lenet5"}}, "arguments"),
        ({"network": {"name": "lenet99", "arguments": {}}}, "unknown network 'lenet99'"),
        ({"network": {"name": "lenet5", "arguments": {"colour": 1}}}, "unknown option of lenet5 'colour'"),
        ({"preprocessing": {"size": [0, 0]}}, "preprocessing"),
        ({"checksum": 0}, "its checksum is wrong"),
        ({"of_tomorrow": 1}, "of_tomorrow"),
    ],
)
def test_an_edited_description_is_refused_by_the_files_name(saved, changes, said):
    with safe_open(saved, framework="pt") as file:
        ((_, text),) = file.metadata().items()
    describe_otherwise(saved, json.dumps(json.loads(text) | changes))
    line = refused(saved)
    assert line.startswith(f"{saved}: the model file is damaged (")
    assert said in line


def test_a_description_too_deep_to_read_is_damaged(saved):
    describe_otherwise(saved, "[" * 100_000)
    assert "damaged" in refused(saved)


def test_one_flipped_bit_of_a_weight_is_noticed(saved):
    content = bytearray(saved.read_bytes())
    content[-1234] ^= 4
    saved.write_bytes(content)
    assert "damaged" in refused(saved)


def test_equal_models_are_equal_files(saved, tmp_path):
    model = small_model()
    again = save_model(tmp_path / "again.safetensors", model, description(model))
    assert again.read_bytes() == saved.read_bytes()


def test_two_classes_may_share_one_output(tmp_path):
    model = create_model("keras_cats_dogs", num_classes=1, input_size=46)
    for classes in (("a", "b"), ("a",), ("a", "b", "c")):
        look = Preprocessing((46, 46), 3, (0.5,) * 3, (0.5,) * 3)
        said = Description({"name": model.spec.name, "arguments": dict(model.spec.arguments)}, classes, look)
        path = save_model(tmp_path / "model.safetensors", model, said)
        if len(classes) == 2:
            assert load_model(path)[0].num_classes == 1
        else:
            assert f"({len(classes)} names of classes for 1 outputs)" in refused(path)


@pytest.mark.parametrize("suffix", [".pkl", ".pickle", ".pt", ".pth", ".ckpt"])
def test_a_name_of_pickles_is_refused_whatever_is_in_it(saved, tmp_path, suffix):
    path = saved.rename(tmp_path / f"model{suffix}")
    assert refused(path) == (
        f"{path}: a pickle can run any code when loaded, so striate refuses it. Convert its state dict to safetensors "
        "first (safetensors.torch.save_file)."
    )


def test_files_that_cannot_be_read_are_told_apart(saved, tmp_path, monkeypatch):
    assert refused(tmp_path / "nowhere.safetensors") == f"{tmp_path}/nowhere.safetensors: no such model file."
    assert refused(tmp_path) == f"{tmp_path}: cannot be read (Is a directory)."
    (tmp_path / "last.ckpt").write_bytes(saved.read_bytes())
    assert refused(tmp_path / "last.ckpt") == (
        f"{tmp_path}/last.ckpt: a checkpoint, not a model; load {tmp_path}/model.safetensors."
    )


def test_the_checksum_is_of_the_weights_that_are_written(saved):
    assert load_model(saved)[1].checksum == checksum(load_file(saved)) != 0
    assert description(small_model()).checksum == 0
