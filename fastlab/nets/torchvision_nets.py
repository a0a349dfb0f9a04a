"""torchvision's classifiers by name, untrained: 'torchvision:resnet18' answers "and against a ResNet?"."""
from torch import nn

from fastlab.errors import OptionError, nearest

# networks that give two more answers in training, and draw their weights slowly through scipy, unless told not to
PLAIN = {"googlenet": {"aux_logits": False, "init_weights": False},
         "inception_v3": {"aux_logits": False, "init_weights": False}}


def torchvision_net(name, classes, channels=3):
    """torchvision's network `name` with `classes` scores and random weights; raises OptionError for an unknown name.
    For images of other than three channels, the first convolution is made anew with that many, after all the others."""
    from torchvision import models
    check_name(name)
    net = models.get_model(name, weights=None, num_classes=classes, **PLAIN.get(name, {}))
    if channels != 3:
        adapt_first_convolution(net, name, channels)
    return net


def check_name(name):
    "Raises OptionError for a name that is none of torchvision's classifiers."
    from torchvision import models
    one_of_them = models.list_models(module=models)
    if name not in one_of_them:
        raise OptionError(f"net: torchvision has no classifier {name!r}. {nearest(name, one_of_them)}")


def adapt_first_convolution(net, name, channels):
    "Puts a convolution over `channels`, otherwise the same, in the place of the one over three that comes first."
    for home in net.modules():
        for place, part in home.named_children():
            if isinstance(part, nn.Conv2d):
                if part.in_channels != 3 or part.groups != 1:
                    raise OptionError(f"channels: torchvision:{name} takes images of 3 channels, not {channels}.")
                anew = nn.Conv2d(channels, part.out_channels, part.kernel_size, part.stride, part.padding,
                                 part.dilation, bias=part.bias is not None, padding_mode=part.padding_mode)
                setattr(home, place, anew)
                return
    raise OptionError(f"channels: torchvision:{name} takes images of 3 channels, not {channels}.")
