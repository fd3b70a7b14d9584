"""Shapes found without weights."""

import pytest
import torch

from striate.layers import output_shape


def test_output_shape_leaves_the_module_alone():
    conv = torch.nn.Conv2d(3, 10, 5, padding=2).train()
    assert output_shape(conv, (1, 3, 32, 32)) == (1, 10, 32, 32)
    assert conv.training
    assert conv.weight.device.type == "cpu"


def test_too_small_an_input_is_torchs_error():
    with pytest.raises(RuntimeError):
        output_shape(torch.nn.Conv2d(3, 10, 5), (1, 3, 4, 4))
