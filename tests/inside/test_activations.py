import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from fastlab.errors import OptionError
from fastlab.inside.activations import activation_statistics, feature_maps, gradient_norms
from fastlab.nets.lenet import lenet


@pytest.fixture
def net():
    torch.manual_seed(0)
    return lenet(5)


def test_feature_maps_are_those_of_the_network(net):
    image = torch.rand(1, 1, 28, 28)
    maps = feature_maps(net, image)
    assert list(maps) == list(dict(net.named_children()))
    with torch.no_grad():
        for number, name in enumerate(maps, 1):
            np.testing.assert_allclose(maps[name], net.eval()[:number](image)[0].numpy(), atol=1e-6)


def test_feature_maps_take_pixels_and_bound_their_number(net):
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28, 1), dtype=np.uint8)
    maps = feature_maps(net, pixels, names=["conv1", "relu2", "linear"], most_maps=4, mean=0.5, std=0.5)
    assert [array.shape for array in maps.values()] == [(4, 28, 28), (4, 7, 7), (5,)]
    prepared = torch.tensor(pixels / 255).float().permute(2, 0, 1)[None] * 2 - 1
    np.testing.assert_allclose(maps["conv1"], net.conv1(prepared)[0, :4].detach().numpy(), atol=1e-5)
    assert maps["conv1"].base is None  # a copy: the other maps are not kept alive behind it


def test_feature_maps_are_of_one_image(net):
    with pytest.raises(OptionError, match="2 images"):
        feature_maps(net, torch.rand(2, 1, 28, 28))


def test_in_place_relu_does_not_spoil_the_maps_before_it():
    layers = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(inplace=True))
    assert (feature_maps(layers, torch.randn(1, 1, 9, 9))["0"] < 0).any()


def test_statistics_are_numpys_whatever_the_chunk(net):
    images = torch.rand(11, 1, 28, 28)
    table = activation_statistics(net, images, chunk=4).set_index("name")
    with torch.no_grad():
        for number, name in enumerate(table.index, 1):
            values = net.eval()[:number](images).double().numpy()
            row = table.loc[name]
            assert row["mean"] == pytest.approx(values.mean(), abs=1e-6)
            assert row["variance"] == pytest.approx(values.var(), rel=1e-5)
            assert row["zeros"] == pytest.approx((values == 0).mean(), abs=1e-4)
    assert table.n.eq(11).all()


def test_dead_units_are_found(net):
    with torch.no_grad():
        net.norm1.bias[[2, 5, 7]] = -100.0
    table = activation_statistics(net, torch.rand(6, 1, 28, 28)).set_index("name")
    assert table.dead["relu1"] == pytest.approx(3 / 16)
    assert table.dead["conv1"] == 0


def test_one_firing_in_any_image_is_life():
    layer = nn.Sequential(nn.Flatten(), nn.ReLU())
    images = torch.full((6, 1, 1, 2), -1.0)
    images[5, 0, 0, 1] = 3.0
    assert activation_statistics(layer, images, chunk=2).set_index("name").dead["1"] == 0.5


def test_gradient_norms_are_autograds_in_training_mode_without_dropout():
    torch.manual_seed(0)
    net = lenet(5, dropout=0)
    images, labels = torch.rand(12, 1, 28, 28), torch.arange(12) % 5
    table = gradient_norms(net.eval(), images, labels).set_index("name")
    twin = lenet(5, dropout=0)
    twin.load_state_dict(net.state_dict())
    hidden = twin.train()[:5](images)
    hidden.retain_grad()
    cross_entropy(twin[5:](hidden), labels).backward()
    for name in ("conv1", "conv2", "linear"):
        weight = getattr(twin, name).weight
        assert table.gradient[name] == pytest.approx(weight.grad.norm().item(), rel=1e-4)
        assert table.relative[name] == pytest.approx((weight.grad.norm() / weight.norm()).item(), rel=1e-4)
    assert table.output_gradient["conv2"] == pytest.approx(hidden.grad.square().mean().sqrt().item(), rel=1e-4)


def test_gradient_norms_leave_no_trace(net):
    net.conv1.weight.grad = torch.ones_like(net.conv1.weight)
    mine = net.conv1.weight.grad
    before, state = {name: tensor.clone() for name, tensor in net.state_dict().items()}, torch.get_rng_state()
    first = gradient_norms(net, torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0)), [0, 1, 2, 3])
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
    assert net.conv1.weight.grad is mine
    assert net.linear.weight.grad is None
    assert net.training
    assert net.dropout.training
    assert torch.equal(torch.get_rng_state(), state)
    again = gradient_norms(net, torch.rand(4, 1, 28, 28, generator=torch.Generator().manual_seed(0)), [0, 1, 2, 3])
    assert first.equals(again)


def test_frozen_layers_have_no_gradient(net):
    net.conv1.requires_grad_(False)
    table = gradient_norms(net, torch.rand(4, 1, 28, 28), [0, 1, 2, 3]).set_index("name")
    assert np.isnan(table.gradient["conv1"])
    assert table.gradient["conv2"] > 0


def test_batch_norm_keeps_gradients_alive_where_plain_layers_lose_them():
    "Six narrow tanh layers with small weights: the plain network's first gradient fades, with BatchNorm it stays."
    def stack(norm):
        torch.manual_seed(1)
        layers = []
        for number in range(6):
            conv = nn.Conv2d(4 if number else 1, 4, 3, padding=1)
            nn.init.normal_(conv.weight, std=0.03)
            layers += [conv, *([nn.BatchNorm2d(4)] if norm else []), nn.Tanh()]
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * 64, 3))

    images, labels = torch.rand(16, 1, 8, 8), torch.arange(16) % 3
    fades = {norm: gradient_norms(stack(norm), images, labels).relative for norm in (False, True)}
    ratio = {norm: found.iloc[0] / found.iloc[-2] for norm, found in fades.items()}
    assert fades[True].iloc[0] > 100 * fades[False].iloc[0]
    assert ratio[True] > 0.1


def test_weights_that_are_all_0_have_no_relative_gradient(net):
    with torch.no_grad():
        net.conv1.weight.zero_()
    table = gradient_norms(net, torch.rand(4, 1, 28, 28), [0, 1, 2, 3]).set_index("name")
    assert np.isnan(table.relative["conv1"])
    assert table.relative["conv2"] > 0
