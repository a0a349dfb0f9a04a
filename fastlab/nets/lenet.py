"""LeNet twice: refined, the report's own network, and the classic of 1998 (LeCun, Bottou, Bengio, Haffner).

Max-pooling stands before ReLU: both are monotone, so they commute, and ReLU then has a quarter of the work."""
from torch import nn

from fastlab.errors import one_of
from fastlab.nets.parts import Parts, assert_as_reported, check_options, widened

ACTIVATIONS = {"tanh": nn.Tanh, "relu": nn.ReLU}
POOLINGS = ("average", "max")
# kernel, stride, padding of every window, first to last
REFINED_WINDOWS = ((5, 1, 2), (2, 2, 0), (5, 1, 2), (2, 2, 0))
CLASSIC_WINDOWS = ((5, 1, 2), (2, 2, 0), (5, 1, 0), (2, 2, 0))
REFINED_SHAPES = {"conv1": (16, 28, 28), "pool1": (16, 14, 14), "conv2": (32, 14, 14), "pool2": (32, 7, 7),
                  "flatten": (1568,), "linear": (12,)}
CLASSIC_SHAPES = {"conv1": (6, 28, 28), "pool1": (6, 14, 14), "conv2": (16, 10, 10), "pool2": (16, 5, 5),
                  "linear3": (120,), "linear4": (84,), "linear5": (12,)}


def lenet(classes=12, channels=1, size=28, norm="batch", dropout=0.5, width=1.0, pooling="max"):
    """The report's refined LeNet: (N, channels, size, size) to (N, classes) scores; size at least 4.

    Parts: conv1 norm1 pool1 relu1 · conv2 norm2 pool2 relu2 · flatten dropout linear. norm='none' and dropout=0 leave
    their parts out. Initial weights are PyTorch's, drawn from the global generator; BatchNorm and dropout draw none.
    pooling='max' is the report's; 'average' stands after ReLU, which a mean does not commute with; 'none' keeps every
    second value instead, the same shapes without pooling, to measure what pooling is good for."""
    check_options("lenet", REFINED_WINDOWS, classes, channels, size, norm, dropout, width)
    one_of("pooling", pooling, (*POOLINGS, "none"))
    parts = Parts(channels, size)
    for number, filters in ((1, 16), (2, 32)):
        parts.conv(f"conv{number}", widened(filters, width), 5, padding=2)
        parts.norm(f"norm{number}", norm)
        add_pooled(parts, number, pooling, "relu", nn.ReLU)
    parts.flatten()
    parts.dropout("dropout", dropout)
    parts.linear("linear", classes)
    network = parts.network()
    if (classes, channels, size, width) == (12, 1, 28, 1):
        assert_as_reported(parts, network, REFINED_SHAPES, 32_172 if norm == "batch" else 32_076)
    return network


def add_pooled(parts, number, pooling, name, activation):
    "Pooling by 2 and the activation in the cheaper order that is exact: a mean does not commute with the activation."
    if pooling == "average":
        parts.add(f"{name}{number}", activation())
        parts.pool(f"pool{number}", 2, 2, nn.AvgPool2d)
        return
    parts.pool(f"pool{number}", 2 if pooling == "max" else 1, 2)
    parts.add(f"{name}{number}", activation())


def lenet_classic(classes=12, channels=1, size=28, norm="none", dropout=0.0, width=1.0, activation="tanh",
                  pooling="average"):
    """The seven layers of 1998: (N, channels, size, size) to (N, classes) scores; size at least 12.

    Parts: conv1 (pads the image by 2) act1 pool1 · conv2 act2 pool2 · flatten linear3 act3 linear4 act4 linear5, with
    `activation` tanh or relu and `pooling` average or max; max stands before the activation. Unlike the paper's, every
    map of conv2 sees all six maps before it, and pooling learns nothing. Dropout stands before linear3 and linear4."""
    check_options("lenet-classic", CLASSIC_WINDOWS, classes, channels, size, norm, dropout, width)
    act = ACTIVATIONS[one_of("activation", activation, ACTIVATIONS)]
    one_of("pooling", pooling, POOLINGS)
    parts = Parts(channels, size)
    for number, filters, padding in ((1, 6, 2), (2, 16, 0)):
        parts.conv(f"conv{number}", widened(filters, width), 5, padding=padding)
        parts.norm(f"norm{number}", norm)
        add_pooled(parts, number, pooling, "act", act)
    parts.flatten()
    for number, units in ((3, 120), (4, 84)):
        parts.dropout(f"dropout{number}", dropout)
        parts.linear(f"linear{number}", widened(units, width))
        parts.add(f"act{number}", act())
    parts.linear("linear5", classes)
    network = parts.network()
    if (classes, channels, size, width) == (12, 1, 28, 1):
        assert_as_reported(parts, network, CLASSIC_SHAPES, 61_876 + (44 if norm == "batch" else 0))
    return network
