"""State dicts as PyTorch writes them: their tensors, and nothing that runs code."""

import os
import pickle
import random
import warnings
from contextlib import suppress

import pytest
import torch
import torchvision

from striate.errors import StriateError
from striate.models import create_model
from striate.models.recognition import network_of
from striate.weights.pickles import is_pickle, read_pickle


class Bomb:
    """What a pickle with code in it looks like: opening it makes a folder."""

    def __init__(self, place):
        self.place = str(place)

    def __reduce__(self):
        return os.mkdir, (self.place,)


@pytest.fixture
def state():
    return {"conv.weight": torch.randn(4, 3, 3, 3), "conv.bias": torch.randn(4)}


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: state,
        lambda state: {"state_dict": state, "epoch": 3, "best": 0.5, "optimizer": {"lr": 0.1}},
        lambda state: {"model": state},
        lambda state: {f"module.{key}": value for key, value in state.items()},
    ],
)
def test_tensors_are_found_wherever_scripts_put_them(state, wrap, new, tmp_path):
    torch.save(wrap(state), tmp_path / "a.pth", _use_new_zipfile_serialization=new)
    found = read_pickle(tmp_path / "a.pth")
    assert list(found) == list(state)
    assert all(torch.equal(found[key], value) for key, value in state.items())


@pytest.mark.parametrize(
    "name", ["a.pth", "a.pt", "A.PTH", "resnet20-12fca82f.th", "best.pth.tar", "last.ckpt", "pytorch_model.bin"]
)
def test_files_are_told_by_their_names(name, tmp_path):
    assert is_pickle(tmp_path / name)
    for other in ("a.safetensors", "a.h5", "a.keras", "a.pth.zip", "a.tar"):
        assert not is_pickle(tmp_path / other)


def said(path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(StriateError) as caught:
            read_pickle(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    assert "\x1b" not in line
    return line.removeprefix(f"{path}: ")


def test_code_is_named_refused_and_not_run(state, tmp_path):
    for name, bomb in (("a", Bomb(tmp_path / "made")), ("b", {**state, "c": Bomb(tmp_path / "made")})):
        torch.save(bomb, tmp_path / f"{name}.pth")
        assert said(tmp_path / f"{name}.pth").startswith(
            "this pickle needs posix.mkdir to open, which may run code, and"
        )
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Bomb(tmp_path / "made")))
    assert said(tmp_path / "plain.pt").startswith(
        "not a whole file of PyTorch's, or more than tensors; save the weights"
    )
    torch.save(torch.nn.Linear(2, 2), tmp_path / "module.pth")
    assert "needs torch.nn.modules.linear.Linear to open" in said(tmp_path / "module.pth")
    assert not (tmp_path / "made").exists()
    with pytest.raises(StriateError, match=r"posix\.mkdir"):
        create_model("lenet5", weights=tmp_path / "a.pth")
    assert not (tmp_path / "made").exists()


def test_what_is_no_state_dict_is_told(state, tmp_path):
    for content, what in (
        ({}, "it is empty"),
        ({**state, "epoch": 3}, "'epoch' in it is a int"),
        (torch.zeros(3), "'' in it is a Tensor"),
        ([1, 2], "'' in it is a list"),
        ({"state_dict": {"a": "text"}}, "'a' in it is a str"),
    ):
        torch.save(content, tmp_path / "a.pth")
        if isinstance(content, torch.Tensor):
            continue
        assert said(tmp_path / "a.pth").startswith(f"no state dict ({what}); save the weights alone: torch.save(")
    assert said(tmp_path / "gone.pth") == "no such file of weights"


def test_cut_and_altered_files_are_one_line(tmp_path):
    torch.save({"a": torch.randn(10_000)}, tmp_path / "whole.pth")
    whole = (tmp_path / "whole.pth").read_bytes()
    for end in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        (tmp_path / "a.pth").write_bytes(whole[:end])
        assert said(tmp_path / "a.pth").startswith("not a whole file of PyTorch's, or more")
    altered = bytearray(whole)
    altered[len(whole) // 2] ^= 1
    (tmp_path / "a.pth").write_bytes(altered)
    assert said(tmp_path / "a.pth") == "damaged (whole/data/0 in it has another checksum); fetch it again"
    (tmp_path / "a.pth").write_text("<html>404</html>", encoding="utf-8")
    assert said(tmp_path / "a.pth").startswith("not a whole file of PyTorch's")


def test_however_it_is_spoilt_it_is_a_line(tmp_path):
    rng = random.Random(0)
    for new in (True, False):
        torch.save(
            {"a": torch.randn(40), "b": torch.ones(3)}, tmp_path / "whole.pth", _use_new_zipfile_serialization=new
        )
        whole = (tmp_path / "whole.pth").read_bytes()
        for _ in range(60):
            spoilt = bytearray(whole)
            for _ in range(rng.randint(1, 4)):
                spoilt[rng.randrange(len(spoilt))] = rng.randrange(256)
            (tmp_path / "a.pth").write_bytes(spoilt)
            with suppress(StriateError):
                read_pickle(tmp_path / "a.pth")


def test_a_file_of_torchvisions_format_is_its_network(tmp_path):
    torch.manual_seed(0)
    theirs = torchvision.models.squeezenet1_1().eval()
    torch.save(theirs.state_dict(), tmp_path / "mine.pth")
    assert network_of(tmp_path / "mine.pth").name == "squeezenet1_1"
    model = create_model("squeezenet1_1", weights=tmp_path / "mine.pth").eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model(x), theirs(x), rtol=1e-4, atol=1e-5)
    assert model.weights_source.name == str(tmp_path / "mine.pth")
    with pytest.raises(StriateError, match="weights of squeezenet1_1, which do not fit squeezenet1_0"):
        create_model("squeezenet1_0", weights=tmp_path / "mine.pth")
