import numpy as np
import pytest
import torch
from torch import nn

from fastlab.errors import OptionError
from fastlab.inside.inputs import checked_labels, in_chunks, prepared


@pytest.mark.parametrize(("shape", "expected"), [((5, 8, 9), (5, 1, 8, 9)), ((5, 8, 9, 1), (5, 1, 8, 9)),
                                                 ((5, 8, 9, 3), (5, 3, 8, 9)), ((8, 9, 3), (1, 3, 8, 9)),
                                                 ((8, 9, 1), (1, 1, 8, 9))])
def test_pixels_become_normalised_channels_first(shape, expected):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    mean, std = (0.5, 0.25) if expected[1] == 1 else ((0.1, 0.2, 0.3), (1.0, 2.0, 3.0))
    tensor = prepared(pixels, None, mean, std)
    assert tensor.shape == expected
    row, column, channel = 7, 2, expected[1] - 1
    value = pixels.reshape(-1, 8, 9, expected[1])[0, row, column, channel]
    means, stds = np.atleast_1d(mean), np.atleast_1d(std)
    expected_value = (value / 255 - means[channel]) / stds[channel]
    assert tensor[0, channel, row, column].item() == pytest.approx(expected_value, rel=1e-5)


def test_prepared_images_stay_and_follow_the_network():
    images = torch.randn(2, 1, 4, 4)
    assert prepared(images, None, mean=3.0) is images
    assert prepared(images, nn.Linear(1, 1).double()).dtype == torch.float64


@pytest.mark.parametrize("wrong", [np.zeros((2, 1, 4, 4), int), torch.zeros(4, 4), torch.zeros(0, 1, 4, 4)])
def test_what_is_no_batch_of_images_is_refused(wrong):
    with pytest.raises(OptionError, match="images"):
        prepared(wrong)


def test_labels_go_with_images():
    assert checked_labels([1, 2], torch.zeros(2, 1, 1, 1)).tolist() == [1, 2]
    with pytest.raises(OptionError, match="labels"):
        checked_labels([1, 2, 3], torch.zeros(2, 1, 1, 1))


def test_chunks_change_nothing():
    net, images = nn.Sequential(nn.Flatten(), nn.Linear(9, 4)), torch.randn(7, 1, 3, 3)
    torch.testing.assert_close(in_chunks(net, images, 3), net(images).detach())
