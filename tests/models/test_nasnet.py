"""NASNet against the paper's figures, hand-made cells and TensorFlow's border rules."""

import pytest
import torch
import torch.nn.functional as F

from striate.analysis import summary
from striate.errors import UsageError
from striate.models import create_model
from striate.models.nasnet_cells import ReductionCell, Squeeze

pytestmark = pytest.mark.sampled

UNIT = {"activation": "relu", "norm_eps": 1e-3, "pool_padding": "ignored"}


def weightless(name, **arguments):
    with torch.device("meta"):
        return create_model(name, **arguments)


def maps(model, size):
    return {k: tuple(v.shape[1:]) for k, v in model.feature_maps(torch.empty(2, 3, size, size, device="meta")).items()}


@pytest.mark.parametrize(
    ("name", "size", "multiply_adds", "unit"),
    [("nasnet_mobile", 224, 564, 10**6), ("nasnet_large", 331, 238, 10**8)],
)
def test_multiply_adds_are_the_papers(name, size, multiply_adds, unit):
    assert round(summary(weightless(name), (3, size, size)).multiply_adds / unit) == multiply_adds


def test_cells_widen_and_shrink_as_in_the_paper():
    """Filters double where the size halves (section 3); the last map has the channels after the paper's @."""
    found = maps(weightless("nasnet_mobile"), 224)
    assert found["stem1"] == (44, 56, 56)
    assert found["stem2"] == (88, 28, 28)
    assert [found[f"cell{i}"] for i in range(4)] == [(264, 28, 28)] * 4
    assert found["reduction1"] == (352, 14, 14)
    assert [found[f"cell{i}"] for i in range(5, 9)] == [(528, 14, 14)] * 4
    assert found["reduction2"] == (704, 7, 7)
    assert [found[f"cell{i}"] for i in range(9, 13)] == [(1056, 7, 7)] * 4
    assert len(found) == 16


def test_the_network_for_cifar_keeps_32_pixels():
    found = maps(weightless("nasnet_cifar"), 32)
    assert list(found.values()) == [
        *[(192, 32, 32)] * 6,
        (256, 16, 16),
        *[(384, 16, 16)] * 6,
        (512, 8, 8),
        *[(768, 8, 8)] * 6,
    ]


def test_small_images_are_halved_three_times_rather_than_five():
    paper, small = weightless("nasnet_mobile"), weightless("nasnet_mobile", input_size=32)
    assert maps(small, 32)["cell12"] == (1056, 4, 4)
    assert {k: v.shape for k, v in paper.state_dict().items()} == {k: v.shape for k, v in small.state_dict().items()}


def test_auxiliary_head_sits_before_the_second_reduction():
    """5x5 mean of stride 3 on 14x14 leaves 4x4: 528x128, 4x4x128x768 and a dense layer, with two batch norms."""
    model = weightless("nasnet_mobile", auxiliary=True).eval()
    assert list(model.auxiliary) == ["cell8"]
    counted = sum(p.numel() for p in model.auxiliary.parameters())
    assert counted == 528 * 128 + 2 * 128 + 16 * 128 * 768 + 2 * 768 + 768 * 1000 + 1000
    logits, auxiliary = model(torch.empty(2, 3, 224, 224, device="meta"), auxiliary=True)
    assert logits.shape == auxiliary["cell8"].shape == (2, 1000)
    with pytest.raises(UsageError, match="auxiliary head averages 5x5 pixels of its map, which is 2x2"):
        weightless("nasnet_mobile", auxiliary=True, stem="paper", input_size=32)


@pytest.mark.parametrize(
    ("name", "size", "stem"),
    [("nasnet_cifar", (32, 32), None), ("nasnet_large", (331, 331), None), ("nasnet_mobile", (40, 96), "small")],
)
def test_auxiliary_head_covers_the_whole_map_of_its_size(name, size, stem):
    options = {"stem": stem} if stem else {}
    model = weightless(name, auxiliary=True, num_classes=7, input_size=size, **options).eval()
    logits, auxiliary = model(torch.empty(2, 3, *size, device="meta"), auxiliary=True)
    (found,) = auxiliary.values()
    assert logits.shape == found.shape == (2, 7)


def test_cell_after_a_reduction_looks_past_it_in_the_large_network_only():
    """With `skip` the reduction hands on the second last normal cell's output, else the last one's."""
    for name, cell in (("nasnet_mobile", "cell3"), ("nasnet_large", "cell4")):
        model = weightless(name).eval()
        pair = model.stem(torch.empty(1, 3, 96, 96, device="meta"))
        seen = {}
        for key, stage in model.stages.named_children():
            pair = stage(pair)
            seen[key] = pair[0]
            if key == "reduction1":
                break
        assert pair[1] is seen[cell]


def test_second_half_of_a_split_squeeze_sees_the_odd_pixels():
    squeeze = Squeeze(1, 2, UNIT, stride=2, split=True).eval()
    for conv in squeeze.convs:
        torch.nn.init.ones_(conv.weight)
    squeeze.norm.eps = 0.0
    x = torch.arange(1.0, 26.0).view(1, 1, 5, 5)
    even, odd = squeeze(x)[0]
    assert even.tolist() == [[1, 3, 5], [11, 13, 15], [21, 23, 25]]
    assert odd.tolist() == [[7, 9, 0], [17, 19, 0], [0, 0, 0]]


@pytest.mark.parametrize("size", [6, 7])
@pytest.mark.parametrize(
    ("padding", "beyond", "counted"),
    [("ignored", float("-inf"), False), ("averaged", float("-inf"), True), ("zeros", 0.0, True)],
)
def test_pools_of_a_reduction_treat_the_border_as_said(padding, beyond, counted, size):
    """TensorFlow pads an even side by one pixel at its end, an odd one by one at both ends."""
    cell = ReductionCell(4, None, 4, {**UNIT, "pool_padding": padding}, 2, False)
    x = -torch.rand(2, 4, size, size) - 1
    before = size % 2
    around = (before, 1, before, 1)
    assert torch.equal(cell.largest(x), F.max_pool2d(F.pad(x, around, value=beyond), 3, 2))
    total = F.avg_pool2d(F.pad(x, around), 3, 2) * 9
    pixels = F.avg_pool2d(F.pad(torch.ones_like(x), around), 3, 2) * 9
    wanted = total / 9 if counted else total / pixels
    torch.testing.assert_close(cell.left3(x), wanted)


def test_unknown_border_is_a_usage_error():
    with pytest.raises(UsageError, match=r"pool_padding .zero.*zeros"):
        weightless("nasnet_mobile", pool_padding="zero")
    with pytest.raises(UsageError, match="dropout"):
        weightless("nasnet_mobile", dropout=1.0)


@pytest.mark.parametrize(("size", "sides"), [((79, 63), "5x4"), ((63, 79), "4x5")])
def test_the_auxiliary_heads_map_may_just_have_five_rows_and_columns(size, sides):
    """79 pixels: 39 behind the first convolution, then 20, 10 and 5."""
    model = weightless("nasnet_mobile", auxiliary=True, stem="paper", input_size=79)
    assert model.auxiliary["cell8"].whole.conv.kernel_size == (1, 1)
    with pytest.raises(UsageError, match=f"its map, which is {sides}; build it for larger images"):
        weightless("nasnet_mobile", auxiliary=True, stem="paper", input_size=size)


@pytest.mark.parametrize("name", ["nasnet_mobile", "nasnet_large", "nasnet_cifar"])
def test_what_comes_from_before_a_reduction_is_halved_by_two_shifted_halves(name):
    """Where the map before the last one is larger, and there alone."""
    model = weightless(name)
    split = [key.removesuffix(".adjust") for key, m in model.stages.named_modules()
             if key.endswith(".adjust") and len(m.convs) == 2]  # fmt: skip
    stems = [] if name == "nasnet_cifar" else ["stem2"]
    after = {
        "nasnet_mobile": ["cell0", "cell5", "cell9"],
        "nasnet_large": ["cell0", "cell7", "cell13"],
        "nasnet_cifar": ["cell7", "cell13"],
    }
    assert split == stems + after[name]
