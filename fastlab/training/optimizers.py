"""Torch's own fused optimizers behind fastai's interface, with L2 and decoupled decay told apart."""
import inspect
from functools import partial

import torch
from fastai.optimizer import OptimWrapper, detuplify_pg, set_item_pg

from fastlab.errors import OptionError

GUARDED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")     # against torch.compile, in torch


def without_compiler(kind):
    """The class of torch optimizers `kind`, the same in every bit, whose methods do not fetch torch's compiler: they
    import it only to be left out of what it compiles, and that import takes more than a second of each process."""
    methods = {name: inspect.unwrap(getattr(kind, name)) for name in GUARDED}
    methods["step"] = torch.no_grad()(inspect.unwrap(kind.step))
    return type(kind.__name__, (kind,), {**methods, "__module__": __name__, "__doc__": kind.__doc__})


Adam, AdamW, SGD = map(without_compiler, (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD))


class Hypers(dict):
    """One parameter group's figures under fastai's names; what is set here is set in torch's group as well. torch's
    switches (foreach, fused …) are left out: whoever logs all hypers, as TensorBoardCallback does, wants numbers."""

    def __init__(self, wrapper, group):
        super().__init__({wrapper.fwd_map.get(name, name): value for name, value in detuplify_pg(group).items()
                          if value is not None and not isinstance(value, bool)})
        self.wrapper, self.group = wrapper, group

    def __setitem__(self, name, value):
        super().__setitem__(name, value)
        set_item_pg(self.group, self.wrapper.bwd_map.get(name, name), value)


class TorchOptimizer(OptimWrapper):
    """fastai's wrapper of a torch optimizer, whose `hypers` write through: fastai's own callbacks, ReduceLROnPlateau
    among them, set rates there, and in OptimWrapper's they set them in copies, without any effect."""

    @property
    def hypers(self):
        "A Hypers for each parameter group."
        return [Hypers(self, group) for group in self.opt.param_groups]

    def step(self, *arguments):
        "Torch's own, found without fastai's search."
        return self.opt.step(*arguments)

    def zero_grad(self, *arguments):
        return self.opt.zero_grad(*arguments)


def optimizer_for(recipe, device):
    """The `opt_func` of a Recipe for a fastai Learner. L2 goes into the gradient over all parameters (torch's Adam and
    SGD `weight_decay`), decay is AdamW's decoupled one; neither means exactly none."""
    fused = {"fused": True} if torch.device(device).type in ("cpu", "cuda") else {}
    if recipe.optimizer == "sgd":
        options = {"opt": SGD, "momentum": recipe.momentum, "weight_decay": recipe.l2}
    elif recipe.optimizer == "adam":
        options = {"opt": Adam, "weight_decay": recipe.l2}
    elif recipe.optimizer == "adamw":
        options = {"opt": AdamW, "weight_decay": recipe.decay}
    else:
        raise OptionError(f"optimizer: {recipe.optimizer!r} is not known.")
    return partial(TorchOptimizer, **options, **fused)


def current_rates(opt):
    "The learning rate of each parameter group, without building fastai's view of all groups."
    return [group["lr"] for group in (opt.opt.param_groups if isinstance(opt, OptimWrapper) else opt.hypers)]


def current_rate(opt):
    "The learning rate of the last parameter group, as fastai's Recorder shows it."
    return current_rates(opt)[-1]
