"""What a network says of one image, against its own forward pass done by hand."""
import base64
import threading

import numpy as np
import pytest
import torch

from fastlab.page.drawing import drawn
from fastlab.page.reading import MOST_MAPS, MOST_SIDE, Reader, mapped_steps, packed_maps, titled

STROKES = [np.array([[0.1, 0.5], [0.9, 0.5]]), np.array([[0.5, 0.1], [0.4, 0.9]])]


def bytes_of(told, *shape):
    return np.frombuffer(base64.b64decode(told["pixels"]), np.uint8).reshape(shape)


def normalised(pixels, reader):
    "By hand: (1, C, H, W) float64."
    mean, std = (np.array(value) for value in (reader.mean, reader.std))
    return torch.from_numpy(((pixels / 255 - mean) / std).transpose(2, 0, 1)[None]).float()


def test_probabilities_are_those_of_the_network(reader):
    pixels = drawn(STROKES, reader.paper)
    with torch.no_grad():
        expected = reader.model.net(normalised(pixels, reader)).softmax(1)[0].numpy()
    assert reader.read(pixels)["probabilities"] == pytest.approx(expected, abs=2e-6)


def test_it_tells_what_the_network_was_given(reader):
    pixels = drawn(STROKES, reader.paper)
    assert np.array_equal(bytes_of(reader.read(pixels)["seen"], 28, 28, 1), pixels)


def test_every_step_with_maps_is_there_as_a_walk_by_hand_gives_it(reader):
    pixels, expected = drawn(STROKES, reader.paper), {}
    values = normalised(pixels, reader)
    with torch.no_grad():
        for name, part in reader.model.net.named_children():
            values = part(values)
            if values.ndim == 4:
                expected[name] = values[0].numpy()
    layers = reader.read(pixels, "all")["layers"]
    assert [layer["name"] for layer in layers] == list(expected)
    for layer in layers:
        maps = expected[layer["name"]]
        assert layer["shape"] == list(maps.shape)
        step = (layer["high"] - layer["low"]) / 255
        found = layer["low"] + bytes_of(layer, *maps.shape) * step
        assert np.abs(found - maps).max() <= 0.51 * step + 1e-5


def test_a_short_view_has_the_last_step_of_each_block(reader):
    assert [layer["name"] for layer in reader.read(drawn(STROKES, reader.paper))["layers"]] == ["relu1", "relu2"]
    assert reader.read(drawn(STROKES, reader.paper), "none")["layers"] == []


def test_where_it_looked_is_the_gradient_weighted_sum_of_the_last_maps(reader):
    pixels, net = drawn(STROKES, reader.paper), reader.model.net
    values = normalised(pixels, reader)
    for name, part in net.named_children():
        values = part(values)
        if name == "relu2":
            maps = values = values.detach().requires_grad_()
    values[0, values.argmax()].backward()
    cam = (maps.grad.mean((2, 3), keepdim=True) * maps).sum(1, keepdim=True).relu()
    cam = torch.nn.functional.interpolate(cam, (28, 28), mode="bilinear").detach().numpy()[0, 0]
    found = bytes_of(reader.read(pixels)["looked"], 28, 28)
    assert found.max() == 255
    assert np.abs(found / 255 - cam / cam.max()).max() < 0.01


def test_only_the_centre_that_the_network_sees_is_shown(make):
    cropping = Reader(make.model("alexnet", 36, crop=32), "cropping")
    pixels = np.random.default_rng(0).integers(0, 256, (36, 36, 1), np.uint8)
    answer = cropping.read(pixels)
    assert np.array_equal(bytes_of(answer["seen"], 32, 32, 1), pixels[2:34, 2:34])
    with torch.no_grad():
        expected = cropping.model.net(normalised(pixels[2:34, 2:34], cropping)).softmax(1)[0].numpy()
    assert answer["probabilities"] == pytest.approx(expected, abs=2e-6)


def test_large_layers_are_thinned_out_and_say_how_many_maps_there_are():
    told = packed_maps(np.random.default_rng(0).normal(size=(MOST_MAPS, 113, 113)))
    assert told["width"] <= MOST_SIDE
    assert told["count"] == MOST_MAPS


def test_a_layer_of_one_value_or_of_values_that_are_not_finite_can_be_shown():
    assert set(bytes_of(packed_maps(np.full((2, 4, 4), 3.0)), 32)) == {0}
    wild = np.zeros((1, 2, 2))
    wild[0, 0] = [np.nan, np.inf]
    assert packed_maps(wild)["high"] == 0


def test_readings_at_the_same_time_do_not_mix(reader):
    shifts = np.linspace(-0.3, 0.3, 8)
    images = [drawn([stroke + shift for stroke in STROKES], reader.paper, fit=False) for shift in shifts]
    alone = [reader.read(image, "all") for image in images]
    together = [None] * len(images)

    def read(place):
        together[place] = reader.read(images[place], "all")

    threads = [threading.Thread(target=read, args=(place,)) for place in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, other in zip(alone, together):
        assert one["layers"] == other["layers"]
        assert one["looked"] == other["looked"]


@pytest.mark.parametrize(("paths", "titles"), [
    (["a/one.safetensors", "b/two.safetensors"], ["one", "two"]),
    (["a/net.safetensors", "b/net.safetensors"], ["a/net", "b/net"]),
    (["a/net.safetensors", "a/net.safetensors"], ["a/net (1)", "a/net (2)"])])
def test_titles_tell_networks_apart(paths, titles):
    assert titled(paths) == titles


def test_it_tells_how_well_the_network_did_in_its_test_if_it_was_tested(make):
    model = make.model()
    assert Reader(model, "untested").describe()["tested"] is None
    model.tested = {"accuracy": 0.75, "n": 40, "interval": [0.6, 0.86]}
    assert Reader(model, "tested").describe()["tested"] == {"accuracy": 0.75, "n": 40}


class Twice(torch.nn.Module):
    "One ReLU and one pooling, each used behind both convolutions."

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = torch.nn.Conv2d(1, 3, 3, padding=1), torch.nn.Conv2d(3, 5, 3, padding=1)
        self.relu, self.pool = torch.nn.ReLU(), torch.nn.MaxPool2d(2)

    def forward(self, images):
        return self.pool(self.relu(self.conv2(self.pool(self.relu(self.conv1(images))))))


def test_a_part_that_is_used_twice_is_two_steps():
    found = {step["name"]: step["shape"] for step in mapped_steps(Twice(), 1, 12)}
    assert found == {"conv1": [3, 12, 12], "relu": [3, 12, 12], "pool": [3, 6, 6], "conv2": [5, 6, 6],
                     "relu#2": [5, 6, 6], "pool#2": [5, 3, 3]}
