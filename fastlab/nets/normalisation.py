"""Local response normalisation: b = a / (k + alpha * sum of a² over neighbouring channels)^beta, in two forms.

The sum over a window of channels is linear in a², so it is a convolution with a banded 1x1 kernel, or a sum of shifted
channels where there are many of them. Both, with the gradient in closed form, cost a tenth or less of pooling."""
import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import conv2d

from fastlab.errors import OptionError, one_of

FORMS = ("paper", "torch")
# Measured on one core, forward and backward: a window of 5 by shifts takes 1.2x the band's time at 16 channels,
# 0.8x at 64 and a third at 256; a running sum or a pooling over channels loses to both at every size.
SHIFTS_FROM = 8  # channels per channel of the window, from which shifts are used


def window_of(form, size):
    "How many channels the window reaches below and above its own; for even sizes the two forms differ by one channel."
    return (size // 2, size // 2) if form == "paper" else (size // 2, (size - 1) // 2)


def shifted_sum(values, below, above):
    "Sum of `values` (N, C, H, W) over channels i - below … i + above, cut off at the first and the last channel."
    total = values.clone()
    for distance in range(1, min(below, values.shape[1] - 1) + 1):
        total[:, distance:] += values[:, :-distance]
    for distance in range(1, min(above, values.shape[1] - 1) + 1):
        total[:, :-distance] += values[:, distance:]
    return total


def banded_sum(values, band):
    "The same sum as a 1x1 convolution with `band` (C, C, 1, 1) of zeros and ones, in the precision of `values`."
    device = values.device.type
    if not torch.is_autocast_enabled(device):
        return conv2d(values, band)
    with torch.autocast(device, enabled=False):
        return conv2d(values, band)


def response(x, total, scale, beta, k):
    "x / (k + scale * total)^beta, with the factor and the inverse square root, which the gradient needs."
    root = torch.rsub(total, k, alpha=-scale).rsqrt()
    factor = root.sqrt() * root if beta == 0.75 else root.pow(2 * beta)
    return x * factor, factor, root


class _Response(torch.autograd.Function):
    """Output and gradient from one window sum each. With s = k + scale·total and the gradient g of the output,
    dx_i = g_i s_i^-beta - 2·scale·beta·x_i · (sum of g_j x_j s_j^(-beta-1) over all j whose window holds i)."""

    @staticmethod
    def forward(ctx, x, norm, band):
        output, factor, root = response(x, norm.window_sum(x.square(), band), norm.scale, norm.beta, norm.k)
        ctx.save_for_backward(x, factor, root, band)
        ctx.norm = norm
        return output

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        x, factor, root, band = ctx.saved_tensors
        through = gradient * factor
        crossed = ctx.norm.window_sum((through * x).mul_(root).mul_(root), band, transposed=True)
        return through.addcmul_(x, crossed, value=-2 * ctx.norm.scale * ctx.norm.beta), None, None


class LocalResponseNorm(nn.Module):
    """Local response normalisation of a (N, C, H, W) tensor over its channels, the same shape out.

    form='paper' (Krizhevsky, Sutskever, Hinton 2012, section 3.3): the window is max(0, i - n/2) … min(N - 1, i + n/2),
    alpha multiplies the sum; k = 2. form='torch': equal to nn.LocalResponseNorm; alpha multiplies the mean over n, and
    an even n has one channel fewer above; k = 1. `size` is n. Nothing is learned and nothing is kept in the state dict.
    Halves and bfloat16 are computed in float32: at alpha = 1e-4 the factor would round to 1."""

    def __init__(self, channels, form="paper", size=5, alpha=1e-4, beta=0.75, k=None):
        super().__init__()
        if channels < 1 or size < 1:
            raise OptionError(f"LocalResponseNorm: channels ({channels}) and size ({size}) must be at least 1.")
        self.form = one_of("LocalResponseNorm form", form, FORMS)
        self.channels, self.size, self.alpha, self.beta = channels, size, alpha, beta
        self.k = k if k is not None else 2.0 if form == "paper" else 1.0
        self.scale = alpha if form == "paper" else alpha / size
        self.below, self.above = window_of(form, size)
        self.by_shifts = channels >= SHIFTS_FROM * size
        self.register_buffer("band", None if self.by_shifts else self._banded(), persistent=False)

    def _banded(self):
        "Zeros and ones (C, C, 1, 1): which channels (second) each channel's window (first) holds."
        gap = torch.arange(self.channels)[None] - torch.arange(self.channels)[:, None]
        return ((gap >= -self.below) & (gap <= self.above)).float()[:, :, None, None]

    def sum_by_band(self):
        "From now on the window's sum is one convolution, also where shifts are faster: a graph of few steps to export."
        self.by_shifts, self.band = False, self._banded()

    def window_sum(self, values, band, transposed=False):
        "Sum over each channel's window; transposed: over the channels whose window holds this one."
        if not self.by_shifts:
            return banded_sum(values, band.transpose(0, 1) if transposed else band)
        below, above = (self.above, self.below) if transposed else (self.below, self.above)
        return shifted_sum(values, below, above)

    def forward(self, x):
        wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
        band = None if self.by_shifts else self.band.to(wide.dtype)
        if wide.requires_grad and torch.is_grad_enabled() and not torch.compiler.is_compiling():
            output = _Response.apply(wide, self, band)
        else:
            output = response(wide, self.window_sum(wide.square(), band), self.scale, self.beta, self.k)[0]
        return output.to(x.dtype)

    def extra_repr(self):
        constants = f"alpha={self.alpha}, beta={self.beta}, k={self.k}"
        return f"{self.channels}, form={self.form!r}, size={self.size}, {constants}"
