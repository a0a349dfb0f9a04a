import numpy as np
import pytest
import torch
from torch import nn

from fastlab.errors import OptionError
from fastlab.inside.invariance import AMOUNTS, invariance, map_changes
from fastlab.inside.warping import shifted
from fastlab.nets.lenet import lenet


class TotalInk(nn.Module):
    "Answers by the sum of all values alone: nothing that moves inside the image can change it."

    def __init__(self):
        super().__init__()
        self.pool, self.flat = nn.AdaptiveAvgPool2d(1), nn.Flatten()

    def forward(self, x):
        ink = self.flat(self.pool(x))
        return torch.cat([ink, 0.05 - ink], 1) * 50


class OnePixel(nn.Module):
    "Answers by one pixel alone."

    def forward(self, x):
        return torch.stack([x[:, 0, 6, 6], 1 - x[:, 0, 6, 6]], 1) * 100


def spots(n=20, size=15):
    "A spot of 1 at (6, 6) on images of 0; every second image has none."
    images = torch.zeros(n, 1, size, size)
    images[::2, 0, 6, 6] = 1
    return images


def test_a_network_that_sums_never_changes_and_one_that_points_always_does():
    images = spots()
    summed = invariance(TotalInk(), images)
    assert summed.amount.tolist() == list(range(-6, 7))
    assert summed.unchanged.eq(1).all()
    assert summed.distance.max() < 1e-6
    pointed = invariance(OnePixel(), images, labels=[0, 1] * 10).set_index("amount")
    assert pointed.unchanged[0] == pointed.accuracy[0] == 1
    others = pointed.drop(index=0)
    assert others.unchanged.eq(0.5).all()  # the ten images with a spot lose it
    assert np.allclose(others.distance, 0.5, atol=1e-4)
    assert others.n.eq(40).all()
    assert pointed.accuracy[3] == 0.5


def test_figures_are_those_of_moving_the_images_oneself():
    torch.manual_seed(0)
    net, images = lenet(5, norm="none", dropout=0), torch.rand(30, 1, 28, 28)
    labels = torch.arange(30) % 5
    row = invariance(net, images, labels, amounts=[4], chunk=7).iloc[0]
    with torch.no_grad():
        still = net(images).softmax(1)
        moved = [net(shifted(images, right=4)).softmax(1), net(shifted(images, down=4)).softmax(1)]
    assert row.unchanged == pytest.approx(np.mean([(m.argmax(1) == still.argmax(1)).float().mean() for m in moved]))
    assert row.distance == pytest.approx(np.mean([(m - still).abs().sum(1).mean() / 2 for m in moved]), abs=1e-6)
    assert row.accuracy == pytest.approx(np.mean([(m.argmax(1) == labels).float().mean() for m in moved]))


@pytest.mark.parametrize("kind", list(AMOUNTS))
def test_no_change_changes_nothing(kind):
    torch.manual_seed(0)
    amount = {"scale": 1.0}.get(kind, 0)
    assert amount in AMOUNTS[kind]
    row = invariance(lenet(5), torch.rand(6, 1, 28, 28), kind=kind, amounts=[amount]).iloc[0]
    assert row.unchanged == 1
    assert row.distance < 1e-4


def test_noise_is_the_same_at_every_call_and_another_with_another_seed():
    torch.manual_seed(0)
    net, images = lenet(5), torch.rand(10, 1, 28, 28)
    one, two, other = (invariance(net, images, kind="noise", amounts=[0.3], seed=seed).distance[0]
                       for seed in (0, 0, 1))
    assert one == two != other


def test_unknown_kinds_are_named():
    with pytest.raises(OptionError, match="Did you mean 'rotation'"):
        invariance(lenet(5), torch.rand(2, 1, 28, 28), kind="rotations")


def test_map_changes_against_the_definition():
    torch.manual_seed(0)
    net, images = nn.Sequential(nn.Conv2d(1, 3, 3), nn.MaxPool2d(2), nn.Flatten()), torch.rand(9, 1, 8, 8)
    table = map_changes(net, images, amount=1, chunk=4).set_index("name")
    with torch.no_grad():
        for name, part in (("0", net[:1]), ("1", net[:2])):
            still = part(images)
            moved = sum((part(change) - still).double().square().sum() for change in
                        (shifted(images, right=1), shifted(images, down=1)))
            spread = (still - still.mean(0)).double().square().sum()
            assert table.change[name] == pytest.approx(float((moved / 2 / spread).sqrt()), rel=1e-5)


def test_pooling_steadies_maps_where_subsampling_does_not():
    "Blurred random images: maxima of neighbouring places move less than single places."
    generator = torch.Generator().manual_seed(3)
    images = nn.functional.avg_pool2d(torch.rand(40, 1, 36, 36, generator=generator), 5, 1)
    change = {kind: map_changes(nn.Sequential(kind), images, amount=1).change[0] for kind in
              (nn.Identity(), nn.MaxPool2d(4), nn.MaxPool2d(1, 4))}
    plain, pooled, sampled = change.values()
    assert pooled < 0.8 * plain
    assert sampled == pytest.approx(plain, rel=0.1)


def test_where_no_map_differs_there_is_no_change_to_tell():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU())
    with torch.no_grad():
        net[0].weight.mul_(1e-3)
        net[0].bias[:] = torch.tensor([-1.0, -1.0])
    change = map_changes(net, torch.rand(5, 1, 9, 9)).change
    assert change[0] > 0
    assert np.isnan(change[1])
