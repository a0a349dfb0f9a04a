"""Does local response normalisation make neighbouring channels compete? Maps before and after, in both constants."""
import numpy as np
import pandas as pd
import torch
from torch import nn

from fastlab.inside.inputs import prepared
from fastlab.inside.uses import used_steps, watched
from fastlab.nets.normalisation import LocalResponseNorm
from fastlab.nets.steps import evaluating

LRNS = (LocalResponseNorm, nn.LocalResponseNorm)
TINY = 1e-30
PLACES = 20              # at most, evenly spaced: a ResNet-50 has 49 ReLUs, whose maps are held at once
MOST_VALUES = 1_000_000  # of a map, evenly taken, that loudness is ranked over


def channel_contrast(maps, reach=2):
    """Mean contrast |a - b| / (|a| + |b|) between channels at most `reach` apart at the same place, over all pairs that
    are not both 0: 0 where neighbours are alike, 1 where only one of them speaks. maps: tensor (N, C, H, W)."""
    total, pairs = 0.0, 0
    for distance in range(1, min(reach, maps.shape[1] - 1) + 1):
        one, other = maps[:, distance:], maps[:, :-distance]
        weight = one.abs() + other.abs()
        total += float(((one - other).abs() / weight.clamp_min(TINY)).sum(dtype=torch.float64))
        pairs += int(weight.count_nonzero())
    return total / pairs if pairs else float("nan")


def competition(maps, norm):
    """How much more a unit is damped among loud neighbours than among quiet ones: 1 - (mean factor in the loudest
    tenth) / (mean factor in the quietest tenth); loudness is the sum of squares of the others in a unit's window."""
    squares = maps.double().square()
    window = norm.window_sum(squares, None if norm.by_shifts else norm.band.to(squares))
    every = max(1, maps.numel() // MOST_VALUES)
    others = (window - squares).flatten()[::every]
    factor = (norm.k + norm.scale * window.flatten()[::every]).pow(-norm.beta)
    order = others.argsort()
    tenth = max(1, len(order) // 10)
    return 1 - float(factor[order[-tenth:]].mean() / factor[order[:tenth]].mean())


def unlike(before, after):
    "The share of `after` that is no common multiple of `before`: the sine of the angle between them."
    before, after = before.double().flatten(), after.double().flatten()
    along = float((before @ after) / before.square().sum().clamp_min(1e-300))
    return float((after - along * before).norm() / after.norm().clamp_min(1e-300))


def lrn_contrast(net, images, chunk=32, most_images=64, mean=0.0, std=1.0):
    """LRN's work on the maps of `images` (see `prepared`; the first `most_images`), a row for each place and form.

    Places, at most PLACES: where the network has LRN, else after each ReLU with maps, to see what it would do. Forms:
    'own' (the network's, where it has one), 'paper' (n = 5, k = 2) and 'torch' (n = 5, k = 1, alpha over n). Columns:
    name, form, size, before and after (`channel_contrast`), unlike (share of the result that is not just a common
    scale), competition (see there), damping (mean of 1 - |after| / |before|, weighted by |before|), n (images)."""
    images = prepared(images, net, mean, std)[:most_images]
    placed = [step for step in used_steps(net, images.shape[1], images.shape[2]) if len(step.input_shape) == 3]
    own = [step for step in placed if isinstance(step.module, LRNS)]
    sites = own or [step for step in placed if isinstance(step.module, nn.ReLU)]
    some = np.linspace(0, len(sites) - 1, min(PLACES, len(sites))).round().astype(int)
    sites, maps = {sites[k].name: sites[k].module for k in some}, {}

    def keep(name, module, inputs, output):
        if name in sites:
            maps.setdefault(name, []).append((inputs[0] if own else output).float().clone())

    with evaluating(net), torch.no_grad():
        with watched(net, keep):
            for part in images.split(chunk):
                net(part)
        return pd.DataFrame([{"name": name, **row, "n": len(images)} for name, parts in maps.items()
                             for row in rows_of(torch.cat(parts), sites[name])])


def rows_of(maps, module):
    "A row for each form at one place."
    forms = {}
    if isinstance(module, LocalResponseNorm):
        forms["own"] = module
    elif isinstance(module, nn.LocalResponseNorm):
        forms["own"] = LocalResponseNorm(maps.shape[1], "torch", module.size, module.alpha, module.beta, module.k)
    forms |= {form: LocalResponseNorm(maps.shape[1], form) for form in ("paper", "torch")}
    before, loud, known = channel_contrast(maps), loudness(maps), {}
    for form, norm in forms.items():
        constants = norm.size, norm.below, norm.above, norm.scale, norm.beta, norm.k
        if constants not in known:      # a network's own are often the paper's
            norm = norm.to(maps.device)
            after = norm(maps)
            known[constants] = {"size": norm.size, "before": before, "after": channel_contrast(after),
                                "unlike": unlike(maps, after), "competition": competition(maps, norm),
                                "damping": 1 - loudness(after) / max(loud, 1e-300)}
        yield {"form": form, **known[constants]}


def loudness(maps):
    return float(maps.abs().sum(dtype=torch.float64))


def contrast_by_factor(maps, factors, reach=2):
    "The contrast of LRN's maps at alphas multiplied by each of `factors`: from where on neighbours begin to compete."
    return np.array([channel_contrast(LocalResponseNorm(maps.shape[1], "paper", alpha=1e-4 * factor)(maps), reach)
                     for factor in factors])
