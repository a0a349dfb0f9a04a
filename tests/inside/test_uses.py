"""A part that is used again, as PyTorch's tutorial has one ReLU and one pooling, against the same with a part each."""
import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from fastlab.inside.activations import activation_statistics, feature_maps, gradient_norms
from fastlab.inside.attention import grad_cam, last_maps
from fastlab.inside.batchnorm import layer_signals
from fastlab.inside.costs import costs, timed
from fastlab.inside.dropout import share_after
from fastlab.inside.fields import fields
from fastlab.inside.invariance import map_changes
from fastlab.inside.layers import layer_rows
from fastlab.inside.normalising import lrn_contrast
from fastlab.inside.patches import best_patches, cut
from fastlab.inside.uses import used_steps, watched

PIXELS = np.random.default_rng(0).integers(0, 256, (7, 28, 28, 1), np.uint8)
IMAGES, LABELS = torch.tensor(PIXELS / 255).float().permute(0, 3, 1, 2), np.arange(7) % 4
AGAIN = ["conv1", "pool", "relu", "conv2", "pool#2", "relu#2", "flat", "linear1", "relu#3", "linear2"]
EACH = ["conv1", "pool1", "relu1", "conv2", "pool2", "relu2", "flat", "linear1", "relu3", "linear2"]


class Again(nn.Module):
    "One pooling over 6 maps, then over 16; one ReLU over 6 maps, 16 maps and 20 units."

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.flat = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Flatten()
        self.pool, self.relu = nn.MaxPool2d(2), nn.ReLU()
        self.linear1, self.linear2 = nn.Linear(256, 20), nn.Linear(20, 4)

    def forward(self, x):
        x = self.relu(self.pool(self.conv1(x)))
        x = self.relu(self.pool(self.conv2(x)))
        return self.linear2(self.relu(self.linear1(self.flat(x))))


@pytest.fixture
def again():
    torch.manual_seed(0)
    return Again().eval()


@pytest.fixture
def each(again):
    "The same layers, and a part of its own for every use."
    parts = [again.conv1, nn.MaxPool2d(2), nn.ReLU(), again.conv2, nn.MaxPool2d(2), nn.ReLU(), again.flat,
             again.linear1, nn.ReLU(), again.linear2]
    net = nn.Sequential()
    for name, part in zip(EACH, parts):
        net.add_module(name, part)
    return net.eval()


MEASURES = {
    "activation_statistics": lambda net: activation_statistics(net, IMAGES, chunk=3),
    "gradient_norms": lambda net: gradient_norms(net, IMAGES, LABELS),
    "layer_signals": lambda net: layer_signals(net, IMAGES, LABELS),
    "costs": lambda net: pd.DataFrame(costs(net, 1, 28)),
    "fields": lambda net: pd.DataFrame(fields(net, 1, 28)),
    "map_changes": lambda net: map_changes(net, IMAGES, chunk=3),
    "layer_rows": lambda net: pd.DataFrame(layer_rows(net, PIXELS)[0]),
    "lrn_contrast": lambda net: lrn_contrast(net, IMAGES, chunk=3),
}


@pytest.mark.parametrize("measure", MEASURES)
def test_every_use_is_measured_as_if_it_had_a_part_of_its_own(measure, again, each):
    found, expected = MEASURES[measure](again), MEASURES[measure](each)
    expected["name"] = expected["name"].map(dict(zip(EACH, AGAIN)))
    pd.testing.assert_frame_equal(found, expected)
    assert set(found.name) <= set(AGAIN)


def test_maps_and_grad_cam_too(again, each):
    assert [step.name for step in used_steps(again, 1, 28)] == AGAIN
    found, expected = feature_maps(again, IMAGES[:1]), feature_maps(each, IMAGES[:1])
    assert list(found) == AGAIN
    for name, other in zip(AGAIN, EACH):
        np.testing.assert_array_equal(found[name], expected[other])
    assert list(feature_maps(again, IMAGES[:1], ["relu#2"])) == ["relu#2"]
    assert last_maps(again, 1, 28) == "relu#2"
    for name, other in (("relu#2", "relu2"), ("pool", "pool1"), (None, None)):
        one, another = grad_cam(again, IMAGES, layer=name), grad_cam(each, IMAGES, layer=other)
        np.testing.assert_array_equal(one.maps, another.maps)


@pytest.mark.parametrize(("name", "other"), [("relu", "relu1"), ("pool#2", "pool2")])
def test_patches_are_those_of_one_use(name, other, again, each):
    found, expected = (best_patches(net, IMAGES, step, 3, chunk=2) for net, step in ((again, name), (each, other)))
    np.testing.assert_array_equal(found.values, expected.values)
    np.testing.assert_array_equal(cut(found, IMAGES, 2), cut(expected, IMAGES, 2))
    assert all(len(set(row)) == 3 for row in found.images)


def test_a_step_is_timed_once_a_use(again):
    table = timed(again, IMAGES, rounds=2, warm=0)
    assert list(table.name) == [*AGAIN, "elsewhere"]


def test_what_follows_dropout_is_a_share_of_all_uses():
    "A layer used once before dropout and once after it: half of what is multiplied."
    shared = nn.Linear(4, 4)
    assert share_after(nn.Sequential(nn.Flatten(), shared, nn.Dropout(), shared), 1, 2) == 0.5


def test_numbers_begin_anew_with_every_pass_and_hooks_are_taken_off(again):
    names = []
    with watched(again, lambda name, *_: names.append(name)):
        again(IMAGES)
        again(IMAGES)
    again(IMAGES)
    assert names == AGAIN * 2
    assert not again._forward_pre_hooks
    assert all(not part._forward_hooks for part in again.modules())
