"""Rates as they should go: divided on a plateau on any optimizer, one-cycle in closed form; a body frozen at first."""
import math

import numpy as np
import pytest
import torch
from fastai.callback.core import Callback
from fastai.optimizer import SGD, Adam
from trainings import QUICK, bits, fitted, learner_for, quiet

from fastlab.errors import OptionError
from fastlab.images.batches import arrays_dataloaders
from fastlab.training.learner import lenet_learner
from fastlab.training.recorder import Accuracy
from fastlab.training.schedules import DividedOnPlateau

ACCURACIES = [0.5, 0.6, 0.6, 0.55, 0.7, 0.7, 0.7, 0.1, 0.7]     # a tie sets no new best
RATES = [1.0, 1.0, 1.0, 1.0, 0.1, 0.1, 0.1, 0.01, 0.01]         # during each epoch, with patience 2


@pytest.fixture
def told_accuracies(monkeypatch):
    "Every Accuracy tells the next of ACCURACIES instead of what it counted."
    told = iter(ACCURACIES)
    monkeypatch.setattr(Accuracy, "value", property(lambda self: next(told)))


@pytest.mark.parametrize("kind", ["adam", "adamw", "sgd", Adam, SGD])
def test_fault_18_the_rate_is_divided_when_accuracy_stalls_on_every_optimizer(shape_arrays, kind, told_accuracies):
    ours = {"optimizer": kind} if isinstance(kind, str) else {"opt_func": kind}
    learn = lenet_learner(arrays_dataloaders(shape_arrays, 72), lr=1e-3, **ours)
    with quiet(learn):
        learn.fit(len(ACCURACIES), cbs=DividedOnPlateau(patience=2, least_share=1e-9))
    expected = [1e-3 * rate for rate in RATES]
    assert learn.recorder.lrs == pytest.approx(expected)
    assert learn.opt.hypers[-1]["lr"] == pytest.approx(1e-6)


def test_each_group_keeps_its_share_of_the_rate(shape_arrays, told_accuracies):
    learn = lenet_learner(arrays_dataloaders(shape_arrays, 72), splitter=lambda net: [list(net.conv1.parameters()),
                                                                                      list(net.linear.parameters())])
    with quiet(learn):
        learn.fit(4, slice(1e-4, 1e-3), cbs=DividedOnPlateau(patience=2))
    assert [hypers["lr"] for hypers in learn.opt.hypers] == pytest.approx([1e-5, 1e-4])


def test_the_rate_never_falls_below_its_least_share(shape_arrays, told_accuracies):
    learn = lenet_learner(arrays_dataloaders(shape_arrays, 72))
    with quiet(learn):
        learn.fit(len(ACCURACIES), 1e-3, cbs=DividedOnPlateau(patience=1, least_share=0.01))
    assert learn.opt.hypers[-1]["lr"] == pytest.approx(1e-5)


def test_a_validation_in_between_is_no_epoch_without_progress(shape_arrays):
    plateau = DividedOnPlateau(patience=1)
    learn = lenet_learner(arrays_dataloaders(shape_arrays, 72), cbs=plateau)
    with quiet(learn):
        learn.fit(1)
        best, waited = plateau.best, plateau.waited
        learn.validate()
        learn.get_preds()
    assert (plateau.best, plateau.waited) == (best, waited)


def test_a_plateau_without_accuracy_to_look_at_is_an_error(shape_arrays):
    learn = lenet_learner(arrays_dataloaders(shape_arrays, 72), schedule="plateau", metrics=[])
    with quiet(learn), pytest.raises(OptionError, match="schedule: plateau"):
        learn.fit_recipe()


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_one_cycle_is_its_closed_form_step_by_step(shape_arrays, optimizer):
    learn = learner_for(shape_arrays, QUICK.changed(schedule="one-cycle", lr=0.02, epochs=4, optimizer=optimizer), 0)
    moms = []
    learn.add_cb(Callback(before_step=lambda callback: moms.append(callback.learn.opt.hypers[-1]["mom"])))
    with quiet(learn):
        learn.fit_recipe()

    def cosine(start, end, share):
        return start + (1 + math.cos(math.pi * (1 - share))) * (end - start) / 2

    def at(share, low, high, last):
        return cosine(low, high, share / 0.25) if share < 0.25 else cosine(high, last, (share - 0.25) / 0.75)
    shares = np.arange(12) / 12
    np.testing.assert_allclose(learn.recorder.lrs, [at(share, 0.02 / 25, 0.02, 0.02 / 1e5) for share in shares],
                               rtol=1e-5)
    np.testing.assert_allclose(moms, [at(share, 0.95, 0.85, 0.95) for share in shares], rtol=1e-5)


def test_a_frozen_body_stays_bit_for_bit_and_then_learns(shape_arrays):
    recipe = QUICK.changed(freeze=2, epochs=2, norm="none")
    fresh, frozen = bits(learner_for(shape_arrays, recipe, 0)), bits(fitted(shape_arrays, recipe))
    thawed = bits(fitted(shape_arrays, recipe.changed(epochs=3)))
    for name in fresh:
        assert torch.equal(frozen[name], fresh[name]) == (not name.startswith("linear")), name
        assert not torch.equal(thawed[name], fresh[name]), name


def test_frozen_epochs_are_among_the_recipes_epochs(shape_arrays):
    learn = fitted(shape_arrays, QUICK.changed(freeze=1, epochs=3))
    assert [epoch["epoch"] for epoch in learn.history] == [1, 2, 3]
    assert all(parameter.requires_grad for parameter in learn.model.parameters())


@pytest.mark.parametrize(("change", "momentum"), [({"optimizer": "sgd", "momentum": 0.0}, 0.0),
                                                  ({"optimizer": "sgd", "momentum": 0.6}, 0.6),
                                                  ({"optimizer": "adam", "momentum": 0.6}, None)])
def test_a_momentum_that_was_asked_for_is_kept_through_one_cycle(shape_arrays, change, momentum):
    learn = learner_for(shape_arrays, QUICK.changed(schedule="one-cycle", **change), 0)
    moms = []
    learn.add_cb(Callback(before_step=lambda callback: moms.append(callback.learn.opt.hypers[-1]["mom"])))
    with quiet(learn):
        learn.fit_recipe()
    assert set(moms) == {momentum} if momentum is not None else min(moms) >= 0.85
