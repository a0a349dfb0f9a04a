import numpy as np
import pytest
import torch
from torch import nn

from fastlab.errors import OptionError
from fastlab.inside.attention import grad_cam, occlusion
from fastlab.nets.lenet import lenet


class Corners(nn.Module):
    "Class 0 for ink in the top left quarter, class 1 for ink in the bottom right one."

    def __init__(self):
        super().__init__()
        self.copy, self.flat = nn.Conv2d(1, 2, 1, bias=False), nn.Flatten()
        self.linear = nn.Linear(2 * 64, 2, bias=False)
        weight = torch.zeros(2, 2, 8, 8)
        weight[0, 0, :4, :4] = weight[1, 1, 4:, 4:] = 1
        with torch.no_grad():
            self.copy.weight.fill_(1)
            self.linear.weight.copy_(weight.flatten(1))

    def forward(self, x):
        return self.linear(self.flat(self.copy(x)))


def two_spots():
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, 1:3, 1:3] = image[0, 0, 5:7, 5:7] = 1
    return image


def test_occlusion_points_at_what_speaks_for_and_against():
    for wanted in (0, 1):
        found = occlusion(Corners(), two_spots(), classes=wanted, window=2, stride=1)
        own, other = ((1, 1), (6, 6)) if wanted == 0 else ((6, 6), (1, 1))
        assert found.maps[0][own] > 0.1
        assert found.maps[0][other] < -0.1
        assert found.maps[0, 0, 7] == pytest.approx(0, abs=1e-7)
        assert found.probabilities[0] == pytest.approx(0.5)


@pytest.mark.parametrize(("window", "stride"), [(3, 2), (5, 1), (4, 3), (8, 1)])
def test_occlusion_is_the_mean_fall_over_covering_squares(window, stride):
    torch.manual_seed(0)
    net, image = lenet(4, size=8), torch.rand(1, 1, 8, 8)
    found = occlusion(net, image, window=window, stride=stride, chunk=3)
    net.eval()
    edge = torch.cat([image[0, 0, 0], image[0, 0, -1], image[0, 0, :, 0], image[0, 0, :, -1]]).median()
    corners = [*range(0, 8 - window, stride), 8 - window]
    total, times = np.zeros((8, 8)), np.zeros((8, 8))
    with torch.no_grad():
        whole = net(image).softmax(1)[0]
        for top in corners:
            for left in corners:
                hidden = image.clone()
                hidden[:, :, top:top + window, left:left + window] = edge
                fall = whole.max() - net(hidden).softmax(1)[0, whole.argmax()]
                total[top:top + window, left:left + window] += fall.item()
                times[top:top + window, left:left + window] += 1
    np.testing.assert_allclose(found.maps[0], total / times, atol=1e-5)
    assert found.classes[0] == whole.argmax()


def test_grad_cam_is_its_formula():
    torch.manual_seed(0)
    net, images = lenet(4), torch.rand(5, 1, 28, 28)
    found = grad_cam(net, images, classes=[0, 1, 2, 3, 0], chunk=2)
    net.eval()
    for index, wanted in enumerate([0, 1, 2, 3, 0]):
        maps = net[:8](images[index:index + 1]).detach().requires_grad_()
        net[8:](maps)[0, wanted].backward()
        weights = maps.grad[0].mean((1, 2))
        cam = torch.relu((weights[:, None, None] * maps[0].detach()).sum(0))
        cam = nn.functional.interpolate(cam[None, None], (28, 28), mode="bilinear", align_corners=False)[0, 0]
        np.testing.assert_allclose(found.maps[index], (cam / cam.max().clamp_min(1e-30)).numpy(), atol=1e-4)
    assert found.classes.tolist() == [0, 1, 2, 3, 0]
    shares = net(images).softmax(1).detach()[range(5), [0, 1, 2, 3, 0]]
    np.testing.assert_allclose(found.probabilities, shares, rtol=1e-4)


def test_grad_cam_explains_the_prediction_and_leaves_no_trace():
    torch.manual_seed(0)
    net, images = lenet(4), torch.rand(3, 1, 28, 28)
    net.conv1.requires_grad_(False)
    found = grad_cam(net, images, layer="relu1")
    assert net.training
    assert all(parameter.grad is None for parameter in net.parameters())
    with torch.no_grad():
        assert found.classes.tolist() == net.eval()(images).argmax(1).tolist()
    assert found.maps.shape == (3, 28, 28)
    assert found.maps.min() >= 0


def test_a_wholly_frozen_network_can_be_looked_at():
    net = lenet(4).requires_grad_(False)
    assert np.isfinite(grad_cam(net, torch.rand(2, 1, 28, 28)).maps).all()


def test_mistakes_are_named():
    net, images = lenet(4), torch.rand(2, 1, 28, 28)
    with pytest.raises(OptionError, match="from 0 to 3"):
        grad_cam(net, images, classes=4)
    with pytest.raises(OptionError, match="no step"):
        grad_cam(net, images, layer="conv7")
    with pytest.raises(OptionError, match="window: 40"):
        occlusion(net, images, window=40)
    with pytest.raises(OptionError, match="no step with maps"):
        grad_cam(nn.Sequential(nn.Flatten(), nn.Linear(784, 4)), images)
