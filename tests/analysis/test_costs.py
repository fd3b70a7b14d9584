"""What is made of a network's measured costs: totals of training, the last feature map, depths."""

import pytest
from torch import nn

from striate.analysis import summary
from striate.analysis.costs import Costs, check_depth
from striate.errors import UsageError


def test_a_summary_is_costs_that_show_themselves() -> None:
    result = summary(nn.Linear(4, 3), (4,))
    assert isinstance(result, Costs)
    assert (result.parameters, result.trainable_parameters, result.multiply_adds, result.flops) == (15, 15, 12, 24)
    assert (result.parameter_bytes, result.gradient_bytes, result.activation_bytes) == (60, 60, 12)


def last_field(*layers: nn.Module, shape: tuple[int, ...]) -> tuple[tuple[int, ...] | None, bool]:
    result = summary(nn.Sequential(*layers), shape)
    return result.receptive_field, result.sees_all


def test_the_last_map_is_the_one_before_pooling_or_flattening() -> None:
    dense = (nn.Flatten(), nn.Linear(6 * 6 * 2, 3))
    assert last_field(nn.Conv2d(1, 2, 3), *dense, shape=(1, 8, 8)) == ((3, 3), False)
    assert last_field(nn.Conv2d(1, 2, 8), nn.Flatten(), nn.Linear(2, 3), shape=(1, 8, 8)) == (None, False)
    pooled = (nn.AdaptiveAvgPool2d(1), nn.Conv2d(2, 4, 1))
    assert last_field(nn.Conv2d(1, 2, 3), *pooled, shape=(2, 1, 8, 8)) == ((3, 3), False)
    assert last_field(nn.Conv2d(1, 2, 3), nn.GroupNorm(1, 2), shape=(1, 8, 8)) == ((8, 8), True)
    assert last_field(nn.Conv1d(1, 1, 3), nn.Flatten(), nn.Linear(6, 3), shape=(1, 8)) == ((3,), False)
    assert last_field(nn.Linear(4, 3), shape=(5, 4)) == (None, False)
    assert last_field(nn.Conv1d(1, 2, 3), nn.Softmax(2), nn.Flatten(), shape=(1, 8)) == ((8,), True)


def test_a_step_of_training_takes_weights_gradients_state_and_what_is_kept() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    model[0].requires_grad_(False)
    result = summary(model, (5, 4))
    weights, gradients, kept = 4 * (15 + 8), 4 * 8, 4 * 5 * 3  # the second layer's input
    assert result.kept_bytes == kept
    assert result.training_bytes("sgd") == weights + gradients + kept
    assert result.training_bytes() == result.training_bytes("momentum") == weights + 2 * gradients + kept
    assert result.training_bytes("adam") == weights + 3 * gradients + kept


def test_an_optimizer_that_is_not_known_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown optimizer 'adagrad'"):
        summary(nn.Linear(4, 3), (4,)).optimizer_bytes("adagrad")


def test_a_depth_below_none_is_refused() -> None:
    for depth in (None, 0, 3):
        check_depth(depth)
    with pytest.raises(UsageError, match="depth is -1"):
        check_depth(-1)
