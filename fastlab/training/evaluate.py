"""Predictions, computed once and kept as arrays; and the report's own way of testing, which never calls eval().

`testing = 'eval'` is the proper way. `testing = 'as-printed'` is the report's: one image at a time through a network
still in training mode, so that dropout stays on and BatchNorm normalises with the statistics of that single image."""
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn.functional import instance_norm

from fastlab.errors import OptionError, one_of
from fastlab.images.augment import VALIDATION_BATCH, at_once, centre_crop, normalised, ten_crops
from fastlab.nets.parts import Network
from fastlab.nets.steps import evaluating
from fastlab.seeds import kept_random_state, seed_for

TESTING = ("eval", "as-printed")
CHUNK = VALIDATION_BATCH        # images (or crops) in memory at once, fewer where they are large


@torch.no_grad()
def scores(net, images, mean, deviation, crop=None, testing="eval", seed=0, turn=0, precision="fp32", ten_crop=False,
           mirrored=False):
    """The network's scores, float32 (N, classes), before softmax; with `ten_crop` log of the averaged probabilities.

    images: uint8 tensor or array (N, H, W, C). mean, deviation: a channel, as fractions of white. seed, turn: settle
    the dropout of as-printed testing. ten_crop: corners and centre, with `mirrored` their mirrors too, averaged.
    Memory is bounded: `CHUNK` images or crops at a time, fewer where they are large. Raises OptionError."""
    one_of("testing", testing, TESTING)
    images = _as_tensor(images) if isinstance(images, np.ndarray) else images
    device = next(net.parameters()).device
    crop = crop or images.shape[1]
    if ten_crop and testing == "as-printed":
        raise OptionError("ten_crop: testing as printed goes image by image, without crops. Choose one of the two.")
    step = max(at_once(crop, images.shape[3], CHUNK) // (10 if ten_crop else 1), 1)

    def forward(pixels):
        numbers = normalised(pixels, mean, deviation)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16"):
            return net(numbers).float()

    found = torch.zeros(0, 0)
    with as_printed(net, seed, turn) if testing == "as-printed" else evaluating(net):
        for start in range(0, len(images), step):
            pixels = images[start:start + step].to(device).permute(0, 3, 1, 2)
            if ten_crop:
                crops = ten_crops(pixels, crop, mirrored)
                shares = forward(torch.cat(crops)).softmax(1).view(len(crops), len(pixels), -1)
                part = shares.mean(0).clamp_min(1e-30).log()
            else:
                part = forward(centre_crop(pixels, crop))
            if start == 0:  # one place for all: parts kept one by one would lie among what each batch frees
                found = part.new_empty(len(images), part.shape[1])
            found[start:start + step] = part
    return found


class Rows:
    "Some rows of a pixel tensor (N, H, W, C), gathered a slice at a time: a memory-mapped split is never copied whole."

    def __init__(self, pixels, rows):
        self.pixels, self.rows, self.shape = pixels, rows, (len(rows), *pixels.shape[1:])
        self.dtype = pixels.dtype

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, part):
        return self.pixels.index_select(0, self.rows[part])


def _as_tensor(images):
    "The array as a tensor, copied only where torch cannot look at it in place."
    return torch.from_numpy(images if images.flags.writeable and images.flags.c_contiguous else images.copy())


@contextmanager
def as_printed(net, seed, turn=0):
    """The network as the report tests it, for any number of images at once: in training mode, dropout drawn from
    (seed, turn), and BatchNorm with each image's own statistics, which is instance normalisation; running statistics
    stay as they are."""
    norms = [module for module in net.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    with kept_random_state(), evaluating(net):
        torch.manual_seed(seed_for(seed, "printed", turn))
        net.train()
        for norm in norms:
            norm.forward = _OwnStatistics(norm)
        try:
            yield net
        finally:
            for norm in norms:
                del norm.forward


def same_in_training_mode(net):
    """Whether a network answers in training mode exactly as after eval(), so that testing as printed is testing: one of
    fastlab's own, with neither dropout nor batch statistics in it."""
    return type(net) is Network and not any(isinstance(part, nn.Dropout | nn.modules.batchnorm._BatchNorm)
                                            for part in net.modules())


class _OwnStatistics:
    "BatchNorm in training mode on a batch of one, for every image of a larger batch at the same time."

    def __init__(self, norm):
        self.norm = norm

    def __call__(self, images):
        if images.dim() < 3 or images[0, 0].numel() < 2:
            raise OptionError("testing as printed: BatchNorm cannot take statistics from the single value that one "
                              "image gives it. Use testing = eval for this network.")
        return instance_norm(images, weight=self.norm.weight, bias=self.norm.bias, eps=self.norm.eps)
