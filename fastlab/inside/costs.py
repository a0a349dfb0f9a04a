"""What each layer costs: parameters, connections, multiplications, bytes and milliseconds, and what a fully connected
network between the same maps would cost: convolution with pooling as an infinitely strong prior on it."""
from dataclasses import asdict, dataclass
from time import perf_counter

import numpy as np
import pandas as pd
import torch
from torch import nn

from fastlab.inside.inputs import prepared
from fastlab.inside.uses import used_steps, watched
from fastlab.nets.normalisation import LocalResponseNorm
from fastlab.nets.steps import evaluating, leaves

POOLS = (nn.MaxPool2d, nn.AvgPool2d)
# Multiplications a value in testing: BatchNorm is one scale and shift; LRN squares, scales by alpha, multiplies two
# roots and the value. Roots, exponentials, comparisons and additions are not counted.
A_VALUE = {nn.BatchNorm2d: 1, nn.BatchNorm1d: 1, LocalResponseNorm: 4, nn.LocalResponseNorm: 4}


@dataclass(frozen=True)
class Cost:
    """One step's cost for one image in testing.

    parameters: numbers learned. connections: inputs to units, biases included, as LeCun counts them (padding counts as
    connected). multiplications: padding included. unshared: parameters if every place had a kernel of its own. dense:
    parameters of a fully connected layer between the same maps. activation_bytes: of the output, parameter_bytes: of
    the parameters, both in the network's precision."""
    name: str
    kind: str
    shape: tuple
    parameters: int
    connections: int
    multiplications: int
    unshared: int
    dense: int
    activation_bytes: int
    parameter_bytes: int


def costs(net, channels, size):
    "The cost of every step for one image of (channels, size, size), in order, as a list of Cost."
    counted, found = set(), []
    for step in used_steps(net, channels, size):
        found.append(cost_of(step, first=step.module not in counted))
        counted.add(step.module)
    return found


def cost_of(step, first=True):
    "The cost of one step; a part that is used again has its parameters counted the first time."
    module, outputs, inputs = step.module, int(np.prod(step.shape)), int(np.prod(step.input_shape))
    owned = list(module.parameters()) if first else []
    parameters = sum(parameter.numel() for parameter in owned)
    connections, multiplications, unshared, dense = 0, A_VALUE.get(type(module), 0) * outputs, parameters, 0
    if isinstance(module, nn.Conv2d | nn.Linear):
        fan_in = module.weight[0].numel()
        multiplications = outputs * fan_in
        connections = unshared = outputs * (fan_in + (module.bias is not None))
        dense = inputs * outputs + outputs * (module.bias is not None)
    elif isinstance(module, POOLS):
        side = module.kernel_size
        connections = outputs * (side * side if isinstance(side, int) else side[0] * side[1])
        multiplications = outputs if isinstance(module, nn.AvgPool2d) else 0
    width = next(module.parameters(), torch.zeros(0)).element_size()
    return Cost(step.name, type(module).__name__, step.shape, parameters, connections, multiplications, unshared, dense,
                outputs * width, sum(parameter.numel() * parameter.element_size() for parameter in owned))


def cost_table(net, channels, size, milliseconds=None):
    """The costs as a DataFrame, a row a step, with a last row 'total'; `milliseconds`, from `timed`, adds its columns.
    Of the total, `dense` is that of the layers that have parameters."""
    table = pd.DataFrame([asdict(cost) for cost in costs(net, channels, size)])
    if milliseconds is not None:
        table = table.merge(milliseconds.drop(columns="n"), on="name", how="left")
    total = table.select_dtypes("number").sum().to_dict()
    return pd.concat([table, pd.DataFrame([{"name": "total", "kind": "", "shape": table["shape"].iloc[-1], **total}])],
                     ignore_index=True).astype({column: table[column].dtype for column in table
                                                if table[column].dtype.kind == "i"})


def timed(net, images, rounds=10, warm=2, mean=0.0, std=1.0):
    """Measured milliseconds of every step on a whole batch of `images` (see `prepared`) in testing, without gradients.

    Returns a DataFrame of name, milliseconds (median over `rounds`), low and high (quartiles), n (rounds); the last
    row, 'elsewhere', is what passed between the parts. On a GPU each step waits for the device, so that steps do not
    overlap."""
    images, started, spent, taken = prepared(images, net, mean, std), {}, {}, []
    wait = torch.cuda.synchronize if images.is_cuda else lambda: None

    def before(module, inputs):
        wait()
        started[module] = perf_counter()

    def after(name, module, inputs, output):
        wait()
        spent[name] = perf_counter() - started[module]

    handles = [module.register_forward_pre_hook(before) for module in leaves(net)]
    try:
        with evaluating(net), watched(net, after), torch.no_grad():
            for _ in range(warm + rounds):
                spent.clear()
                begun = perf_counter()
                net(images)
                wait()
                whole = perf_counter() - begun
                taken.append({**spent, "elsewhere": whole - sum(spent.values())})
    finally:
        for handle in handles:
            handle.remove()
    return summary(pd.DataFrame(taken[warm:]) * 1000)


def summary(milliseconds):
    "Median and quartiles of each column, a row a column."
    low, middle, high = np.percentile(milliseconds.to_numpy(), [25, 50, 75], axis=0)
    return pd.DataFrame({"name": milliseconds.columns, "milliseconds": middle, "low": low, "high": high,
                         "n": len(milliseconds)})
