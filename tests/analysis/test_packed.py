"""Quantised weights are found wherever PyTorch packs them, the weight before the bias."""

import pytest
import torch
from torch import Tensor, nn

from striate.analysis.packed import is_packed, packed_tensors, tensors_of, weights_in

pytestmark = pytest.mark.filterwarnings("ignore")  # PyTorch has given these up, networks saved with them have not
OPS = torch.ops.quantized


def quantised(*shape: int) -> Tensor:
    return torch.quantize_per_tensor(torch.rand(shape), 0.1, 0, torch.qint8)


def dense(inputs: int, outputs: int, bias: bool = True) -> torch.ScriptObject:
    return OPS.linear_prepack(quantised(outputs, inputs), torch.rand(outputs) if bias else None)


def convolution() -> torch.ScriptObject:
    return OPS.conv2d_prepack(quantised(6, 4, 3, 2), torch.rand(6), [1, 1], [0, 0], [1, 1], 1)


def cell() -> torch.ScriptObject:
    """Of two gates: 8 values and 3 of its own to 6."""
    return OPS.make_quantized_cell_params_dynamic(dense(8, 6), dense(3, 6), torch.rand(6), torch.rand(6), True)


def shapes(tensors: list[Tensor]) -> list[tuple[int, ...]]:
    return [tuple(tensor.shape) for tensor in tensors]


def test_what_is_packed_is_told_from_other_objects() -> None:
    assert all(map(is_packed, (dense(2, 3), convolution(), cell())))
    others = (torch.rand(2), nn.Linear(2, 3), None, "CellParams", 3)
    assert not any(map(is_packed, others))


PACKED = {
    "dense": (lambda: dense(5, 3), [(3, 5), (3,)], [(3, 5)]),
    "dense without a bias": (lambda: dense(5, 3, bias=False), [(3, 5)], [(3, 5)]),
    "convolution": (convolution, [(6, 4, 3, 2), (6,)], [(6, 4, 3, 2)]),
    "cell": (cell, [(6,), (6,), (6, 8), (6, 3)], [(6, 8), (6, 3)]),
}


@pytest.mark.parametrize("name", PACKED)
def test_all_that_is_packed_is_told_once(name: str) -> None:
    make, held, weights = PACKED[name]
    assert sorted(shapes(tensors_of(make()))) == sorted(held)
    assert shapes(tensors_of(make()))[0] == held[0] or name == "cell"
    assert shapes(weights_in([make()])) == weights


def test_weights_are_found_among_arguments_in_order_at_any_depth() -> None:
    args = (torch.rand(9, 9), dense(5, 3), None, [torch.rand(2, 2), (convolution(), cell())], 1.0)
    assert shapes(weights_in(args)) == [(3, 5), (6, 4, 3, 2), (6, 8), (6, 3)]
    assert weights_in((torch.rand(3, 3), 2)) == []


def test_each_module_has_what_it_holds_itself_and_none_of_it_is_trained() -> None:
    class Holds(nn.Module):
        def __init__(self, *held: object) -> None:
            super().__init__()
            for number, value in enumerate(held):
                vars(self)[f"held{number}"] = value

    first, empty, second = Holds(dense(5, 3), 3, convolution()), Holds("text", torch.rand(3)), Holds(cell())
    model = nn.Sequential(first, empty, nn.Sequential(second), nn.Linear(4, 4))
    found = packed_tensors(model)
    assert set(found) == {id(first), id(second)}
    assert shapes(found[id(first)]) == [(3, 5), (3,), (6, 4, 3, 2), (6,)]
    assert sorted(shapes(found[id(second)])) == [(6,), (6,), (6, 3), (6, 8)]
    assert not any(tensor.requires_grad for tensors in found.values() for tensor in tensors)
    assert packed_tensors(nn.Sequential(nn.Linear(4, 4), nn.Tanh())) == {}
