"""The L1 penalty as a callback, in three forms that are three treatments under Adam. Source: the report, "Training"."""
import math

import torch
from fastai.callback.core import Callback
from fastai.callback.fp16 import MixedPrecision
from fastai.callback.training import GradientAccumulation, GradientClip

from fastlab.errors import OptionError, one_of
from fastlab.training.optimizers import current_rates
from fastlab.training.recipe import L1_FORMS

BEFORE_THE_LOSS_IS_SCALED = min(GradientAccumulation.order, MixedPrecision.order) - 1
ONCE_GRADIENTS_ARE_WHOLE = (MixedPrecision.order + GradientClip.order) / 2  # gathered and unscaled, not yet clipped


class L1Penalty(Callback):
    """Adds `weight · Σ|w|` over all trainable parameters to what is minimised; the logged loss stays free of it.

    form 'loss': added to the loss, as the report writes it. 'gradient': its derivative, weight · sign(w), added to each
    gradient, the same bits for an eighth of the cost. 'proximal': after each step w is drawn towards 0 by lr · weight
    and stops there (soft threshold), the only form that gives exact zeros. Raises OptionError."""
    run_valid = False

    def __init__(self, weight=1e-3, form="loss"):
        super().__init__()
        if not 0 <= weight < math.inf:
            raise OptionError(f"l1: {weight!r} is not a number of at least 0.")
        self.weight, self.form = weight, one_of("l1-form", form, L1_FORMS)
        self.order = BEFORE_THE_LOSS_IS_SCALED if form == "loss" else ONCE_GRADIENTS_ARE_WHOLE

    @property
    def reads_only(self):
        "Whether nothing is done inside a step, before its gradients are whole."
        return self.form != "loss"

    def after_loss(self):
        "loss: the sum itself joins what is differentiated; `learn.loss`, which is logged, is left alone."
        if self.form == "loss" and self.weight:
            parameters = (parameter for parameter in self.learn.model.parameters() if parameter.requires_grad)
            total = torch.stack([parameter.abs().sum() for parameter in parameters]).sum()
            self.learn.loss_grad = self.learn.loss_grad + self.weight * total

    def before_step(self):
        "gradient: the derivative of the sum, with 0 at 0."
        if self.form == "gradient" and self.weight:
            parameters = [parameter for parameter in self.learn.model.parameters() if parameter.grad is not None]
            signs = torch._foreach_sign([parameter.detach() for parameter in parameters])
            torch._foreach_add_([parameter.grad for parameter in parameters], signs, alpha=self.weight)

    def after_step(self):
        "proximal: soft threshold after the optimizer's own step, each group of parameters by its own rate."
        if self.form == "proximal" and self.weight:
            for group, rate in zip(self.learn.opt.param_lists, current_rates(self.learn.opt)):
                soft_threshold_([parameter for parameter in group if parameter.requires_grad], rate * self.weight)


@torch.no_grad()
def soft_threshold_(tensors, threshold):
    "w → sign(w) · max(|w| − threshold, 0), in place, for all tensors: what lies within ±threshold is taken off."
    if tensors:
        within = torch._foreach_clamp_min(tensors, -threshold)
        torch._foreach_clamp_max_(within, threshold)
        torch._foreach_sub_(tensors, within)


def share_of_zeros(model):
    "The share of parameters that are exactly 0, as a 0-dimensional float tensor on the model's device."
    parameters = [parameter.detach() for parameter in model.parameters()]
    zeros = sum((parameter == 0).sum() for parameter in parameters)
    return zeros.double() / sum(parameter.numel() for parameter in parameters)
