"""What happens in each layer: maps of one image, means and variances, dead units, and how gradients fare."""
from contextlib import contextmanager

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from fastlab.errors import OptionError
from fastlab.inside.inputs import checked_labels, prepared
from fastlab.inside.uses import watched
from fastlab.nets.steps import evaluating
from fastlab.seeds import kept_random_state

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def feature_maps(net, image, names=None, most_maps=64, mean=0.0, std=1.0):
    """{step name: float32 array (maps, H, W), or (units,) without places} of one image through the steps `names` (all,
    when None). Memory is bounded by `most_maps` a step: the first ones, chosen while the network runs."""
    images = prepared(image, net, mean, std)
    if len(images) != 1:
        raise OptionError(f"image: {len(images)} images; feature maps are of one.")
    found = {}

    def keep(name, module, inputs, output):
        if names is None or name in names:
            kept = output[0, :most_maps] if output.ndim == 4 else output[0]
            found[name] = kept.detach().float().cpu().numpy().copy()

    with evaluating(net), watched(net, keep), torch.no_grad():
        net(images)
    return found


class Moments:
    "Running figures of one step's outputs over all images: sums in float64, and each channel's greatest and least."

    def __init__(self):
        self.n, self.total, self.squares, self.zeros, self.high, self.low = 0, 0.0, 0.0, 0, None, None

    def add(self, output):
        "Takes the outputs (N, C, …) of some images."
        self.n += output.numel()
        self.total += float(output.sum(dtype=torch.float64))
        self.squares += float(torch.linalg.vector_norm(output, dtype=torch.float64)) ** 2
        self.zeros += output.numel() - int(output.count_nonzero())
        others = [axis for axis in range(output.ndim) if axis != 1]
        low, high = output.amin(others), output.amax(others)
        self.high = high if self.high is None else torch.maximum(self.high, high)
        self.low = low if self.low is None else torch.minimum(self.low, low)

    def row(self):
        average = self.total / self.n
        return {"mean": average, "variance": max(0.0, self.squares / self.n - average ** 2),
                "zeros": self.zeros / self.n, "dead": float((self.high == self.low).double().mean())}


def activation_statistics(net, images, chunk=128, mean=0.0, std=1.0):
    """Mean and variance of every step's outputs over all `images` (see `prepared`) in testing, a row a step.

    Columns: name, kind, shape, mean, variance, zeros (share of outputs that are exactly 0), dead (share of channels, or
    units, that give one and the same value everywhere: after ReLU, units that never fire), n (images). Streamed: memory
    grows with `chunk`, not with the images."""
    images, moments, told = prepared(images, net, mean, std), {}, {}

    def note(name, module, inputs, output):
        if output.is_floating_point() and output.ndim > 1:
            moments.setdefault(name, Moments()).add(output)
            told[name] = {"kind": type(module).__name__, "shape": tuple(output.shape[1:])}

    with evaluating(net), watched(net, note), torch.no_grad():
        for part in images.split(chunk):
            net(part)
    return pd.DataFrame([{"name": name, **told[name], **found.row(), "n": len(images)}
                         for name, found in moments.items()])


@contextmanager
def training_statistics(net):
    """The network as it trains, but for dropout: BatchNorm takes the batch's own statistics. Afterwards modes, running
    statistics and gradients are what they were."""
    kept = {name: buffer.clone() for name, buffer in net.named_buffers()}
    gradients = [(parameter, parameter.grad) for parameter in net.parameters()]
    with evaluating(net):
        for module in net.modules():
            module.training = isinstance(module, BATCH_NORMS)
        try:
            yield net
        finally:
            with torch.no_grad():
                for name, buffer in net.named_buffers():
                    buffer.copy_(kept[name])
            for parameter, gradient in gradients:
                parameter.grad = gradient


def gradient_norms(net, images, labels, mean=0.0, std=1.0):
    """How the gradient of the cross-entropy fares on its way back, in one batch and as in training, but for dropout.

    A DataFrame with a row a layer that has weights, first to last: name, kind, shape (of its output), gradient (norm of
    the weights' gradient, over all uses of them), relative (that over the weights' own norm), output_gradient (norm of
    the gradient of its output, a root mean square over values), n (images). Compare a network with BatchNorm and one
    without."""
    images = prepared(images, net, mean, std)
    labels, outputs = checked_labels(labels, images), {}

    def keep(name, module, inputs, output):
        if isinstance(module, nn.Conv2d | nn.Linear):
            output.requires_grad_()
            output.retain_grad()
            outputs[name] = module, output

    with kept_random_state(), training_statistics(net), watched(net, keep), torch.enable_grad():
        net.zero_grad(set_to_none=True)
        cross_entropy(net(images), labels).backward()
        rows = [gradient_row(name, *kept) for name, kept in outputs.items()]
    return pd.DataFrame(rows).assign(n=len(images))


def gradient_row(name, module, output):
    "One layer's row of `gradient_norms`; nan where its weights are frozen, or all 0 and so without a size."
    gradient = float("nan") if module.weight.grad is None else float(module.weight.grad.double().norm())
    through = float(output.grad.double().norm() / np.sqrt(output.numel()))
    size = float(module.weight.detach().double().norm()) or float("nan")
    return {"name": name, "kind": type(module).__name__, "shape": tuple(output.shape[1:]), "gradient": gradient,
            "relative": gradient / size, "output_gradient": through}
