"""A run leaves the random state, the warnings and PyTorch's switches as they were, and tells its failures in a line."""

import gc
import random
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from striate.analysis.inputs import Inputs
from striate.analysis.running import StateKept, name_of, placed, run, uncollected
from striate.errors import StriateError, UsageError


class Function(nn.Module):
    """A network that is a function."""

    def __init__(self, function) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: Tensor) -> Tensor:
        return self.function(*args)


def named(name: object) -> nn.Module:
    model = nn.Tanh()
    model.spec = SimpleNamespace(name=name)  # type: ignore[assignment]
    return model


def wrapped(model: nn.Module) -> nn.Module:
    wrapper = nn.Identity()
    wrapper._orig_mod = model
    return wrapper


@pytest.mark.filterwarnings("ignore")  # PyTorch gives scripting up
def test_a_network_is_called_by_its_name_in_the_catalogue_or_its_class() -> None:
    assert name_of(named("resnet18")) == name_of(wrapped(named("resnet18"))) == "resnet18"
    assert name_of(named("custom")) == name_of(named(None)) == name_of(named(3)) == "Tanh"
    assert name_of(nn.Tanh()) == name_of(wrapped(nn.Tanh())) == name_of(torch.jit.script(nn.Tanh())) == "Tanh"


def test_tensors_are_brought_to_where_the_run_is() -> None:
    real = torch.rand(2, 3, dtype=torch.double, requires_grad=True)
    empty = placed(real, "meta")
    assert (empty.is_meta, empty.shape, empty.dtype) == (True, (2, 3), torch.double)
    same = placed(real, "cpu")
    assert torch.equal(same, real)
    assert not same.requires_grad
    filled = placed(torch.empty(2, 3, dtype=torch.int32, device="meta"), "cpu")
    assert torch.equal(filled, torch.zeros(2, 3, dtype=torch.int32))
    assert filled.dtype is torch.int32


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("fastpath", [False, True])
def test_what_a_run_changes_is_put_back(fails: bool, fastpath: bool, recwarn: pytest.WarningsRecorder) -> None:
    torch.backends.mha.set_fastpath_enabled(fastpath)
    try:
        torchs, pythons, filters = torch.get_rng_state(), random.getstate(), list(warnings.filters)
        try:
            with StateKept():
                assert torch.backends.mha.get_fastpath_enabled() is False
                torch.rand(1)
                random.random()
                warnings.warn("of the network's own", stacklevel=1)
                if fails:
                    raise ValueError
        except ValueError:
            assert fails
        assert torch.equal(torch.get_rng_state(), torchs)
        assert random.getstate() == pythons
        assert torch.backends.mha.get_fastpath_enabled() is fastpath
        assert not recwarn.list
        assert warnings.filters == filters
    finally:
        torch.backends.mha.set_fastpath_enabled(True)


@pytest.mark.parametrize(("device", "runs"), [("meta", False), ("cpu", True)])
@pytest.mark.parametrize("before", [True, False])
def test_garbage_waits_during_a_weightless_run_alone(device: str, runs: bool, before: bool) -> None:
    assert gc.isenabled()
    if not before:
        gc.disable()
    try:
        with pytest.raises(ZeroDivisionError), uncollected(device):
            assert 1 // (gc.isenabled() is not (runs and before))
        assert gc.isenabled() is before
    finally:
        gc.enable()


def failure(model: nn.Module, *inputs: Tensor, device: str = "meta") -> str:
    with pytest.raises(StriateError) as caught:
        run(model, Inputs(inputs), device)
    assert isinstance(caught.value.__cause__, Exception)
    return str(caught.value)


def raising(error: Exception):
    def fails(*args: Tensor) -> Tensor:
        raise error

    return fails


def test_a_failure_is_told_with_the_shapes_the_layer_the_words_and_the_users_line() -> None:
    line = raising.__code__.co_firstlineno + 2
    place = f" ({Path(__file__)}:{line}, in fails)"
    model = nn.Sequential(nn.Identity(), Function(raising(ValueError("  \n no\nmore"))))
    assert failure(model, torch.rand(2, 3)) == (
        "Sequential fails on an input of shape (2, 3) in layer 1, Function(), given (2, 3): no" + place
    )
    assert failure(Function(raising(ValueError())), torch.rand(2), torch.rand(3, 1)) == (
        "Function fails on an input of shape (2,), (3, 1) in layer itself, Function(), given (2,), (3, 1): ValueError"
        + place
    )


def test_the_line_is_the_last_one_of_the_users() -> None:
    def outer(x: Tensor) -> Tensor:
        return inner(x)

    def inner(x: Tensor) -> Tensor:
        return nn.functional.linear(x, torch.rand(4, 5))

    assert f":{inner.__code__.co_firstlineno + 1}, in inner)" in failure(
        Function(outer), torch.rand(2, 3), device="cpu"
    )
    assert ".py:" not in failure(nn.Linear(4, 5), torch.rand(2, 3)).replace(str(Path(__file__)), "")


TRIED = {
    "dtype": "; values of another type are given as `inputs` (or such as --input 12:int64)",
    "arguments": "; several inputs are given as several shapes, or by name (--input once for each)",
    "values": '; this line needs real values, which a weightless run has not: device="cpu" (or --device cpu)'
    " runs it on real tensors",
    "nothing": "",
}


@pytest.mark.parametrize(
    ("error", "device", "kind"),
    [
        (RuntimeError("expected dtype Long"), "meta", "dtype"),
        (RuntimeError("expected Scalar Type Float"), "cpu", "dtype"),
        (TypeError("missing 1 required positional argument"), "meta", "arguments"),
        (TypeError("missing 1 required positional Argument"), "cpu", "arguments"),
        (RuntimeError("missing 1 required positional argument"), "cpu", "nothing"),
        (TypeError("not a number"), "cpu", "nothing"),
        (RuntimeError("cannot be called on Meta tensors"), "meta", "values"),
        (RuntimeError("no fake impl registered"), "meta", "values"),
        (RuntimeError("meta tensors have no dtype"), "meta", "values"),
        (RuntimeError("a Meta tensor"), "cpu", "nothing"),
        (RuntimeError("no fake impl registered"), "cpu", "nothing"),
        (RuntimeError("sizes differ"), "meta", "nothing"),
    ],
)
def test_what_could_be_tried_is_told_by_the_errors_words(error: Exception, device: str, kind: str) -> None:
    message = failure(Function(raising(error)), torch.rand(2), device=device)
    assert message.endswith(f", in fails){TRIED[kind]}")


def test_our_own_errors_pass_as_they_are() -> None:
    error = UsageError("give a shape")
    with pytest.raises(UsageError) as caught:
        run(Function(raising(error)), Inputs((torch.rand(2),)), "cpu")
    assert caught.value is error
