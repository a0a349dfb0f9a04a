"""Weights and activations over time: what each layer is, mark by mark, while a network learns."""
import numpy as np
import torch
from fastai.callback.core import Callback
from torch import nn

from fastlab.errors import OptionError
from fastlab.images.augment import centre_crop
from fastlab.inside.inputs import prepared
from fastlab.inside.uses import watched
from fastlab.nets.steps import evaluating

ACTIVATIONS = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.GELU, nn.SiLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.Hardswish)
LOOKED_AT = 64          # images that activations are taken on, unless others are given
KEPT = 8192             # values of a step's activations that are kept a mark, evenly spread over them


class OverTime(Callback):
    """Notes before the first step and after every epoch, or every `every` steps, what the layers are, in testing.

    `images`: what activations are taken on, as `prepared` takes them; None: LOOKED_AT of the develop split, evenly, of
    fastlab's DataLoaders. After the fit: `marks` (M,), steps done; `zeros` and `norms`, {layer with weights: (M,)}, the
    share of its weights that are exactly 0 and their norm; `dead`, {activation: (M,)}, the share of its units that give
    one and the same value to every image (after ReLU: that never fire); `n` images. Changes nothing of the training."""
    order, while_searching = 71, False

    def __init__(self, images=None, every=None):
        super().__init__()
        if every is not None and every < 1:
            raise OptionError(f"every: {every} steps; give 1 or more, or None for a mark an epoch.")
        self.images, self.every = images, every

    def before_fit(self):
        self.looked = prepared(develop_images(self.learn) if self.images is None else self.images, self.learn.model)
        self.n, self.done, self.marks = len(self.looked), 0, []
        self.zeros, self.norms, self.dead, self.values = {}, {}, {}, {}
        self.note()

    def after_batch(self):
        if self.learn.training:
            self.done += 1
            if self.every and self.done % self.every == 0:
                self.note()

    def after_epoch(self):
        if not self.every:
            self.note()

    def after_fit(self):
        if self.marks and self.marks[-1] != self.done:
            self.note()

    def note(self):
        "A mark: figures of every layer with weights and of every activation."
        self.marks.append(self.done)
        for name, module in self.learn.model.named_modules():
            if isinstance(module, nn.modules.conv._ConvNd | nn.Linear):
                weight = module.weight.detach()
                self.zeros.setdefault(name, []).append(float((weight == 0).double().mean()))
                self.norms.setdefault(name, []).append(float(torch.linalg.vector_norm(weight, dtype=torch.float64)))
        with evaluating(self.learn.model), watched(self.learn.model, self.take), torch.no_grad():
            self.learn.model(self.looked)

    def take(self, name, module, inputs, output):
        "Of an activation's output (N, units, …): the share of dead units, and some of its values."
        if not isinstance(module, ACTIVATIONS):
            return
        others = [axis for axis in range(output.ndim) if axis != 1]
        same = output.amax(others) == output.amin(others)
        self.dead.setdefault(name, []).append(float(same.double().mean()))
        flat = output.detach().float().reshape(-1)
        kept = flat[torch.linspace(0, len(flat) - 1, min(KEPT, len(flat)), dtype=torch.float64).long()]
        self.values.setdefault(name, []).append(kept.cpu().numpy())

    def spread(self, name, bins=40):
        "(counts (M, bins), edges (bins + 1,)): how the values of activation `name` are spread, mark by mark."
        if name not in self.values:
            raise OptionError(f"name: {name!r} is no activation. Choose one of: {', '.join(self.values)}.")
        every = np.stack(self.values[name])
        edges = np.histogram_bin_edges(every, bins)
        return np.stack([np.histogram(row, edges)[0] for row in every]), edges


def develop_images(learn):
    "LOOKED_AT images of the develop split, evenly spread over it, as the network of a fastlab Learner takes them."
    arrays = getattr(learn.dls, "arrays", None)
    if arrays is None or not len(arrays.splits["develop"]):
        raise OptionError("images: these DataLoaders have no develop split of fastlab's to look at. Give OverTime the "
                          "images, as the network takes them.")
    rows = arrays.splits["develop"]
    rows = rows[np.linspace(0, len(rows) - 1, min(LOOKED_AT, len(rows))).round().astype(int)]
    pixels = centre_crop(torch.from_numpy(arrays.images[rows]).movedim(-1, 1), crop_of(learn, arrays))
    mean, deviation = arrays.statistics
    return prepared(pixels.movedim(1, -1).numpy(), None, mean, deviation)


def crop_of(learn, arrays):
    "Pixels a side that the network sees."
    return getattr(getattr(learn, "recipe", None), "crop", None) or arrays.size[0]
