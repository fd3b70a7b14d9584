"""Gradient norms by layer against hand-computed gradients and autograd."""

import csv
import io
import math

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from striate.analysis.gradient_plot import plot_gradients
from striate.analysis.gradient_tables import aligned, as_csv, markdown, text
from striate.analysis.gradients import Gradients, LayerGradient, gradient_norms, with_activation, without_norms
from striate.errors import StriateError, UsageError
from striate.models import create_model


def batch(channels=3, size=32, classes=10, count=4):
    torch.manual_seed(0)
    return torch.randn(count, channels, size, size), torch.randint(classes, (count,))


def test_a_dense_layer_by_hand():
    """Softmax minus one-hot, times the input."""
    model = nn.Sequential(nn.Linear(2, 2, bias=False))
    with torch.no_grad():
        model[0].weight.zero_()
    found = gradient_norms(model, torch.tensor([[3.0, 4.0]]), torch.tensor([0]))
    assert found.loss == pytest.approx(0.6931, abs=1e-4)
    (layer,) = found.layers
    # the gradient is (-1/2, 1/2) times (3, 4)
    assert layer.gradient_norm == pytest.approx((0.5 * 25) ** 0.5)
    assert layer.gradient_rms == pytest.approx((0.5 * 25 / 4) ** 0.5)
    assert (layer.name, layer.type, layer.weights, layer.weight_norm) == ("0", "Linear", 4, 0)
    assert found.first_to_last == 1


def test_weights_that_two_layers_share_count_once():
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    second.weight = first.weight
    found = gradient_norms(nn.Sequential(first, nn.ReLU(), second), torch.randn(2, 3), torch.tensor([0, 1]))
    assert [layer.name for layer in found.layers] == ["0"]


def test_a_network_is_autograds():
    model = create_model("resnet20_cifar").double()
    images, labels = batch()
    found = gradient_norms(model, images.double(), labels)
    assert all(parameter.grad is None for parameter in model.parameters())
    model.train()
    loss = F.cross_entropy(model(images.double()), labels)
    weights = {name: p for name, p in model.named_parameters() if p.dim() > 1}
    gradients = torch.autograd.grad(loss, list(weights.values()))
    assert found.loss == pytest.approx(loss.item())
    assert [f"{layer.name}.weight" for layer in found.layers] == list(weights)
    for layer, gradient, weight in zip(found.layers, gradients, weights.values(), strict=True):
        assert layer.gradient_norm == pytest.approx(gradient.norm().item())
        assert layer.weight_norm == pytest.approx(weight.norm().item())


def test_the_model_and_the_random_state_are_left_alone():
    model = create_model("resnet20_cifar").eval()
    for parameter in model.stem.parameters():
        parameter.requires_grad_(False)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    found = gradient_norms(nn.Sequential(model, nn.Dropout(0.5)), *batch())
    assert found == gradient_norms(nn.Sequential(model, nn.Dropout(0.5)), *batch())
    assert found.layers[0].name == "0.stem.conv"  # frozen layers too
    assert not model.training
    assert not next(model.stem.parameters()).requires_grad
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    small = nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(4, 2))
    state = torch.get_rng_state()
    gradient_norms(small, torch.zeros(2, 1, 2, 2), torch.zeros(2).long())
    assert torch.equal(torch.get_rng_state(), state)


def test_auxiliary_heads_bring_their_loss_and_reach_inner_layers():
    model = torchvision.models.googlenet(weights=None, num_classes=10, init_weights=False, aux_logits=True)
    images, labels = batch(size=64, count=2)
    torch.manual_seed(0)
    plain, helped = (gradient_norms(model, images, labels, auxiliary=used) for used in (False, True))
    assert helped.loss > plain.loss * 1.3
    names = [layer.name for layer in plain.layers]
    assert not [name for name in names if name.startswith("aux")]
    assert {layer.name for layer in helped.layers} - set(names) == {
        f"aux{number}.{part}" for number in (1, 2) for part in ("conv.conv", "fc1", "fc2")
    }
    with pytest.raises(UsageError, match="no auxiliary heads"):
        gradient_norms(create_model("resnet20_cifar"), *batch(), auxiliary=True)


def test_our_auxiliary_heads_too():
    model = create_model("googlenet", auxiliary=True, num_classes=10)
    images, labels = batch(size=112, count=2)
    plain, helped = (gradient_norms(model, images, labels, auxiliary=used) for used in (False, True))
    assert helped.loss == pytest.approx(plain.loss * 1.6, rel=0.2)  # two heads at 0.3
    assert len(helped.layers) > len(plain.layers)


@pytest.mark.parametrize("norm", [True, False])
def test_sigmoids_without_shortcuts_lose_the_gradient(norm):
    """Plain with sigmoid against residual with ReLU, at the first layer as a share of the last."""

    def share(name, activation):
        torch.manual_seed(0)
        model = create_model(name, activation=activation)
        return gradient_norms(model if norm else without_norms(model), *batch()).first_to_last

    plain, residual = share("plain20_cifar", "sigmoid"), share("resnet20_cifar", "relu")
    assert plain < residual / (20 if norm else 1e6)


def test_norms_and_activations_are_exchanged_on_a_copy():
    model = create_model("resnet20_cifar")
    bare = without_norms(model)
    assert not [layer for layer in bare.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert [layer for layer in model.modules() if isinstance(layer, nn.BatchNorm2d)]
    images, _ = batch()
    conv = dict(bare.named_modules())["stages.stage1.0.residual.conv1"]
    assert bare(images).shape == model(images).shape
    assert torch.equal(conv.weight, model.state_dict()["stages.stage1.0.residual.conv1.weight"])
    smooth = with_activation(model, nn.Tanh)
    kinds = [type(layer) for layer in smooth.modules()]
    assert kinds.count(nn.Tanh) == sum(isinstance(layer, nn.ReLU) for layer in model.modules()) > 0
    assert not any(issubclass(kind, nn.ReLU) for kind in kinds)
    for exchange in (without_norms, lambda module: with_activation(module, nn.Tanh)):
        with pytest.raises(UsageError, match=r"has no .* to exchange"):
            exchange(nn.Sequential(nn.Linear(2, 2)))


def test_one_output_is_judged_by_binary_cross_entropy():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    images, labels = torch.randn(3, 1, 2, 2), torch.tensor([0, 1, 1])
    expected = F.binary_cross_entropy_with_logits(model(images)[:, 0], labels.float())
    assert gradient_norms(model, images, labels).loss == pytest.approx(expected.item())


def test_vanished_gradients_are_still_told():
    """Squares of 1e-30 are zero in float32."""
    model = nn.Sequential(nn.Linear(1, 2, bias=False))
    found = gradient_norms(model, torch.full((1, 1), 1e-30), torch.tensor([0]))
    assert 0 < found.layers[0].gradient_norm < 1e-29


def test_networks_that_cannot_run_or_learn():
    with pytest.raises(StriateError, match=r"Linear cannot be trained on images \(4, 3, 32, 32\)"):
        gradient_norms(nn.Linear(7, 2), *batch())
    with pytest.raises(StriateError, match="cannot be trained"):
        gradient_norms(nn.Flatten(), torch.zeros(2, 1, 1, 2), torch.tensor([0, 1]))


def run(label, **norms):
    return Gradients(label, 1.5, tuple(LayerGradient(name, "Linear", 4, 1.0, norm) for name, norm in norms.items()))


def test_layers_of_different_networks_are_aligned():
    runs = [run("plain", a=8.0, b=4.0, d=2.0), run("residual", a=1.0, b=1.0, c=1.0, d=2.0)]
    names, layers = zip(*aligned(runs), strict=True)
    assert names == ("a", "b", "c", "d")
    assert list(layers[2]) == [None, runs[1].layers[2]]
    lines = [line.split() for line in text(runs).splitlines()]
    assert ["a", "4.00e+00", "5.00e-01"] in lines
    assert ["c", "5.00e-01"] in lines
    assert ["first", "/", "last", "4.00e+00", "5.00e-01"] in lines
    assert "| a | 4.00e+00 | 5.00e-01 |" in markdown(runs)
    rows = list(csv.DictReader(io.StringIO(as_csv(runs))))
    assert len(rows) == 7
    assert (rows[0]["network"], rows[0]["layer"], float(rows[0]["gradient_rms"])) == ("plain", "a", 4.0)


def test_many_long_names_become_numbers():
    runs = [run(f"a network with a rather long name, variant {number}", a=1.0) for number in range(5)]
    table = text(runs)
    assert max(map(len, table.splitlines())) <= 132
    assert "(5) a network with a rather long name, variant 4" in table


def test_picture(tmp_path):
    path = plot_gradients([run("plain", a=8.0, b=0.0), run("residual", a=1.0)], tmp_path / "norms.svg")
    assert "plain" in path.read_text()
    with pytest.raises(UsageError, match=r"norms\.txt"):
        plot_gradients([run("plain", a=8.0)], tmp_path / "norms.txt")


def test_a_network_that_gives_maps_is_no_classifier():
    with pytest.raises(StriateError, match=r"it gives \(4, 2, 30, 30\), and a classifier logits"):
        gradient_norms(nn.Conv2d(3, 2, 3), *batch())


@pytest.mark.parametrize(
    "norm",
    [
        nn.BatchNorm1d(2),
        nn.BatchNorm2d(2),
        nn.BatchNorm3d(2),
        nn.SyncBatchNorm(2),
        nn.InstanceNorm2d(2),
        nn.GroupNorm(1, 2),
        nn.LayerNorm(2),
    ],
    ids=str,
)
def test_every_kind_of_norm_is_left_out(norm):
    bare = without_norms(nn.Sequential(nn.Linear(2, 2), nn.Sequential(norm, nn.Sigmoid())))
    assert [type(layer) for layer in bare[1]] == [nn.Identity, nn.Sigmoid]


@pytest.mark.parametrize("kind", [nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.GELU, nn.SiLU, nn.Hardswish])
def test_every_rectifier_is_exchanged_and_gates_are_not(kind):
    other = with_activation(nn.Sequential(kind(), nn.Sequential(nn.Sigmoid(), nn.Tanh(), kind())), nn.Softplus)
    kinds = [type(layer) for layer in other.modules() if not isinstance(layer, nn.Sequential)]
    assert kinds == [nn.Softplus, nn.Sigmoid, nn.Tanh, nn.Softplus]
    assert other[0] is not other[1][2]


def test_plain_values_and_what_has_vanished_in_the_last_layer():
    found = run("plain", first=8.0, last=2.0)
    assert found.to_dict() == {
        "network": "plain",
        "loss": 1.5,
        "first_to_last": 4.0,
        "layers": [
            {
                "name": name,
                "type": "Linear",
                "weights": 4,
                "weight_norm": 1.0,
                "gradient_norm": norm,
                "gradient_rms": norm / 2,
            }
            for name, norm in (("first", 8.0), ("last", 2.0))
        ],
    }
    assert math.isnan(run("plain", first=8.0, last=0.0).first_to_last)


def test_a_network_is_called_by_its_label_or_its_name():
    model, given = nn.Sequential(nn.Linear(2, 3)), (torch.rand(2, 2), torch.tensor([0, 2]))
    assert gradient_norms(model, *given).label == "Sequential"
    assert gradient_norms(model, *given, label="mine").label == "mine"
    with pytest.raises(StriateError, match=r"^mine cannot be trained on images \(2, 4\): "):
        gradient_norms(model, torch.rand(2, 4), given[1], label="mine")


def test_dropout_falls_by_the_seed():
    model, given = nn.Sequential(nn.Dropout(), nn.Linear(40, 3)), (torch.rand(2, 40), torch.tensor([0, 2]))
    first, again, other = (gradient_norms(model, *given, seed=seed) for seed in (0, 0, 1))
    assert first == again == gradient_norms(model, *given)
    assert first != other


class Heads(nn.Module):
    """Gives its logits with two others', and something else."""

    def __init__(self):
        super().__init__()
        self.main, self.first, self.second = nn.Linear(2, 3), nn.Linear(2, 3), nn.Linear(2, 3)

    def forward(self, x):
        return self.main(x), self.first(x), None, self.second(x)


def test_other_heads_count_three_tenths_of_their_loss_where_they_are_asked_for():
    model, x, labels = Heads(), torch.rand(4, 2), torch.tensor([0, 2, 1, 1])
    losses = [F.cross_entropy(head(x), labels) for head in (model.main, model.first, model.second)]
    plain, all_ = (gradient_norms(model, x, labels, auxiliary=wanted) for wanted in (False, True))
    assert plain.loss == pytest.approx(losses[0].item())
    assert all_.loss == pytest.approx((losses[0] + 0.3 * (losses[1] + losses[2])).item())
    assert [layer.name for layer in plain.layers] == ["main"]
    assert [layer.name for layer in all_.layers] == ["main", "first", "second"]


def test_gradients_of_an_earlier_step_do_not_count():
    model, given = nn.Sequential(nn.Linear(2, 3)), (torch.rand(4, 2), torch.tensor([0, 2, 1, 1]))
    fresh = gradient_norms(model, *given)
    model(given[0]).sum().backward()
    before = model[0].weight.grad.clone()
    assert gradient_norms(model, *given) == fresh
    assert torch.equal(model[0].weight.grad, before)


def test_a_compiled_network_is_measured_as_it_was_written():
    class Compiled(nn.Module):
        """As `torch.compile` wraps a network."""

        def __init__(self, model):
            super().__init__()
            self._orig_mod = model

        def forward(self, x):
            raise AssertionError("it is not to be compiled for this")

    model, given = nn.Sequential(nn.Linear(2, 3)), (torch.rand(4, 2), torch.tensor([0, 2, 1, 1]))
    assert gradient_norms(Compiled(model), *given) == gradient_norms(model, *given)
