"""Does the answer stay when the image moves, turns, grows or gets noisy? And the maps, before and after pooling?"""
from functools import partial

import numpy as np
import pandas as pd
import torch

from fastlab.errors import one_of
from fastlab.inside.inputs import checked_labels, prepared, probabilities
from fastlab.inside.uses import watched
from fastlab.inside.warping import noisy, rotated, scaled, shifted
from fastlab.nets.steps import evaluating
from fastlab.seeds import torch_generator

AMOUNTS = {"shift": tuple(range(-6, 7)), "rotation": (-45, -30, -20, -10, -5, 0, 5, 10, 20, 30, 45),
           "scale": (0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4), "noise": (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)}
ALIKE = 1e-12       # share of a step's squares below which what tells images apart is rounding
NONE = {"shift": 0, "rotation": 0, "scale": 1, "noise": 0}      # the amounts that change nothing


def changes_of(kind, amount, seed=0):
    "The changes that `amount` of a `kind` stands for, as functions of images: a shift goes along both axes, in turn."
    one_of("kind", kind, AMOUNTS)
    if kind == "shift":
        return [partial(shifted, right=amount), partial(shifted, down=amount)]
    if kind == "noise":
        return [lambda images: noisy(images, amount, torch_generator(seed, "show"))]
    return [partial(rotated, degrees=amount) if kind == "rotation" else partial(scaled, factor=amount)]


def invariance(net, images, labels=None, kind="shift", amounts=None, seed=0, chunk=256, mean=0.0, std=1.0):
    """How the answer of `net` to `images` (see `prepared`) holds under each amount of a `kind` of change: 'shift' in
    pixels, 'rotation' in degrees, 'scale' as a factor, 'noise' as a share of the images' span.

    A DataFrame with a row an amount: kind, amount, unchanged (share of images with the same class as the unchanged
    image), distance (mean total variation between the probabilities, 0 to 1), accuracy (nan without labels), n
    (answers compared: a shift is answered along both axes)."""
    images = prepared(images, net, mean, std)
    truth = None if labels is None else checked_labels(labels, images).cpu().numpy()
    rows = []
    with evaluating(net):
        still = probabilities(net, images, chunk)
        for amount in AMOUNTS[one_of("kind", kind, AMOUNTS)] if amounts is None else amounts:
            moved = np.concatenate([still if amount == NONE[kind] else probabilities(net, change(images), chunk)
                                    for change in changes_of(kind, amount, seed)])
            rows.append({"kind": kind, "amount": amount, **compared(still, moved, truth)})
    return pd.DataFrame(rows)


def compared(still, moved, truth):
    "Figures of the answers `moved` (k N, C) against `still` (N, C) and the true classes."
    times = len(moved) // len(still)
    answers = moved.argmax(1)
    return {"unchanged": float((answers == np.tile(still.argmax(1), times)).mean()),
            "distance": float(np.abs(moved - np.tile(still, (times, 1))).sum(1).mean() / 2),
            "accuracy": float("nan") if truth is None else float((answers == np.tile(truth, times)).mean()),
            "n": len(moved)}


def map_changes(net, images, kind="shift", amount=1, seed=0, chunk=16, mean=0.0, std=1.0):
    """How much the maps of each step change when the image does: ‖map(changed) - map‖ / ‖map - mean map‖, both summed
    over all images, so that 1 is as much as two images differ from their mean, about.

    A DataFrame with a row a step: name, shape, change (mean over the changes that `amount` stands for), n (images).
    A pooling that makes the network steadier shows a smaller change than the step before it. nan: all images have the
    same map there, but for rounding."""
    images, sums, squares, moves = prepared(images, net, mean, std), {}, {}, {}
    changed = [change(images).split(chunk) for change in changes_of(kind, amount, seed)]
    with evaluating(net):
        for part, *others in zip(images.split(chunk), *changed):
            still = {name: output.double() for name, output in all_outputs(net, part).items()}
            for name, output in still.items():
                sums[name] = sums.get(name, 0) + output.sum(0)
                squares[name] = squares.get(name, 0) + float(output.square().sum())
            for other in others:
                for name, output in all_outputs(net, other).items():
                    moves[name] = moves.get(name, 0) + float((output - still[name]).square().sum()) / len(others)
    spread = {name: squares[name] - float(total.square().sum()) / len(images) for name, total in sums.items()}
    return pd.DataFrame([{"name": name, "shape": tuple(total.shape), "n": len(images),
                          "change": float(np.sqrt(moves[name] / spread[name])) if spread[name] > ALIKE * squares[name]
                          else float("nan")} for name, total in sums.items()])


def all_outputs(net, images):
    "{step name: output (N, …)} of one forward pass, without gradients."
    outputs = {}

    def keep(name, module, inputs, output):
        if output.is_floating_point():
            outputs[name] = output.clone()

    with watched(net, keep), torch.no_grad():
        net(images)
    return outputs
