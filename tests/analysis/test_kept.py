"""Memory for training against what PyTorch really holds on to on real tensors, and against counts by hand."""

import gc

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from striate.analysis import summary
from striate.errors import UsageError
from striate.models import create_model


class Births(TorchDispatchMode):
    """Weak references to the storage of every tensor that an operation returns."""

    def __init__(self) -> None:
        super().__init__()
        self.storages: list[tuple[StorageWeakRef, int]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        result = func(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(tensor, Tensor):
                storage = tensor.untyped_storage()
                self.storages.append((StorageWeakRef(storage), storage.nbytes()))
        return result


def alive_after_forward(model: nn.Module, x: Tensor) -> int:
    """Bytes of all tensors made in a real forward pass in training mode that outlive it, and of the input.

    Parameters and buffers are not counted, nor is the output.
    """
    model.train()
    with Births() as births:
        output = model(x)
    gc.collect()
    own = {tensor.untyped_storage()._cdata for tensor in (*model.parameters(), *model.buffers())}
    own.add(output.untyped_storage()._cdata)
    alive = {ref.cdata: size for ref, size in births.storages if not ref.expired() and ref.cdata not in own}
    return sum(alive.values()) + x.untyped_storage().nbytes()


NETWORKS = {
    "lenet5": lambda: create_model("lenet5", in_channels=3, input_size=64),
    "resnet20_cifar": lambda: create_model("resnet20_cifar"),
    "resnet18": lambda: create_model("resnet18", stem="paper"),
    "mobilenet_v2": lambda: create_model("mobilenet_v2", stem="paper"),
    "densenet121": torchvision.models.densenet121,
    "vit": lambda: torchvision.models.VisionTransformer(64, 16, 2, 4, 32, 64),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_kept_is_what_lives_on_after_a_real_forward_pass(name: str) -> None:
    model, shape = NETWORKS[name](), (2, 3, 64, 64)
    result = summary(model, shape)
    assert result.kept_bytes == alive_after_forward(model, torch.rand(shape))
    assert result.kept_bytes == sum(row.kept_bytes or 0 for row in result.rows)
    for depth in (0, 1, 2):
        assert sum(row.kept_bytes or 0 for row in result.collapsed(depth)) == result.kept_bytes


def test_real_tensors_and_weightless_ones_keep_the_same() -> None:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(), nn.AdaptiveAvgPool2d(1))
    real, weightless = (summary(model, (4, 3, 16, 16), device=device) for device in ("cpu", "meta"))
    assert [row.kept_bytes for row in real.rows] == [row.kept_bytes for row in weightless.rows]


def test_by_hand_each_storage_counts_at_its_first_keeper() -> None:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(392, 5)
    )
    image, map_, pooled = 4 * 3 * 16 * 16, 4 * 8 * 14 * 14, 4 * 8 * 7 * 7
    rows = summary(model, (3, 16, 16)).rows
    assert [row.kept_bytes for row in rows] == [
        image,  # the convolution's input
        map_ + 2 * 4 * 8,  # its output, and the batch's statistics
        map_,  # the activation's output, which the pooling keeps too
        2 * pooled,  # where the largest values were: eight bytes each
        0,
        pooled,  # the pooling's output, as the dense layer's input
    ]


def test_in_place_activations_keep_less_and_frozen_layers_nothing() -> None:
    def network(inplace: bool) -> nn.Module:
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace), nn.Conv2d(8, 8, 3))

    plain, saving = (summary(network(inplace), (3, 16, 16)) for inplace in (False, True))
    assert plain.kept_bytes == saving.kept_bytes  # the norm's output is not kept, in place or not
    assert plain.activation_bytes - saving.activation_bytes == 4 * 8 * 14 * 14
    frozen = network(False).requires_grad_(False)
    frozen[3].requires_grad_(True)
    assert [row.kept_bytes for row in summary(frozen, (3, 16, 16)).rows] == [0, 0, 0, 4 * 8 * 14 * 14]
    assert summary(frozen, (3, 16, 16)).gradient_bytes == 4 * 8 * 73


class Trained(nn.Module):
    """Functional operations and a branch that run in training only, and a layer that runs in evaluation only."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.extra, self.sharpen = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        x = F.dropout(self.conv(x), training=self.training)
        return x + self.extra(x).mean() if self.training else self.sharpen(x)


def test_what_only_training_does_is_in_the_table() -> None:
    result = summary(Trained(), (2, 3, 8, 8))
    rows = {row.name: row for row in result.rows}
    map_ = 4 * 2 * 4 * 36
    assert rows["conv"].kept_bytes == 4 * 2 * 3 * 64
    assert rows["extra"].kept_bytes == map_  # its input
    assert rows["extra"].output_shape is None
    assert rows["(training)"].kept_bytes == map_  # dropout's mask
    assert rows["sharpen"].kept_bytes == 0
    assert result.kept_bytes == sum(row.kept_bytes or 0 for row in result.rows)
    assert result.kept_bytes == alive_after_forward(Trained(), torch.rand(2, 3, 8, 8))


def test_batch_norm_on_one_value_per_channel_is_measured_on_two_images() -> None:
    model = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4))
    assert [row.kept_bytes for row in summary(model, (3, 8, 8)).rows] == [0, 4 * 3, 4 * (4 + 4)]


class OnlyEvaluates(nn.Conv2d):
    def forward(self, x: Tensor) -> Tensor:
        assert not self.training, "no training here"
        return super().forward(x)


def test_a_network_that_cannot_train_still_has_its_other_figures() -> None:
    result = summary(OnlyEvaluates(3, 4, 3), (3, 8, 8))
    assert result.kept_bytes is None
    assert result.training_bytes() is None
    assert result.multiply_adds == 36 * 4 * 27
    assert "fails in training mode" in str(result)
    assert result.to_dict()["kept_bytes"] is None


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("sgd", lambda parameters: torch.optim.SGD(parameters, 0.1)),
        ("momentum", lambda parameters: torch.optim.SGD(parameters, 0.1, momentum=0.9)),
        ("adam", lambda parameters: torch.optim.Adam(parameters, 0.1)),
    ],
)
def test_state_of_the_optimizer_is_what_torchs_optimizers_hold(name: str, make) -> None:  # type: ignore[no-untyped-def]
    model = create_model("lenet5")
    model.freeze("stem")
    result = summary(model, (1, 28, 28))
    optimizer = make([parameter for parameter in model.parameters() if parameter.requires_grad])
    model(torch.rand(2, 1, 28, 28)).sum().backward()
    optimizer.step()
    held = [value for state in optimizer.state.values() for value in state.values()]
    bytes_held = sum(value.numel() * 4 for value in held if isinstance(value, Tensor) and value.dim())
    assert result.optimizer_bytes(name) == bytes_held
    assert result.gradient_bytes == sum(p.grad.numel() * 4 for p in model.parameters() if p.grad is not None)
    kept = result.kept_bytes or 0
    assert result.training_bytes(name) == result.parameter_bytes + result.gradient_bytes + bytes_held + kept


def test_unknown_optimizers_are_named() -> None:
    with pytest.raises(UsageError, match="'adam'"):
        summary(nn.Linear(2, 2), (2,)).optimizer_bytes("adamm")


class Joined(nn.Module):
    """Two images normed to one value each, or a vector besides."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.first = nn.BatchNorm2d(2), nn.Conv2d(2, 2, 1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return self.norm(self.first(F.adaptive_avg_pool2d(x, 1))) * y.sum()


#: Shapes of the two, and the bytes kept: the convolution's input, the norm's with the batch's four statistics, the sum.
PAIRS = {
    "two each": ((2, 2, 4, 4), (2, 3), 16 + 16 + 16 + 4),
    "one each, measured on two": ((1, 2, 4, 4), (1, 3), (16 + 16 + 16 + 4) // 2),
    "a vector without a batch": ((1, 2, 4, 4), (3,), None),
    "one value without a batch": ((1, 2, 4, 4), (1,), None),
    "a number": ((1, 2, 4, 4), (), None),
    "one and two": ((1, 2, 4, 4), (2, 3), None),
}


@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("name", PAIRS)
def test_a_batch_of_one_is_doubled_where_all_inputs_are_one(name: str, device: str) -> None:
    first, second, expected = PAIRS[name]
    result = summary(Joined(), inputs=[torch.rand(first), torch.rand(second)], device=device)
    assert result.kept_bytes == expected
    assert result.input_shapes == (first, second)


def test_what_is_kept_twice_or_held_anyway_counts_once() -> None:
    class Shares(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 1)
            self.register_buffer("scale", torch.rand(2, 4, 4))

        def forward(self, x: Tensor) -> Tensor:
            y = torch.tanh(self.conv(x))
            return (y[:, :1] * y) * self.scale + torch.sigmoid(y.flatten(1)).view(y.shape)

    image, map_ = 4 * 16, 4 * 2 * 16
    result = summary(Shares(), (1, 4, 4))
    assert [row.kept_bytes for row in result.rows] == [image, 2 * map_]  # of tanh and of the sigmoid


def test_a_backward_pass_from_within_fails_in_words_and_only_the_figure_is_missing() -> None:
    class Penalised(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            y = super().forward(x)
            if self.training:
                torch.autograd.grad(y.square().sum(), self.weight)
            return y

    result = summary(Penalised(3, 4, 3), (3, 8, 8), device="cpu")
    assert (result.kept_bytes, result.multiply_adds) == (None, 36 * 4 * 27)
