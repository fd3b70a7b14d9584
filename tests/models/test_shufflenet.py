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


def test_the_width_that_is_offered_fits():
    with pytest.raises(UsageError) as raised:
        widths(2, 0.5)
    assert widths(2, float(str(raised.value).rpartition(" ")[2]))[1] == 96


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
    with pytest.raises(UsageError, match="even"):
        ShuffleUnit(8, 9, 2)


@pytest.mark.parametrize("name", ["shufflenet_v1", "shufflenet_v2_x1_0"])
def test_small_images_keep_their_rows_longer(name):
    with torch.device("meta"):
        model = create_model(name, input_size=32)
        assert model.features(torch.empty(1, 3, 32, 32)).shape[2:] == (4, 4)
