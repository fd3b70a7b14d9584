"""Logits and maps of one pass: in graphs, frozen, fully convolutional, with auxiliary heads; tokens and pairs by hand.

The battery (`check_forward_maps`) holds every network of the catalogue to the contract itself.
"""

import warnings
import weakref

import pytest
import torch
from torch import nn

from striate.models import ConvNet, InputError, create_model, nasnet, vit

#: Stages that hand on maps, tokens and pairs.
KINDS = ("striate_s", "vit_ti_16", "nasnet_cifar")


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    """A NASNet of one cell between reductions, of 4 channels in the first; a transformer of three blocks."""
    monkeypatch.setitem(nasnet.ROWS, "nasnet_cifar", (1, 96, 8, 32, False))
    monkeypatch.setitem(vit.SIZES, "ti", (3, 24, 48, 3))


def built(name, **arguments):
    torch.manual_seed(0)
    size = 16 if name == "vit_ti_16" else None
    return create_model(name, num_classes=3, **{"input_size": size, **arguments}).eval()


def image(model, count=2):
    side = model.fixed_size[0] if model.fixed_size else 32
    return torch.randn(count, model.in_channels, side, side)


class Maps(nn.Module):
    """`forward_maps` as a module's forward, which is what torch exports."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model.forward_maps(x)


def slow_but_for(*names):
    """Torch takes long to make a graph, and longest of a cell."""
    return [pytest.param(name, marks=[] if name in names else [pytest.mark.slow]) for name in KINDS]


def assert_same(found, wanted):
    assert torch.equal(found[0], wanted[0])
    assert list(found[1]) == list(wanted[1])
    assert all(torch.equal(found[1][key], y) for key, y in wanted[1].items())


@pytest.mark.parametrize("name", slow_but_for("vit_ti_16"))
def test_a_compiled_pass_gives_the_same(name):
    model = built(name)
    x = image(model)
    with torch.no_grad():
        compiled = torch.compile(model.forward_maps, backend="eager", fullgraph=True)
        assert_same(compiled(x), model.forward_maps(x))


@pytest.mark.parametrize("name", slow_but_for("striate_s", "vit_ti_16"))
def test_traced_and_exported_passes_give_the_same_and_the_same_gradient(name):
    model = built(name)
    x = image(model)
    logits, maps = model.forward_maps(x)
    key = list(maps)[-2]
    (wanted,) = torch.autograd.grad(logits[:, 0].sum(), maps[key])
    assert wanted.any()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what forward does too
        traced = torch.jit.trace(Maps(model), x, strict=False)
    exported = torch.export.export(Maps(model), (x,), strict=False).module()
    for graph in (traced, exported):
        found = graph(x)
        assert_same(found, (logits, maps))
        (gradient,) = torch.autograd.grad(found[0][:, 0].sum(), found[1][key])
        torch.testing.assert_close(gradient, wanted)


@pytest.mark.parametrize("name", KINDS)
def test_inference_mode_and_weightless_tensors(name):
    model = built(name)
    x = image(model)
    with torch.inference_mode():
        logits, maps = model.forward_maps(x)
        assert torch.equal(logits, model(x))
    assert all(y.is_inference() for y in maps.values())
    found, shapes = model.to("meta").forward_maps(x.to("meta"))
    assert found.is_meta
    assert {key: y.shape for key, y in shapes.items()} == {key: y.shape for key, y in maps.items()}


@pytest.mark.parametrize("name", KINDS)
def test_a_frozen_network_has_gradients_by_its_maps_where_the_images_ask(name):
    model = built(name)
    x = image(model)
    _, maps = model.freeze(list(model.parts())[1]).forward_maps(x)
    assert [y.requires_grad for y in maps.values()] == [False] + [True] * (len(maps) - 1)
    _, maps = model.freeze().forward_maps(x)
    assert not any(y.requires_grad for y in maps.values())
    logits, maps = model.forward_maps(x.requires_grad_())
    gradients = torch.autograd.grad(logits[:, 0].sum(), list(maps.values()))
    assert all(gradient.any() for gradient in gradients[:-1])


@pytest.mark.parametrize("form", ["average", "map"])
def test_fully_convolutional_forms(form):
    model = built("lenet5").to_fully_convolutional(form)
    x = torch.randn(2, 1, 48, 36)
    logits, maps = model.forward_maps(x)
    assert torch.equal(logits, model(x))
    assert logits.shape == ((2, 3) if form == "average" else (2, 3, 6, 3))
    assert_same((logits, model.feature_maps(x)), (logits, maps))
    (found,) = torch.autograd.grad(logits.sum(), maps["stage1"])
    assert found.any()


def test_auxiliary_heads_read_the_maps():
    model = built("nasnet_cifar", auxiliary=True)
    x = image(model)
    logits, maps = model.forward_maps(x)
    both, auxiliary = model(x, auxiliary=True)
    assert torch.equal(both, logits)
    assert list(auxiliary) == ["cell2"]
    assert torch.equal(auxiliary["cell2"], model.auxiliary["cell2"](maps["cell2"]))
    assert torch.autograd.grad(model.auxiliary["cell2"](maps["cell2"]).sum(), maps["cell0"])[0].any()


def test_tokens_by_hand():
    """Without a gradient blocks get the tokens of the block before; with one, the same numbers by way of the map."""
    model = built("vit_ti_16", input_size=(12, 16))
    x = torch.randn(2, 3, 12, 16)
    assert model.grid == (3, 4)
    given, handed = [], []
    for block in model.stages:
        block.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
        block.register_forward_hook(lambda _, __, y: handed.append(y))
    with torch.no_grad():
        model.forward_maps(x)
        assert all(after is before for after, before in zip(given[1:], handed, strict=False))
        given.clear()
        handed.clear()
    logits, maps = model.forward_maps(x)
    tokens = torch.autograd.grad(logits[:, 1].sum(), handed[1], retain_graph=True)[0]  # by way of class token and map
    (gradient,) = torch.autograd.grad(logits[:, 1].sum(), maps["block1"], retain_graph=True)
    for row in range(3):
        for column in range(4):
            assert torch.equal(maps["block1"][:, :, row, column], handed[1][:, 1 + 4 * row + column])
            assert torch.equal(gradient[:, :, row, column], tokens[:, 1 + 4 * row + column])
    assert torch.equal(given[2], handed[1])
    (last,) = torch.autograd.grad(logits[:, 1].sum(), maps["block2"])
    assert not last.any()  # the classifier reads the class token alone


def test_a_map_of_a_pair_counts_with_all_that_later_cells_take_of_it():
    """The cell after next sees a cell's output too, so what is left of the network must be run from there."""
    model = built("nasnet_cifar")
    first, second, third, *rest = model.stages
    x = image(model)
    logits, maps = model.forward_maps(x)
    assert list(maps) == ["cell0", "reduction1", "cell2", "reduction2", "cell3"]
    before = model.stem(x)
    alone = first(before)[0].detach().requires_grad_()
    y = third((second((alone, before))[0], alone))
    for cell in rest:
        y = cell(y)
    (wanted,) = torch.autograd.grad(model.head(y[0])[0, 2], alone)
    torch.testing.assert_close(torch.autograd.grad(logits[0, 2], maps["cell0"])[0], wanted)


@pytest.mark.parametrize(("name", "read"), [("vit_ti_16", 1), ("nasnet_cifar", 2)])
def test_a_plain_pass_keeps_no_map_that_is_done_with(name, read):
    """When the last stage begins, only what it reads of the stages before is left."""
    model = built(name)
    maps, alive = [], []
    *before, last = model.stages
    for stage in before:
        stage.register_forward_hook(lambda _, __, y: maps.append(weakref.ref(y[0] if isinstance(y, tuple) else y)))
    last.register_forward_pre_hook(lambda *_: alive.extend(y() is not None for y in maps))
    with torch.no_grad():
        model(image(model))
    assert alive == [False] * (len(before) - read) + [True] * read


def test_a_layer_that_is_two_stages_has_two_maps():
    shared = nn.Conv2d(4, 4, 1)
    head = {"pool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "classifier": nn.Linear(4, 2)}
    model = ConvNet(nn.Conv2d(3, 4, 1), {"a": shared, "b": shared}, head, in_channels=3)
    x = torch.randn(1, 3, 5, 5)
    logits, maps = model.forward_maps(x)
    assert torch.equal(logits, model(x))
    assert list(maps) == ["a", "b"]
    assert torch.equal(maps["b"], shared(maps["a"]))


def test_images_that_do_not_fit_are_refused():
    for run in (built("lenet5").forward_maps, built("vit_ti_16").forward_maps):
        with pytest.raises(InputError, match=r"channels? and got 2"):
            run(torch.zeros(1, 2, 28, 28))
