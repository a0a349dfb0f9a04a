"""AlexNet twice: reduced to 28x28 grey images, as in the report, and that of 2012 (Krizhevsky, Sutskever, Hinton).

Max-pooling stands before ReLU wherever nothing comes between them: both are monotone and commute."""
from torch import nn

from fastlab.errors import one_of
from fastlab.nets.parts import Parts, assert_as_reported, check_options, widened

ORDERS = ("norm-pool", "pool-norm")
INITS = ("modern", "paper")
# kernel, stride, padding of every window, first to last
REDUCED_WINDOWS = ((5, 1, 2), (2, 2, 0), (5, 1, 2), (2, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1))
REDUCED_SHAPES = {"pool1": (16, 14, 14), "pool2": (32, 7, 7), "conv3": (96, 7, 7), "conv4": (64, 7, 7),
                  "conv5": (64, 7, 7), "flatten": (3136,), "linear6": (2048,), "linear7": (2048,), "linear8": (12,)}
SHAPES_2012 = {"conv1": (96, 55, 55), "pool1": (96, 27, 27), "conv2": (256, 27, 27), "pool2": (256, 13, 13),
               "conv3": (384, 13, 13), "conv4": (384, 13, 13), "conv5": (256, 13, 13), "pool5": (256, 6, 6),
               "flatten": (9216,), "linear6": (4096,), "linear7": (4096,), "linear8": (1000,)}


def windows_2012(padding):
    "Kernel, stride and padding of the 2012 network's windows, first to last; `padding` is the first layer's."
    return ((11, 4, padding), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0))


def add_head(parts, units, dropout, classes):
    "The three fully connected layers, dropout before the first two."
    parts.flatten()
    for number in (6, 7):
        parts.dropout(f"dropout{number}", dropout)
        parts.linear(f"linear{number}", units)
        parts.add(f"relu{number}", nn.ReLU())
    parts.linear("linear8", classes)


def alexnet(classes=12, channels=1, size=28, norm="none", dropout=0.5, lrn="torch", width=1.0):
    """The report's reduced AlexNet: (N, channels, size, size) to (N, classes) scores; size at least 4.

    Parts: conv1 norm1 pool1 relu1 lrn1 · conv2 norm2 pool2 relu2 lrn2 · conv3 … conv5, each with norm and relu ·
    flatten dropout6 linear6 relu6 dropout7 linear7 relu7 linear8. lrn='torch' is the report's LRN(16) and LRN(32), over
    as many channels as there are. The report's last pooling has a window of 1; pool5 is the identity that it is."""
    check_options("alexnet", REDUCED_WINDOWS, classes, channels, size, norm, dropout, width, lrn)
    parts = Parts(channels, size)
    for number, filters in ((1, 16), (2, 32)):
        parts.conv(f"conv{number}", widened(filters, width), 5, padding=2)
        parts.norm(f"norm{number}", norm)
        parts.pool(f"pool{number}", 2, 2)
        parts.add(f"relu{number}", nn.ReLU())
        parts.lrn(f"lrn{number}", lrn, torch_size=parts.channels)
    for number, filters in ((3, 96), (4, 64), (5, 64)):
        parts.conv(f"conv{number}", widened(filters, width), 3, padding=1)
        parts.norm(f"norm{number}", norm)
        parts.add(f"relu{number}", nn.ReLU())
    parts.add("pool5", nn.Identity())
    add_head(parts, widened(2048, width), dropout, classes)
    network = parts.network()
    if (classes, channels, size, width) == (12, 1, 28, 1):
        assert_as_reported(parts, network, REDUCED_SHAPES, 10_778_796 + (544 if norm == "batch" else 0))
    return network


def alexnet2012(classes=1000, channels=3, size=227, norm="none", dropout=0.5, lrn="paper", width=1.0,
                order="norm-pool", grouped=False, padding=None, init="modern"):
    """The AlexNet of 2012: (N, channels, size, size) to (N, classes) scores; size at least 67 - 2 * padding.

    `order`: norm-pool, LRN then pooling, as in the paper, or pool-norm, as on the report's slide. `grouped`: conv2,
    conv4 and conv5 in two halves that do not see each other, as on the paper's two GPUs. `padding` of the first layer:
    None is 0 at 227 and 2 elsewhere. `init`: paper, see `paper_weights`, or modern, see `modern_weights`."""
    padding = (0 if size == 227 else 2) if padding is None else padding
    one_of("padding", padding, (0, 1, 2, 3, 4, 5))
    check_options("alexnet2012", windows_2012(padding), classes, channels, size, norm, dropout, width, lrn)
    one_of("order", order, ORDERS)
    one_of("init", init, INITS)
    multiple, halves = (2, 2) if grouped else (1, 1)
    parts = Parts(channels, size)
    parts.conv("conv1", widened(96, width, multiple), 11, 4, padding)
    add_pooled(parts, 1, norm, lrn, order)
    parts.conv("conv2", widened(256, width, multiple), 5, padding=2, groups=halves)
    add_pooled(parts, 2, norm, lrn, order)
    for number, filters, groups in ((3, 384, 1), (4, 384, halves)):
        parts.conv(f"conv{number}", widened(filters, width, multiple), 3, padding=1, groups=groups)
        parts.norm(f"norm{number}", norm)
        parts.add(f"relu{number}", nn.ReLU())
    parts.conv("conv5", widened(256, width, multiple), 3, padding=1, groups=halves)
    add_pooled(parts, 5, norm, "none", order)
    add_head(parts, widened(4096, width), dropout, classes)
    network = parts.network()
    if (classes, channels, width, norm) == (1000, 3, 1, "none") and (size, padding) in ((227, 0), (224, 2)):
        assert_as_reported(parts, network, SHAPES_2012, 60_965_224 if grouped else 62_378_344)
    (paper_weights if init == "paper" else modern_weights)(network)
    return network


def add_pooled(parts, number, norm, lrn, order):
    "BatchNorm, ReLU, LRN and the overlapping pooling after convolution `number`, in the `order` asked for."
    parts.norm(f"norm{number}", norm)
    if lrn != "none" and order == "norm-pool":
        parts.add(f"relu{number}", nn.ReLU())
        parts.lrn(f"lrn{number}", lrn)
        parts.pool(f"pool{number}", 3, 2)
        return
    parts.pool(f"pool{number}", 3, 2)
    parts.add(f"relu{number}", nn.ReLU())
    parts.lrn(f"lrn{number}", lrn)


def paper_weights(network):
    """The paper's start (section 5): weights normal with deviation 0.01; biases 1 in conv2, conv4, conv5 and the hidden
    fully connected layers, so that their ReLUs let something through from the beginning; the other biases 0."""
    for name, part in network.named_children():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.normal_(part.weight, std=0.01)
            nn.init.constant_(part.bias, float(name in ("conv2", "conv4", "conv5", "linear6", "linear7")))


def modern_weights(network):
    """He's start (He, Zhang, Ren, Sun 2015, equation 10): weights normal, variance 2 / inputs, so that signals last.
    The last layer keeps the paper's deviation of 0.01: scores start near 0, the loss near ln(classes), and the first
    steps at the paper's rate of 1e-2 do not throw all units to where their ReLUs are shut."""
    for part in network.children():
        if isinstance(part, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
            nn.init.zeros_(part.bias)
    nn.init.normal_(network.linear8.weight, std=0.01)
