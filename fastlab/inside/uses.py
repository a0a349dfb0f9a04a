"""Uses: a part that a network uses again, as one ReLU behind every layer, is a step of its own each time.

The first use has the part's name, 'relu'; those after it their number too: 'relu#2', 'relu#3' …"""
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace

import torch

from fastlab.nets.steps import hooked, leaves, steps


def use_name(name, number):
    return name if number == 1 else f"{name}#{number}"


def used_steps(net, channels, size):
    "The steps of `net`, see `nets.steps.steps`, each under the name of its use, so that no two are named alike."
    seen, found = Counter(), []
    for step in steps(net, channels, size):
        seen[step.module] += 1
        found.append(replace(step, name=use_name(step.name, seen[step.module])))
    return found


@contextmanager
def watched(net, note):
    "`note(name, module, inputs, output)` runs after each of the `used_steps`, in every pass of `net`, as it is made."
    named, seen = leaves(net), Counter()

    def after(module, inputs, output):
        if torch.is_tensor(output) and inputs and torch.is_tensor(inputs[0]):
            seen[module] += 1
            note(use_name(named[module], seen[module]), module, inputs, output)

    begun = net.register_forward_pre_hook(lambda *_: seen.clear())
    try:
        with hooked(named, after):
            yield
    finally:
        begun.remove()
