"""Receptive fields against the closed form over layers, and against gradients of the same network made linear."""
import numpy as np
import pytest
import torch
from torch import nn

from fastlab.inside.fields import effective_fields, fields
from fastlab.nets.alexnet import alexnet, alexnet2012
from fastlab.nets.lenet import lenet, lenet_classic
from fastlab.nets.normalisation import LocalResponseNorm


def closed_form(windows):
    "Size, jump and start after (kernel, stride, padding) windows: r = 1 + Σ (k - 1) Π s, start = -Σ p Π s."
    size, jump, start = 1, 1, 0
    for kernel, stride, padding in windows:
        size, start, jump = size + (kernel - 1) * jump, start - padding * jump, jump * stride
    return size, jump, start


LENET = {"conv1": (5, 1, 2), "pool1": (2, 2, 0), "conv2": (5, 1, 2), "pool2": (2, 2, 0)}
CLASSIC = {"conv1": (5, 1, 2), "pool1": (2, 2, 0), "conv2": (5, 1, 0), "pool2": (2, 2, 0)}
REDUCED = {**LENET, "conv3": (3, 1, 1), "conv4": (3, 1, 1), "conv5": (3, 1, 1)}
FULL = {"conv1": (11, 4, 0), "pool1": (3, 2, 0), "conv2": (5, 1, 2), "pool2": (3, 2, 0), "conv3": (3, 1, 1),
        "conv4": (3, 1, 1), "conv5": (3, 1, 1), "pool5": (3, 2, 0)}


def meta_2012(**switches):
    with torch.device("meta"):
        return alexnet2012(10, **switches)


@pytest.mark.parametrize(("make", "channels", "size", "windows"), [
    (lenet, 1, 28, LENET), (lenet_classic, 1, 28, CLASSIC), (alexnet, 1, 28, REDUCED),
    (lambda: meta_2012(order="pool-norm"), 3, 227, FULL), (meta_2012, 3, 227, FULL),
    (lambda: meta_2012(size=224), 3, 224, {**FULL, "conv1": (11, 4, 2)})])
def test_all_four_networks_have_the_closed_form(make, channels, size, windows):
    found = {field.name: field for field in fields(make(), channels, size)}
    for number, name in enumerate(windows, 1):
        expected = closed_form(list(windows.values())[:number])
        field = found[name]
        assert [(field.size[axis], field.jump[axis], field.start[axis]) for axis in (0, 1)] == [expected] * 2


def test_known_sizes_by_hand():
    "LeNet: 5, 5 + 1, 6 + 4·2, 14 + 1·2. AlexNet: 11, 19, 51, 67, 99, 131, 163, 195."
    lenet_sizes = {field.name: field.size[0] for field in fields(lenet(), 1, 28)}
    assert [lenet_sizes[name] for name in LENET] == [5, 6, 14, 16]
    full = {field.name: field.size[0] for field in fields(meta_2012(), 3, 227)}
    assert [full[name] for name in FULL] == [11, 19, 51, 67, 99, 131, 163, 195]
    assert lenet_sizes["linear"] == 16 + 6 * 4


def linear_twin(net):
    "The same windows with weights of one, averages for maxima, and nothing else: its gradient is the field itself."
    for name, part in list(net.named_children()):
        if isinstance(part, nn.Conv2d):
            nn.init.ones_(part.weight)
        elif isinstance(part, nn.MaxPool2d):
            setattr(net, name, nn.AvgPool2d(part.kernel_size, part.stride))
        elif isinstance(part, nn.ReLU | nn.Tanh | nn.BatchNorm2d | LocalResponseNorm | nn.Dropout):
            setattr(net, name, nn.Identity())
    return net.double()


@pytest.mark.parametrize(("make", "channels", "size"), [
    (lenet, 1, 28), (lenet_classic, 1, 28), (alexnet, 1, 28),
    (lambda: alexnet2012(4, size=127, width=0.03, padding=2, lrn="none"), 3, 127)])
def test_boxes_hold_exactly_the_pixels_that_a_unit_depends_on(make, channels, size):
    net = linear_twin(make())
    found = fields(net, channels, size)
    outputs, image = {}, torch.ones(1, channels, size, size, dtype=torch.float64, requires_grad=True)
    for name, part in net.named_children():
        part.register_forward_hook(lambda part, inputs, output, name=name: outputs.update({name: output}))
    net(image)
    for field in [field for field in found if len(field.shape) == 3]:
        for row, column in ((0, 0), (field.shape[1] // 2, field.shape[2] - 1)):
            gradient, = torch.autograd.grad(outputs[field.name][0, 0, row, column], image, retain_graph=True)
            rows, columns = gradient[0].abs().sum(0).nonzero().T
            seen = (rows.min().item(), columns.min().item(), rows.max().item() + 1, columns.max().item() + 1)
            assert field.box_inside((size, size), row, column) == seen


def test_effective_field_of_a_linear_network_is_its_impulse_response():
    "Two 3x3 averages see 5x5 pixels with the weights of a triangle squared, whatever the image."
    net = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, bias=False), nn.Conv2d(1, 1, 3, padding=1, bias=False))
    for part in net:
        nn.init.constant_(part.weight, 1 / 9)
    triangle = np.array([1, 2, 3, 2, 1])
    found = effective_fields(net, torch.randn(5, 1, 11, 11))["1"]
    expected = np.zeros((11, 11))
    expected[3:8, 3:8] = np.outer(triangle, triangle) / 9
    np.testing.assert_allclose(found.map, expected, atol=1e-6)
    assert found.size == pytest.approx(5)  # all 25 weights are above 4.55 % of the greatest
    assert found.n == 5


def test_effective_fields_lie_inside_the_theoretical_ones_and_do_not_touch_the_network():
    torch.manual_seed(0)
    net, images = lenet(12), torch.rand(8, 1, 28, 28)
    net(images)
    net.train()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    found = effective_fields(net, images, chunk=3)
    for field in fields(net, 1, 28):
        if len(field.shape) == 3:
            box = field.box_inside((28, 28), field.shape[1] // 2, field.shape[2] // 2)
            outside = found[field.name].map.copy()
            outside[box[0]:box[2], box[1]:box[3]] = 0
            assert not outside.any()
            assert 0 < found[field.name].size <= field.size[0]
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_effective_field_is_the_root_mean_square_over_channels():
    "Against the gradients of all channels one by one; signs drawn over 400 copies of one image even out."
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.Tanh(), nn.Conv2d(8, 6, 3, padding=1))
    image = torch.randn(1, 1, 7, 7, requires_grad=True)
    total = 0
    for channel in range(6):
        total = total + torch.autograd.grad(net(image)[0, channel, 3, 3], image)[0][0, 0] ** 2
    expected = total.sqrt() / total.sqrt().max()
    found = effective_fields(net, image.detach().expand(400, -1, -1, -1), names=["2"])["2"]
    np.testing.assert_allclose(found.map, expected.numpy(), atol=0.15)
    again = effective_fields(net, image.detach().expand(400, -1, -1, -1), names=["2"])["2"]
    assert np.array_equal(found.map, again.map)


class Residual(nn.Module):
    "A block that is joined by a sum, then a functional pooling, then a convolution."

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.wide, self.narrow = nn.Conv2d(4, 4, 5, padding=2), nn.Conv2d(4, 4, 1)
        self.after, self.mean, self.flat = nn.Conv2d(4, 4, 3, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()

    def forward(self, x):
        x = self.stem(x)
        return self.flat(self.mean(self.after(self.wide(x) + self.narrow(x))))


def test_branches_take_the_widest_field():
    found = {field.name: field for field in fields(Residual(), 1, 32)}
    assert found["stem"].size == (3, 3)
    assert found["wide"].size == (11, 11)
    assert found["narrow"].size == (3, 3)
    assert (found["after"].size, found["after"].jump, found["after"].start) == ((15, 15), (2, 2), (-7, -7))
    assert found["mean"].size == (15 + 15 * 2,) * 2


def test_dilation_and_oblong_windows_count():
    net = nn.Sequential(nn.Conv2d(1, 1, (3, 5), dilation=(2, 1), stride=(1, 2)), nn.MaxPool2d(2))
    last = fields(net, 1, 20)[-1]
    assert (last.size, last.jump) == ((6, 7), (2, 4))
