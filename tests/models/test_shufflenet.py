"""ShuffleNet v1 by the paper's complexity figures and by hand, v2 by its table."""

import pytest
import torch

from striate.analysis import summary
from striate.errors import UsageError
from striate.models import create_model
from striate.models.shufflenet_v1 import GroupedUnit, widths
from striate.models.shufflenet_v2 import ShuffleUnit


def measured(name, **options):
    with torch.device("meta"):
        model = create_model(name, **options)
    return summary(model, (3, 224, 224)), model


@pytest.mark.parametrize(("groups", "printed"), [(1, 143), (2, 140), (3, 137), (4, 133), (8, 137)])
def test_complexity_of_table_1(groups, printed):
    """The paper's table 1 leaves the classifier out."""
    figures, model = measured("shufflenet_v1", groups=groups)
    assert figures.multiply_adds / 1e6 - model.num_features / 1e3 == pytest.approx(printed, abs=0.51)


@pytest.mark.parametrize(
    ("name", "printed"), [("0.5", 38), ("0.25", 13), ("1.5", 292), ("2", 524), ("g1_0.5", 38), ("g1_0.25", 13)]
)
def test_complexity_of_scaled_networks(name, printed):
    figures, _ = measured(f"shufflenet_v1_{name}")
    assert figures.multiply_adds / 1e6 == pytest.approx(printed, abs=0.6)


def test_parameters_of_a_unit_by_hand():
    """240 channels, 60 inside, 3 groups: 240 * 60 / 3 + 9 * 60 + 60 * 240 / 3, and two per norm channel."""
    unit = GroupedUnit(240, 240, 1, 3)
    assert sum(p.numel() for p in unit.parameters()) == 4800 + 540 + 4800 + 2 * (60 + 60 + 240)


def test_a_unit_of_stride_2_puts_the_average_first():
    unit = GroupedUnit(24, 240, 2, 3, group_first=False).eval()
    x = torch.rand(1, 24, 8, 8)
    y = unit(x)
    assert y.shape == (1, 240, 4, 4)
    torch.testing.assert_close(y[:, :24], torch.nn.functional.avg_pool2d(x, 3, 2, 1))


def test_every_group_sees_every_other():
    """With the shuffle each output of a unit depends on every input channel's group."""
    unit = GroupedUnit(48, 48, 1, 3).eval()
    x = torch.randn(1, 48, 5, 5, requires_grad=True)
    unit.expand(unit.depthwise(unit.shuffle(unit.reduce(x))))[0, 0].sum().backward()
    assert (x.grad[0].abs().sum((1, 2)).reshape(3, 16).sum(1) > 0).all()


@pytest.mark.parametrize(("groups", "width", "channels"), [(2, 0.5, 100), (4, 0.25, 68), (3, 0.33, 79.2)])
def test_a_width_that_groups_cannot_divide_names_both(groups, width, channels):
    with pytest.raises(UsageError, match=rf"width={width:g} makes {channels:g} .*groups={groups} cannot divide"):
        create_model("shufflenet_v1", groups=groups, width=width)


@pytest.mark.parametrize(
    ("groups", "width", "fitting"),
    [
        (2, 0.5, 96),
        (2, 0.01, 8),
        (1, 0.001, 4),
        (1, 1.7, 244),
        (4, 0.3, 80),
        (4, 7.99, 2160),
        (8, 1.7, 640),
        (3, 0.33, 72),
    ],
)
def test_the_width_that_is_offered_fits(groups, width, fitting):
    """As it is printed, also where it is no short number: the widest below what was asked for, else the least."""
    with pytest.raises(UsageError) as raised:
        widths(groups, width)
    assert widths(groups, float(str(raised.value).rpartition(" ")[2]))[1] == fitting


@pytest.mark.parametrize(
    ("groups", "width", "channels"),
    [
        (3, 1.0, (24, 240, 480, 960)),
        (1, 1.0, (24, 144, 288, 576)),
        (2, 1.0, (24, 200, 400, 800)),
        (4, 1.0, (24, 272, 544, 1088)),
        (8, 1.0, (24, 384, 768, 1536)),
        (3, 0.5, (12, 120, 240, 480)),
        (8, 0.5, (16, 192, 384, 768)),
        (8, 0.25, (16, 96, 192, 384)),
        (3, 1.5, (24, 360, 720, 1440)),
        (3, 2.0, (48, 480, 960, 1920)),
    ],
)
def test_channels_of_table_1_times_the_width(groups, width, channels):
    """The stem's are a multiple of the groups, the next at or above 12, 24 or 48."""
    assert widths(groups, width) == channels


@pytest.mark.parametrize("width", [0, -1, 8.1])
def test_a_width_that_is_no_multiplier(width):
    with pytest.raises(UsageError, match=f"width is {width}; a multiplier above 0 and up to 8 is needed"):
        create_model("shufflenet_v1", width=width)


@pytest.mark.parametrize(("stride", "groups"), [(1, 3), (2, 3), (1, 1), (2, 1)])
def test_a_unit_by_hand(stride, groups):
    """Figures 2b and 2c: no activation behind the depthwise convolution, one behind the sum or the stack."""
    torch.manual_seed(0)
    unit = GroupedUnit(12, 12 if stride == 1 else 36, stride, groups).eval()
    x = torch.randn(2, 12, 6, 6)
    conv, norm = torch.nn.functional.conv2d, (1 + 1e-5) ** -0.5
    inner = unit.reduce.conv.weight.shape[0]
    y = (conv(x, unit.reduce.conv.weight, groups=groups) * norm).clamp(min=0)
    if groups > 1:
        y = y[:, [i + j * (inner // groups) for i in range(inner // groups) for j in range(groups)]]
    y = conv(y, unit.depthwise.conv.weight, stride=stride, padding=1, groups=inner) * norm
    y = conv(y, unit.expand.conv.weight, groups=groups) * norm
    wanted = x + y if stride == 1 else torch.cat([torch.nn.functional.avg_pool2d(x, 3, 2, 1), y], 1)
    torch.testing.assert_close(unit(x), wanted.clamp(min=0))


def test_only_the_first_convolution_of_stage_2_is_not_grouped():
    _, model = measured("shufflenet_v1", groups=4)
    units = {key: m for key, m in model.named_modules() if isinstance(m, GroupedUnit)}
    assert [key for key, unit in units.items() if unit.reduce.conv.groups == 1] == ["stages.stage2.0"]
    assert {unit.expand.conv.groups for unit in units.values()} == {4}
    assert [key for key, unit in units.items() if unit.pool is not None] == [f"stages.stage{n}.0" for n in (2, 3, 4)]


def test_a_number_of_groups_without_a_row_is_named():
    with pytest.raises(UsageError, match="groups is 5"):
        create_model("shufflenet_v1", groups=5)


@pytest.mark.parametrize(("width", "printed", "counted"), [("0_5", 41, 40), ("1_0", 146, 145), ("2_0", 591, 583)])
def test_complexity_of_version_2(width, printed, counted):
    """Within 2 % of the paper's and what torchvision counts for its own (0.04, 0.145 and 0.583 G)."""
    figures, _ = measured(f"shufflenet_v2_x{width}")
    assert figures.multiply_adds / 1e6 == pytest.approx(printed, rel=0.02)
    assert figures.multiply_adds / 1e6 == pytest.approx(counted, abs=0.6)


def test_half_of_the_channels_pass_a_unit_untouched():
    unit = ShuffleUnit(8, 8, 1).eval()
    x = torch.randn(1, 8, 4, 4)
    assert torch.equal(unit(x)[:, ::2], x[:, :4])


def test_a_unit_without_halves_is_an_error():
    with pytest.raises(UsageError, match="stride 2 cannot make 9 channels of 8; it needs an even number"):
        ShuffleUnit(8, 9, 2)
    with pytest.raises(UsageError, match="stride 1 cannot make 10 channels of 8"):
        ShuffleUnit(8, 10, 1)
    assert ShuffleUnit(8, 10, 2)(torch.zeros(2, 8, 4, 4)).shape == (2, 10, 2, 2)


@pytest.mark.parametrize("name", ["shufflenet_v1", "shufflenet_v2_x1_0"])
def test_small_images_keep_their_rows_longer(name):
    with torch.device("meta"):
        model = create_model(name, input_size=32)
        assert model.features(torch.empty(1, 3, 32, 32)).shape[2:] == (4, 4)
