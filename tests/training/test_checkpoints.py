import copy
import json
import pickletools
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from striate.errors import StriateError
from striate.training.checkpoints import (
    checksum,
    load_checkpoint,
    load_state_alone,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
    with_prefix,
    without_prefix,
)
from striate.training.optimizers import OPTIMIZERS, create_optimizer, parameter_groups


def network() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.Conv2d(6, 5, 3, bias=False), nn.Flatten(), nn.Linear(20, 3))
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def optimizer_for(name: str, model: nn.Module) -> torch.optim.Optimizer:
    return create_optimizer(name, parameter_groups(model, 5e-3), 0.05, 0.9, nesterov=True)


def steps(model: nn.Module, optimizer: torch.optim.Optimizer, numbers: range) -> None:
    for number in numbers:
        images = torch.randn(4, 3, 6, 6, generator=torch.Generator().manual_seed(number))
        model(images.to(memory_format=torch.channels_last)).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_restored_optimizer_takes_the_same_next_steps_bit_for_bit(name, tmp_path):
    whole = network()
    optimizer = optimizer_for(name, whole)
    steps(whole, optimizer, range(3))
    tensors = with_prefix("model", whole.state_dict()) | optimizer_tensors(optimizer, whole)
    save_checkpoint(tmp_path / "last.ckpt", tensors, {})
    steps(whole, optimizer, range(3, 7))

    loaded, _ = load_checkpoint(tmp_path / "last.ckpt")
    resumed = network()
    again = optimizer_for(name, resumed)
    resumed.load_state_dict(without_prefix("model", loaded))
    restore_optimizer(again, loaded, resumed)
    steps(resumed, again, range(3, 7))
    for key, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[key]), key
    expected, found = optimizer_tensors(optimizer, whole), optimizer_tensors(again, resumed)
    assert expected.keys() == found.keys()
    assert expected
    for key, tensor in expected.items():
        assert torch.equal(tensor, found[key]), key


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_without_the_optimizer_the_next_steps_would_differ(name):
    whole = network()
    optimizer = optimizer_for(name, whole)
    steps(whole, optimizer, range(3))
    forgetful = copy.deepcopy(whole)
    steps(whole, optimizer, range(3, 5))
    steps(forgetful, optimizer_for(name, forgetful), range(3, 5))
    assert not torch.equal(whole[0].weight, forgetful[0].weight)


def test_the_groups_stay_as_the_recipe_made_them():
    model = network()
    optimizer = optimizer_for("sgd", model)
    steps(model, optimizer, range(2))
    other = network()
    changed = create_optimizer("sgd", parameter_groups(other, 0.5), 0.7, 0.3, nesterov=False)
    restore_optimizer(changed, optimizer_tensors(optimizer, model), other)
    assert [group["weight_decay"] for group in changed.param_groups] == [0.5, 0.0]
    assert {(group["lr"], group["momentum"]) for group in changed.param_groups} == {(0.7, 0.3)}


def in_the_first_form(path: Path, tensors: dict[str, torch.Tensor], state: dict) -> None:
    """A checkpoint as it was written before optimizers were kept by name."""
    save_file(tensors, path, {"striate checkpoint 1": json.dumps({**state, "checksum": checksum(tensors)})})


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_kept_by_places_is_read(name, tmp_path):
    model = network()
    optimizer = optimizer_for(name, model)
    steps(model, optimizer, range(3))
    kept = optimizer.state_dict()["state"]  # torch numbers parameters by the groups: three that decay, then four
    old = {
        f"optimizer/{place}/{kind}": torch.as_tensor(value).contiguous()
        for place, kinds in kept.items()
        for kind, value in kinds.items()
    }
    in_the_first_form(tmp_path / "last.ckpt", old | {"model/a": torch.ones(1)}, {"epoch": 3})
    tensors, state = load_checkpoint(tmp_path / "last.ckpt")
    assert state == {"epoch": 3}
    assert load_state_alone(tmp_path / "last.ckpt")["epoch"] == 3
    assert tensors["model/a"].eq(1)
    again = optimizer_for(name, model)
    restore_optimizer(again, tensors, model)
    expected, found = optimizer_tensors(optimizer, model), optimizer_tensors(again, model)
    assert {key.rpartition("/")[0] for key in found} == {f"optimizer/{name}" for name, _ in model.named_parameters()}
    assert all(torch.equal(tensor, found[key]) for key, tensor in expected.items())
    assert len(expected) == len(found) == len(old)


def test_names_of_parameters_may_hold_slashes_and_numbers():
    model = nn.Sequential()
    model.add_module("a/0", nn.Linear(2, 3))
    model.register_parameter("1", nn.Parameter(torch.ones(3, 2)))
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    for value, parameter in enumerate(model.parameters(), 1):
        parameter.grad = torch.full_like(parameter, value)
    optimizer.step()
    kept = optimizer_tensors(optimizer, model)
    assert kept.keys() == {f"optimizer/{name}/momentum_buffer" for name in ("1", "a/0.weight", "a/0.bias")}
    again = torch.optim.SGD(list(model.parameters())[::-1], 0.1, momentum=0.9)  # in another order
    restore_optimizer(again, kept, model)
    assert [again.state[one]["momentum_buffer"].unique().item() for one in model.parameters()] == [1, 2, 3]


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        ({"optimizer/2.weight/momentum_buffer": torch.ones(5, 6, 3, 3)}, "momentum_buffer of '2.weight', which is not"),
        ({"optimizer/nowhere/momentum_buffer": torch.ones(2)}, "of 'nowhere', which is not trained"),
        ({"optimizer by place/7/step": torch.ones(())}, "step of '7', which is not trained"),
        ({"optimizer/0.weight/momentum_buffer": torch.ones(6)}, r"the shape \(6,\), not \(6, 3, 3, 3\)"),
    ],
)
def test_a_state_of_what_is_not_trained_does_not_fit(kept, said):
    model = network()
    model[2].requires_grad_(False)
    with pytest.raises(ValueError, match=said):
        restore_optimizer(optimizer_for("sgd", model), kept, model)


def test_tensors_and_state_come_back_as_they_were(tmp_path):
    tensors = {
        "float": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "double": torch.tensor([float("nan"), float("inf"), 1e-300], dtype=torch.float64),
        "scalar": torch.tensor(7),
        "bytes": torch.get_rng_state(),
        "half": torch.randn(3).bfloat16(),
        "empty": torch.zeros(0, 3),
    }
    state = {"epoch": 3, "best": None, "loss": float("inf"), "name": "Füße", "rows": [{"a": 0.1}]}
    save_checkpoint(tmp_path / "last.ckpt", tensors, state)
    found, found_state = load_checkpoint(tmp_path / "last.ckpt")
    assert found_state == state
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name].nan_to_num(1), tensor.nan_to_num(1))


def test_the_file_is_tensors_and_json_and_no_pickle(tmp_path):
    path = tmp_path / "last.ckpt"
    save_checkpoint(path, {"a": torch.ones(2)}, {"epoch": 1})
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    (state,) = (json.loads(value) for value in header["__metadata__"].values())
    assert state["epoch"] == 1
    assert len(content) == 8 + length + 8  # the header, two float32, nothing else
    with pytest.raises(ValueError):
        list(pickletools.genops(content))


def damage_missing(path):
    pass


def damage_truncated(path):
    save_checkpoint(path, {"a": torch.ones(200)}, {})
    path.write_bytes(path.read_bytes()[:-100])


def damage_header_cut(path):
    save_checkpoint(path, {"a": torch.ones(200)}, {})
    path.write_bytes(path.read_bytes()[:20])


def damage_empty(path):
    path.write_bytes(b"")


def damage_noise(path):
    path.write_bytes(bytes(range(256)) * 4)


def damage_pickle(path):
    torch.save({"a": torch.ones(2)}, path)


def damage_folder(path):
    path.mkdir()


def damage_foreign(path):
    save_file({"a": torch.ones(2)}, path)


def damage_state(path):
    save_checkpoint(path, {"a": torch.ones(2)}, {"epoch": 1})
    with safe_open(path, framework="pt") as file:
        metadata = {key: value[:-1] for key, value in file.metadata().items()}
    save_file({"a": torch.ones(2)}, path, metadata)


def damage_one_bit(path):
    save_checkpoint(path, {"a": torch.ones(200)}, {})
    content = bytearray(path.read_bytes())
    content[-123] ^= 4
    path.write_bytes(content)


@pytest.mark.parametrize(
    "damage",
    [value for name, value in sorted(globals().items()) if name.startswith("damage_")],
    ids=lambda damage: damage.__name__,
)
def test_a_bad_checkpoint_is_one_clear_line(damage, tmp_path):
    path = tmp_path / "last.ckpt"
    damage(path)
    with pytest.raises(StriateError) as error:
        load_checkpoint(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_checkpoint_can_be_overwritten_while_its_tensors_are_in_use(tmp_path):
    path = tmp_path / "last.ckpt"
    save_checkpoint(path, {"a": torch.ones(1000)}, {})
    tensors, _ = load_checkpoint(path)
    save_checkpoint(path, {"a": torch.zeros(1000)}, {})
    assert tensors["a"].eq(1).all()
    assert load_file(path)["a"].eq(0).all()
    assert [entry.name for entry in tmp_path.iterdir()] == ["last.ckpt"]


def test_the_checksum_is_of_names_and_bytes():
    tensors = {"a": torch.tensor([1.0, 2.0]), "b": torch.tensor([3.0])}
    found = checksum(tensors)
    assert found == zlib.crc32(b"a" + np.array([1, 2], "<f4").tobytes() + b"b" + np.array([3], "<f4").tobytes())
    assert checksum(dict(reversed(tensors.items()))) == found
    assert checksum({"a": tensors["a"], "c": tensors["b"]}) != found
    assert checksum({}) == 0


def test_prefixes_take_each_other_away():
    tensors = {"a": torch.ones(1), "b/c": torch.zeros(1)}
    both = with_prefix("model", tensors) | with_prefix("model2", tensors)
    assert set(both) == {"model/a", "model/b/c", "model2/a", "model2/b/c"}
    assert set(without_prefix("model", both)) == set(tensors)


def test_a_checkpoint_that_may_not_be_read_is_not_called_missing(tmp_path, monkeypatch):
    def refuse(path, *arguments, **options):
        raise PermissionError(13, "Permission denied", str(path))

    save_checkpoint(tmp_path / "last.ckpt", {}, {})
    monkeypatch.setattr(type(tmp_path), "open", refuse)
    with pytest.raises(StriateError, match=r"last\.ckpt: cannot be read \(Permission denied\)\.$"):
        load_checkpoint(tmp_path / "last.ckpt")
