"""One step and several against formulas in float64; no regularisation means exactly none; rates that callbacks set."""
from functools import partial

import numpy as np
import pytest
import torch
from fastai import optimizer as fastais
from fastai.callback.tracker import ReduceLROnPlateau
from fastai.optimizer import OptimWrapper
from torch import nn
from trainings import QUICK, quiet

from fastlab.errors import OptionError
from fastlab.images.batches import arrays_dataloaders
from fastlab.training.learner import lenet_learner
from fastlab.training.optimizers import current_rate, current_rates, optimizer_for
from fastlab.training.recipe import Recipe
from fastlab.training.run import learner_for

STEPS = 4


def parameters():
    "Weights in both memory layouts, a bias, and a BatchNorm's weight and bias, with gradients for several steps."
    rng = np.random.default_rng(4)
    shapes = [(4, 3, 3, 3), (5, 7), (5,), (4,), (4,)]
    start = [rng.normal(size=shape) for shape in shapes]
    gradients = [[rng.normal(size=shape) for shape in shapes] for _ in range(STEPS)]
    return start, gradients


def stepped(recipe):
    "The parameters, float64 arrays, after STEPS steps of a Recipe's optimizer in float32, the first in channels-last."
    start, gradients = parameters()
    tensors = [nn.Parameter(torch.tensor(values, dtype=torch.float32)) for values in start]
    tensors[0] = nn.Parameter(tensors[0].detach().to(memory_format=torch.channels_last))
    opt = optimizer_for(recipe, "cpu")(tensors, lr=recipe.lr)
    for step in gradients:
        for tensor, values in zip(tensors, step):
            tensor.grad = torch.empty_like(tensor).copy_(torch.tensor(values))
        opt.step()
    return [tensor.detach().double().numpy() for tensor in tensors]


def adam(start, gradients, lr, l2=0.0, decay=0.0, beta1=0.9, beta2=0.999, eps=1e-8):
    "Kingma and Ba 2015, algorithm 1; l2 joins the gradient, decay shrinks the weight (Loshchilov and Hutter 2019)."
    weights, mean, square = [w.copy() for w in start], [0.0] * len(start), [0.0] * len(start)
    for step, gradient in enumerate(gradients, 1):
        for i, w in enumerate(weights):
            g = gradient[i] + l2 * w
            w = w * (1 - lr * decay)
            mean[i] = beta1 * mean[i] + (1 - beta1) * g
            square[i] = beta2 * square[i] + (1 - beta2) * g ** 2
            weights[i] = w - lr * (mean[i] / (1 - beta1 ** step)) / (np.sqrt(square[i] / (1 - beta2 ** step)) + eps)
    return weights


def sgd(start, gradients, lr, momentum, l2=0.0):
    "v ← momentum · v + g + l2 · w, w ← w − lr · v."
    weights, speed = [w.copy() for w in start], [0.0] * len(start)
    for gradient in gradients:
        for i, w in enumerate(weights):
            speed[i] = momentum * speed[i] + gradient[i] + l2 * w
            weights[i] = w - lr * speed[i]
    return weights


@pytest.mark.parametrize(("recipe", "formula"), [
    (Recipe(lr=0.01, l2=0.3), lambda s, g: adam(s, g, 0.01, l2=0.3)),
    (Recipe(lr=0.01), lambda s, g: adam(s, g, 0.01)),
    (Recipe(lr=0.01, optimizer="adamw", decay=0.3), lambda s, g: adam(s, g, 0.01, decay=0.3)),
    (Recipe(lr=0.01, optimizer="adamw"), lambda s, g: adam(s, g, 0.01)),
    (Recipe(lr=0.01, optimizer="sgd", momentum=0.9, l2=0.3), lambda s, g: sgd(s, g, 0.01, 0.9, 0.3)),
    (Recipe(lr=0.01, optimizer="sgd", momentum=0.0), lambda s, g: sgd(s, g, 0.01, 0.0)),
], ids=["adam with l2", "adam", "adamw with decay", "adamw", "sgd with momentum and l2", "sgd"])
def test_steps_are_those_of_the_formula(recipe, formula):
    for found, expected in zip(stepped(recipe), formula(*parameters())):
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_without_l2_and_decay_a_weight_without_gradient_stays_bit_for_bit(optimizer):
    tensors = [nn.Parameter(torch.randn(5, generator=torch.Generator().manual_seed(number))) for number in range(2)]
    before = [tensor.detach().clone() for tensor in tensors]
    opt = optimizer_for(Recipe(optimizer=optimizer), "cpu")(tensors, lr=0.1)
    for tensor in tensors:
        tensor.grad = torch.zeros_like(tensor)
    opt.step()
    assert all(torch.equal(tensor, old) for tensor, old in zip(tensors, before))


ADAMS_STEP = 0.1        # at rate 0.1, Adam's first step along any gradient but 0


@pytest.mark.parametrize(("change", "expected"), [
    ({"l2": 0.5}, 1 - ADAMS_STEP), ({"l2": 0.5, "optimizer": "sgd"}, 1 - 0.1 * 0.5),
    ({"decay": 0.5, "optimizer": "adamw"}, 1 - 0.1 * 0.5),
    ({}, 1), ({"optimizer": "sgd"}, 1), ({"optimizer": "adamw"}, 1)], ids=str)
def test_fault_7_decay_reaches_biases_and_batchnorm_too_and_none_means_exactly_none(shape_arrays, change, expected):
    "Fitted for one step on a loss without any slope, from parameters that are all 1: what moves them is decay alone."
    learn = learner_for(shape_arrays, QUICK.changed(lr=0.1, epochs=1, batch_size=72, precision="fp32", **change), 0)
    learn.loss_func = lambda scores, truth, **_: 0 * scores.sum()
    with torch.no_grad():
        for parameter in learn.model.parameters():
            parameter.fill_(1.0)
    with quiet(learn):
        learn.fit_recipe()
    names = {name: parameter.detach() for name, parameter in learn.model.named_parameters()}
    assert {"conv1.bias", "norm1.weight", "norm1.bias", "linear.bias"} < names.keys()
    for name, parameter in names.items():
        assert parameter.unique().tolist() == pytest.approx([expected], abs=1e-6), name
        assert expected != 1 or bool((parameter == 1).all()), name


def test_fault_18_fastais_own_reduce_lr_on_plateau_lowers_the_rate(shape_arrays):
    never_better = ReduceLROnPlateau(monitor="valid_loss", min_delta=1e6, patience=1, factor=10)
    learn = learner_for(shape_arrays, QUICK, 0)
    with quiet(learn):
        learn.fit(3, 1e-2, cbs=never_better)
    assert [epoch["lr"] for epoch in learn.history] == pytest.approx([1e-2, 1e-2, 1e-3])
    assert current_rate(learn.opt) == pytest.approx(1e-4)


def test_what_is_set_in_hypers_is_set_in_the_optimizer():
    opt = optimizer_for(Recipe(), "cpu")([[nn.Parameter(torch.ones(2))], [nn.Parameter(torch.ones(3))]], lr=0.1)
    for number, hypers in enumerate(opt.hypers):
        hypers["lr"], hypers["mom"], hypers["wd"] = 0.5 + number, 0.7, 0.25
    assert [group["lr"] for group in opt.opt.param_groups] == [0.5, 1.5] == current_rates(opt)
    assert [group["betas"] for group in opt.opt.param_groups] == [(0.7, 0.999)] * 2
    assert [group["weight_decay"] for group in opt.opt.param_groups] == [0.25] * 2
    opt.set_hyper("lr", slice(0.01, 1.0))
    assert current_rates(opt) == pytest.approx([0.01, 1.0])


@pytest.mark.parametrize("name", ["SGD", "RMSProp", "Adam", "RAdam", "QHAdam", "Larc", "Lamb", "ranger"])
def test_every_optimizer_of_fastai_trains(shape_arrays, name):
    learn = lenet_learner(arrays_dataloaders(shape_arrays, 24), opt_func=getattr(fastais, name), lr=0.01,
                          dropout=0.0)
    with quiet(learn):
        learn.fit(3)
    losses = [epoch["train_loss"] for epoch in learn.history]
    assert losses[-1] < losses[0]
    assert current_rate(learn.opt) == pytest.approx(0.01)


def test_a_torch_optimizer_in_fastais_wrapper_trains(shape_arrays):
    learn = lenet_learner(arrays_dataloaders(shape_arrays, 24), opt_func=partial(OptimWrapper, opt=torch.optim.RMSprop),
                          lr=1e-3)
    with quiet(learn):
        learn.fit_one_cycle(3)
    assert learn.history[-1]["train_loss"] < learn.history[0]["train_loss"]


def test_an_unknown_optimizer_is_an_error():
    class Odd:
        optimizer = "newton"
    with pytest.raises(OptionError, match="newton"):
        optimizer_for(Odd, "cpu")
