"""Dense layers: their children, their options, and what the thrifty form does to statistics; see also test_densenet."""

import pytest
import torch
from torch import nn

from striate.errors import UsageError
from striate.layers.dense_block import DenseBlock, DenseLayer


def test_options_reach_every_norm_and_activation():
    layer = DenseLayer(6, 4, bottleneck=8, activation="elu", norm_eps=0.01, dropout=0.25)
    assert [name for name, _ in layer.named_children()] == [
        *("norm1", "act1", "conv1", "norm2", "act2", "conv2"),
        "dropout",
    ]
    assert isinstance(layer.act1, nn.ELU)
    assert isinstance(layer.act2, nn.ELU)
    assert (layer.norm1.eps, layer.norm2.eps, layer.dropout.p) == (0.01, 0.01, 0.25)
    assert (layer.norm1.num_features, layer.norm2.num_features) == (6, 8)
    assert layer.conv1.bias is layer.conv2.bias is None
    plain = DenseLayer(6, 4)
    assert [name for name, _ in plain.named_children()] == ["norm1", "act1", "conv1"]
    assert isinstance(plain.act1, nn.ReLU)
    assert (plain.conv1.kernel_size, plain.conv1.padding, plain.norm1.eps) == ((3, 3), (1, 1), 1e-5)
    assert not plain.memory_efficient


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 1.5])
def test_a_dropout_that_is_no_fraction_is_refused(dropout):
    with pytest.raises(UsageError, match=f"dropout is {dropout}"):
        DenseLayer(6, 4, dropout=dropout)


def test_maps_stand_in_the_order_in_which_they_were_made():
    block = DenseBlock(*(DenseLayer(2 + 3 * i, 3) for i in range(2))).eval()
    x = torch.randn(1, 2, 4, 4)
    first, second = block
    y = first(x)
    assert torch.equal(block(x), torch.cat([x, y, second(x, y)], 1))


@pytest.mark.parametrize("bottleneck", [None, 8])
def test_the_thrifty_form_counts_a_batch_once_and_keeps_its_momentum(bottleneck):
    torch.manual_seed(0)
    plain = DenseLayer(6, 4, bottleneck=bottleneck).train()
    thrifty = DenseLayer(6, 4, bottleneck=bottleneck, memory_efficient=True).train()
    thrifty.load_state_dict(plain.state_dict())
    for _ in range(2):
        maps = [torch.randn(2, 3, 5, 5), torch.randn(2, 3, 5, 5)]
        for layer in (plain, thrifty):
            layer(*(m.clone().requires_grad_() for m in maps)).square().sum().backward()
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(thrifty.state_dict()[key], value, msg=key)
    assert thrifty.norm1.num_batches_tracked == 2
    assert thrifty.norm1.momentum == 0.1


def test_the_thrifty_form_recomputes_only_where_gradients_are_asked_for_in_training():
    layer, calls = DenseLayer(3, 2, memory_efficient=True), []
    layer.norm1.register_forward_hook(lambda *_: calls.append(1))
    x = torch.randn(2, 3, 4, 4, requires_grad=True)
    counts = []
    for training, grad in ((True, True), (True, False), (False, True)):
        layer.train(training)
        calls.clear()
        with torch.set_grad_enabled(grad):
            y = layer(x)
        if grad:
            y.sum().backward()
        counts.append(len(calls))
    assert counts == [2, 1, 1]
