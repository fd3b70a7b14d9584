"""Copies of modules: weightless and real ones, of weights that are computed, pruned, not yet there, tied."""

import copyreg

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, prune

from striate.analysis import effective_receptive_field, summary
from striate.analysis.gradients import gradient_norms
from striate.analysis.weightless import duplicate, emptied, observers, on_device, uncompiled, weightless

pytestmark = pytest.mark.filterwarnings("ignore")  # of the old weight norm


def pruned() -> nn.Module:
    layer = nn.Conv2d(3, 4, 3)
    prune.l1_unstructured(layer, "weight", 0.5)
    prune.random_unstructured(layer, "bias", 0.25)
    return layer


COMPUTED = {
    "old weight norm": lambda: nn.utils.weight_norm(nn.Conv2d(3, 4, 3)),
    "weight norm": lambda: parametrizations.weight_norm(nn.Conv2d(3, 4, 3)),
    "old spectral norm": lambda: nn.utils.spectral_norm(nn.Conv2d(3, 4, 3)),
    "spectral norm": lambda: parametrizations.spectral_norm(nn.Conv2d(3, 4, 3)),
    "orthogonal": lambda: parametrizations.orthogonal(nn.Conv2d(3, 4, 3), use_trivialization=False),
    "pruned": pruned,
    "lazy": lambda: nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d()),
    "used before": lambda: used(nn.utils.weight_norm(nn.Conv2d(3, 4, 3))),
}


def used(layer: nn.Module) -> nn.Module:
    """After a training step, when computed weights hang on a graph."""
    layer(torch.rand(1, 3, 8, 8)).sum().backward()
    return layer


@pytest.mark.parametrize("name", COMPUTED)
def test_computed_weights_work_on_real_tensors_as_on_weightless_ones(name: str) -> None:
    model = COMPUTED[name]()
    weightless, real = (summary(model, (3, 8, 8), device=device) for device in ("meta", "cpu"))
    assert real.multiply_adds == weightless.multiply_adds >= 36 * 4 * 27
    assert real.parameters == weightless.parameters
    assert real.receptive_field == weightless.receptive_field == (3, 3)
    assert real.kept_bytes == weightless.kept_bytes


def test_a_network_that_reads_its_values_and_norms_its_weights_runs_on_real_ones() -> None:
    class Reads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.utils.weight_norm(nn.Conv2d(3, 4, 3))

        def forward(self, x: Tensor) -> Tensor:
            y = self.conv(x)
            return y if float(y.sum()) > 0 else -y

    assert summary(Reads(), (3, 8, 8), device="cpu").multiply_adds == 36 * 4 * 27


def test_dense_layers_that_are_not_there_yet() -> None:
    for device in ("meta", "cpu"):
        model = nn.Sequential(nn.LazyConv1d(4, 3), nn.LazyBatchNorm1d(), nn.Flatten(), nn.LazyLinear(2))
        result = summary(model, (3, 10), device=device)
        assert result.parameters == 4 * 10 + 8 + 2 * 33
        assert result.multiply_adds == 8 * 4 * 9 + 64
        assert isinstance(model[3], nn.LazyLinear)


@pytest.mark.parametrize("name", ["old weight norm", "pruned", "used before"])
def test_a_duplicate_gives_the_same_and_is_another(name: str) -> None:
    model, x = COMPUTED[name](), torch.rand(1, 3, 8, 8)
    twin = duplicate(model)
    assert torch.equal(twin(x), model(x))
    before = model(x)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(1)
    assert torch.equal(model(x), before)
    assert not torch.equal(twin(x), before)


def test_tied_weights_stay_tied_and_a_weightless_network_becomes_zeros() -> None:
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    model[1].weight = model[0].weight
    twin = duplicate(model, "cpu")
    assert twin[1].weight is twin[0].weight
    assert not twin[0].weight.is_meta
    assert not twin[0].weight.any()
    assert model[0].weight.is_meta
    assert [parameter.requires_grad for parameter in duplicate(model.requires_grad_(False)).parameters()] == [False] * 3


def test_effective_fields_and_gradients_of_computed_weights() -> None:
    model = nn.Sequential(nn.utils.weight_norm(nn.Conv2d(3, 4, 3)), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert effective_receptive_field(model, (3, 16, 16), samples=1).theoretical == (3, 3)
    assert gradient_norms(model, torch.rand(2, 3, 8, 8), torch.tensor([0, 1])).layers


def test_hooks_that_are_plain_functions_do_not_run_and_that_is_said() -> None:
    model, seen = nn.Conv2d(3, 4, 3), []
    assert summary(model, (3, 8, 8)).notes == ()
    model.register_forward_hook(lambda module, inputs, output: seen.append(output))
    model.register_forward_pre_hook(lambda module, inputs: seen.append(inputs))
    result = summary(model, (3, 8, 8))
    assert not seen
    assert result.notes == ("run without 2 of its hooks, plain functions that could write elsewhere",)
    assert len(model._forward_hooks) == len(model._forward_pre_hooks) == 1


@torch.library.custom_op("striate_tests::turned", mutates_args=())
def turned(x: Tensor) -> Tensor:
    """An operation of a user's own."""
    return -x


@turned.register_fake
def _(x: Tensor) -> Tensor:
    return torch.empty_like(x)


@pytest.mark.parametrize("kind", [nn.Module, nn.Conv2d])
def test_operations_and_modules_of_python_are_shared_with_a_copy(kind: type) -> None:
    class Holds(kind):  # type: ignore[misc, valid-type]
        def forward(self, x: Tensor) -> Tensor:
            return self.function(self.library.relu(x))

    model = Holds(*((3, 4, 3) if kind is nn.Conv2d else ()))
    model.library = torch
    for function in (torch.ops.aten.neg, torch.ops.aten.neg.default, turned):
        model.function = function
        assert duplicate(model).function is function
        for device in ("meta", "cpu"):
            assert summary(model, (3, 8, 8), device=device).root.output_shape == (1, 3, 8, 8)


def test_a_generator_of_ones_own_is_copied_with_its_state() -> None:
    class Noisy(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + torch.rand(1, generator=self.generator)

    model = Noisy(3, 4, 3)
    model.generator = torch.Generator().manual_seed(3)  # type: ignore[assignment]
    for device in ("meta", "cpu"):
        assert summary(model, (3, 8, 8), device=device).root.output_shape == (1, 4, 6, 6)
    assert duplicate(model).generator.initial_seed() == 3
    assert torch.rand(1, generator=model.generator) == torch.rand(1, generator=torch.Generator().manual_seed(3))


def test_parts_that_are_one_stay_one_and_lists_are_the_copys_own() -> None:
    class Counts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Sequential(nn.Identity())
            self.second = self.first
            self.sizes, self.names = [1], {"a": 1}

        def forward(self, x: Tensor) -> Tensor:
            self.sizes.append(len(x))
            self.names["b"] = 2
            return self.second(self.first(x))

    model = Counts()
    for device in ("meta", "cpu"):
        summary(model, (3,), device=device)
    assert (model.sizes, model.names) == ([1], {"a": 1})
    twin = duplicate(model)
    assert twin.first is twin.second is not model.first
    assert twin.first[0] is not model.first[0]


LAZY = nn.LazyLinear(3)
TENSORS = {
    "of strides": torch.rand(4, 6).t()[::2],
    "whole numbers": torch.arange(6, dtype=torch.int16).view(2, 3),
    "a parameter": nn.Parameter(torch.rand(2, 3, dtype=torch.double)),
    "a frozen parameter": nn.Parameter(torch.rand(2, 3), requires_grad=False),
    "coordinates": torch.eye(3).to_sparse(),
    "not yet there": LAZY.weight,
    "a buffer not yet there": nn.LazyBatchNorm1d().running_mean,
}


@pytest.mark.parametrize("name", TENSORS)
def test_an_emptied_tensor_has_all_but_values(name: str) -> None:
    tensor = TENSORS[name]
    empty = emptied(tensor)
    assert (type(empty), empty.dtype, empty.requires_grad) == (type(tensor), tensor.dtype, tensor.requires_grad)
    assert empty.device.type == "meta"
    assert empty.layout is tensor.layout
    if "there" not in name:
        assert empty.shape == tensor.shape
        if tensor.layout is torch.strided:
            assert empty.stride() == tensor.stride()


@pytest.mark.parametrize("name", TENSORS)
def test_a_duplicated_tensor_has_its_values_and_place(name: str) -> None:
    tensor = TENSORS[name]
    holder = nn.Module()
    if isinstance(tensor, nn.Parameter):
        holder.held = tensor
    else:
        holder.register_buffer("held", tensor)
    for twin in (duplicate(holder).held, duplicate(holder, "cpu").held, on_device(holder, "cpu").held):
        assert (type(twin), twin.dtype, twin.requires_grad) == (type(tensor), tensor.dtype, tensor.requires_grad)
        assert twin is not tensor
        if "there" not in name:
            assert torch.equal(twin.to_dense(), tensor.to_dense())
    assert duplicate(holder, "meta").held.is_meta
    assert weightless(holder).held.is_meta


class OwnWay(nn.Module):
    """Says itself how it is copied."""

    def __init__(self, mark: str = "made") -> None:
        super().__init__()
        self.mark, self.linear = mark, nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


class ByDeepcopy(OwnWay):
    def __deepcopy__(self, memo: dict) -> "ByDeepcopy":
        return ByDeepcopy("copied")


class ByState(OwnWay):
    def __getstate__(self) -> dict:
        return {**vars(self), "mark": "copied"}


class BySettingState(OwnWay):
    def __setstate__(self, state: dict) -> None:
        super().__setstate__({**state, "mark": "copied"})


class ByReduce(OwnWay):
    def __reduce__(self) -> tuple:
        return (ByReduce, ("copied",))


class ByReduceEx(OwnWay):
    def __reduce_ex__(self, protocol: object) -> tuple:
        return (ByReduceEx, ("copied",))


class ByTable(OwnWay):
    pass


@pytest.mark.parametrize("kind", [ByDeepcopy, ByState, BySettingState, ByReduce, ByReduceEx, ByTable])
def test_a_module_that_says_how_it_is_copied_is_copied_so(kind: type[OwnWay], monkeypatch) -> None:
    monkeypatch.setitem(copyreg.dispatch_table, ByTable, lambda module: (ByTable, ("copied",)))
    assert duplicate(nn.Sequential(kind()))[0].mark == "copied"
    assert duplicate(nn.Sequential(OwnWay()))[0].mark == "made"


def test_what_a_module_holds_is_its_copys_own_unless_nothing_can_change_it() -> None:
    model = nn.Sequential(nn.Linear(2, 2))
    held = {"empty": {}, "set": set(), "list": [1], "nested": [[1]], "tuple": (1, "a"), "inside": ([1],), "none": None}
    vars(model).update(held)
    model.register_parameter("missing", None)
    model.add_module("nothing", None)
    model.function, model.tied = torch.relu, model[0].weight
    vars(model)["again"] = model[0]
    twin = duplicate(model)
    for name, value in held.items():
        assert vars(twin)[name] == value
        assert (vars(twin)[name] is value) == (name in ("tuple", "none")), name
    assert twin.nested[0] is not model.nested[0]
    assert (twin.missing, twin.nothing, twin.function) == (None, None, torch.relu)
    assert twin.tied is twin[0].weight is not model.tied
    assert vars(twin)["again"] is twin[0]


def test_what_is_compiled_is_left_out_of_a_copy() -> None:
    model = nn.Linear(2, 2)
    vars(model)["_compiled_call_impl"] = (item for item in ())  # which cannot be copied
    assert torch.equal(duplicate(model).weight, model.weight)
    assert uncompiled(model) is model
    wrapper = nn.Identity()
    wrapper._orig_mod = model
    assert uncompiled(wrapper) is model


def test_hooks_that_are_objects_stay_and_plain_functions_go_from_the_copy_alone() -> None:
    class Hook:
        def __call__(self, module: nn.Module, *given: object) -> None:
            return None

    model = nn.Sequential(nn.Linear(2, 2))
    model[0].register_forward_hook(Hook())
    model[0].register_forward_hook(lambda module, inputs, output: None)
    model.register_forward_pre_hook(lambda module, inputs: None)
    assert len(observers(model)) == 2
    for make, left in ((weightless, 1), (lambda one: on_device(one, "cpu"), 1), (duplicate, 2)):
        twin = make(model)
        assert len(twin[0]._forward_hooks) == left
        assert len(twin._forward_pre_hooks) == left - 1
    assert len(observers(model)) == 2
