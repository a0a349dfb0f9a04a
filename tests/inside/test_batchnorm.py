"""What each layer hands to its activation, against numpy on the network's own parts."""
import numpy as np
import pytest
import torch
from torch import nn

from fastlab.inside.batchnorm import handed_on, layer_signals
from fastlab.nets.lenet import lenet


def test_batchnorm_is_read_behind_the_layer_and_pulls_to_mean_0_variance_1():
    torch.manual_seed(0)
    net = lenet()
    found = layer_signals(net, torch.rand(16, 1, 28, 28), np.arange(16) % 12).set_index("name")
    assert list(found.index) == ["conv1", "conv2", "linear"]
    assert list(found.normalised) == [True, True, False]
    assert found["mean"][["conv1", "conv2"]].abs().max() < 1e-5
    np.testing.assert_allclose(found.variance[["conv1", "conv2"]], 1, atol=0.02)
    assert found.n.eq(16).all()
    assert net.norm1.num_batches_tracked == 0


def test_without_batchnorm_it_is_the_layers_own_output():
    torch.manual_seed(0)
    net, images = lenet(norm="none"), torch.rand(8, 1, 28, 28)
    found = layer_signals(net, images, [0] * 8).set_index("name")
    with torch.no_grad():
        first = net.conv1(images).double().numpy()
    assert found["mean"]["conv1"] == pytest.approx(first.mean(), rel=1e-6)
    assert found.variance["conv1"] == pytest.approx(first.var(), rel=1e-6)
    assert not found.normalised.any()
    net.zero_grad()
    nn.functional.cross_entropy(net.eval()(images), torch.zeros(8, dtype=torch.int64)).backward()
    assert found.gradient["conv2"] == pytest.approx(float(net.conv2.weight.grad.norm()), rel=1e-5)


def test_a_norm_before_the_layer_is_not_taken_for_the_one_behind_it():
    net = nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, 2, 3), nn.ReLU(), nn.BatchNorm2d(2), nn.Flatten(),
                        nn.Linear(72, 2))
    assert {name: step.name for name, step in handed_on(net, 1, 8).items()} == {"1": "1", "5": "5"}
