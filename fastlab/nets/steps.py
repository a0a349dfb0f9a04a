"""The shape at every step of any network: one forward pass of a zero image, watched."""
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import nn

from fastlab.seeds import kept_random_state


@dataclass(frozen=True)
class Step:
    """One part of a network in the order of computing; shapes are of one image, without the batch. `source` is the
    number of the step that gave its input, -1 for the image, None where a function or a sum of parts came between."""
    name: str
    module: nn.Module = field(repr=False)
    input_shape: tuple
    shape: tuple
    source: int | None = None


@contextmanager
def evaluating(net):
    "The network in eval mode; afterwards every part is in the mode that it was in."
    modes = [(part, part.training) for part in net.modules()]
    net.eval()
    try:
        yield net
    finally:
        for part, training in modes:
            part.training = training


@contextmanager
def out_of_place(net):
    "The network with no part that writes its answer over its input; afterwards every part does as it did."
    inplace = [part for part in net.modules() if getattr(part, "inplace", False)]
    for part in inplace:
        part.inplace = False
    try:
        yield net
    finally:
        for part in inplace:
            part.inplace = True


@contextmanager
def hooked(modules, hook):
    "`hook(module, inputs, output)` runs after each of `modules`, and is taken off again whatever happens."
    handles = [module.register_forward_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def leaves(net):
    "{module: dotted name} of the parts that hold no parts of their own; of a fastlab network, its named children."
    return {module: name for name, module in net.named_modules() if not any(True for _ in module.children())}


def zero_image(net, channels, size):
    "A (1, channels, size, size) image of zeros, on the device and in the precision of the network's parameters."
    example = next(net.parameters(), torch.zeros(0))
    return torch.zeros(1, channels, size, size, device=example.device, dtype=example.dtype)


def steps(net, channels, size):
    """Every part of `net` (any nn.Module) that an image of (channels, size, size) passes, in order, as a list of Step.
    A part that is used twice is there twice. Nothing of the network or of the random numbers changes."""
    names, image, seen = leaves(net), zero_image(net, channels, size), []
    origin, alive = {id(image): -1}, []  # kept alive, so that no two tensors share an id

    def note(module, inputs, output):
        if torch.is_tensor(output) and inputs and torch.is_tensor(inputs[0]):
            shapes = tuple(inputs[0].shape[1:]), tuple(output.shape[1:])
            seen.append(Step(names[module], module, *shapes, origin.get(id(inputs[0]))))
            origin[id(output)] = len(seen) - 1
            alive.append(output)

    with kept_random_state(), evaluating(net), hooked(names, note), torch.no_grad():
        net(image)
    return seen
