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


class Sums(torch.nn.Module):
    """Arithmetic of tensors of several shapes and types, of numbers, and of a batch norm that is trained or not."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.norm = torch.nn.BatchNorm2d(3)
        self.shift = torch.nn.Parameter(torch.ones(3, 1, 1))

    def forward(self, x):
        return self.function(self, x)


@pytest.mark.parametrize(
    "function",
    [
        lambda m, x: torch.relu(x) + torch.sigmoid(x) * torch.tanh(x),
        lambda m, x: torch.nn.functional.gelu(torch.nn.functional.elu(-x)) / 3,
        lambda m, x: torch.nn.functional.leaky_relu(torch.nn.functional.relu6(x)) ** 2,
        lambda m, x: m.norm(x) - m.shift,
        lambda m, x: 1 - m.shift * x.mean((2, 3), keepdim=True),
        lambda m, x: x[:, :, :1] + x[:, :1, :, :1],
        lambda m, x: x + torch.ones(2, 1, 1, 1, dtype=torch.long, device=x.device),
        lambda m, x: torch.nn.functional.silu(x).double() + x,
        lambda m, x: torch.add(x, x, alpha=2),
        lambda m, x: torch.ones(4, dtype=torch.long, device=x.device) + 1,
        lambda m, x: (x > 0).float() * x,
    ],
)
def test_shapes_are_those_of_the_module_itself(function):
    module = Sums(function)
    for training in (True, False):
        module.train(training)
        assert output_shape(module, (2, 3, 5, 4)) == tuple(module(torch.randn(2, 3, 5, 4)).shape)
    assert module.training is False
    assert output_shape(module.double(), (2, 3, 5, 4)) == tuple(module(torch.randn(2, 3, 5, 4).double()).shape)


def test_types_are_those_of_the_module_itself():
    """A sum of a whole number's tensor and a floating one is floating, as a layer behind it must find it."""
    linear = torch.nn.Linear(4, 2)

    class Mixed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = linear

        def forward(self, x):
            return self.linear(torch.ones(1, 4, dtype=torch.long, device=x.device) + x)

    assert output_shape(Mixed(), (3, 4)) == (3, 2)


def test_one_image_of_one_value_has_a_shape_though_no_batch_norm_could_train_on_it():
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 5), torch.nn.BatchNorm2d(4), torch.nn.Dropout()).train()
    assert output_shape(module, (1, 3, 5, 5)) == (1, 4, 1, 1)
    assert module.training
    assert module[1].num_batches_tracked == 0


def test_the_input_has_the_type_of_the_floating_weights():
    class Looked(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Parameter(torch.zeros(3, dtype=torch.long), requires_grad=False)
            self.linear = torch.nn.Linear(4, 2, dtype=torch.float16)

        def forward(self, x):
            return self.linear(x)

    assert output_shape(Looked(), (3, 4)) == (3, 2)
    assert output_shape(torch.nn.Flatten(), (3, 4, 5)) == (3, 20)
