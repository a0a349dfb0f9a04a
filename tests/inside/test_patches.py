import numpy as np
import pytest
import torch
from torch import nn

from fastlab.errors import OptionError
from fastlab.inside.patches import best_patches, cut
from fastlab.nets.lenet import lenet


def corner_finder():
    "One unit that answers to a bright 3x3 square, one that answers to a dark one; then every second place."
    net = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1, bias=False), nn.MaxPool2d(1, 2))
    with torch.no_grad():
        net[0].weight[0], net[0].weight[1] = 1.0, -1.0
    return net


def test_the_brightest_squares_are_found_where_they_are():
    images = torch.zeros(5, 1, 12, 12)
    for index, (row, column, value) in enumerate([(4, 6, 0.5), (2, 2, 0.9), (8, 4, 0.7), (6, 8, 0.1), (4, 4, 0.8)]):
        images[index, 0, row - 1:row + 2, column - 1:column + 2] = value
    found = best_patches(corner_finder(), images, "1", count=3, chunk=2)
    assert found.images[0].tolist() == [1, 4, 2]
    np.testing.assert_allclose(found.values[0], [8.1, 7.2, 6.3], rtol=1e-5)
    assert found.boxes[0].tolist() == [[1, 1, 4, 4], [3, 3, 6, 6], [7, 3, 10, 6]]
    patches = cut(found, images, 0)
    assert patches.shape == (3, 1, 3, 3)
    for patch, value in zip(patches, (0.9, 0.8, 0.7)):
        assert np.allclose(patch, value)


@pytest.mark.parametrize("chunk", [1, 4, 100])
def test_chunks_change_nothing_and_brute_force_agrees(chunk):
    torch.manual_seed(2)
    net, images = lenet(5), torch.rand(13, 1, 28, 28)
    found = best_patches(net, images, "relu2", count=4, chunk=chunk)
    with torch.no_grad():
        maps = net.eval()[:8](images).numpy()
    for unit in range(32):
        best = maps[:, unit].reshape(13, -1).max(1)
        order = np.argsort(-best, kind="stable")[:4]
        np.testing.assert_allclose(found.values[unit], best[order], rtol=1e-5)
        assert set(found.images[unit]) == set(order)
        for index, (top, left, _, _) in zip(found.images[unit], found.boxes[unit]):
            assert maps[index, unit, (top + 6) // 4, (left + 6) // 4] == pytest.approx(best[index], rel=1e-5)
    assert found.n == 13


def test_patches_over_the_edge_are_filled_with_the_ground():
    images = torch.full((1, 1, 8, 8), 0.25)
    images[0, 0, 0, 0] = 1
    found = best_patches(corner_finder(), images, "0")
    top, left, bottom, right = found.boxes[0, 0]
    patch = cut(found, images, 0)[0, 0]
    assert patch.shape == (3, 3)
    assert (bottom - top, right - left) == (3, 3)
    assert patch.max() == 1
    expected = np.full((3, 3), 0.25)
    expected[-top, -left] = 1
    np.testing.assert_array_equal(patch, expected)


def test_a_field_larger_than_the_image_gives_the_image():
    net = nn.Sequential(nn.Conv2d(1, 2, 9, padding=4))
    images = torch.rand(3, 1, 6, 6)
    found = best_patches(net, images, "0", count=2)
    np.testing.assert_array_equal(cut(found, images, 1), images[found.images[1]].numpy())


def test_steps_without_maps_and_unknown_steps_are_named():
    for name in ("linear", "conv9"):
        with pytest.raises(OptionError, match=r"no step with maps.*conv1, norm1"):
            best_patches(lenet(5), torch.rand(2, 1, 28, 28), name)
