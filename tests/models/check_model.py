"""The battery: what every network of the catalogue must do. Each `check_*` takes a name and asserts a thing.

Shapes and structure are checked on weightless tensors, arithmetic on real ones of small size. Shapes alone are those
of evaluation: weightless batch norms that train take twice as long as all else.
"""

import copy
import functools
import json
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor

from striate.errors import UsageError
from striate.models import ConvNet, InputError, ModelSpec, create_model, get_card
from striate.models.vit import VisionTransformer

META = torch.device("meta")

#: Where their last maps are of one pixel, the shifted half of a reduction sees nothing but padding.
SHIFTED = ("nasnet_mobile", "nasnet_large")
#: Every block without normalisation doubles the variance at first weights: three hundred of them leave float32.
OVERFLOWING = ("resnet1001_v2_cifar",)


def side(name: str) -> int:
    """A small size of image that the network takes as `weightless` and `real` build it."""
    return max(17, get_card(name).min_size)


def weightless(name: str, **arguments: object) -> ConvNet:
    """Without weights; a network with dense layers on its map is built for small images unless said."""
    with META:
        return create_model(name, **{**_size(name), **arguments})  # type: ignore[arg-type]


def as_on_card(name: str) -> ConvNet:
    with META:
        return create_model(name)


def _size(name: str) -> dict[str, int]:
    return {"input_size": side(name)} if get_card(name).fixed_size else {}


@functools.lru_cache(maxsize=1)
def _built(name: str) -> ConvNet:
    torch.manual_seed(0)
    model = create_model(name, num_classes=3, **_size(name))
    if name in OVERFLOWING:
        settle(model, torch.randn(8, model.in_channels, side(name), side(name)))
    return model


def settle(model: ConvNet, x: Tensor) -> None:
    """Give every batch norm the statistics of `x`, as training would."""
    norms = [layer for layer in model.modules() if isinstance(layer, torch.nn.BatchNorm2d)]
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 1.0
    with torch.no_grad():
        model(x)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum


def real(name: str) -> ConvNet:
    """A network of three classes with weights; a copy, to do with as one likes."""
    return copy.deepcopy(_built(name))


def images(
    model: ConvNet, name: str, count: int = 2, device: torch.device | None = None, size: int | None = None
) -> Tensor:
    size = size or side(name)
    return torch.randn(count, model.in_channels, size, size, device=device)


def check_parameters_are_the_cards(name: str) -> None:
    model = as_on_card(name)
    assert sum(p.numel() for p in model.parameters()) == get_card(name).parameters


def check_shape_at_the_cards_size(name: str) -> None:
    card = get_card(name)
    model = as_on_card(name).eval()
    x = torch.empty(2, card.in_channels, card.input_size, card.input_size, device=META)
    logits, maps = model.forward_maps(x)
    assert logits.shape == (2, card.num_classes)
    assert list(maps) == list(model.parts())[1:]
    assert all(y.dim() == 4 for y in maps.values())
    assert model.embed(x).shape == (2, model.num_features)


def check_any_classes_and_channels(name: str) -> None:
    for channels, classes in ((1, 2), (5, 7)):
        model = weightless(name, in_channels=channels, num_classes=classes).eval()
        assert (model.in_channels, model.num_classes) == (channels, classes)
        assert model(images(model, name, device=META)).shape == (2, classes)


def check_wrong_channels_are_named(name: str) -> None:
    model = weightless(name)
    channels = model.in_channels + 1
    with pytest.raises(InputError, match=rf"{model.in_channels} input channels? and got {channels}"):
        model(torch.empty(1, channels, side(name), side(name), device=META))


def check_smallest_size(name: str) -> None:
    """It works at the card's smallest size and would fail one pixel below, either way; the error names the size."""
    card = get_card(name)
    stems = ("paper", "small") if card.small_min_size is not None else ("paper",)
    has_stem = "stem" in spec(name)
    for stem in stems:
        smallest = card.smallest(stem)
        arguments = {"stem": stem} if has_stem else {}
        model = weightless(name, input_size=smallest, **arguments).eval()
        assert model.min_size == smallest
        assert model(torch.empty(2, model.in_channels, smallest, smallest, device=META)).shape[0] == 2
        for height, width in ((smallest - 1, smallest), (smallest, smallest - 1)):
            x = torch.empty(2, model.in_channels, height, width, device=META)
            with pytest.raises(InputError, match=f"{smallest}x{smallest}"):
                model(x)
            with pytest.raises(RuntimeError):
                model.head(model.features_of(model.stages(model.stem(x))))
        if smallest > 1:
            for sides in (smallest - 1, (smallest - 1, 2 * smallest), (2 * smallest, smallest - 1)):
                with pytest.raises(InputError, match=f"{smallest}x{smallest}"):
                    create_model(name, input_size=sides, **arguments)


def check_any_larger_size(name: str) -> None:
    """Networks without dense layers on the map take any size; the others say which one they want."""
    model = weightless(name).eval()
    larger = torch.empty(2, model.in_channels, side(name) + 8, side(name) + 5, device=META)
    if get_card(name).fixed_size:
        with pytest.raises(InputError, match="input_size"):
            model(larger)
        model = weightless(name, input_size=(side(name) + 8, side(name) + 5)).eval()
    assert model(larger).shape == (2, model.num_classes)


def check_backward_reaches_every_parameter(name: str) -> None:
    model = real(name)
    x = images(model, name, 4, size=2 * side(name) if name in SHIFTED else None)
    model(x).square().sum().backward()
    still = [key for key, p in model.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not still


def check_eval_is_deterministic_and_composes(name: str) -> None:
    model = real(name).eval()
    x = images(model, name)
    with torch.no_grad():
        logits = model(x)
        assert torch.isfinite(logits).all()
        assert torch.equal(logits, model(x))
        features = model.features(x)
        assert torch.equal(logits, model.head(features))
        embedding = model.embed(x)
    assert embedding.shape == (2, model.num_features)
    both, auxiliary = model(x, auxiliary=True)
    assert torch.equal(both, logits)
    assert set(auxiliary) == set(model.auxiliary)


def check_forward_maps(name: str) -> None:
    """One pass gives the logits of `forward` and the maps on the way to them as stages hand them on, in both modes."""
    model = real(name)
    x = images(model, name)
    if isinstance(model.head.classifier, torch.nn.Conv2d):  # then a rectifier, which lets nothing through at first
        torch.nn.init.constant_(model.head.classifier.bias, 10.0)  # type: ignore[arg-type]
    for training in (True, False):
        model.train(training)
        torch.manual_seed(1)
        with torch.no_grad():
            wanted = model(x)
        torch.manual_seed(1)
        with stages_watched(model) as handed:
            logits, maps = model.forward_maps(x)
        assert torch.isfinite(logits).all()
        assert torch.equal(logits, wanted)
        assert list(maps) == [key for key, _ in handed] == list(model.parts())[1:]  # once each
        for y, (_, (given, before)) in zip(maps.values(), handed, strict=True):
            assert torch.equal(y, map_by_hand(model, before)), "a later layer has overwritten it"
            assert y.untyped_storage().data_ptr() == map_by_hand(model, given).untyped_storage().data_ptr(), "copied"
    with torch.no_grad():
        also = model.feature_maps(x)
    assert list(also) == list(maps)
    for key, y in maps.items():
        assert y.requires_grad
        assert not also[key].requires_grad
        assert also[key].equal(y)
    for number in {len(maps) // 2, len(maps) - 1}:
        gradient = gradient_by_map(model, logits, list(maps.values())[number], handed[number][1][1], number)
        # the head of a transformer reads the class token, which stands on no map
        assert gradient.any() or (number == len(maps) - 1 and isinstance(model, VisionTransformer))


def gradient_by_map(model: ConvNet, logits: Tensor, y: Tensor, handed: Any, number: int) -> Tensor:
    """Derivative of a logit by the map of stage `number`, against the rest of the network run on that map alone."""
    alone = y.detach().requires_grad_()
    rest = joined_by_hand(handed, alone)
    for stage in list(model.stages)[number + 1 :]:
        rest = stage(rest)
    rest = model.head(rest[0] if isinstance(rest, tuple) else rest)
    assert rest.equal(logits)
    (wanted,) = torch.autograd.grad(rest[:, 0].sum(), alone)
    (found,) = torch.autograd.grad(logits[:, 0].sum(), y, retain_graph=True)
    torch.testing.assert_close(found, wanted)
    return found


@contextmanager
def stages_watched(model: ConvNet) -> Iterator[list[tuple[str, tuple[Any, Any]]]]:
    """What each stage hands on in the order in which they run: as it is, and a copy of that moment."""
    handed: list[tuple[str, tuple[Any, Any]]] = []

    def note(key: str, y: Any) -> None:
        copied = tuple(part.detach().clone() for part in y) if isinstance(y, tuple) else y.detach().clone()
        handed.append((key, (y, copied)))

    hooks = [
        stage.register_forward_hook(lambda _, __, y, key=key: note(key, y))  # type: ignore[misc]
        for key, stage in model.stages.named_children()
    ]
    try:
        yield handed
    finally:
        for hook in hooks:
            hook.remove()


def map_by_hand(model: ConvNet, y: Any) -> Tensor:
    """The map in a map, in a pair of maps, and in tokens of which the first is the class token."""
    y = y[0] if isinstance(y, tuple) else y
    return y[:, 1:].mT.unflatten(2, model.grid) if isinstance(model, VisionTransformer) else y


def joined_by_hand(y: Any, patches: Tensor) -> Any:
    """`y` with its map replaced."""
    if isinstance(y, tuple):
        return patches, y[1]
    return patches if y.dim() == 4 else torch.cat([y[:, :1], patches.flatten(2).mT], 1)


def check_state_dict_round_trip(name: str) -> None:
    first, second = real(name).eval(), weightless(name, num_classes=3).eval()
    second.load_state_dict(first.state_dict(), assign=True)
    x = images(first, name)
    with torch.no_grad():
        assert torch.equal(first(x), second(x))


def spec(name: str) -> dict[str, object]:
    return dict(as_on_card(name).spec.arguments)


def check_spec_round_trip(name: str) -> None:
    for arguments in ({}, {"num_classes": 4, "in_channels": 2, "input_size": [side(name) + 23, side(name) + 47]}):
        model = weightless(name, **arguments)
        record = ModelSpec.from_dict(json.loads(json.dumps(model.spec.to_dict())))
        assert record.name == name
        again = weightless(record.name, **record.arguments)
        assert again.spec == model.spec
        assert str(again) == str(model)
        model.reset_head(9)
        assert weightless(model.spec.name, **model.spec.arguments).num_classes == 9


def check_head_is_replaced(name: str) -> None:
    model = weightless(name)
    before = dict(model.named_parameters())
    model.reset_head(6)
    assert model.num_classes == 6
    assert model(images(model, name, device=META)).shape == (2, 6)
    after = dict(model.named_parameters())
    assert list(after) == list(before)
    changed = {key for key in after if after[key] is not before[key]}
    heads = ["head.classifier.", *(f"auxiliary.{stage}.classifier." for stage in model.auxiliary)]
    assert changed == {key for key in after if key.startswith(tuple(heads))}


def check_hidden_layers_are_put_into_the_head(name: str) -> None:
    """Every head that ends in a dense layer takes them, and the others say what they end in."""
    model = weightless(name)
    last = model.head.get_submodule("classifier")
    before = dict(model.named_parameters())
    if not isinstance(last, torch.nn.Linear):
        with pytest.raises(UsageError, match=f"{name} classifies by a layer of the kind {type(last).__name__}"):
            model.reset_head(6, hidden=(5, 4))
        return
    again = weightless(name, hidden=(5, 4), num_classes=6)
    assert str(model.reset_head(6, hidden=(5, 4))) == str(again)
    assert (again.num_classes, again.num_features) == (6, 4)
    assert again.eval()(images(again, name, device=META)).shape == (2, 6)
    assert again.embed(images(again, name, device=META)).shape == (2, 4)
    assert str(weightless(name, **again.spec.arguments)) == str(again)
    kept = {key for key, parameter in model.named_parameters() if before.get(key) is parameter}
    new = {key for key in dict(model.named_parameters()) if key not in kept and key.startswith("head.")}
    assert new == {
        f"head.{layer}.{kind}" for layer in ("dense1", "dense2", "classifier") for kind in ("weight", "bias")
    }
    assert {key for key in before if not key.startswith(("head.", "auxiliary."))} <= kept


def check_freezing(name: str) -> None:
    """Frozen parameters get no gradient and frozen batch norms keep their statistics, after train() too."""
    model = real(name)
    parts = model.parts()
    for weight, part in model.part_of_weights().items():
        assert weight.startswith(
            ("head.", "auxiliary.") if not part else "stem." if part == "stem" else f"stages.{part}."
        )
    middle = list(parts)[len(parts) // 2]
    for until in ("all", middle):
        model.freeze(until)
        model.train()
        frozen = list(parts) if until == "all" else list(parts)[: list(parts).index(middle) + 1]
        assert model.frozen == tuple(frozen)
        before = copy.deepcopy(model.state_dict())
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
        model(images(model, name, 4)).square().sum().backward()
        optimizer.step()
        for part, module in parts.items():
            prefix = "stem." if part == "stem" else f"stages.{part}."
            changed = [k for k, v in model.state_dict().items() if k.startswith(prefix) and not v.equal(before[k])]
            trainable = [p for p in module.parameters() if p.requires_grad]
            if part in frozen:
                assert not changed
                assert not trainable
            else:
                assert len(trainable) == len(list(module.parameters()))
                statistics = {k for k, _ in model.named_buffers() if k.startswith(prefix)}
                assert statistics <= set(changed)
        assert all(p.requires_grad for p in model.head.parameters())
        model.zero_grad()
    model.unfreeze().train()
    assert all(p.requires_grad for p in model.parameters())
    assert all(module.training for module in model.modules())


def check_looking_inside(name: str) -> None:
    """Every module runs once a pass and none works in place, so full backward hooks hold on all of them."""
    model = weightless(name)
    calls: Counter[str] = Counter()
    backward: Counter[str] = Counter()
    for key, module in model.named_modules():
        assert not getattr(module, "inplace", False), key
        module.register_forward_hook(lambda *_, key=key: calls.update([key]))
        module.register_full_backward_hook(lambda *_, key=key: backward.update([key]))
    x = images(model, name, device=META).requires_grad_()
    with warnings.catch_warnings():
        # a stage that takes a pair of maps has no input of its own that requires a gradient
        warnings.filterwarnings("ignore", "Full backward hook is firing")
        model(x).sum().backward()
    leaves = {key for key, module in model.named_modules() if not list(module.children())}
    assert set(calls.values()) == {1}
    assert leaves - {"auxiliary"} <= set(calls)
    assert set(backward.values()) == {1}
    assert leaves - {"auxiliary"} <= set(backward)


def check_forward_leaves_its_input_alone(name: str) -> None:
    model = weightless(name)
    x = images(model, name, device=META)
    version = x._version
    model(x)
    assert x._version == version


CHECKS = [check for key, check in sorted(globals().items()) if key.startswith("check_")]
