"""The rows of every step against hand counts and the closed form, for all four networks."""
import numpy as np
import pytest
import torch
from torch import nn

from fastlab.inside.fields import EffectiveField
from fastlab.inside.layers import layer_rows
from fastlab.nets.alexnet import alexnet, alexnet2012
from fastlab.nets.lenet import lenet, lenet_classic

# name: (receptive field by hand, parameters, multiplications), and the total of parameters
LENET = {"conv1": (5, 16 * 25 + 16, 28 * 28 * 16 * 25), "norm1": (5, 32, 28 * 28 * 16), "pool1": (6, 0, 0),
         "conv2": (14, 32 * 16 * 25 + 32, 14 * 14 * 32 * 16 * 25), "pool2": (16, 0, 0), "relu2": (16, 0, 0),
         "linear": (40, 1568 * 12 + 12, 1568 * 12)}
CLASSIC = {"conv1": (5, 156, 28 * 28 * 6 * 25), "pool1": (6, 0, 14 * 14 * 6), "conv2": (14, 2416, 10 * 10 * 16 * 150),
           "linear3": (16 + 4 * 4, 48_120, 400 * 120), "linear5": (32, 84 * 12 + 12, 84 * 12)}
REDUCED = {"conv1": (5, 416, 313_600), "lrn1": (6, 0, 4 * 16 * 14 * 14), "conv2": (14, 12_832, 2_508_800),
           "conv3": (24, 32 * 96 * 9 + 96, 49 * 96 * 32 * 9), "conv4": (32, 96 * 64 * 9 + 64, 49 * 64 * 96 * 9),
           "conv5": (40, 64 * 64 * 9 + 64, 49 * 64 * 64 * 9), "linear6": (64, 3136 * 2048 + 2048, 3136 * 2048)}
FULL = {"conv1": (11, 363 * 6 + 6, 55 * 55 * 6 * 363), "pool1": (19, 0, 0),
        "conv2": (51, 6 * 25 * 16 + 16, 27 * 27 * 16 * 150), "pool2": (67, 0, 0),
        "conv3": (99, 16 * 9 * 24 + 24, 13 * 13 * 24 * 144), "conv5": (163, 24 * 9 * 16 + 16, 13 * 13 * 16 * 216),
        "pool5": (195, 0, 0)}     # at a sixteenth of its width


@pytest.mark.parametrize(("make", "channels", "size", "expected", "total"), [
    (lenet, 1, 28, LENET, 32_172), (lenet_classic, 1, 28, CLASSIC, 61_876), (alexnet, 1, 28, REDUCED, 10_778_796),
    (lambda: alexnet2012(10, width=1 / 16), 3, 227, FULL, None)])
def test_rows_equal_counts_by_hand(make, channels, size, expected, total):
    torch.manual_seed(0)
    net = make()
    rows, effective = layer_rows(net, np.full((1, size, size, channels), 200, np.uint8), mean=0.5, std=0.2)
    assert [row["name"] for row in rows] == [name for name, _ in net.named_children()]
    by_name = {row["name"]: row for row in rows}
    assert {name: (by_name[name]["receptive_field"], by_name[name]["parameters"], by_name[name]["multiplications"])
            for name in expected} == expected
    assert sum(row["parameters"] for row in rows) == (total or sum(p.numel() for p in net.parameters()))
    for row in rows:
        assert row["effective_receptive_field"] == effective[row["name"]].size
        assert row["effective_receptive_field"] <= min(row["receptive_field"], size)
    assert by_name[rows[-1]["name"]]["shape"] == [rows[-1]["shape"][0]]


class Rounded(nn.Module):
    "A part that lets no gradient through."

    def forward(self, images):
        return images.detach().round()


def test_a_step_that_no_gradient_passes_has_no_effective_field():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), Rounded(), nn.Conv2d(2, 2, 3), nn.Flatten(), nn.Linear(32, 2))
    rows, _ = layer_rows(net, np.random.default_rng(0).integers(0, 255, (2, 8, 8, 1), np.uint8))
    assert 1 <= rows[0]["effective_receptive_field"] <= 3
    assert [row["effective_receptive_field"] for row in rows[1:]] == [None] * 4


def test_half_of_the_squared_gradient_by_hand():
    "Of squares 16, 9, 4, 1 in 25 pixels, the first two hold 25 of 30."
    shares = np.zeros((5, 5))
    shares[0, :4] = np.array([4, 3, 2, 1]) / 4
    assert EffectiveField("", shares, 2.0, 1).half == pytest.approx(np.sqrt(1))
    shares[0, :4] = 0.5
    assert EffectiveField("", shares, 2.0, 1).half == pytest.approx(np.sqrt(2))
    assert EffectiveField("", np.zeros((5, 5)), 0.0, 1).half == 0
