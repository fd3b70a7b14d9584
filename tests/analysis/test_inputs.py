"""What a network is run on: one input or a batch, of any number of axes, several, named, nested."""

from collections import UserDict
from dataclasses import dataclass
from types import MappingProxyType, SimpleNamespace
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from striate.analysis import summary
from striate.analysis.inputs import Inputs, Shape, as_shapes, first_layer, from_shapes, from_values, own_shape
from striate.errors import UsageError
from striate.layers import LocallyConnected1d
from striate.models import create_model


def shapes(model: nn.Module, shape) -> tuple[tuple[int, ...], ...]:
    return summary(model, shape).input_shapes


ECG = nn.Sequential(nn.Conv1d(2, 8, 5), nn.BatchNorm1d(8), nn.AdaptiveAvgPool1d(1), nn.Flatten(1), nn.Linear(8, 2))
IMAGES = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
VOLUMES = nn.Sequential(nn.Conv3d(3, 8, 3), nn.MaxPool3d(2))
TOKENS = nn.Sequential(nn.Embedding(50, 8), nn.LSTM(8, 4, batch_first=True))

ONE_OR_BATCH = {
    "a signal": (ECG, (2, 100), (1, 2, 100)),
    "signals": (ECG, (1, 2, 100), (1, 2, 100)),
    "several signals": (ECG, (3, 2, 100), (3, 2, 100)),
    "an image": (IMAGES, (3, 8, 9), (1, 3, 8, 9)),
    "images": (IMAGES, (2, 3, 8, 9), (2, 3, 8, 9)),
    "a volume": (VOLUMES, (3, 8, 9, 10), (1, 3, 8, 9, 10)),
    "volumes": (VOLUMES, (2, 3, 8, 9, 10), (2, 3, 8, 9, 10)),
    "tokens": (TOKENS, (12,), (1, 12)),
    "batch of tokens": (TOKENS, (3, 12), (3, 12)),
    "a sequence": (nn.LSTM(8, 4, batch_first=True), (12, 8), (1, 12, 8)),
    "sequences": (nn.LSTM(8, 4, batch_first=True), (5, 12, 8), (5, 12, 8)),
    "a vector": (nn.Linear(8, 4), (8,), (1, 8)),
    "vectors": (nn.Linear(8, 4), (5, 8), (5, 8)),
    "a vector that becomes an image": (
        nn.Sequential(nn.Linear(8, 12), nn.Unflatten(1, (3, 2, 2)), nn.ConvTranspose2d(3, 1, 2)),
        (8,),
        (1, 8),
    ),
    "an image for no layer that tells": (nn.Flatten(), (3, 4, 5), (1, 3, 4, 5)),
    "lazy layers": (nn.Sequential(nn.LazyConv1d(4, 3), nn.ReLU()), (2, 10), (1, 2, 10)),
    "a norm before": (nn.Sequential(nn.BatchNorm1d(2), nn.Conv1d(2, 4, 3)), (2, 10), (1, 2, 10)),
    "a padding before": (nn.Sequential(nn.ConstantPad1d(1, 0.0), nn.Linear(12, 2)), (2, 10), (1, 2, 10)),
    "a layer of ours": (LocallyConnected1d(2, 4, 10, 3), (2, 10), (1, 2, 10)),
    "patches": (nn.Sequential(nn.Unfold(2), nn.Flatten()), (3, 4, 4), (1, 3, 4, 4)),
}


@pytest.mark.parametrize("name", ONE_OR_BATCH)
def test_a_batch_of_one_is_put_before_a_single_input_and_no_other(name: str) -> None:
    model, given, expected = ONE_OR_BATCH[name]
    assert shapes(model, given) == (expected,)


def test_a_scripted_network_says_what_it_takes_too() -> None:
    assert shapes(torch.jit.script(ECG.eval()), (2, 100)) == ((1, 2, 100),)


def test_signals_have_fields_along_their_one_axis_with_and_without_a_batch() -> None:
    layers = nn.Sequential(nn.Conv1d(2, 4, 5, 2), nn.MaxPool1d(2), nn.Conv1d(4, 4, 3))
    batched = summary(layers, (2, 100))
    assert [row.receptive_field for row in batched.rows] == [(5,), (7,), (15,)]
    assert batched.rows[-1].stride == (4,)
    alone = summary(layers, inputs=torch.zeros(2, 100))
    assert [row.receptive_field for row in alone.rows] == [(5,), (7,), (15,)]
    assert "15 places" in str(batched)
    assert summary(nn.Conv2d(3, 4, (3, 5)), inputs=torch.zeros(3, 20, 30)).receptive_field == (3, 5)


class Text(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding, self.conv = nn.Embedding(50, 8), nn.Conv1d(8, 6, 3)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.conv(self.embedding(tokens).transpose(1, 2))


def test_tokens_are_whole_numbers_and_followed_along_their_axis() -> None:
    result = summary(Text(), (12,))
    assert result.receptive_field == (3,)
    assert [row.receptive_field for row in result.rows[:1]] == [(1,)]


class Two(nn.Module):
    """An image and a vector, and what has a default."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.dense = nn.Conv2d(3, 4, 3), nn.Linear(5, 4)

    def forward(self, image: Tensor, extra: Tensor | None = None, *, scale: float = 1.0) -> Tensor:
        y = self.conv(image)
        return (y if extra is None else y + self.dense(extra)[:, :, None, None]) * scale


BOTH = 36 * 4 * 27 + 20


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_a_mapping_of_the_parameters_of_forward_gives_arguments_by_name(device: str) -> None:
    inputs = {"extra": torch.rand(1, 5), "image": torch.rand(1, 3, 8, 8), "scale": 2.0}
    result = summary(Two(), inputs=inputs, device=device)
    assert result.multiply_adds == BOTH
    assert result.input_shapes == ((1, 5), (1, 3, 8, 8))
    assert result.receptive_field == (3, 3)
    assert result.kept_bytes == summary(Two(), inputs=[inputs["image"], inputs["extra"]], device=device).kept_bytes


class Batch(nn.Module):
    """One dictionary as its argument, nested."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, batch: dict) -> dict:
        images, (boxes, names) = batch["images"], batch["targets"]
        return {"maps": [self.conv(image) for image in images], "boxes": boxes * len(names)}


@pytest.mark.parametrize("device", ["meta", "cpu"])
def test_another_mapping_is_the_one_argument_itself(device: str) -> None:
    images = [torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)]
    given = {"images": images, "targets": (torch.rand(2, 4), ["cat"])}
    for inputs in (given, (given,)):
        result = summary(Batch(), inputs=inputs, device=device)
        assert result.multiply_adds == 2 * 36 * 4 * 27
        assert result.input_shapes == ((1, 3, 8, 8), (1, 3, 8, 8), (2, 4))
        assert result.root.output_shape == (1, 4, 6, 6)


def test_several_shapes_and_named_ones() -> None:
    assert summary(Two(), [(3, 8, 8), (5,)]).multiply_adds == BOTH
    named = summary(Two(), {"extra": (5,), "image": (3, 8, 8)})
    assert named.input_shapes == ((1, 5), (1, 3, 8, 8))
    assert summary(Two(), [(2, 3, 8, 8), (2, 5)]).multiply_adds == 2 * BOTH  # the first decides for all
    assert summary(Two(), [(3, 8, 8)]).multiply_adds == BOTH - 20


@pytest.mark.parametrize("shape", [(3, 0, 10), (), (3, 2.5, 10), (True, 3, 3), [(3, 8, 8), (0,)]])
def test_shapes_are_positive_whole_numbers(shape) -> None:
    with pytest.raises(UsageError, match="positive whole numbers"):
        summary(Two(), shape)


def test_a_network_of_the_catalogue_knows_its_name_and_its_input() -> None:
    result = summary(create_model("lenet5"))
    assert (result.name, result.input_shapes) == ("lenet5", ((1, 1, 28, 28),))
    assert str(result).startswith("lenet5 on 1×1×28×28")
    assert (result.root.name, result.root.type, result.to_dict()["name"]) == ("lenet5", "ConvNet", "lenet5")
    with torch.device("meta"):
        other = summary(create_model("ResNet-18", in_channels=4, input_size=(64, 96), num_classes=3))
    assert (other.name, other.input_shapes) == ("resnet18", ((1, 4, 64, 96),))


def test_other_modules_have_their_class_for_a_name() -> None:
    assert summary(Two(), (3, 8, 8)).name == "Two"
    assert summary(torch.jit.script(Text()), (12,)).name == "Text"


def test_a_network_of_timms_kind_knows_its_input() -> None:
    model = nn.Conv2d(3, 4, 3)
    model.default_cfg = {"input_size": (3, 20, 24)}  # type: ignore[assignment]
    assert summary(model).input_shapes == ((1, 3, 20, 24),)


def test_a_shape_for_an_unknown_type_of_values_is_the_parameters() -> None:
    half = summary(nn.Conv2d(3, 4, 3).half(), (3, 8, 8))
    assert half.activation_bytes == 2 * 4 * 36


@dataclass(frozen=True)
class Pictures:
    """Two images, and what is no tensor."""

    image: Tensor
    mask: Tensor
    name: str = "cat"


class Pair(NamedTuple):
    image: Tensor
    mask: Tensor


class Masked(nn.Module):
    """An image and its mask in one thing."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3)

    def forward(self, given) -> Tensor:
        image, mask = (given["image"], given["mask"]) if hasattr(given, "keys") else (given.image, given.mask)
        return self.conv(torch.cat([image, mask], 1))


HOLDERS = {
    "dataclass": Pictures,
    "named tuple": Pair,
    "dictionary of its own": lambda image, mask: UserDict(image=image, mask=mask, name="cat"),
    "mapping that cannot be written": lambda image, mask: MappingProxyType({"image": image, "mask": mask}),
}


@pytest.mark.parametrize("given_on", ["meta", "cpu"])
@pytest.mark.parametrize("device", ["meta", "cpu"])
@pytest.mark.parametrize("name", HOLDERS)
def test_inputs_within_anything_that_holds_tensors_are_seen_and_moved(name: str, device: str, given_on: str) -> None:
    given = HOLDERS[name](torch.zeros(1, 3, 8, 8, device=given_on), torch.zeros(1, 1, 8, 8, device=given_on))
    result = summary(Masked(), inputs=(given,), device=device)
    assert result.input_shapes == ((1, 3, 8, 8), (1, 1, 8, 8))
    assert (result.receptive_field, result.multiply_adds) == ((3, 3), 36 * 4 * 36)
    assert result.kept_bytes == 4 * 4 * 64
    image = given["image"] if hasattr(given, "keys") else given.image
    assert str(image.device) == given_on  # what was given is not written to


def test_an_embedding_of_positions_before_other_layers_does_not_make_tokens() -> None:
    positions = nn.Sequential(nn.Conv3d(2, 3, 3))
    positions.add_module("positions", nn.Embedding(9, 4))
    volumes = nn.ModuleList([nn.Embedding(9, 4), nn.Conv3d(2, 3, 3)])
    given = from_shapes(volumes, Shape((2, 5, 6, 7)))
    assert [(tuple(x.shape), x.dtype) for x in given.tensors] == [((1, 2, 5, 6, 7), torch.float32)]
    assert given.first_axis == 2
    assert from_values(volumes, torch.rand(2, 5, 6, 7)).first_axis == 1
    assert from_values(volumes, torch.zeros(3, 5, dtype=torch.long)).first_axis == 1
    assert from_values(positions, torch.rand(1, 2, 5, 6, 7)).first_axis == 2


FIRST = {
    "signals": (nn.Sequential(nn.ReLU(), nn.Conv1d(2, 3, 3)), ("1", "Conv1d", 2, False)),
    "images": (nn.Sequential(nn.Sequential(nn.BatchNorm2d(3))), ("0.0", "BatchNorm2d", 3, False)),
    "volumes": (nn.Sequential(nn.AvgPool3d(2), nn.Conv2d(2, 3, 3)), ("0", "AvgPool3d", 4, False)),
    "vectors or signals": (nn.Sequential(nn.BatchNorm1d(2), nn.LazyBatchNorm1d()), None),
    "patches": (nn.Unfold(2), ("", "Unfold", 3, False)),
    "steps": (nn.GRU(3, 4), ("", "GRU", 2, False)),
    "plain steps": (nn.RNN(3, 4), ("", "RNN", 2, False)),
    "attention": (nn.MultiheadAttention(4, 2), ("", "MultiheadAttention", 2, False)),
    "transformer": (nn.TransformerEncoderLayer(4, 2, 8), ("", "TransformerEncoderLayer", 2, False)),
    "transformers": (
        nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 1, enable_nested_tensor=False),
        ("", "TransformerEncoder", 2, False),
    ),
    "long steps": (nn.LSTM(3, 4), ("", "LSTM", 2, False)),
    "tokens": (nn.Sequential(nn.Embedding(9, 4), nn.LSTM(4, 2)), ("0", "Embedding", 1, True)),
    "bags of tokens": (nn.EmbeddingBag(9, 4), ("", "EmbeddingBag", 1, True)),
    "ours": (LocallyConnected1d(2, 4, 10, 3), ("", "LocallyConnected1d", 2, False)),
    "nothing": (nn.Linear(2, 3), None),
}


@pytest.mark.parametrize("name", FIRST)
def test_the_first_layer_that_is_bound_to_axes_tells(name: str) -> None:
    model, expected = FIRST[name]
    found = first_layer(model)
    assert (None if found is None else (found.name, found.type, found.rank, found.tokens)) == expected
    without = first_layer(model, with_tokens=False)
    if expected is None or not expected[3]:
        assert without == found
    else:
        assert (None if without is None else without.type) == {"tokens": "LSTM"}.get(name)


def having(**attributes: object) -> nn.Module:
    model = nn.Identity()
    for name, value in attributes.items():
        setattr(model, name, value)
    return model


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, None),
        ({"input_shape": [3, 8, 9]}, (3, 8, 9)),
        ({"input_shape": (1, 2), "in_channels": 3, "input_size": 8}, (1, 2)),
        ({"in_channels": 3, "input_size": 8}, (3, 8, 8)),
        ({"in_channels": 3, "input_size": (8, 9)}, (3, 8, 9)),
        ({"in_channels": 3}, None),
        ({"input_size": 8}, None),
        ({"card": SimpleNamespace(in_channels=1, input_size=28)}, (1, 28, 28)),
        ({"card": SimpleNamespace(in_channels=1, input_size=28), "in_channels": 4}, (4, 28, 28)),
        ({"card": SimpleNamespace(in_channels=1, input_size=28), "input_size": (5, 6)}, (1, 5, 6)),
        ({"default_cfg": {"input_size": (3, 20, 24)}}, (3, 20, 24)),
        ({"default_cfg": {}}, None),
        ({"default_cfg": 3}, None),
        ({"default_cfg": {"input_size": (3, 20, 24)}, "in_channels": 1, "input_size": 7}, (1, 7, 7)),
    ],
)
def test_what_a_network_says_of_its_input(attributes: dict[str, object], expected: tuple[int, ...] | None) -> None:
    assert own_shape(having(**attributes)) == expected


def test_arguments_have_tensors_a_rank_and_axes() -> None:
    small, large, other = torch.zeros(2), torch.zeros(1, 3, 8, 9), torch.zeros(1, 3, 5, 6)
    inputs = Inputs((small, [large]), {"other": other, "number": 3})
    assert [x.shape for x in inputs.tensors] == [small.shape, large.shape, other.shape]
    assert (inputs.rank, inputs.extents) == (4, (8, 9))
    assert Inputs((large,), {}, 1).extents == (3, 8, 9)
    assert (Inputs((3,)).rank, Inputs((3,)).extents, Inputs((3,)).kwargs) == (0, (), {})
    twice = Inputs((small, [large]), {"other": other, "number": 3}, 1).each(lambda x: x + 1)
    assert (twice.first_axis, twice.kwargs["number"], float(twice.kwargs["other"].sum())) == (1, 3, other.numel())
    assert float(twice.args[1][0].sum()) == large.numel()


def test_plain_numbers_become_one_shape_several_or_named_ones() -> None:
    assert as_shapes([3, 8, 9]) == Shape((3, 8, 9))
    assert as_shapes([[3, 8], (5,)]) == [Shape((3, 8)), Shape((5,))]
    assert as_shapes({"b": [3, 8], "a": (5,)}) == {"b": Shape((3, 8)), "a": Shape((5,))}
    assert as_shapes(()) == Shape(())


def test_values_have_the_type_that_is_asked_for_else_the_networks() -> None:
    double = nn.Linear(3, 2).double()
    for shapes in (Shape((3,)), [Shape((3,))], {"x": Shape((3,))}):
        assert [x.dtype for x in from_shapes(double, shapes).tensors] == [torch.double]
    assert from_shapes(double, Shape((3,), torch.int32)).tensors[0].dtype is torch.int32
    assert from_shapes(nn.ReLU(), Shape((3,))).tensors[0].dtype is torch.get_default_dtype()
    tokens = from_shapes(nn.Embedding(9, 4).double(), {"x": Shape((5,)), "y": Shape((6,), torch.float16)})
    assert [x.dtype for x in tokens.tensors] == [torch.int64, torch.float16]
    assert (tokens.args, list(tokens.kwargs), tokens.first_axis) == ((), ["x", "y"], 1)
    assert all(x.is_meta for x in tokens.tensors)


class Takes(nn.Module):
    def forward(self, x, /, image, *rest, scale=1, **others):
        return image


class Fixed(nn.Module):
    def forward(self, x, /, image, *rest, scale=1):
        return image


@pytest.mark.parametrize(
    ("model", "names", "by_name"),
    [
        (Fixed(), ["image"], True),
        (Fixed(), ["image", "scale"], True),
        (Fixed(), ["x", "image"], False),
        (Fixed(), ["rest"], False),
        (Fixed(), ["image", "another"], False),
        (Takes(), ["image", "another"], True),
        (Takes(), ["image", 3], False),
    ],
)
def test_a_mapping_is_by_name_where_all_its_names_can_be_given(model: nn.Module, names: list, by_name: bool) -> None:
    given = {name: torch.zeros(1) for name in names}
    inputs = from_values(model, given)
    assert (inputs.kwargs, inputs.args) == ((given, ()) if by_name else ({}, (given,)))


@pytest.mark.parametrize("error", [TypeError, ValueError])
def test_where_nothing_says_what_forward_takes_a_mapping_is_the_one_argument(error: type[Exception]) -> None:
    class Untold:
        def __call__(self, x):
            return x

        @property
        def __signature__(self):
            raise error

    model = nn.Identity()
    model.forward = Untold()  # type: ignore[method-assign]
    given = {"image": torch.zeros(1)}
    assert from_values(model, given).args == (given,)
