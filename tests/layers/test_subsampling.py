"""Trainable sub-sampling's first weights; what it computes is in test_lenet_layers."""

import pytest
import torch

from striate.layers import TrainableSubsampling


@pytest.mark.parametrize("kernel", [2, 3])
def test_first_coefficients_and_biases_fill_a_share_of_the_window_on_both_sides_of_zero(kernel):
    torch.manual_seed(0)
    layer = TrainableSubsampling(500, kernel)
    for values in (layer.weight, layer.bias):
        assert 0.98 / kernel**2 < values.max() <= 1 / kernel**2
        assert -1 / kernel**2 <= values.min() < -0.98 / kernel**2
    assert (TrainableSubsampling(5).kernel_size, TrainableSubsampling(5).channels) == (2, 5)
