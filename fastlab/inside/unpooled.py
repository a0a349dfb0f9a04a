"""The same network without pooling: every pooling takes the value in its window's middle and leaves the others out.

Shapes stay, so that what differs is what pooling does, and not the size of the layers after it."""
import torch
from torch import nn

POOLS = (nn.MaxPool2d, nn.AvgPool2d)


class Subsample(nn.Module):
    "In place of `pool`: of each of its windows the value in the middle, of an even window the earlier one."

    def __init__(self, pool):
        super().__init__()
        self.shape_of = (pool,)  # in a tuple, so that it is no part of the network

    def forward(self, maps):
        pool = self.shape_of[0]
        sides = pool(torch.empty(1, 1, *maps.shape[2:], device="meta")).shape[2:]
        for axis, side in enumerate(sides):
            kernel, stride, padding, dilation = (pair(getattr(pool, option, 1))[axis] for option in
                                                 ("kernel_size", "stride", "padding", "dilation"))
            places = torch.arange(side, device=maps.device) * stride + (kernel - 1) // 2 * dilation - padding
            maps = maps.index_select(2 + axis, places.clamp_(0, maps.shape[2 + axis] - 1))
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
