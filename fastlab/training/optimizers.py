"""Torch's own fused optimizers behind fastai's interface, with L2 and decoupled decay told apart."""
from functools import partial

import torch
from fastai.optimizer import OptimWrapper

from fastlab.errors import OptionError


def optimizer_for(recipe, device):
    """The `opt_func` of a Recipe for a fastai Learner. L2 goes into the gradient over all parameters (torch's Adam and
    SGD `weight_decay`), decay is AdamW's decoupled one; neither means exactly none."""
    fused = {"fused": True} if torch.device(device).type in ("cpu", "cuda") else {}
    if recipe.optimizer == "sgd":
        options = {"opt": torch.optim.SGD, "momentum": recipe.momentum, "weight_decay": recipe.l2}
    elif recipe.optimizer == "adam":
        options = {"opt": torch.optim.Adam, "weight_decay": recipe.l2}
    elif recipe.optimizer == "adamw":
        options = {"opt": torch.optim.AdamW, "weight_decay": recipe.decay}
    else:
        raise OptionError(f"optimizer: {recipe.optimizer!r} is not known.")
    return partial(OptimWrapper, **options, **fused)


def current_rate(opt):
    "The learning rate of an optimizer's last parameter group, without building fastai's view of all groups."
    groups = opt.opt.param_groups if isinstance(opt, OptimWrapper) else opt.hypers
    return groups[-1]["lr"]
