"""LRN against the formula written out in numpy float64, and against nn.LocalResponseNorm."""
import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from fastlab.errors import OptionError
from fastlab.nets.normalisation import LocalResponseNorm, shifted_sum

CASES = [(form, channels, size) for form in ("paper", "torch") for channels, size in
         ((1, 1), (3, 5), (7, 5), (16, 16), (6, 4), (9, 1), (48, 5), (40, 4), (16, 2))]


def window(form, size, i, channels):
    "The channels that the formula sums over for channel i."
    above = size // 2 if form == "paper" else (size - 1) // 2
    return range(max(0, i - size // 2), min(channels - 1, i + above) + 1)


def formula(x, form, size, alpha, beta, k):
    "b = a / (k + alpha sum a²)^beta, written out; alpha over n in PyTorch's form. Also s itself."
    scale = alpha if form == "paper" else alpha / size
    s = np.empty_like(x)
    for i in range(x.shape[1]):
        s[:, i] = k + scale * sum(x[:, j] ** 2 for j in window(form, size, i, x.shape[1]))
    return x / s ** beta, s


def formula_gradient(x, g, form, size, alpha, beta, k):
    "The gradient of sum(g · b) by the full Jacobian, one entry after another."
    scale, (_, s), total = (alpha if form == "paper" else alpha / size), formula(x, form, size, alpha, beta, k), None
    total = g * s ** -beta
    for i in range(x.shape[1]):
        for j in window(form, size, i, x.shape[1]):
            total[:, j] -= g[:, i] * 2 * scale * beta * x[:, i] * x[:, j] * s[:, i] ** (-beta - 1)
    return total


def drawn(channels, seed=0, batch=2, height=3, width=4):
    random = np.random.default_rng(seed)
    return random.normal(size=(2, batch, channels, height, width)) * 3


@pytest.mark.parametrize(("form", "channels", "size"), CASES)
@pytest.mark.parametrize(("alpha", "beta", "k"), [(1e-4, 0.75, None), (0.3, 0.75, 1.5), (0.2, 0.6, 2.0)])
def test_output_and_gradient_are_the_formula(form, channels, size, alpha, beta, k):
    x, g = drawn(channels)
    norm = LocalResponseNorm(channels, form, size, alpha, beta, k).double()
    tensor = torch.tensor(x, requires_grad=True)
    output = norm(tensor)
    output.backward(torch.tensor(g))
    constants = (form, size, alpha, beta, {"paper": 2, "torch": 1}[form] if k is None else k)
    np.testing.assert_allclose(output.detach().numpy(), formula(x, *constants)[0], rtol=1e-12)
    np.testing.assert_allclose(tensor.grad.numpy(), formula_gradient(x, g, *constants), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("channels", "size"), [(16, 16), (32, 32), (96, 5), (7, 4), (64, 5), (3, 8)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_torch_form_equals_torch(channels, size, layout):
    x = torch.tensor(drawn(channels)[0] / 3, dtype=torch.float32)
    ours, theirs = (x.clone().contiguous(memory_format=layout).requires_grad_() for _ in range(2))
    output, stock = LocalResponseNorm(channels, "torch", size)(ours), nn.LocalResponseNorm(size)(theirs)
    (output ** 2).sum().backward()
    (stock ** 2).sum().backward()
    assert (output - stock).abs().max() < 1e-6
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=2e-6, atol=1e-6)
    assert output.is_contiguous(memory_format=layout)


@pytest.mark.parametrize(("form", "channels", "size"), [("paper", 6, 4), ("torch", 6, 4), ("torch", 40, 5)])
def test_gradcheck(form, channels, size):
    x = torch.tensor(drawn(channels, height=1, width=2)[0], requires_grad=True)
    assert torch.autograd.gradcheck(LocalResponseNorm(channels, form, size, alpha=0.1).double(), x)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(0, 15), st.integers(0, 15), st.integers(0, 2**32 - 1))
def test_shifts_and_band_sum_the_same_windows(channels, below, above, seed):
    values = torch.tensor(np.random.default_rng(seed).normal(size=(2, channels, 2, 2)))
    brute = torch.stack([values[:, max(0, i - below):i + above + 1].sum(1) for i in range(channels)], 1)
    torch.testing.assert_close(shifted_sum(values, below, above), brute)


def test_the_paper_form_reaches_one_channel_further_at_even_sizes():
    x = torch.zeros(1, 6, 1, 1)
    x[0, 5] = 1
    x[0, 3] = 1
    paper, stock = (LocalResponseNorm(6, form, 4, alpha=4.0, k=1.0)(x)[0, 3].item() for form in ("paper", "torch"))
    assert paper == pytest.approx((1 + 4 * 2) ** -0.75)
    assert stock == pytest.approx((1 + 1) ** -0.75)


def test_at_pytorch_constants_it_does_nearly_nothing():
    "The report's LRN(16) changes a standard normal map by about 0.014 % on 16 channels."
    x = torch.randn(64, 16, 14, 14, generator=torch.Generator().manual_seed(1))
    change = ((LocalResponseNorm(16, "torch", 16)(x) - x).abs().sum() / x.abs().sum()).item()
    s = 1 + 1e-4 / 16 * np.mean([len(window("torch", 16, i, 16)) for i in range(16)])
    assert change == pytest.approx(1 - s ** -0.75, rel=0.5)  # as if every a² were its mean of 1
    assert change < 2e-4


def test_bfloat16_keeps_the_factor():
    "In bfloat16 itself k + alpha·sum would be rounded in steps of 0.8 %; inside autocast too."
    x = torch.full((1, 16, 2, 2), 3.0)
    exact = formula(x.double().numpy(), "paper", 5, 1e-3, 0.75, 2.0)[0]
    norm = LocalResponseNorm(16, "paper", 5, alpha=1e-3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = norm(x.clone().requires_grad_())
        half = norm(x.bfloat16().requires_grad_())
        half.sum().backward()
    np.testing.assert_allclose(inside.detach().numpy(), exact, rtol=1e-6)
    assert half.dtype == torch.bfloat16
    np.testing.assert_allclose(half.detach().float().numpy(), exact, rtol=2 ** -8)


@pytest.mark.parametrize("channels", [16, 64])
def test_with_and_without_gradient_the_same_bits(channels):
    x = torch.randn(2, channels, 5, 5, generator=torch.Generator().manual_seed(2))
    norm = LocalResponseNorm(channels)
    with torch.no_grad():
        plain = norm(x)
    assert torch.equal(norm(x.clone().requires_grad_()), plain)


def test_it_leaves_nothing_in_the_state_dict_and_can_be_copied():
    norm = LocalResponseNorm(16, "torch", 4)
    x = torch.randn(1, 16, 2, 2)
    assert norm.state_dict() == {}
    assert torch.equal(copy.deepcopy(norm)(x), norm(x))
    assert "form='torch', size=4" in repr(norm)


@pytest.mark.parametrize("wrong", [{"channels": 0}, {"channels": 4, "size": 0}, {"channels": 4, "form": "pytorch"}])
def test_bad_options_are_named(wrong):
    with pytest.raises(OptionError, match="LocalResponseNorm"):
        LocalResponseNorm(**wrong)
