"""The L1 penalty as a callback, in three forms that are three treatments under Adam. Source: the report, "Training"."""
import torch
from fastai.callback.core import Callback

from fastlab.errors import one_of
from fastlab.training.optimizers import current_rate
from fastlab.training.recipe import L1_FORMS


class L1Penalty(Callback):
    """Adds `weight · Σ|w|` over all trainable parameters to what is minimised; the logged loss stays free of it.

    form 'loss': added to the loss, as the report writes it. 'gradient': its derivative, weight · sign(w), added to each
    gradient, the same bits for an eighth of the cost. 'proximal': after each step w is drawn towards 0 by lr · weight
    and stops there (soft threshold), the only form that gives exact zeros."""
    order, run_valid = 5, False

    def __init__(self, weight=1e-3, form="loss"):
        super().__init__()
        self.weight, self.form = weight, one_of("l1-form", form, L1_FORMS)

    def _parameters(self):
        return [parameter for parameter in self.learn.model.parameters() if parameter.requires_grad]

    def after_loss(self):
        "loss: the sum itself joins what is differentiated; `learn.loss`, which is logged, is left alone."
        if self.form == "loss" and self.weight:
            total = torch.stack([parameter.abs().sum() for parameter in self._parameters()]).sum()
            self.learn.loss_grad = self.learn.loss_grad + self.weight * total

    def before_step(self):
        "gradient: the derivative of the sum, with 0 at 0."
        if self.form == "gradient" and self.weight:
            parameters = [parameter for parameter in self._parameters() if parameter.grad is not None]
            signs = torch._foreach_sign([parameter.detach() for parameter in parameters])
            torch._foreach_add_([parameter.grad for parameter in parameters], signs, alpha=self.weight)

    @torch.no_grad()
    def after_step(self):
        "proximal: soft threshold after the optimizer's own step."
        if self.form == "proximal" and self.weight:
            soft_threshold_(self._parameters(), current_rate(self.learn.opt) * self.weight)


@torch.no_grad()
def soft_threshold_(tensors, threshold):
    "w → sign(w) · max(|w| − threshold, 0), in place, for all tensors together."
    kept = torch._foreach_abs(tensors)
    torch._foreach_sub_(kept, threshold)
    torch._foreach_clamp_min_(kept, 0)
    signs = torch._foreach_sign(tensors)
    torch._foreach_mul_(signs, kept)
    torch._foreach_copy_(tensors, signs)


def share_of_zeros(model):
    "The share of parameters that are exactly 0, as a 0-dimensional float tensor on the model's device."
    parameters = [parameter.detach() for parameter in model.parameters()]
    zeros = sum((parameter == 0).sum() for parameter in parameters)
    return zeros.double() / sum(parameter.numel() for parameter in parameters)
