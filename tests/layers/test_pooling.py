"""Sum, L2 and RoI pooling against numbers by hand and torch's own."""

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from striate.errors import UsageError
from striate.layers import L2Pool2d, RoIPool, SumPool2d


def test_sum_and_norm_by_hand():
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert SumPool2d(2)(x).flatten().tolist() == [0 + 1 + 4 + 5, 2 + 3 + 6 + 7, 8 + 9 + 12 + 13, 10 + 11 + 14 + 15]
    assert L2Pool2d(2)(x)[0, 0, 0, 0].item() == pytest.approx(42**0.5)  # 0 + 1 + 16 + 25


@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding"), [(2, 2, 0), (3, 2, 0), (3, 2, 1), ((3, 2), (1, 2), (1, 1))]
)
def test_they_are_torchs_average_and_norm(kernel_size, stride, padding):
    x = torch.randn(2, 3, 9, 8, dtype=torch.float64)
    area = nn.Unfold(kernel_size)(x[:1, :1, :4, :4]).shape[1]
    average = F.avg_pool2d(x, kernel_size, stride, padding, count_include_pad=True)
    torch.testing.assert_close(SumPool2d(kernel_size, stride, padding)(x), average * area)
    rows, columns = (padding, padding) if isinstance(padding, int) else padding
    norm = F.lp_pool2d(F.pad(x, (columns, columns, rows, rows)), 2, kernel_size, stride)
    torch.testing.assert_close(L2Pool2d(kernel_size, stride, padding)(x), norm)


def test_gradients_of_windows_with_and_without_values():
    x = torch.randn(1, 2, 6, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(L2Pool2d(3, 2), (x,))
    assert torch.autograd.gradcheck(SumPool2d(3, 2), (x,))
    zeros = torch.zeros(1, 1, 4, 4, requires_grad=True)
    L2Pool2d(2)(zeros).sum().backward()
    assert torch.equal(zeros.grad, torch.zeros(1, 1, 4, 4))


def test_no_parameters():
    assert not [*SumPool2d(2).parameters(), *L2Pool2d(2).parameters(), *RoIPool(7).parameters()]


def test_roi_pooling_by_hand():
    """The whole 4x4 map in 2x2 cells, and its right half behind one halving of the image."""
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    whole = RoIPool(2)(x, torch.tensor([[0.0, 0, 0, 3, 3]]))
    assert whole.flatten().tolist() == [5, 7, 13, 15]
    half = RoIPool(2, spatial_scale=0.5)(x, [torch.tensor([[4.0, 0, 6, 6]])])
    assert half.flatten().tolist() == [6, 7, 14, 15]
    # between the pixels' centres at 0.5 and 1.5 the map is a plane: value = 4y + x - 2.5 with pixel edges at 0 .. 4
    aligned = RoIPool(1, kind="align", sampling_ratio=2)(x, [torch.tensor([[1.0, 1.0, 3.0, 2.0]])])
    assert aligned.item() == pytest.approx(4 * 1.5 + 2.0 - 2.5)


def test_roi_pooling_of_several_images_and_boxes():
    x = torch.randn(2, 3, 8, 8)
    boxes = [torch.tensor([[0.0, 0, 3, 3], [2, 2, 7, 7]]), torch.tensor([[1.0, 1, 6, 6]])]
    y = RoIPool((3, 2))(x, boxes)
    assert y.shape == (3, 3, 3, 2)
    torch.testing.assert_close(y[1:2], RoIPool((3, 2))(x, torch.tensor([[0.0, 2, 2, 7, 7]])))
    assert y[2].max() == x[1, :, 1:7, 1:7].max()


def test_wrong_kinds_and_boxes():
    with pytest.raises(UsageError, match="'align'"):
        RoIPool(2, kind="aling")
    with pytest.raises(UsageError, match=r"\(R, 5\), not \(1, 4\)"):
        RoIPool(2)(torch.zeros(1, 1, 4, 4), torch.zeros(1, 4))
    with pytest.raises(UsageError, match="boxes of 2 images"):
        RoIPool(2)(torch.zeros(2, 1, 4, 4), [torch.zeros(1, 4)])
    with pytest.raises(UsageError, match="boxes of 2 images"):
        RoIPool(2)(torch.zeros(2, 1, 4, 4), [torch.zeros(1, 4)] * 3)


def test_alignment_is_torchvisions_at_any_scale_shape_and_number_of_points():
    x, boxes = torch.randn(2, 3, 9, 8), torch.tensor([[1.0, 2, 1, 15, 9], [0, 0, 3, 8, 14]])
    for ratio in (0, 1, 3):
        theirs = torchvision.ops.roi_align(x, boxes, (3, 2), 0.5, ratio, aligned=True)
        assert torch.equal(RoIPool((3, 2), 0.5, "align", ratio)(x, boxes), theirs)
    assert torch.equal(RoIPool((3, 2), 0.5)(x, boxes), torchvision.ops.roi_pool(x, boxes, (3, 2), 0.5))


@pytest.mark.parametrize("wrong", [torch.zeros(1, 5), torch.zeros(4)])
def test_every_images_boxes_are_looked_at(wrong):
    for boxes in ([torch.zeros(1, 4), wrong], [wrong, torch.zeros(1, 4)]):
        with pytest.raises(UsageError, match="boxes of 2 images"):
            RoIPool(2)(torch.zeros(2, 1, 4, 4), boxes)
    with pytest.raises(UsageError, match=r"one tensor \(R, 5\), not \(5,\)"):
        RoIPool(2)(torch.zeros(1, 1, 4, 4), torch.zeros(5))
