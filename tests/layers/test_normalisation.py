"""Local response normalisation against the paper's formula and torch's."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from striate.errors import UsageError
from striate.layers import LocalResponseNorm


def paper(x, size, alpha, beta, k):
    """Section 3.3 of the AlexNet paper, written out (odd sizes)."""
    y = torch.empty_like(x)
    for i in range(x.shape[1]):
        around = x[:, max(0, i - size // 2) : i + size // 2 + 1]
        y[:, i] = x[:, i] / (k + alpha * (around**2).sum(1)) ** beta
    return y


def test_defaults_are_alexnets():
    norm = LocalResponseNorm()
    assert (norm.size, norm.alpha, norm.beta, norm.k, norm.mean) == (5, 1e-4, 0.75, 2.0, False)
    assert not list(norm.parameters())


def test_one_large_value_by_hand():
    x = torch.zeros(1, 8, 1, 1, dtype=torch.float64)
    x[0, 2] = 300.0
    x[0, 4] = x[0, 5] = 1.0  # 4 is within two maps of map 2, 5 is not
    y = LocalResponseNorm()(x).flatten()
    assert y[2].item() == pytest.approx(300 / (2 + 1e-4 * (300**2 + 1)) ** 0.75)
    assert y[4].item() == pytest.approx(1 / (2 + 1e-4 * (300**2 + 2)) ** 0.75)
    assert y[5].item() == pytest.approx(1 / (2 + 1e-4 * 2) ** 0.75)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 9),
    st.sampled_from([1, 3, 5, 7]),
    st.floats(1e-4, 1.0),
    st.floats(0.1, 1.5),
    st.floats(0.5, 3.0),
    st.sampled_from([(), (4,), (3, 4), (2, 3, 4)]),
)
def test_formula_of_the_paper(channels, size, alpha, beta, k, space):
    x = 10 * torch.randn(2, channels, *(space or (1,)), dtype=torch.float64)
    torch.testing.assert_close(LocalResponseNorm(size, alpha, beta, k)(x), paper(x, size, alpha, beta, k))


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_mean_is_torchs_and_differs_from_the_paper(size):
    x = 50 * torch.randn(2, 8, 5, 5, dtype=torch.float64)
    theirs = nn.LocalResponseNorm(size, 1e-2, 0.75, 2.0)(x)
    torch.testing.assert_close(LocalResponseNorm(size, 1e-2, 0.75, 2.0, mean=True)(x), theirs)
    assert torch.allclose(LocalResponseNorm(size, 1e-2, 0.75, 2.0)(x), theirs) == (size == 1)


def test_gradient_and_channels_last():
    x = torch.randn(2, 7, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(LocalResponseNorm(5, 0.3), (x,))
    torch.testing.assert_close(LocalResponseNorm()(x.to(memory_format=torch.channels_last)), LocalResponseNorm()(x))


@pytest.mark.parametrize(("arguments", "said"), [({"size": 0}, "over 0 maps"), ({"k": 0.0}, "k 0")])
def test_impossible_constants(arguments, said):
    with pytest.raises(UsageError, match=said):
        LocalResponseNorm(**arguments)
