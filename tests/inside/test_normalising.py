import numpy as np
import pytest
import torch
from torch import nn

from fastlab.inside.normalising import channel_contrast, competition, contrast_by_factor, lrn_contrast, unlike
from fastlab.nets.alexnet import alexnet
from fastlab.nets.lenet import lenet
from fastlab.nets.normalisation import LocalResponseNorm


def test_contrast_by_brute_force():
    maps = np.random.default_rng(0).normal(size=(2, 6, 3, 3))
    maps[np.random.default_rng(1).random(maps.shape) < 0.4] = 0
    pairs = [abs(a - b) / (abs(a) + abs(b)) for image in maps for i in range(6) for j in range(i + 1, min(6, i + 3))
             for a, b in zip(image[i].ravel(), image[j].ravel()) if a or b]
    assert channel_contrast(torch.tensor(maps)) == pytest.approx(np.mean(pairs), rel=1e-9)


def test_contrast_of_alike_alone_and_silent_channels():
    alone = torch.zeros(1, 3, 2, 2)
    alone[:, 1] = 5
    assert channel_contrast(torch.ones(1, 4, 2, 2)) == 0
    assert channel_contrast(alone) == 1
    assert np.isnan(channel_contrast(torch.zeros(1, 3, 2, 2)))
    assert channel_contrast(alone * 7 + 0) == channel_contrast(alone)


def test_competition_is_what_a_loud_neighbour_does():
    "Half of the places have a neighbour of 10 beside the unit, half have silence."
    maps = torch.zeros(2, 2, 10, 10)
    maps[:, 0] = 1
    maps[1, 1] = 10
    norm = LocalResponseNorm(2, "paper", alpha=0.01)
    loud, quiet = (2 + 0.01 * 101) ** -0.75, (2 + 0.01 * 1) ** -0.75
    silent_among_silent = (2 + 0.01 * 1) ** -0.75  # channel 1 of image 0 has channel 0's 1 beside it
    found = competition(maps[:, :1].repeat(1, 2, 1, 1), norm)
    assert found == pytest.approx(0, abs=1e-9)
    assert competition(maps, norm) == pytest.approx(1 - loud / np.mean([quiet, silent_among_silent]), rel=0.3)
    assert competition(maps, norm) > 10 * competition(maps, LocalResponseNorm(2, "paper", alpha=1e-4)) > 0


def test_a_common_scale_is_no_change():
    maps = torch.randn(3, 4, 5, 5)
    assert unlike(maps, 0.6 * maps) == pytest.approx(0, abs=1e-6)
    other = torch.randn(3, 4, 5, 5)
    cosine = nn.functional.cosine_similarity(maps.flatten(), other.flatten(), 0).item()
    assert unlike(maps, other) == pytest.approx((1 - cosine ** 2) ** 0.5, rel=1e-5)


def test_rows_of_the_networks_own_lrn_and_of_both_constants():
    torch.manual_seed(0)
    net, images = alexnet(5, width=0.5).eval(), torch.rand(10, 1, 28, 28) * 50
    table = lrn_contrast(net, images, chunk=4)
    assert table[["name", "form", "size"]].to_numpy().tolist() == [
        ["lrn1", "own", 8], ["lrn1", "paper", 5], ["lrn1", "torch", 5],
        ["lrn2", "own", 16], ["lrn2", "paper", 5], ["lrn2", "torch", 5]]
    with torch.no_grad():
        before = net[:3](images)
        after = nn.LocalResponseNorm(8)(before)
    own = table.iloc[0]
    assert own.before == pytest.approx(channel_contrast(before), rel=1e-5)
    assert own.after == pytest.approx(channel_contrast(after), rel=1e-5)
    assert own.damping == pytest.approx(1 - (after.sum() / before.sum()).item(), abs=1e-5)
    assert own.n == 10


def test_a_network_without_lrn_is_shown_what_it_would_do():
    table = lrn_contrast(lenet(5), torch.rand(4, 1, 28, 28))
    assert table[["name", "form"]].to_numpy().tolist() == [[name, form] for name in ("relu1", "relu2")
                                                           for form in ("paper", "torch")]
    assert table.loc[table.form == "paper", "damping"].between(1 - 2 ** -0.75 - 1e-3, 0.5).all()


def test_of_many_places_some_are_taken_evenly():
    net = nn.Sequential(nn.Conv2d(1, 3, 3), *(nn.ReLU() for _ in range(39)))
    assert list(lrn_contrast(net, torch.rand(2, 1, 6, 6)).name.unique()) == [str(k) for k in range(1, 40, 2)]


def test_torchs_own_layer_counts_as_own():
    net = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.LocalResponseNorm(4, alpha=0.5, k=2.0))
    images = torch.rand(3, 1, 9, 9)
    own = lrn_contrast(net, images).iloc[0]
    with torch.no_grad():
        assert own.after == pytest.approx(channel_contrast(net(images)), rel=1e-5)


def test_contrast_begins_to_change_with_alpha():
    maps = torch.rand(4, 8, 6, 6)
    found = contrast_by_factor(maps, (0, 1, 1e5))
    assert found[0] == pytest.approx(channel_contrast(maps))
    assert abs(found[1] - found[0]) < 1e-4 < abs(found[2] - found[0])
