"""Activations that overwrite: never seen from outside, and equal in value and gradient to those that do not."""

import copy
from collections import OrderedDict

import pytest
import torch
from torch import nn

from striate.layers import Chain, ConvNormAct
from striate.layers import activation as make_activation
from striate.layers.overwriting import activate
from striate.models import create_model


def unit(name: str = "relu") -> Chain:
    torch.manual_seed(0)
    layers = OrderedDict(conv=nn.Conv2d(3, 4, 3), norm=nn.BatchNorm2d(4), act=make_activation(name))
    return Chain(layers).double()


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", ["relu", "relu6", "silu", "gelu"])
def test_values_and_gradients_are_those_of_a_plain_sequence(name, training):
    ours = unit(name).train(training)
    plain = nn.Sequential(*copy.deepcopy(list(ours))).train(training)
    x = torch.randn(2, 3, 6, 6, dtype=torch.double, requires_grad=True)
    y = x.detach().clone().requires_grad_()
    ours(x).square().sum().backward()
    plain(y).square().sum().backward()
    torch.testing.assert_close(x.grad, y.grad)
    for mine, theirs in zip(ours.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad)


def test_gradients_are_right_by_finite_differences():
    chain = unit().eval()
    x = torch.randn(1, 3, 5, 5, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(chain, (x,))


def test_it_overwrites_what_was_made_for_it():
    norm, act = nn.BatchNorm2d(4).eval(), make_activation("relu")
    x = torch.randn(2, 4, 5, 5)
    y = norm(x)
    assert activate(act, y, norm).data_ptr() == y.data_ptr()
    assert activate(act, x).data_ptr() == x.data_ptr()


def test_it_never_overwrites_an_input_or_what_another_kind_of_layer_gave():
    act = make_activation("relu")
    x = torch.randn(2, 4, 5, 5)
    before = x.clone()
    chain = Chain(act)
    chain(x)
    Chain(nn.Identity(), make_activation("relu"))(x)  # an identity hands on the tensor itself
    Chain(nn.Flatten(2), make_activation("relu"))(x)  # a view of it
    assert torch.equal(x, before)


@pytest.mark.parametrize("where", ["norm", "act", "act before", "everywhere", "wrapped"])
def test_whoever_looks_sees_the_norms_output(where):
    """Hooks on either layer, before or behind, on all modules, or a wrapper around forward."""
    chain = unit().eval()
    x = torch.randn(2, 3, 6, 6, dtype=torch.double)
    wanted = chain.norm(chain.conv(x))
    assert (wanted < 0).any()
    seen = []
    handle = None
    if where == "norm":
        chain.norm.register_forward_hook(lambda _, inputs, output: seen.append(output))
    elif where == "act":
        chain.act.register_forward_hook(lambda _, inputs, output: seen.append(inputs[0]))
    elif where == "act before":
        chain.act.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    elif where == "everywhere":
        handle = nn.modules.module.register_module_forward_hook(
            lambda module, inputs, output: seen.append(output) if module is chain.norm else None
        )
    else:
        forward = chain.norm.forward

        def wrapped(value):
            seen.append(forward(value))
            return seen[-1]

        chain.norm.forward = wrapped
    try:
        with torch.no_grad():
            chain(x)
    finally:
        if handle is not None:
            handle.remove()
    assert torch.equal(seen[0], wanted)


def test_full_backward_hooks_hold():
    chain = unit()
    seen = []
    for layer in chain:
        layer.register_full_backward_hook(lambda module, grad_in, grad_out: seen.append(type(module).__name__))
    chain(torch.randn(2, 3, 6, 6, dtype=torch.double)).sum().backward()
    assert len(seen) == 3


@pytest.mark.parametrize("name", ["resnet18", "densenet40_k12_cifar", "mobilenet_v2_0.35", "squeezenet1_1"])
def test_a_networks_answers_do_not_depend_on_being_watched(name):
    torch.manual_seed(0)
    model = create_model(name, num_classes=3).eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        alone = model(x)
        for module in model.modules():
            module.register_forward_hook(lambda *_: None)
        watched = model(x)
    assert torch.equal(alone, watched)


def test_compiled_and_traced_it_is_a_plain_sequence():
    unit_ = ConvNormAct(3, 4).eval()
    x = torch.randn(1, 3, 8, 8)
    exported = torch.export.export(unit_, (x,))
    names = [str(node.target) for node in exported.graph.nodes if node.op == "call_function"]
    assert not any("relu_" in name for name in names)
    torch.testing.assert_close(exported.module()(x), unit_(x))


@pytest.mark.parametrize(("device", "over"), [("cpu", True), ("meta", False)])
def test_weightless_tensors_are_not_overwritten(device, over):
    x = torch.randn(2, 3, device=device)
    assert (activate(make_activation("relu"), x) is x) == over


WATCHING = (
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
)


@pytest.mark.parametrize("layer", ["maker", "act"])
@pytest.mark.parametrize("watching", [*WATCHING, "wrapped"])
def test_nothing_is_overwritten_where_either_layer_is_watched(layer, watching):
    maker, act = nn.Conv2d(2, 2, 1), make_activation("relu")
    watched = {"maker": maker, "act": act}[layer]
    if watching == "wrapped":
        forward = watched.forward
        watched.forward = lambda *values: forward(*values)
    else:
        getattr(watched, watching)(lambda *_: None)
    x = torch.randn(1, 2, 3, 3)
    before = x.clone()
    assert torch.equal(activate(act, x, maker), before.clamp(min=0))
    assert torch.equal(x, before)


@pytest.mark.parametrize("watching", [name.replace("register_", "register_module_") for name in WATCHING])
def test_nothing_is_overwritten_where_all_modules_are_watched(watching):
    maker, act = nn.Conv2d(2, 2, 1), make_activation("relu")
    x = torch.randn(1, 2, 3, 3)
    before = x.clone()
    handle = getattr(nn.modules.module, watching)(lambda *_: None)
    try:
        activate(act, x, maker)
    finally:
        handle.remove()
    assert torch.equal(x, before)
    assert activate(act, x, maker) is x


@pytest.mark.parametrize(
    ("maker", "over"),
    [
        (nn.Conv2d(2, 2, 1), True),
        (nn.BatchNorm2d(2), True),
        (nn.Identity(), False),
        (nn.Flatten(), False),
        (nn.LayerNorm(3), False),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("name", ["relu", "relu6", "silu", "gelu", "elu"])
def test_what_is_overwritten_and_by_whom(name, maker, over):
    act = make_activation(name)
    x = 9 * torch.randn(1, 2, 3, 3)
    wanted = act(x.clone())
    with torch.no_grad():
        y = activate(act, x, maker)
    torch.testing.assert_close(y, wanted)
    assert (y is x) == (over and name in ("relu", "relu6", "silu"))


def test_silus_input_is_kept_for_its_backward_pass():
    x = torch.randn(2, 3)
    assert activate(make_activation("silu"), x) is not x
    with torch.no_grad():
        assert activate(make_activation("silu"), x) is x
