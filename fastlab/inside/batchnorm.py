"""What BatchNorm holds steady: mean and variance of what each layer hands to its activation, and its gradient."""
import pandas as pd
from torch import nn

from fastlab.inside.activations import BATCH_NORMS, gradient_norms
from fastlab.inside.inputs import prepared
from fastlab.inside.uses import used_steps, watched


def handed_on(net, channels, size):
    "{layer with weights: the step whose output its activation gets}: the BatchNorm right behind it, or itself."
    passed = used_steps(net, channels, size)
    return {step.name: following if isinstance(following.module, BATCH_NORMS) else step
            for step, following in zip(passed, passed[1:] + passed[-1:])
            if isinstance(step.module, nn.Conv2d | nn.Linear)}


def layer_signals(net, images, labels, mean=0.0, std=1.0):
    """A DataFrame with a row a layer that has weights, in one batch as in training, but for dropout: name, mean and
    variance over all values of what its activation gets (after BatchNorm, where that stands behind it), gradient (norm
    of its weights' gradient), normalised (whether BatchNorm stands there), n (images)."""
    images, found = prepared(images, net, mean, std), {}
    reading = handed_on(net, images.shape[1], images.shape[2])
    read = {step.name for step in reading.values()}

    def note(name, module, inputs, output):
        if name in read:
            values = output.detach().double()
            found[name] = float(values.mean()), float(values.var(correction=0))

    with watched(net, note):
        gradients = gradient_norms(net, images, labels).set_index("name").gradient
    return pd.DataFrame([{"name": name, "mean": found[step.name][0], "variance": found[step.name][1],
                          "gradient": gradients[name], "normalised": isinstance(step.module, BATCH_NORMS),
                          "n": len(images)} for name, step in reading.items()])
