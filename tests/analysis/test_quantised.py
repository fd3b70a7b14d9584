"""Quantised networks: what they cost and hold, though their weights are neither parameters nor weightless."""

import warnings

import pytest
import torch
from torch import nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # PyTorch has given these up, networks saved with them have not
    from torch.ao.nn import quantized
    from torch.ao.nn.quantized import dynamic
    from torch.ao.quantization import quantize_dynamic

from striate.analysis import summary

pytestmark = pytest.mark.filterwarnings("ignore")


class Static(nn.Sequential):
    """Whole-number layers between a quantisation and its inverse."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(quantized.Quantize(1.0, 0, torch.quint8), *layers, quantized.DeQuantize())


def dynamic_network(*layers: nn.Module) -> nn.Module:
    return quantize_dynamic(nn.Sequential(*layers), {type(layer) for layer in layers})


LAYERS = {
    "dense": (Static(quantized.Linear(8, 6)), (8,), 48, 48 + 6),
    "convolution": (Static(quantized.Conv2d(4, 6, 3, groups=2)), (4, 8, 8), 36 * 6 * 2 * 9, 6 * 2 * 9 + 6),
    "signals": (Static(quantized.Conv1d(4, 6, 3)), (4, 10), 8 * 6 * 4 * 3, 6 * 4 * 3 + 6),
    "transposed": (Static(quantized.ConvTranspose2d(4, 6, 2)), (4, 5, 5), 25 * 4 * 6 * 4, 4 * 6 * 4 + 6),
    "dense, dynamic": (dynamic_network(nn.Linear(8, 6)), (8,), 48, 48 + 6),
    "cell, dynamic": (dynamic_network(nn.GRUCell(8, 6)), (8,), 3 * 6 * 14, 3 * 6 * (8 + 6 + 2)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_cost_what_their_floating_forms_do(name: str) -> None:
    model, shape, expected, weights = LAYERS[name]
    result = summary(model, shape)
    assert result.multiply_adds == expected
    assert result.not_counted == {}
    assert (result.parameters, result.trainable_parameters) == (weights, 0)
    assert sum(row.parameters for row in result.rows) == weights


def test_recurrent_layers_cost_what_their_floating_forms_do() -> None:
    plain = nn.LSTM(8, 6, 2, bidirectional=True)
    result = summary(dynamic_network(plain), inputs=torch.rand(5, 1, 8))
    floating = summary(plain, inputs=torch.rand(5, 1, 8))
    assert result.multiply_adds == floating.multiply_adds == 5 * 2 * (4 * 6 * (8 + 6) + 4 * 6 * (12 + 6))
    assert result.parameters == floating.parameters


def test_packed_weights_take_a_byte_each_and_run_on_real_values_which_is_said() -> None:
    result = summary(Static(quantized.Linear(8, 6)), (8,))
    assert result.parameter_bytes == 48 + 4 * 6
    assert result.gradient_bytes == 0
    assert result.notes == ("run on real values, as quantised weights cannot be weightless",)
    assert "note          run on real values" in str(result)
    assert result.to_dict()["notes"] == list(result.notes)
    assert summary(nn.Linear(8, 6), (8,)).notes == ()


def test_a_shared_quantised_layer_counts_its_weights_once() -> None:
    layer = dynamic.Linear(4, 4)
    result = summary(nn.Sequential(layer, layer), (4,))
    assert [row.parameters for row in result.rows] == [20, 0]
    assert result.multiply_adds == 32
