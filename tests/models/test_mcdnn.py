"""MCDNN: a column layer by layer, digits of one width, and the average of columns."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from striate.data.idx import read_idx
from striate.errors import UsageError
from striate.models import create_model
from striate.models.mcdnn import WIDTHS, MultiColumn, normalise_width


def test_a_column_has_the_papers_layers():
    model = create_model("mcdnn_column").eval()
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    # 20 (4 4 + 1), 40 (20 5 5 + 1), 150 (40 3 3 + 1), 10 (150 + 1)
    assert [sum(p.numel() for p in layer.parameters()) for layer in layers] == [340, 20_040, 54_150, 1_510]
    x = torch.zeros(1, 1, 29, 29)
    assert model.features(x).shape == (1, 40, 3, 3)
    assert model.stem(x).shape == (1, 20, 13, 13)
    assert all(p.abs().max() <= 0.05 for p in model.parameters())


def digit(left: int, width: int, field: int = 28) -> torch.Tensor:
    """A random digit of 20 rows, its ink from column `left` on, on a background of -0.4."""
    ink = torch.zeros(field, field)
    ink[4:24, left : left + width] = torch.rand(20, width) + 0.1
    return ink - 0.4


@pytest.mark.parametrize("width", [10, 13, 20])
@pytest.mark.parametrize("field", [28, 29])
def test_widths_are_those_of_torchs_antialiased_resizing(width, field):
    torch.manual_seed(0)
    digits = [digit(3, 20, field), digit(9, 7, field), digit(5, width, field)]
    given = normalise_width(torch.stack(digits)[:, None], width)
    left = (field - width) // 2
    for image, (start, natural), result in zip(digits, ((3, 20), (9, 7), (5, width)), given, strict=True):
        wanted = torch.full((field, field), -0.4)
        ink = (image[None, None, :, start : start + natural] + 0.4).contiguous()
        resized = F.interpolate(ink, (field, width), mode="bilinear", antialias=True, align_corners=False)
        wanted[:, left : left + width] += resized[0, 0]
        torch.testing.assert_close(result[0], wanted, atol=1e-5, rtol=1e-5)


def test_an_empty_image_stays_as_it_is():
    x = torch.full((2, 3, 28, 28), 0.25)
    assert torch.equal(normalise_width(x, 10), x)


@pytest.mark.parametrize("width", [0, 29])
def test_impossible_widths_are_refused(width):
    with pytest.raises(UsageError, match=f"width is {width}"):
        normalise_width(torch.zeros(1, 1, 28, 28), width)


def test_real_digits_get_the_width_and_keep_their_rows(shared_data):
    images = np.array(read_idx(shared_data / "mnist/MNIST/raw/t10k-images-idx3-ubyte.gz")[:64])
    x = torch.from_numpy(images)[:, None].float() / 255
    for width in [w for w in WIDTHS if w is not None]:
        ink = normalise_width(x, width) > 0
        columns, rows = ink.any(2)[:, 0], ink.any(3)
        assert torch.equal(rows, (x > 0).any(3))
        left = (28 - width) // 2
        assert not columns[:, :left].any()
        assert not columns[:, left + width :].any()
        assert columns[:, left].all()
        assert columns[:, left + width - 1].all()


def test_columns_are_averaged_by_their_probabilities():
    torch.manual_seed(0)
    columns = [create_model("mcdnn_column", input_size=29).eval() for _ in range(3)]
    widths = [10, None, 20]
    model = MultiColumn(columns, widths).eval()
    x = torch.stack([digit(4, 18, 29), digit(9, 6, 29)])[:, None]
    with torch.no_grad():
        wanted = sum(
            F.softmax(column(normalise_width(x, width) if width else x), 1)
            for column, width in zip(columns, widths, strict=True)
        )
        torch.testing.assert_close(model.probabilities(x), wanted / 3)
        torch.testing.assert_close(model(x).softmax(1), wanted / 3)
    assert sum(p.numel() for p in model.parameters()) == 3 * 76_040


def test_columns_that_do_not_go_together_are_refused():
    column = create_model("mcdnn_column")
    with pytest.raises(UsageError, match="0 columns"):
        MultiColumn([])
    with pytest.raises(UsageError, match="1 columns and 2 widths"):
        MultiColumn([column], [10, 12])
    with pytest.raises(UsageError, match="2, 10 classes"):
        MultiColumn([column, create_model("mcdnn_column", num_classes=2)])


def test_a_digit_may_be_one_pixel_wide_or_fill_the_field():
    x = torch.stack([digit(3, 9), digit(8, 20)])[:, None]
    for width in (1, 28):
        ink = normalise_width(x, width) > x.amin()
        assert [image.any(1).any(0).sum().item() for image in ink] == [width, width]
    with pytest.raises(UsageError, match=r"images \(N, C, H, W\), not \(28, 28\)"):
        normalise_width(torch.zeros(28, 28), 10)


def test_columns_see_the_images_as_they_are_unless_told():
    torch.manual_seed(0)
    columns = [create_model("mcdnn_column").eval() for _ in range(2)]
    x = digit(4, 18, 29)[None, None]
    with torch.no_grad():
        wanted = (columns[0](x).softmax(1) + columns[1](x).softmax(1)) / 2
        torch.testing.assert_close(MultiColumn(columns).probabilities(x), wanted)
    assert WIDTHS == (10, 12, 14, 16, 18, 20, None)
