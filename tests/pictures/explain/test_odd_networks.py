"""Networks that are seldom thought of: parts used twice, kernels and whole networks of zeros, twins that diverge."""
from dataclasses import replace

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from torch import nn
from torchvision.models.resnet import Bottleneck

import fastlab
from fastlab.errors import TrainingError
from fastlab.inside import twins
from fastlab.inside.invariance import invariance
from fastlab.pictures.explain.looking import first_kernels
from fastlab.pictures.explain.page import render
from fastlab.pictures.explain.steadying import wide
from fastlab.pictures.explain.subject import Subject, trained_twin

OWN_LEFT_OUT = {"dropout", "learning"}


class Tutorial(nn.Module):
    "As in PyTorch's own tutorial: one pooling and one ReLU, at 6 maps, at 16 and at 20 units."

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.flat = nn.Conv2d(1, 6, 5), nn.Conv2d(6, 16, 5), nn.Flatten()
        self.pool, self.relu = nn.MaxPool2d(2), nn.ReLU()
        self.fc1, self.fc2 = nn.Linear(256, 20), nn.Linear(20, 4)

    def forward(self, x):
        x = self.relu(self.pool(self.conv1(x)))
        x = self.relu(self.pool(self.conv2(x)))
        return self.fc2(self.relu(self.fc1(self.flat(x))))


class Tied(nn.Module):
    "A convolution and a linear layer that are both used twice."

    def __init__(self):
        super().__init__()
        self.first, self.again, self.pool = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3, padding=1), nn.MaxPool2d(4)
        self.flat, self.linear, self.last = nn.Flatten(), nn.Linear(144, 144), nn.Linear(144, 4)

    def forward(self, x):
        x = self.pool(self.again(self.again(self.first(x)).relu()))
        return self.last(self.linear(self.linear(self.flat(x)).relu()))


def bottleneck():
    "A block of ResNet-50: one ReLU, at 3, 3 and 12 maps."
    return nn.Sequential(nn.Conv2d(1, 12, 3, 2), Bottleneck(12, 3), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
                         nn.Linear(48, 4))


def with_net(model, net):
    "The Model with a user's own network in it."
    return replace(model, net=net.eval(), recipe=model.recipe.changed(net="mine:net"))


@pytest.fixture
def explained_net(quick, shape_arrays, model_of):
    "The function (net) -> Explained, once every picture was drawn."
    def explained(net):
        torch.manual_seed(0)
        return drawn(fastlab.explain(with_net(model_of(shape_arrays), net()), shape_arrays))
    return explained


def drawn(found):
    for section in found.sections:
        for picture in section.pictures:
            assert isinstance(np.ravel(picture.draw())[0], Axes)
    return found


def test_a_relu_and_a_pooling_used_at_two_widths_are_explained_use_by_use(explained_net):
    found = explained_net(Tutorial)
    assert set(found.left_out) == OWN_LEFT_OUT
    rows = {row["name"]: (row["shape"], row["receptive_field"]) for row in found.layers}
    assert list(rows) == ["conv1", "pool", "relu", "conv2", "pool#2", "relu#2", "flat", "fc1", "relu#3", "fc2"]
    assert rows["pool"] == rows["relu"] == ([6, 12, 12], 6)
    assert rows["pool#2"] == rows["relu#2"] == ([16, 4, 4], 16)
    assert [row["name"] for row in found.figures["patches"]["steps"]] == ["relu", "relu#2"]
    assert [row["name"] for row in found.figures["lrn"]["rows"]] == ["relu", "relu", "relu#2", "relu#2"]
    assert found.figures["attention"]["layer"] == "relu#2"
    pictures = [picture.name for section in found.sections for picture in section.pictures]
    assert {"patches-relu", "patches-relu-2"} < set(pictures)
    assert len(set(pictures)) == len(pictures)
    shapes = found.sections[0]
    assert shapes.key == "shapes"
    assert "used again" in shapes.notes[0]


def test_a_bottleneck_of_resnet_50_is_explained(explained_net):
    found = explained_net(bottleneck)
    assert set(found.left_out) == OWN_LEFT_OUT
    widths = {row["name"]: row["shape"][0] for row in found.layers}
    assert [widths[f"1.relu{use}"] for use in ("", "#2", "#3")] == [3, 3, 12]


def test_of_a_layer_used_twice_the_prior_counts_the_first_use(explained_net):
    found = explained_net(Tied)
    layers = {row["name"]: row for row in found.figures["prior"]["layers"]}
    assert list(layers) == ["first", "again", "linear", "last"]
    parameters = sum(parameter.numel() for parameter in Tied().parameters())
    assert found.figures["prior"]["parameters"] == found.figures["shapes"]["parameters"] == parameters
    assert layers["again"]["dense"] == (4 * 26 * 26) ** 2 + 4 * 26 * 26
    steps = {row["name"]: row for row in found.figures["cost"]["steps"]}
    assert steps["again#2"]["multiplications"] == steps["again"]["multiplications"] == 4 * 26 * 26 * 36
    assert found.figures["cost"]["multiplications"] == sum(row["multiplications"] for row in steps.values())


def zeroed():
    net = Tutorial()
    for parameter in net.parameters():
        nn.init.zeros_(parameter)
    return net


def test_a_network_of_zeros_is_explained_and_lrn_left_out_with_its_reason(explained_net):
    found = explained_net(zeroed)
    assert set(found.left_out) == OWN_LEFT_OUT | {"fields", "lrn"}
    assert "all channels are 0" in found.left_out["lrn"]
    assert found.figures["kernels"]["balance"] == [None] * 6
    assert {step["dead"] for step in found.figures["maps"]["steps"]} == {1.0}
    assert not any("nan" in sentence for section in found.sections for sentence in section.says)


def test_one_channel_has_no_neighbours_to_contrast(quick, shape_arrays, model_of, monkeypatch):
    monkeypatch.setattr(twins, "SEEN", 0)
    found = drawn(fastlab.explain(model_of(shape_arrays, width=0.03), shape_arrays))
    assert set(found.left_out) == {"lrn", "learning"}
    assert "a single channel" in found.left_out["lrn"]
    kernels = next(section for section in found.sections if section.key == "kernels")
    assert kernels.says[0].startswith("conv1 has 1 kernel of 5×5")


@pytest.mark.parametrize(("values", "told"), [([1, 2, 5], "5"), ([0, 1], "over a million"), ([0, 0], "–"),
                                              ([1e-20, 1], "over a million"), ([0.5, 400], "800")])
def test_spans_without_bound_are_told_in_words(values, told):
    assert wide(np.array(values, float)) == told


def test_a_kernel_of_zeros_is_left_out_of_the_balance_alone(shape_arrays, model_of, recwarn):
    model = model_of(shape_arrays)
    with torch.no_grad():
        model.net.conv1.weight[3] = 0
    found = first_kernels(Subject(model, shape_arrays))
    weights = np.delete(model.net.conv1.weight.detach().numpy(), 3, 0).reshape(15, -1)
    balance = np.abs(weights.sum(1)) / np.abs(weights).sum(1)
    assert found.figures["balance"][3] is None
    name, *told = found.tables[0].rows[2]
    assert name.endswith("of the n = 15 that are not all 0")
    assert [float(text) for text in told] == pytest.approx([balance.min(), np.median(balance), balance.max()], rel=5e-3)
    assert not recwarn.list


def test_twins_that_diverge_are_left_out_and_it_is_said(quick, shape_arrays, model_of):
    model = model_of(shape_arrays, width=0.25, optimizer="sgd", lr=1e30)
    with pytest.raises(TrainingError):
        Subject(model, shape_arrays).twin       # noqa: B018
    found = drawn(fastlab.explain(model, shape_arrays))
    assert set(found.left_out) == {"learning"}
    assert "could not be trained (epoch 1:" in found.left_out["learning"]
    assert set(found.figures["shift"]["answers"]) == set(found.figures["batchnorm"]["networks"]) == {"this network"}
    told = [replace(section, pictures=()) for section in found.sections]
    assert render(found.title, found.facts, told).count("could not be trained (epoch 1:") == 3


def test_twins_are_measured_on_pixels_as_they_were_trained_on(quick, shape_arrays, model_of):
    "A model whose pixels are scaled otherwise: as a network that was fine-tuned with the statistics of another folder."
    model = model_of(shape_arrays)
    model.input |= {"mean": [0.1], "deviation": [3.0]}
    found = fastlab.explain(model, shape_arrays)
    subject = Subject(model, shape_arrays)
    twin = trained_twin(shape_arrays, model.recipe, subject.plan)
    rows = shape_arrays.splits["train"][np.linspace(0, 71, subject.plan.images).round().astype(int)]
    pixels = shape_arrays.images[rows] / 255
    assert twin.scale["mean"][0] == pytest.approx(pixels.mean(), abs=1e-6)
    assert twin.scale["std"][0] == pytest.approx(pixels.std(), abs=1e-4)
    told = found.figures["shift"]["answers"]["with pooling, twin"]
    images = subject.images[:told[0]["n"] // 2]
    expected = invariance(twin.net, images, subject.truth[:len(images)], "shift", mean=pixels.mean(), std=pixels.std())
    assert [row["accuracy"] for row in told] == pytest.approx(list(expected.accuracy))
    assert [row["distance"] for row in told] == pytest.approx(list(expected.distance), abs=1e-4)
