import pytest
import torch
from torch import nn
from torchvision import models

from fastlab.errors import OptionError
from fastlab.nets import build
from fastlab.nets.torchvision_nets import adapt_first_convolution, torchvision_net


def test_the_network_is_torchvisions_own_at_the_same_seed():
    torch.manual_seed(2)
    ours = build("torchvision:resnet18", 10, 3, 32)
    torch.manual_seed(2)
    theirs = models.resnet18(weights=None, num_classes=10)
    assert all(torch.equal(*pair) for pair in zip(ours.state_dict().values(), theirs.state_dict().values()))


def test_one_channel_changes_the_first_convolution_alone():
    torch.manual_seed(2)
    grey = torchvision_net("resnet18", 10, 1)
    torch.manual_seed(2)
    colour = torchvision_net("resnet18", 10, 3)
    assert grey.conv1.weight.shape == (64, 1, 7, 7)
    assert (grey.conv1.stride, grey.conv1.padding, grey.conv1.bias) == ((2, 2), (3, 3), None)
    assert all(torch.equal(tensor, colour.state_dict()[name]) for name, tensor in grey.state_dict().items()
               if name != "conv1.weight")


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v3_small", "shufflenet_v2_x0_5"])
def test_other_families_take_grey_images_too(name):
    net = build(f"torchvision:{name}", 5, 1, 64)
    assert net.eval()(torch.zeros(2, 1, 64, 64)).shape == (2, 5)


def test_googlenet_gives_one_answer_in_training():
    net = torchvision_net("googlenet", 5)
    assert net.train()(torch.randn(2, 3, 64, 64)).shape == (2, 5)


def test_detectors_and_quantised_networks_are_not_classifiers():
    for name in ("fasterrcnn_resnet50_fpn", "quantized_resnet18"):
        with pytest.raises(OptionError, match="no classifier"):
            torchvision_net(name, 5)


def test_a_network_without_a_colour_convolution_says_so():
    for net in (nn.Sequential(nn.Linear(3, 3)), nn.Sequential(nn.Conv2d(5, 3, 3))):
        with pytest.raises(OptionError, match="images of 3 channels"):
            adapt_first_convolution(net, "odd", 1)


def test_too_small_an_image_is_a_mistake_that_is_named():
    with pytest.raises(OptionError, match="1x28x28"):
        build("torchvision:alexnet", 12, 1, 28)
