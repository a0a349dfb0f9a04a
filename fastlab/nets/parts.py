"""What the networks are built of: named parts in a row, whose shapes are worked out and checked while they are laid."""
from collections import OrderedDict

import torch
from torch import nn

from fastlab.errors import OptionError, one_of
from fastlab.nets.normalisation import LocalResponseNorm

NORMS = ("none", "batch")
LRNS = ("none", "torch", "paper")


class Network(nn.Sequential):
    "A classifier of (N, channels, size, size) float images as named parts, one child a step: `net.conv1`, `net.pool1`."


class Dropout(nn.Dropout):
    """nn.Dropout whose mask on a CPU is uniform numbers compared with p: the same distribution, and there torch's own
    bernoulli takes three times as long (of a LeNet's step it was 6 %)."""

    def forward(self, features):
        if not self.training or features.device.type != "cpu":
            return super().forward(features)
        kept = torch.rand(features.shape).ge_(self.p).mul_(1 / (1 - self.p))
        return features * kept.to(features.dtype)


class Parts:
    "Lays parts one after another and keeps count of the shape that each gives: (channels, size, size) or (features,)."

    def __init__(self, channels, size):
        self.modules, self.shapes, self.channels, self.size = OrderedDict(), {}, channels, size

    def add(self, name, module):
        "A part that leaves the shape as it is."
        self.modules[name] = module
        self.shapes[name] = (self.channels,) if self.size is None else (self.channels, self.size, self.size)

    def conv(self, name, out, kernel, stride=1, padding=0, groups=1):
        conv = nn.Conv2d(self.channels, out, kernel, stride, padding, groups=groups)
        self.channels, self.size = out, size_after(self.size, kernel, stride, padding)
        self.add(name, conv)

    def norm(self, name, norm):
        "BatchNorm over the channels, or nothing."
        if norm == "batch":
            self.add(name, nn.BatchNorm2d(self.channels))

    def lrn(self, name, lrn, torch_size=5):
        "Local response normalisation in the form `lrn`; the paper's has its own five channels."
        if lrn != "none":
            self.add(name, LocalResponseNorm(self.channels, lrn, torch_size if lrn == "torch" else 5))

    def pool(self, name, kernel, stride, kind=nn.MaxPool2d):
        self.size = size_after(self.size, kernel, stride, 0)
        self.add(name, kind(kernel, stride))

    def flatten(self):
        self.channels, self.size = self.channels * self.size ** 2, None
        self.add("flatten", nn.Flatten())

    def dropout(self, name, probability):
        "Dropout, or nothing at probability 0."
        if probability:
            self.add(name, Dropout(probability))

    def linear(self, name, out):
        linear = nn.Linear(self.channels, out)
        self.channels = out
        self.add(name, linear)

    def network(self):
        return Network(self.modules)


def size_after(size, kernel, stride, padding):
    "Side of a map after a convolution or a pooling (rounded down, as PyTorch does)."
    return (size + 2 * padding - kernel) // stride + 1


def least_size(windows):
    "The least image side that leaves 1x1 after all `windows`, (kernel, stride, padding) from first to last."
    size = 1
    for kernel, stride, padding in reversed(windows):
        size = max(1, (size - 1) * stride + kernel - 2 * padding)
    return size


def widened(channels, width, multiple=1):
    "A number of channels scaled by `width`, at least one, and a multiple of `multiple` (for grouped convolutions)."
    return max(1, round(channels * width / multiple)) * multiple


def check_options(net, windows, classes, channels, size, norm, dropout, width, lrn="none"):
    "Raises an OptionError, with the rule and the cure, for options that the network `net` cannot be built with."
    for option, count in (("classes", classes), ("channels", channels), ("size", size)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise OptionError(f"{option}: {count!r} is not a whole number of at least 1.")
    least = least_size(windows)
    if size < least:
        raise OptionError(f"size: images of {size}x{size} are too small for {net}; it needs at least {least}x{least}.")
    one_of("norm", norm, NORMS)
    one_of("lrn", lrn, LRNS)
    if not 0 <= dropout < 1:
        raise OptionError(f"dropout: {dropout!r} is not a share of 0 or more and less than 1; 0 is no dropout.")
    if not 0 < width < float("inf"):
        raise OptionError(f"width: {width!r} must be more than 0; 1 is the network's own width.")


def assert_as_reported(parts, network, shapes, parameters):
    "Holds a network at its own settings against the report's shapes and count of parameters."
    for name, shape in shapes.items():
        assert parts.shapes[name] == shape, f"{name} gives {parts.shapes[name]}, and the report {shape}"
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == parameters, f"{count:,} parameters, and the report counts {parameters:,}"
