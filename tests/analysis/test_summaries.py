"""Costs of networks against published figures, torch's own counter and counts by hand."""

import gc
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from striate.analysis import summary
from striate.errors import StriateError, UsageError
from striate.models import create_model


def torchvision_network(name: str) -> nn.Module:
    options = {"init_weights": False} if name in ("inception_v3", "googlenet") else {}
    with torch.device("meta"):
        return getattr(torchvision.models, name)(**options)


def test_alexnet_table_of_the_lectures() -> None:
    result = summary(torchvision_network("alexnet"), (3, 227, 227))
    maps = [row for row in result.rows if row.type in ("Conv2d", "MaxPool2d")]
    assert [round(row.activation_bytes / 1024) for row in maps] == [784, 182, 547, 127, 254, 169, 169, 36]
    weighted = [row for row in result.rows if row.parameters]
    assert [round(row.parameters / 1000, 1) for row in weighted] == [
        23.3, 307.4, 663.9, 885.0, 590.1, 37752.8, 16781.3, 4097.0
    ]  # fmt: skip
    fourth = next(row for row in result.rows if row.name == "features.8")
    assert fourth.multiply_adds == 13 * 13 * 256 * 384 * 9  # 149.5 M
    assert result.parameters == 61_100_840
    assert result.multiply_adds == 716_767_232
    assert result.parameter_bytes == 4 * 61_100_840


@pytest.mark.parametrize(
    ("name", "size", "parameters", "giga"),
    [
        ("vgg16", 224, 138_357_544, 15.47),
        ("resnet50", 224, 25_557_032, 4.09),
        ("mobilenet_v2", 224, 3_504_872, 0.30),
        ("efficientnet_b0", 224, 5_288_548, 0.39),
        ("inception_v3", 299, 27_161_264, 5.71),
    ],
)
def test_published_parameters_and_multiply_adds(name: str, size: int, parameters: int, giga: float) -> None:
    result = summary(torchvision_network(name), (3, size, size))
    assert result.parameters == parameters
    assert result.multiply_adds / 1e9 == pytest.approx(giga, abs=0.006)
    assert sum(row.parameters for row in result.rows) == parameters


def test_vision_transformer_by_hand_with_the_products_of_its_attention() -> None:
    result = summary(torchvision_network("vit_b_16"), (3, 224, 224))
    tokens, width = 197, 768
    layer = tokens * width * (3 * width + width + 2 * 4 * width) + 2 * 12 * tokens * tokens * 64
    assert result.multiply_adds == 196 * width * 3 * 16 * 16 + 12 * layer + width * 1000
    assert result.parameters == 86_567_656
    assert sum(row.parameters for row in result.rows) == 86_567_656


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("resnet18", 224),
        ("mobilenet_v2", 224),
        ("vgg16", 224),
        ("vit_b_16", 224),
        ("densenet121", 224),
        ("googlenet", 224),
        ("inception_v3", 299),
        ("swin_t", 224),
    ],
)
def test_multiply_adds_are_half_of_torchs_flops(name: str, size: int) -> None:
    model = torchvision_network(name)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval()(torch.empty(2, 3, size, size, device="meta"))
    assert 2 * summary(model, (2, 3, size, size)).multiply_adds == counter.get_total_flops()


def test_transposed_grouped_and_dilated_convolutions_by_hand() -> None:
    model = nn.Sequential(
        nn.Conv2d(6, 12, 3, stride=2, groups=3, dilation=2, bias=False),  # 6x11x11 -> 12x4x4
        nn.ConvTranspose2d(12, 4, 3, stride=2, groups=2, bias=False),  # -> 4x9x9
    )
    first, second = summary(model, (6, 11, 11)).rows
    assert first.output_shape == (1, 12, 4, 4)
    assert first.multiply_adds == 12 * 4 * 4 * 2 * 9
    assert second.output_shape == (1, 4, 9, 9)
    assert second.multiply_adds == 12 * 4 * 4 * 2 * 9


class Functional(nn.Module):
    """Weights used by hand, an einsum, a layer used twice and one never used."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(4, 3, 3, 3))
        self.dense = nn.Linear(4, 4, bias=False)
        self.borrowed = nn.Linear(4, 6)
        self.idle = nn.Linear(7, 7)
        self.unused = nn.Parameter(torch.zeros(11))
        self.dense.weight.requires_grad = False

    def forward(self, x: Tensor) -> Tensor:
        x = F.conv2d(x, self.kernel, padding=1).mean((2, 3))
        x = self.dense(self.dense(x))
        x = F.linear(x, self.borrowed.weight, self.borrowed.bias)
        return torch.einsum("bi,bj->ij", x, x)


def test_functional_calls_shared_layers_and_idle_parts_are_all_in_the_table() -> None:
    result = summary(Functional(), (2, 3, 8, 8))
    rows = {row.name: row for row in result.rows}
    assert result.multiply_adds == 2 * 64 * 4 * 27 + 2 * (2 * 16) + 2 * 24 + 2 * 36
    calls = [row for row in result.rows if row.name == "dense"]
    assert [row.parameters for row in calls] == [16, 0]
    assert [row.reused for row in calls] == [False, True]
    assert [row.multiply_adds for row in calls] == [32, 32]
    assert rows["idle"].output_shape is None
    assert rows["(parameters)"].parameters == 11
    assert result.parameters == 108 + 16 + 30 + 56 + 11
    assert sum(row.parameters for row in result.rows) == result.parameters
    assert result.trainable_parameters == result.parameters - 16


def test_views_and_in_place_operations_take_no_memory() -> None:
    rows = summary(nn.Sequential(nn.ReLU(), nn.ReLU(inplace=True), nn.Flatten()), (3, 4, 4)).rows
    assert [row.activation_bytes for row in rows] == [4 * 48, 0, 0]


def test_costs_are_those_of_the_batch() -> None:
    one, four = (summary(nn.Conv2d(3, 2, 3), (n, 3, 9, 9)) for n in (1, 4))
    assert four.multiply_adds == 4 * one.multiply_adds
    assert four.activation_bytes == 4 * one.activation_bytes == 4 * 4 * 2 * 49


def test_half_precision_halves_the_bytes() -> None:
    full, half = summary(nn.Conv2d(3, 2, 3), (3, 9, 9)), summary(nn.Conv2d(3, 2, 3).half(), (3, 9, 9))
    assert 2 * half.activation_bytes == full.activation_bytes
    assert 2 * half.parameter_bytes == full.parameter_bytes


def test_a_table_can_be_cut_at_any_depth_without_losing_costs() -> None:
    result = summary(torchvision_network("resnet18"), (3, 224, 224), depth=1)
    rows = result.collapsed(1)
    assert [row.name for row in rows if row.type == "Sequential"] == ["layer1", "layer2", "layer3", "layer4"]
    for depth in (0, 1, 2, None):
        assert sum(row.multiply_adds for row in result.collapsed(depth)) == result.multiply_adds
        assert sum(row.parameters for row in result.collapsed(depth)) == result.parameters
    assert "layer1.0" not in str(result)


class Restless(nn.Module):
    """Changes itself, draws random numbers and keeps what it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)
        self.norm = nn.BatchNorm2d(3)
        self.constant = torch.ones(3, 1, 1)  # neither parameter nor buffer
        self.register_buffer("calls", torch.zeros(()))
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.seen.append(x)
        if random.random() < 2:
            x = x + torch.rand(1)
        return self.norm(self.conv(x)) * self.constant


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_the_users_model_is_left_alone(device: str) -> None:
    model = Restless().train()
    captured: list[Tensor] = []
    model.conv.register_forward_hook(lambda module, inputs, output: captured.append(output))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch_state, python_state = torch.get_rng_state(), random.getstate()
    hooks = [len(module._forward_hooks) for module in model.modules()]
    summary(model, (3, 8, 8), device=device)
    assert model.training
    assert model.norm.training
    assert not captured
    assert not model.seen
    assert "forward" not in vars(model)
    assert [len(module._forward_hooks) for module in model.modules()] == hooks
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert random.getstate() == python_state


@contextmanager
def largest_real_tensor() -> Iterator[list[int]]:
    largest = [0]

    class Allocations(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
            output = func(*args, **(kwargs or {}))
            if func._schema.returns and func._schema.returns[0].alias_info is not None:
                return output  # a view
            for value in output if isinstance(output, (tuple, list)) else [output]:
                if isinstance(value, Tensor) and not value.is_meta:
                    largest[0] = max(largest[0], value.numel() * value.element_size())
            return output

    with Allocations():
        yield largest


def test_nothing_is_allocated_for_a_real_model() -> None:
    model = nn.Sequential(nn.Linear(2000, 2000), nn.Linear(2000, 2000))
    model.extra = torch.zeros(2000, 2000)  # type: ignore[assignment]
    with largest_real_tensor() as largest:
        summary(model, (2000,))
    assert largest[0] < 1_000_000


def test_resnet152_takes_well_under_a_second() -> None:
    model = torchvision_network("resnet152")
    summary(torchvision_network("resnet18"), (3, 224, 224))
    begun = time.process_time()
    summary(model, (3, 224, 224))
    assert time.process_time() - begun < 2  # about 0.3 s on an idle machine


def test_importing_it_brings_nothing_heavy() -> None:
    code = (
        "import sys, torch; before = set(sys.modules); import striate.analysis; "
        "new = {name.split('.')[0] for name in set(sys.modules) - before}; "
        "assert not new & {'rich', 'matplotlib', 'pandas', 'cv2', 'sklearn', 'torchvision'}, new"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_common_network_is_summed_up_without_symbolic_shapes_whose_import_takes_longer() -> None:
    code = (
        "import sys, torch; from torch import nn; from striate.analysis import summary; "
        "net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), "
        "nn.Dropout(), nn.Linear(36, 2)); "
        "assert summary(net, (3, 8, 8)).multiply_adds; assert 'sympy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Reads(nn.Module):
    def __init__(self, how: str) -> None:
        super().__init__()
        self.conv, self.how = nn.Conv2d(3, 4, 3), how

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.how == "item":
            return x * x.max().item()
        if self.how == "branch":
            return x if x.sum() > 0 else -x
        return torch.from_numpy(np.abs(x.detach().numpy()))


@pytest.mark.parametrize("how", ["item", "branch", "numpy"])
def test_a_network_that_reads_its_values_is_told_the_line_and_the_way_out(how: str) -> None:
    with pytest.raises(StriateError, match=r"test_summaries\.py:\d+, in forward.*device=\"cpu\"") as caught:
        summary(Reads(how), (3, 8, 8))
    assert "\n" not in str(caught.value)
    assert summary(Reads(how), (3, 8, 8), device="cpu").multiply_adds == 36 * 4 * 27


@pytest.mark.parametrize("name", ["resnet18", "vit_b_16", "efficientnet_b0"])
def test_real_tensors_cost_what_weightless_ones_do(name: str) -> None:
    model = torchvision_network(name)
    size = 224 if name == "vit_b_16" else 64
    real, weightless = (summary(model, (3, size, size), device=device) for device in ("cpu", "meta"))
    assert real.multiply_adds == weightless.multiply_adds
    assert real.receptive_field == weightless.receptive_field


def test_wrong_channels_give_the_networks_own_words_in_one_line() -> None:
    with pytest.raises(StriateError, match=r"ResNet fails.*\(1, 4, 64, 64\).*conv1, Conv2d\(3, 64.*hannel") as caught:
        summary(torchvision_network("resnet18"), (4, 64, 64))
    assert "\n" not in str(caught.value)
    assert 'device="cpu"' not in str(caught.value)


def test_input_shape_comes_from_the_model_or_must_be_given() -> None:
    model = nn.Conv2d(3, 2, 3)
    with pytest.raises(UsageError, match="give a shape"):
        summary(model)
    model.input_shape = (3, 10, 10)  # type: ignore[assignment]
    assert summary(model).input_shapes == ((1, 3, 10, 10),)
    for bad in ((3, 0, 10), (), (3, 2.5, 10)):
        with pytest.raises(UsageError, match="positive"):
            summary(model, bad)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"torch\.nn\.Module"):
        summary("resnet50", (3, 4, 4))  # type: ignore[arg-type]


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_recurrent_and_transformer_modules_by_hand(device: str) -> None:
    steps, width, hidden = 5, 8, 6
    x = torch.empty(2, steps, width, device="meta")
    for cell, gates in ((nn.GRU, 3), (nn.LSTM, 4)):
        result = summary(cell(width, hidden, batch_first=True), inputs=x, device=device)
        assert result.multiply_adds == 2 * steps * gates * hidden * (width + hidden)
        assert result.root.output_shape == (2, steps, hidden)
    layer = nn.TransformerEncoderLayer(width, 2, 16, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 3, enable_nested_tensor=False)
    per_layer = 2 * (steps * width * (4 * width + 2 * 16) + 2 * 2 * steps * steps * 4)
    assert summary(encoder, inputs=x, device=device).multiply_adds == 3 * per_layer
    whole = nn.Transformer(width, 2, 1, 1, 16, batch_first=True)
    assert summary(whole, inputs=(x, x), device=device).root.output_shape == (2, steps, width)


def test_integer_inputs_and_embeddings() -> None:
    model = nn.Sequential(nn.Embedding(100, 8), nn.Linear(8, 3))
    result = summary(model, inputs=torch.zeros(2, 7, dtype=torch.long))
    assert result.root.output_shape == (2, 7, 3)
    assert result.multiply_adds == 2 * 7 * 24


def test_lazy_normed_tied_and_inference_mode_modules() -> None:
    lazy = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(2))
    assert summary(lazy, (3, 6, 6)).parameters == 4 * 28 + 2 * 65
    assert isinstance(lazy[0], nn.LazyConv2d)
    normed = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
    assert summary(normed, (3, 6, 6)).multiply_adds == 16 * 4 * 27
    spectral = nn.utils.spectral_norm(nn.Conv2d(3, 4, 3))
    assert summary(spectral, (3, 6, 6)).parameters == 4 * 28
    tied = nn.Sequential(nn.Linear(5, 5, bias=False), nn.Linear(5, 5, bias=False))
    tied[1].weight = tied[0].weight
    result = summary(tied, (5,))
    assert (result.parameters, result.multiply_adds) == (25, 50)

    class Served(nn.Sequential):
        @torch.inference_mode()
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x)

    assert summary(Served(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)), (3, 6, 6)).receptive_field == (5, 5)


def test_outputs_in_dictionaries_and_constants_made_on_the_processor() -> None:
    class Grid(nn.Module):
        def forward(self, x: Tensor) -> dict[str, Tensor]:
            return {"first": x[:, :1] * torch.arange(8.0), "second": x}

    root = summary(Grid(), (3, 8, 8)).root
    assert root.output_shape == (1, 1, 8, 8)
    assert root.receptive_field == (1, 1)


def test_a_model_that_cannot_be_copied_says_so() -> None:
    model = nn.Conv2d(3, 4, 3)
    model.lock = (item for item in [1])  # type: ignore[assignment]
    with pytest.raises(StriateError, match="cannot be copied"):
        summary(model, (3, 8, 8))


def test_parts_that_are_compiled_run_as_they_are_written(monkeypatch) -> None:
    stances: list[str] = []

    @contextmanager
    def set_stance(stance: str) -> Iterator[None]:
        stances.append(stance)
        yield
        stances.append("default")

    class Watching(nn.ReLU):
        def forward(self, x: Tensor) -> Tensor:
            stances.append("runs")
            return super().forward(x)

    monkeypatch.setattr(torch.compiler, "set_stance", set_stance)
    monkeypatch.delitem(sys.modules, "torch._dynamo", raising=False)
    summary(Watching(), (3,))
    assert stances == ["runs", "runs"]
    monkeypatch.setitem(sys.modules, "torch._dynamo", sys)
    stances.clear()
    summary(Watching(), (3,))
    assert stances == ["force_eager", "runs", "runs", "default"]


def test_what_torch_compile_wraps_has_its_own_name_and_layers() -> None:
    wrapper = nn.Sequential(nn.Identity())
    wrapper._orig_mod = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    result = summary(wrapper, (3, 8, 8))
    assert [row.name for row in result.rows] == ["0", "1"]
    assert result.receptive_field == (3, 3)


class Reader(nn.Module):
    """Asks for a value."""

    def forward(self, x: Tensor) -> Tensor:
        return x * float(x.sum())


MENDS = {
    "type": (nn.Embedding(9, 4), torch.zeros(2, 3), "--input 12:int64"),
    "arguments": (nn.Bilinear(3, 4, 5), torch.zeros(2, 3), "--input once for each"),
    "values": (Reader(), torch.zeros(2, 3), "--device cpu"),
}


@pytest.mark.parametrize("name", MENDS)
def test_a_failure_says_what_else_could_be_tried(name: str) -> None:
    model, given, words = MENDS[name]
    with pytest.raises(StriateError) as failure:
        summary(model, inputs=given)
    for mend in ("--input 12:int64", "--input once for each", "--device cpu"):
        assert (mend in str(failure.value)) == (mend == words)


def test_a_failure_names_the_shapes_that_the_layer_was_given_by_place_and_by_name() -> None:
    class Named(nn.Module):
        def forward(self, first: Tensor, *, second: Tensor) -> Tensor:
            return first @ second

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.product = Named()

        def forward(self, x: Tensor) -> Tensor:
            return self.product(x, second=x[:, :2])

    with pytest.raises(StriateError, match=r"layer product, Named\(\), given \(4, 5\), \(4, 2\): "):
        summary(Outer(), inputs=torch.zeros(4, 5))


@pytest.mark.parametrize("depth", [-1, -5])
def test_a_depth_is_none_or_more(depth: int) -> None:
    with pytest.raises(UsageError, match=f"depth is {depth}"):
        summary(nn.ReLU(), (3,), depth=depth)
    whole = summary(nn.ReLU(), (3,))
    for cut in (whole.collapsed, whole.to_csv):
        with pytest.raises(UsageError, match=f"depth is {depth}"):
            cut(depth)
    assert len(summary(nn.Sequential(nn.ReLU()), (3,), depth=0).collapsed(0)) == 1


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_garbage_is_collected_again_afterwards_as_it_was_before(device: str) -> None:
    seen: list[bool] = []

    class Looks(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(gc.isenabled())
            return x * self.fails

    model = Looks()
    model.fails = 1  # type: ignore[assignment]
    assert gc.isenabled()
    summary(model, (3,), device=device)
    model.fails = "so"  # type: ignore[assignment]
    with pytest.raises(StriateError):
        summary(model, (3,), device=device)
    assert seen == [device == "cpu"] * 3
    assert gc.isenabled()
    gc.disable()
    try:
        model.fails = 1  # type: ignore[assignment]
        summary(model, (3,), device=device)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_has_no_weights_is_not_reused() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.rest = nn.Conv2d(1, 1, 3), nn.Sequential(nn.ReLU(), nn.Dropout())

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.rest(self.conv(self.rest(x)))

    result = summary(Twice(), (1, 8, 8), depth=1)
    assert [row.name for row in result.root.children] == ["rest", "conv", "rest"]
    assert [row.name for row in result.rows] == ["rest.0", "rest.1", "conv", "rest.0", "rest.1"]
    assert not any(row.reused for row in (*result.root.children, *result.rows))


def test_a_note_is_added_behind_others_where_there_is_one() -> None:
    result = summary(nn.Tanh(), (3,))
    assert result.noted("") is result
    assert result.noted("one").noted("two").notes == ("one", "two")
    assert result.notes == ()


def test_memory_for_training_is_left_out_where_it_is_not_asked_for():
    network = create_model("mobilenet_v2", num_classes=5)
    whole, less = summary(network), summary(network, training=False)
    assert less.kept_bytes is None
    assert [row.kept_bytes for row in less.rows] == [None] * len(less.rows)
    for costs in ("parameters", "trainable_parameters", "multiply_adds", "activation_bytes"):
        assert getattr(less, costs) == getattr(whole, costs)
    assert "training      not measured; besides gradients" in str(less)
