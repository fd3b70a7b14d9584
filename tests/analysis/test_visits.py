"""Tensors within anything that holds them, and the tree of calls of a network that is watched."""

from collections import OrderedDict, UserDict, namedtuple
from dataclasses import dataclass, field
from types import MappingProxyType

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from striate.analysis.inputs import Inputs
from striate.analysis.visits import Recorder, Visit, class_of, storage_of, tensors_in, with_tensors
from striate.analysis.watcher import watch
from striate.errors import StriateError

A, B, C = (torch.full((2,), float(number)) for number in range(3))
Pair = namedtuple("Pair", "first second")


@dataclass
class Held:
    """Tensors by name; one of them may never have been set."""

    first: object = None
    unset: object = field(init=False)
    last: object = None


HOLDERS = {
    "a tensor": (A, [0]),
    "a tuple": ((A, 1, B), [0, 1]),
    "a list in a tuple": (([B, A], C), [1, 0, 2]),
    "a named tuple": (Pair(B, [A]), [1, 0]),
    "a dictionary": ({"b": B, "a": (A, "c")}, [1, 0]),
    "an ordered one": (OrderedDict(b=B, a=A), [1, 0]),
    "a dictionary of one's own": (UserDict(b=B, a=A), [1, 0]),
    "a mapping that cannot be written": (MappingProxyType({"b": B, "a": A}), [1, 0]),
    "a dataclass": (Held(last=A, first=[B]), [1, 0]),
    "the same twice": ([A, A], [0, 0]),
    "a parameter": ([nn.Parameter(A)], [0]),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_tensors_are_found_in_order_and_changed_in_a_copy_of_the_same_kind(name: str) -> None:
    value, numbers = HOLDERS[name]
    assert [int(tensor[0]) for tensor in tensors_in(value)] == numbers
    twin = with_tensors(value, lambda tensor: tensor + 10)
    assert type(twin) is type(value) or isinstance(value, MappingProxyType)
    assert [int(tensor[0]) for tensor in tensors_in(twin)] == [10 + number for number in numbers]
    assert [int(tensor[0]) for tensor in tensors_in(value)] == numbers  # what was given is not written to


@pytest.mark.parametrize("value", [None, True, 3, 2.5, "text", torch.float32, Held, {1, 2}, range(3), Held(first=1)])
def test_what_holds_no_tensors_is_given_back_as_it_is(value: object) -> None:
    assert tensors_in(value) == []
    assert with_tensors(value, lambda tensor: tensor + 10) is value


def test_containers_keep_what_is_no_tensor() -> None:
    assert with_tensors({"a": A, "b": (3, "x")}, len) == {"a": 2, "b": (3, "x")}
    assert with_tensors([1, (A,)], len) == [1, (2,)]
    twin = with_tensors(Held(first=A, last="x"), len)
    assert (twin.first, twin.last, hasattr(twin, "unset")) == (2, "x", False)


def test_where_values_lie() -> None:
    assert storage_of(A[1:]) is not None
    assert storage_of(A[1:]).data_ptr() == A.data_ptr()
    coordinates = torch.eye(3).to_sparse()
    assert storage_of(coordinates).nbytes() == 4 * 3
    assert storage_of(coordinates).data_ptr() == coordinates._values().data_ptr()


@pytest.mark.filterwarnings("ignore")
def test_where_the_values_of_compressed_rows_lie() -> None:
    rows = torch.eye(3).to_sparse_csr()
    assert storage_of(rows).data_ptr() == rows.values().data_ptr()


def test_a_scripted_module_has_the_name_of_its_class() -> None:
    assert class_of(nn.Tanh()) == "Tanh"
    assert class_of(torch.jit.script(nn.Tanh())) == "Tanh"


def test_a_visit_without_modules_inside_is_a_leaf() -> None:
    run, call = Visit("a", None), Visit("a.b", nn.Tanh(), [Visit("a.b", None)])
    assert [Visit("a", nn.Tanh(), children).is_leaf for children in ([], [run], [run, call])] == [True, True, False]
    whole = Visit("a", nn.Tanh(), [run, call])
    assert list(whole.every()) == [whole, run, call, call.children[0]]


class Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 2, 3)

    def forward(self, x: Tensor, *, scale: float = 1.0) -> Tensor:
        return torch.relu(self.conv(x) * scale)


def outline(visit: Visit) -> tuple:
    kind = "run" if visit.module is None else type(visit.module).__name__
    return (visit.name, kind, [outline(child) for child in visit.children])


def test_calls_lie_within_the_calls_that_made_them_and_operations_between_them() -> None:
    model = nn.Sequential(Inner(), nn.Tanh(), nn.Identity())
    visit = watch(model, Inputs((torch.rand(1, 1, 5, 5),)))
    assert outline(visit) == (
        "",
        "Sequential",
        [
            ("0", "Inner", [("0.conv", "Conv2d", [("0.conv", "run", [])]), ("0", "run", [])]),
            ("1", "Tanh", [("1", "run", [])]),
            ("2", "Identity", []),
        ],
    )
    assert [child.output_shape for child in visit.children] == [(1, 2, 3, 3)] * 3
    assert visit.children[0].children[1].operations == ["mul", "relu"]
    assert visit.children[0].children[0].children[0].multiply_adds == 2 * 9 * 9
    assert visit.multiply_adds == 0  # stands where it ran


def test_modules_are_left_as_they_were_also_after_an_error() -> None:
    model = nn.Sequential(Inner(), nn.Tanh())
    mine = lambda x: x * 2  # noqa: E731
    model[1].forward = mine  # type: ignore[method-assign]
    recorder = Recorder()
    for fails in (False, True):
        try:
            with recorder.around(model):
                assert all("forward" in vars(module) for module in model.modules())
                model(torch.rand(1, 3 if fails else 1, 5, 5))
        except RuntimeError:
            assert fails
        assert [name for name, module in model.named_modules() if "forward" in vars(module)] == ["1"]
        assert model[1].forward is mine
    assert [child.name for child in recorder.root.children] == ["", ""]
    assert recorder._running == [recorder.root]


def test_the_innermost_layer_that_fails_is_named_with_what_it_was_given() -> None:
    model = nn.Sequential(nn.Sequential(nn.Identity(), nn.Conv2d(3, 4, (3, 1), padding=1)))
    with pytest.raises(RuntimeError) as caught:
        watch(model, Inputs((torch.rand(1, 1, 5, 6),)))
    (note,) = caught.value.__notes__
    settings = "3, 4, kernel_size=(3, 1), stride=(1, 1), padding=(1, 1)"
    assert note == f"layer 0.1, Conv2d({settings}), given (1, 1, 5, 6)"
    with pytest.raises(RuntimeError) as caught:
        watch(nn.Linear(2, 3), Inputs((torch.rand(1, 5),)))
    assert caught.value.__notes__ == ["layer itself, Linear(in_features=2, out_features=3, bias=True), given (1, 5)"]


def test_settings_of_several_lines_stand_in_one() -> None:
    class Long(nn.Tanh):
        def extra_repr(self) -> str:
            return "one,\n    two"

        def forward(self, x: Tensor) -> Tensor:
            raise ValueError("so")

    with pytest.raises(ValueError, match="so") as caught:
        watch(Long(), Inputs((torch.rand(1),)))
    assert caught.value.__notes__ == ["layer itself, Long(one, two), given (1,)"]


def test_a_network_that_calls_itself_or_is_never_called_is_seen_from_outside() -> None:
    class Again(nn.Module):
        def forward(self, x: Tensor, more: int = 2) -> Tensor:
            return self(x, more - 1) * 2 if more else x

    class Around(nn.Module):
        def __call__(self, x: Tensor) -> Tensor:
            return torch.tanh(x[:, :, 1:])

    x = torch.rand(1, 2, 5, 5)
    visit = watch(Again(), Inputs((x,)))
    assert outline(visit) == ("", "Again", [("", "Again", [("", "Again", []), ("", "run", [])]), ("", "run", [])])
    visit = watch(Around(), Inputs((x,)))
    assert outline(visit) == ("", "run", [("", "run", [])])
    assert visit.output_shape == (1, 2, 4, 5)


def test_layers_within_a_scripted_one_are_not_looked_into() -> None:
    scripted = torch.jit.script(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Tanh()))
    visit = watch(nn.Sequential(scripted, nn.ReLU()), Inputs((torch.rand(1, 1, 5, 5),)))
    assert [(child.name, child.is_leaf) for child in visit.children] == [("0", True), ("1", True)]
    assert visit.children[0].children[0].operations == ["convolution", "tanh"]


@pytest.mark.skipif(
    not hasattr(TorchDispatchMode, "supports_higher_order_operators"),
    reason=f"PyTorch {torch.__version__} refuses operations on functions itself",
)
def test_an_operation_on_functions_is_refused_by_name() -> None:
    class Mapped(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            whole = (x * 4).to(torch.int8)
            return torch.ops.higher_order.out_dtype(torch.ops.aten.mm.default, torch.int32, whole, whole)

    with pytest.raises(StriateError, match="out_dtype: an operation on functions"):
        watch(Mapped(), Inputs((torch.rand(3, 3),)))
