"""The same network without pooling: every pooling takes the value in its window's middle and leaves the others out.

Shapes stay, so that what differs is what pooling does, and not the size of the layers after it."""
import torch
from torch import nn
from torch.nn.functional import max_pool2d

POOLS = (nn.MaxPool2d, nn.AvgPool2d)


class Subsample(nn.Module):
    "In place of `pool`: of each of its windows the value in the middle, of an even window the earlier one."

    def __init__(self, pool):
        super().__init__()
        self.shape_of = (pool,)  # in a tuple, so that it is no part of the network

    def forward(self, maps):
        pool, = self.shape_of
        with torch.no_grad():
            sides = pool(maps[:1, :1]).shape[2:]
        kernels, strides, paddings, dilations = (pair(getattr(pool, option, 1)) for option in
                                                 ("kernel_size", "stride", "padding", "dilation"))
        firsts = [(kernel - 1) // 2 * dilation - padding
                  for kernel, dilation, padding in zip(kernels, dilations, paddings)]
        lasts = [first + (side - 1) * stride for first, side, stride in zip(firsts, sides, strides)]
        if min(firsts) >= 0 and all(last < length for last, length in zip(lasts, maps.shape[2:])):
            inner = maps[:, :, firsts[0]:, firsts[1]:]      # windows of one value: a selection's gradient is far slower
            return max_pool2d(inner, 1, strides)[:, :, :sides[0], :sides[1]]
        for axis, (first, side, stride) in enumerate(zip(firsts, sides, strides), 2):
            places = torch.arange(side, device=maps.device) * stride + first
            maps = maps.index_select(axis, places.clamp_(0, maps.shape[axis] - 1))
        return maps


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def unpool(net):
    "Puts a Subsample in the place of every pooling of more than one value, in `net` itself; returns how many."
    found = [(home, name, part) for home in net.modules() for name, part in home.named_children()
             if isinstance(part, POOLS) and max(pair(part.kernel_size)) > 1]
    for home, name, part in found:
        setattr(home, name, Subsample(part))
    return len(found)
