"""What BatchNorm holds steady: mean and variance of what each layer hands to its activation, and its gradient."""
from itertools import pairwise

import pandas as pd
from torch import nn

from fastlab.inside.activations import BATCH_NORMS, gradient_norms
from fastlab.inside.inputs import prepared
from fastlab.nets.steps import hooked, steps


def handed_on(net, channels, size):
    "{layer with weights: the step whose output its activation gets}: the BatchNorm right behind it, or itself."
    passed = steps(net, channels, size)
    after = {step.module: following for step, following in pairwise(passed)}
    found = {}
    for step in passed:
        if isinstance(step.module, nn.Conv2d | nn.Linear):
            following = after.get(step.module)
            found[step.name] = following if following and isinstance(following.module, BATCH_NORMS) else step
    return found


def layer_signals(net, images, labels, mean=0.0, std=1.0):
    """A DataFrame with a row a layer that has weights, in one batch as in training, but for dropout: name, mean and
    variance over all values of what its activation gets (after BatchNorm, where that stands behind it), gradient (norm
    of its weights' gradient), normalised (whether BatchNorm stands there), n (images)."""
    images, found = prepared(images, net, mean, std), {}
    reading = handed_on(net, images.shape[1], images.shape[2])

    def note(module, inputs, output):
        values = output.detach().double()
        found[module] = float(values.mean()), float(values.var(correction=0))

    with hooked({step.module: None for step in reading.values()}, note):
        gradients = gradient_norms(net, images, labels).set_index("name").gradient
    return pd.DataFrame([{"name": name, "mean": found[step.module][0], "variance": found[step.module][1],
                          "gradient": gradients[name], "normalised": isinstance(step.module, BATCH_NORMS),
                          "n": len(images)} for name, step in reading.items()])
