"""L1 in three forms: against autograd, against the closed form, and what each does to weights and log."""
import numpy as np
import pytest
import torch
from fastai.callback.core import Callback
from fastai.callback.training import GradientAccumulation, GradientClip
from trainings import QUICK, bits, fitted, learner_for, quiet, same

from fastlab.errors import OptionError
from fastlab.images.batches import arrays_dataloaders
from fastlab.nets.weights import body_and_head
from fastlab.training.learner import lenet_learner
from fastlab.training.penalties import L1Penalty, share_of_zeros, soft_threshold_


class Gradients(Callback):
    "Keeps the gradients that a step is made with, in float64."
    order = 200

    def before_step(self):
        self.kept = [p.grad.detach().double().clone() for p in self.learn.model.parameters()]


def step_gradients(arrays, **change):
    "The gradients of one step over all training images, and the weights before it."
    learn = learner_for(arrays, QUICK.changed(epochs=1, batch_size=72, dropout=0.0, **change), 0)
    before, seen = [p.detach().double().clone() for p in learn.model.parameters()], Gradients()
    with quiet(learn):
        learn.fit_recipe(cbs=[seen])
    return seen.kept, before


@pytest.mark.parametrize("form", ["loss", "gradient"])
def test_the_penalty_adds_its_derivative_to_every_gradient(shape_arrays, form):
    plain, before = step_gradients(shape_arrays)
    with_l1, _ = step_gradients(shape_arrays, l1=0.125, l1_form=form)
    for without, penalised, weight in zip(plain, with_l1, before):
        leaf = weight.clone().requires_grad_()
        (0.125 * leaf.abs().sum()).backward()
        torch.testing.assert_close(penalised - without, leaf.grad, atol=1e-6, rtol=0)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_loss_and_gradient_form_are_the_same_bits_over_many_steps(shape_arrays, optimizer):
    one, other = (fitted(shape_arrays, QUICK.changed(l1=1e-3, l1_form=form, optimizer=optimizer, epochs=3))
                  for form in ("loss", "gradient"))
    assert same(bits(one), bits(other))
    assert not same(bits(one), bits(fitted(shape_arrays, QUICK.changed(optimizer=optimizer, epochs=3))))


def test_loss_and_gradient_form_agree_when_gradients_are_gathered_and_clipped(shape_arrays):
    def after(form):
        learn = lenet_learner(arrays_dataloaders(shape_arrays, 8), l1=0.05, l1_form=form, dropout=0.0,
                              optimizer="sgd", lr=0.05)
        with quiet(learn):
            learn.fit(1, cbs=[GradientAccumulation(24), GradientClip(0.5)])
        return bits(learn)
    one, other = after("loss"), after("gradient")
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=1e-6, rtol=1e-5)


def test_the_soft_threshold_is_the_closed_form():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype(np.float32) for shape in ((3, 4, 5, 5), (40,))]
    arrays[1][:4] = 0.0, 0.25, -0.25, 0.2500001
    tensors = [torch.from_numpy(array.copy()) for array in arrays]
    soft_threshold_(tensors, 0.25)
    for tensor, array in zip(tensors, arrays):
        w = array.astype(np.float64)
        np.testing.assert_allclose(tensor.numpy(), np.sign(w) * np.maximum(np.abs(w) - 0.25, 0), atol=1e-7)
    assert tensors[1][:3].tolist() == [0, 0, 0]
    soft_threshold_([], 0.25)


def test_the_proximal_form_draws_each_weight_by_rate_times_penalty_after_the_step(shape_arrays):
    change = {"epochs": 1, "batch_size": 72, "dropout": 0.0, "optimizer": "sgd", "momentum": 0.0, "lr": 0.1}
    plain = fitted(shape_arrays, QUICK.changed(**change))
    drawn = fitted(shape_arrays, QUICK.changed(l1=0.2, l1_form="proximal", **change))
    for free, held in zip(plain.model.parameters(), drawn.model.parameters()):
        w = free.detach().double()
        torch.testing.assert_close(held.detach().double(), w.sign() * (w.abs() - 0.02).clamp_min(0), atol=1e-6, rtol=0)


def test_the_proximal_form_follows_each_groups_own_rate(shape_arrays):
    learn = lenet_learner(arrays_dataloaders(shape_arrays, 24), splitter=body_and_head, optimizer="sgd", momentum=0.0,
                          norm="none", cbs=L1Penalty(1.0, "proximal"))
    with torch.no_grad():
        for parameter in learn.model.parameters():
            parameter.fill_(1.0)
    learn.create_opt()
    learn.opt.set_hyper("lr", [0.125, 0.5])
    learn.training = True
    learn("after_step")
    assert learn.model.conv1.weight.unique().tolist() == [0.875]
    assert learn.model.linear.weight.unique().tolist() == [0.5]


def test_only_the_proximal_form_gives_exact_zeros(shape_arrays):
    zeros = {form: float(share_of_zeros(fitted(shape_arrays, QUICK.changed(l1=0.5, l1_form=form)).model))
             for form in ("loss", "gradient", "proximal")}
    assert zeros["loss"] == zeros["gradient"] == 0
    assert 0.02 < zeros["proximal"] < 1


def test_the_share_of_zeros_counts_every_parameter():
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))  # 12 + 3 + 3 + 3, of which BatchNorm's 3
    with torch.no_grad():
        net[0].weight[0] = 0
    assert float(share_of_zeros(net)) == pytest.approx((4 + 3) / 21)


@pytest.mark.parametrize("form", ["loss", "gradient", "proximal"])
def test_the_logged_loss_is_free_of_the_penalty(shape_arrays, form):
    change = {"epochs": 1, "batch_size": 72, "dropout": 0.0}
    plain, held = (fitted(shape_arrays, QUICK.changed(**change, **l1))
                   for l1 in ({}, {"l1": 1.0, "l1_form": form}))
    assert held.recorder.raw_losses == plain.recorder.raw_losses
    assert held.history[0]["train_loss"] == plain.history[0]["train_loss"]


@pytest.mark.parametrize("wrong", [-1, float("nan"), float("inf")])
def test_a_weight_that_is_no_penalty_is_an_error(wrong):
    with pytest.raises(OptionError, match="l1"):
        L1Penalty(wrong)
    with pytest.raises(OptionError, match="l1-form"):
        L1Penalty(1.0, "lasso")
