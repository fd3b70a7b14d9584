"""LeNet's own layers: trainable sub-sampling, the convolution with a connection table, RBF units and their losses."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from striate.errors import UsageError
from striate.layers import (
    RBFDistanceLoss,
    RBFLoss,
    RBFOutput,
    TableConv2d,
    TrainableSubsampling,
    lecun_uniform_,
    uniform_,
)
from striate.layers.rbf import codes, digit_bitmaps, paley_codes

TABLE = ((0, 2), (1,), (0, 1, 2))


def test_subsampling_by_hand():
    layer = TrainableSubsampling(2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([0.5, -1.0]))
        layer.bias.copy_(torch.tensor([0.25, 2.0]))
    x = torch.tensor([[[[1.0, 2.0, 9.0], [3.0, 4.0, 9.0]], [[1.0, 0.0, 9.0], [0.0, 1.0, 9.0]]]])
    assert layer(x).flatten().tolist() == [10 * 0.5 + 0.25, -2.0 + 2.0]


@pytest.mark.parametrize("kernel", [2, 3])
def test_subsampling_is_four_times_the_average_scaled_and_shifted(kernel):
    layer, x = TrainableSubsampling(6, kernel), torch.randn(2, 6, 10, 13)
    scale, shift = (p.view(-1, 1, 1) for p in (layer.weight, layer.bias))
    torch.testing.assert_close(layer(x), F.avg_pool2d(x, kernel) * kernel**2 * scale + shift)
    assert [p.numel() for p in layer.parameters()] == [6, 6]


def test_subsampling_is_a_depthwise_convolution_of_equal_weights():
    """The gradient too: every pixel of a window gets the coefficient times the upstream gradient."""
    layer = TrainableSubsampling(3)
    x = torch.randn(2, 3, 8, 8, requires_grad=True)
    upstream = torch.randn(2, 3, 4, 4)
    weight = layer.weight.detach().view(3, 1, 1, 1).expand(3, 1, 2, 2).clone().requires_grad_()
    wanted = torch.autograd.grad(F.conv2d(x, weight, layer.bias, stride=2, groups=3), (x, weight), upstream)
    given = torch.autograd.grad(layer(x), (x, layer.weight), upstream)
    torch.testing.assert_close(given[0], wanted[0])
    torch.testing.assert_close(given[1], wanted[1].sum((1, 2, 3)))


def dense_twin(layer: TableConv2d) -> nn.Conv2d:
    """An ordinary convolution with the same kernels, written in connection by connection, and zeros elsewhere."""
    twin = nn.Conv2d(layer.in_channels, layer.out_channels, layer.kernel_size)
    nn.init.zeros_(twin.weight)
    kernels = iter(layer.weight.detach())
    with torch.no_grad():
        for row, inputs in enumerate(layer.table):
            for column in inputs:
                twin.weight[row, column] = next(kernels)
        twin.bias.copy_(layer.bias)
    return twin


def test_table_convolution_equals_a_dense_one_with_zeroed_weights():
    layer, x = TableConv2d(TABLE, 3, 5), torch.randn(2, 3, 9, 11)
    torch.testing.assert_close(layer(x), dense_twin(layer)(x))
    assert sum(p.numel() for p in layer.parameters()) == 6 * 25 + 3


def test_table_convolution_trains_the_connections_it_has():
    layer, x = TableConv2d(TABLE, 3, 3), torch.randn(2, 3, 6, 6)
    twin = dense_twin(layer)
    for net in (layer, twin):
        net(x).square().sum().backward()
    wanted = torch.stack([twin.weight.grad[row, column] for row, inputs in enumerate(TABLE) for column in inputs])
    torch.testing.assert_close(layer.weight.grad, wanted)


def test_a_map_does_not_see_what_its_row_leaves_out():
    layer, x = TableConv2d(TABLE, 3, 3), torch.randn(1, 3, 6, 6)
    changed = x.clone()
    changed[:, 1] += 1
    differs = (layer(changed) - layer(x)).abs().amax((0, 2, 3)) > 1e-6
    assert differs.tolist() == [False, True, True]


@pytest.mark.parametrize("table", [((),), ((0, 0),), ((3,),), ((-1,),)])
def test_impossible_tables_are_refused(table):
    with pytest.raises(UsageError, match="map 0 of the connection table"):
        TableConv2d(table, 3, 5)


def test_lecuns_first_weights_stay_within_2_4_over_the_fan_in_and_fill_it():
    torch.manual_seed(0)
    many = tuple((0, 1, 2) for _ in range(50)) + tuple((0,) for _ in range(50))
    layers = nn.Sequential(nn.Conv2d(3, 200, 5), TrainableSubsampling(200), TableConv2d(many, 3, 5), nn.Linear(40, 200))
    lecun_uniform_(layers)
    conv, pool, table, linear = layers
    for parameters, fan_in in (
        ([conv.weight, conv.bias], 75),
        ([pool.weight, pool.bias], 4),
        ([table.weight[:150], table.bias[:50]], 75),
        ([table.weight[150:], table.bias[50:]], 25),
        ([linear.weight, linear.bias], 40),
    ):
        for parameter in parameters:
            assert 0.9 * 2.4 / fan_in < parameter.abs().max() <= 2.4 / fan_in
    uniform_(layers, 0.05)
    assert 0.049 < linear.weight.abs().max() <= 0.05


def test_rbf_units_are_minus_the_squared_distances():
    layer, x = RBFOutput(10).double(), torch.randn(5, 84, dtype=torch.float64)
    torch.testing.assert_close(layer(x), -torch.cdist(x, layer.weight).square())
    assert not list(layer.parameters())
    assert layer.state_dict()["weight"].shape == (10, 84)


@pytest.mark.parametrize("classes", [1, 2, 10, 84, 169, 1000])
def test_each_code_is_its_own_class(classes):
    layer = RBFOutput(classes)
    assert set(layer.weight.unique().tolist()) <= {-1.0, 1.0}
    outputs = layer(layer.weight)
    assert outputs.argmax(1).tolist() == list(range(classes))
    assert outputs.diagonal().abs().max() == 0


def test_the_nearest_two_bitmaps_differ_in_many_pixels():
    bitmaps = digit_bitmaps()
    assert bitmaps.shape == (10, 84)
    apart = (bitmaps[:, None] != bitmaps).sum(2) + 84 * torch.eye(10)
    assert apart.min() >= 9
    image = bitmaps[1].view(12, 7)
    assert (image[0] == -1).all()  # a 1 is a stem in the middle on a foot
    assert (image[1:11, 3] == 1).all()
    assert (image[10, 1:6] == 1).all()


def test_paleys_codes_are_as_far_apart_as_codes_can_be():
    codes = paley_codes()
    products = codes @ codes.T
    assert torch.equal(products[:84, :84], 84 * torch.eye(84))
    apart = (84 - products) / 2 + 84 * torch.eye(168)
    assert apart.min() == 42


def test_codes_beyond_the_matrix_are_the_same_every_time():
    assert torch.equal(codes(200), codes(200))
    assert torch.equal(codes(200)[:168], paley_codes())
    assert torch.equal(codes(300)[:200], codes(200))
    apart = (codes(1000)[:, None] != codes(1000)).sum(2) + 84 * torch.eye(1000)
    assert apart.min() >= 14
    with pytest.raises(UsageError, match="at least 1"):
        RBFOutput(0)


def test_fresh_units_keep_type_and_device():
    fresh = RBFOutput(10).double().fresh(3)
    assert fresh.weight.dtype == torch.float64
    assert fresh.weight.shape == (3, 84)
    assert RBFOutput(10).to("meta").fresh(3).weight.is_meta


def test_the_discriminative_loss_by_hand():
    """Equation 9 of the paper, written out for two images and three classes."""
    distances = [[1.0, 3.0, 5.0], [2.0, 0.5, 4.0]]
    labels, j = [0, 2], 2.5
    costs = [
        row[label] + math.log(math.exp(-j) + sum(math.exp(-y) for y in row))
        for row, label in zip(distances, labels, strict=True)
    ]
    given = RBFLoss(j)(-torch.tensor(distances), torch.tensor(labels))
    assert given.item() == pytest.approx(sum(costs) / 2)


def test_the_discriminative_loss_between_its_limits():
    logits, labels = -10 * torch.rand(8, 10), torch.arange(8)
    torch.testing.assert_close(RBFLoss(1e4)(logits, labels), F.cross_entropy(logits, labels))
    # far closer rubbish than any class: the pull of equation 8, but for the constant j
    torch.testing.assert_close(RBFLoss(-100.0)(logits, labels) - 100, RBFDistanceLoss()(logits, labels))


def test_the_distance_loss_is_the_squared_error_of_f6():
    layer, x, labels = RBFOutput(10), torch.randn(6, 84), torch.tensor([0, 1, 2, 3, 4, 9])
    wanted = F.mse_loss(x, layer.weight[labels], reduction="sum") / 6
    torch.testing.assert_close(RBFDistanceLoss()(layer(x), labels), wanted)


def test_the_right_class_pulls_and_near_wrong_ones_push():
    logits = torch.tensor([[-1.0, -2.0, -50.0]], requires_grad=True)
    RBFLoss(84.0)(logits, torch.tensor([0])).backward()
    pull, push, far = (-logits.grad[0]).tolist()  # with respect to the distances y
    assert pull > 0 > push
    assert abs(far) < 1e-15


def test_weights_and_biases_of_a_table_are_drawn_from_both_sides_of_zero():
    torch.manual_seed(0)
    layer = TableConv2d([(0,)] * 40 + [(0, 1, 2, 3)] * 40, 4, 5)
    bounds = [25**-0.5] * 40 + [100**-0.5] * 40
    assert layer.fan_in == [25] * 40 + [100] * 40
    for values in (layer.bias[:40], layer.bias[40:]):
        assert values.min() < -0.05 < 0.05 < values.max()  # of 40 values, with bounds of 0.2 and 0.1
    assert (layer.bias.abs() <= torch.tensor(bounds)).all()
    for part, bound in zip(layer.weight.split([1] * 40 + [4] * 40), bounds, strict=True):
        assert -bound <= part.min() < 0 < part.max() <= bound
