import numpy as np
import pytest
import torch
from torch import nn

from fastlab.errors import OptionError
from fastlab.inside.dropout import prediction_spread, update_sizes
from fastlab.nets.lenet import lenet


@pytest.fixture
def net():
    torch.manual_seed(0)
    return lenet(5)


def test_spread_of_one_dropped_input_is_the_two_point_distribution():
    "A single input of 1 and p = 0.5: the score is 0 or 2 with equal chances."
    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(1, 2, bias=False))
    with torch.no_grad():
        net[2].weight.copy_(torch.tensor([[1.0], [0.0]]))
    images = torch.ones(200, 1, 1, 1)
    found = prediction_spread(net, images, draws=50)
    high, low = 1 / (1 + np.exp(-2)), 0.5
    assert found.still[:, 0] == pytest.approx(np.full(200, 1 / (1 + np.exp(-1))), rel=1e-5)
    assert found.mean[:, 0].mean() == pytest.approx((high + low) / 2, abs=0.01)
    assert found.deviation[:, 0].mean() == pytest.approx((high - low) / 2, abs=0.01)
    assert found.changed.max() == 0
    assert found.draws == 50


def test_spread_leaves_batchnorm_in_testing_and_no_trace(net):
    images = torch.rand(12, 1, 28, 28)
    before, state = {name: tensor.clone() for name, tensor in net.state_dict().items()}, torch.get_rng_state()
    found = prediction_spread(net, images, draws=30)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert net.training
    with torch.no_grad():
        np.testing.assert_allclose(found.still, net.eval()(images).softmax(1).numpy(), rtol=1e-5)
    assert (found.deviation.max(1) > 0).all()
    assert ((found.changed >= 0) & (found.changed <= 1)).all()
    np.testing.assert_allclose(found.mean.sum(1), 1, rtol=1e-5)


def test_spread_is_the_same_at_every_call_and_grows_with_p(net):
    images = torch.rand(12, 1, 28, 28)
    first, again, other = (prediction_spread(net, images, draws=5, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.deviation, again.deviation)
    assert not np.array_equal(first.deviation, other.deviation)
    net.dropout.p = 0.05
    assert prediction_spread(net, images, draws=5, seed=1).deviation.mean() < 0.6 * first.deviation.mean()


def test_updates_under_plain_sgd_are_rate_times_gradient(net):
    images, labels = torch.rand(40, 1, 28, 28), torch.arange(40) % 5
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    def sgd(parameters):
        return torch.optim.SGD(parameters, lr=0.02)

    table = update_sizes(net, images, labels, sgd, steps=3, batch_size=16)
    np.testing.assert_allclose(table["update_size"], 0.02 * table["gradient"], rtol=1e-3)
    assert table.groupby("dropout").size().to_dict() == {"off": 3, "on": 3}
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_without_dropout_the_first_step_is_that_of_the_same_network_that_never_had_any():
    torch.manual_seed(0)
    net = lenet(5)
    torch.manual_seed(0)
    plain = lenet(5, dropout=0).train()
    images, labels = torch.rand(20, 1, 28, 28), torch.arange(20) % 5
    table = update_sizes(net, images, labels, steps=1, batch_size=20).set_index("dropout")
    nn.functional.cross_entropy(plain(images), labels).backward()
    expected = torch.cat([parameter.grad.flatten() for parameter in plain.parameters()]).norm().item()
    assert table.gradient["off"] == pytest.approx(expected, rel=1e-4)
    assert table.gradient["on"] != pytest.approx(expected, rel=1e-2)


def test_batches_go_through_the_images_and_start_again(net):
    images, labels = torch.rand(10, 1, 28, 28), torch.arange(10) % 5
    assert len(update_sizes(net, images, labels, steps=5, batch_size=4)) == 10
    assert len(update_sizes(net, images, labels, steps=1, batch_size=64)) == 2


def test_a_network_without_dropout_says_so():
    with pytest.raises(OptionError, match="no dropout"):
        prediction_spread(lenet(5, dropout=0), torch.rand(2, 1, 28, 28))
