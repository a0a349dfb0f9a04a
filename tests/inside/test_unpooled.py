"""Without pooling: the value in the middle of each window, in the shapes of before."""
import pytest
import torch
from torch import nn

from fastlab.inside.unpooled import Subsample, unpool
from fastlab.nets.lenet import lenet, lenet_classic
from fastlab.nets.steps import steps


def test_lenet_without_pooling_is_the_networks_own_switch():
    torch.manual_seed(0)
    one = lenet(norm="none", dropout=0).eval()
    torch.manual_seed(0)
    other = lenet(norm="none", dropout=0, pooling="none").eval()
    images = torch.randn(3, 1, 28, 28)
    assert not torch.equal(one(images), other(images))
    assert unpool(one) == 2
    assert torch.equal(one(images), other(images))


def test_the_middle_of_overlapping_windows():
    maps = torch.arange(49.0).reshape(1, 1, 7, 7)
    found = Subsample(nn.MaxPool2d(3, 2))(maps)
    assert found[0, 0].tolist() == maps[0, 0, 1::2, 1::2].tolist()


@pytest.mark.parametrize("pool", [nn.MaxPool2d(2), nn.MaxPool2d(3, 2, padding=1), nn.MaxPool2d(3, 2, ceil_mode=True),
                                  nn.AvgPool2d((3, 2), (2, 1)), nn.MaxPool2d(2, 1, dilation=3)])
@pytest.mark.parametrize("size", [8, 9])
def test_shapes_stay_and_every_value_comes_from_its_window(pool, size):
    maps = torch.rand(2, 3, size, size)
    found = Subsample(pool)(maps)
    assert found.shape == pool(maps).shape
    if isinstance(pool, nn.MaxPool2d):
        assert (found <= pool(maps)).all()
    assert torch.isin(found, maps).all()


def test_only_pooling_is_taken_out_and_parameters_stay():
    net = lenet_classic()
    before = [step.shape for step in steps(net, 1, 28)]
    assert unpool(net) == 2
    assert [step.shape for step in steps(net, 1, 28)] == before
    assert sum(parameter.numel() for parameter in net.parameters()) == 61_876
    assert unpool(nn.Sequential(nn.MaxPool2d(1), nn.AdaptiveAvgPool2d(1))) == 0
