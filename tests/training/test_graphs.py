"""Recorded steps with a recorder for the CPU, which calculates each replay anew into the same places, as a graph does:
what may be recorded, what is said where it may not, and that replayed training is calculated training, bit for bit."""
import pytest
import torch
from fastai.callback.core import Callback
from fastai.callback.mixup import MixUp
from torch import nn
from trainings import QUICK, bits, figures, learner_for, quiet, same

from fastlab.training.graphs import GraphedSteps, Recording, untouched
from fastlab.training.loop import _listens

RECIPE = QUICK.changed(precision="fp32", epochs=4)     # 72 images: three batches of 24


class Recorder:
    "Records on the CPU. wrong: what is added to every replayed loss; fails: an error in place of a recording."

    def __init__(self, wrong=0.0, fails=None):
        self.wrong, self.fails, self.recorded, self.replayed = wrong, fails, 0, 0

    def __call__(self, compute, learn, batch):
        if self.fails:
            raise RuntimeError(self.fails)
        self.recorded += 1
        inputs = tuple(part.clone() for part in batch)
        with untouched(learn.model):
            pred, loss = (each.detach().clone() for each in compute(inputs))
            gradients = tuple(p.grad for p in learn.model.parameters() if p.requires_grad)

        def replay():
            self.replayed += 1
            learn.model.zero_grad(set_to_none=True)
            new = compute(inputs)
            pred.copy_(new[0].detach())
            loss.copy_(new[1].detach() + self.wrong)
            for place, parameter in zip(gradients, (p for p in learn.model.parameters() if p.requires_grad)):
                place.copy_(parameter.grad)
                parameter.grad = None
        return Recording(inputs, replay, pred, loss, gradients)


def trained(arrays, recorder=None, cbs=None, recipe=RECIPE, said=None):
    "A Learner after its Recipe's training, its steps recorded where there is a recorder."
    learn = learner_for(arrays, recipe, 0)
    if recorder is not None:
        learn._graphs = lambda: GraphedSteps(learn, _listens, recorder, (said if said is not None else []).append)
    with quiet(learn):
        learn.fit_recipe(cbs=cbs)
    return learn


@pytest.mark.parametrize("change", [{}, {"l1": 1e-3, "l1_form": "gradient", "schedule": "one-cycle"},
                                    {"batch_size": 32, "optimizer": "sgd"}, {"freeze": 2}])
def test_replayed_training_is_calculated_training(shape_arrays, change):
    recipe, recorder, said = RECIPE.changed(**change), Recorder(), []
    plain, replayed = trained(shape_arrays, recipe=recipe), trained(shape_arrays, recorder, recipe=recipe, said=said)
    assert same(bits(plain), bits(replayed))
    assert figures(plain) == figures(replayed)
    assert said == []
    assert recorder.replayed >= 12 - 2 * recorder.recorded > 0


def test_each_shape_is_calculated_once_and_then_recorded(shape_arrays):
    recorder = Recorder()
    trained(shape_arrays, recorder, recipe=RECIPE.changed(batch_size=32))   # batches of 32, 32 and 8
    assert recorder.recorded == 2
    assert recorder.replayed == 12 - 2 + 2                                  # … and each recording is tried once


def test_a_frozen_body_gets_recordings_of_its_own(shape_arrays):
    recorder = Recorder()
    trained(shape_arrays, recorder, recipe=RECIPE.changed(freeze=2))
    assert recorder.recorded == 2


class LooksInside(Callback):
    def after_pred(self):
        self.learn.seen = self.learn.pred.detach()


class LooksAround(Callback):
    "Events around a step's passes, which a graph leaves alone."
    count = 0

    def before_step(self):
        self.count += all(p.grad is not None for p in self.learn.model.parameters())

    def after_step(self):
        assert torch.isfinite(self.learn.loss)


@pytest.mark.parametrize(("callback", "name"), [(LooksInside, "LooksInside"), (MixUp, "MixUp")])
def test_a_callback_inside_a_step_is_named_and_nothing_is_recorded(shape_arrays, callback, name):
    recorder, said = Recorder(), []
    learn = trained(shape_arrays, recorder, [callback()], said=said)
    assert recorder.recorded == 0
    assert len(said) == 1
    assert name in said[0]
    assert same(bits(learn), bits(trained(shape_arrays, cbs=[callback()])))


def test_l1_in_the_loss_is_named_and_a_callback_around_the_passes_sees_whole_gradients(shape_arrays):
    said, around, recorder = [], LooksAround(), Recorder()
    trained(shape_arrays, Recorder(), recipe=RECIPE.changed(l1=1e-3, l1_form="loss"), said=said)
    assert "L1Penalty" in said[0]
    trained(shape_arrays, recorder, [around])
    assert around.count == 12
    assert recorder.replayed > 0


def test_hooks_and_networks_of_others_are_not_recorded(shape_arrays):
    learn = learner_for(shape_arrays, RECIPE, 0)
    handle, said = learn.model.conv2.register_forward_hook(lambda *_: None), []
    assert "conv2" in GraphedSteps(learn, _listens, Recorder(), said.append).reason
    handle.remove()
    assert GraphedSteps(learn, _listens, Recorder(), said.append).reason is None
    learn.model = nn.Sequential(learn.model)
    assert "own networks" in GraphedSteps(learn, _listens, Recorder(), said.append).reason
    assert len(said) == 2


@pytest.mark.parametrize(("recorder", "told"), [(Recorder(fails="operation not permitted when capturing"), "permitted"),
                                                (Recorder(wrong=0.5), "another loss")])
def test_what_cannot_be_recorded_is_said_once_and_trained_step_by_step(shape_arrays, recorder, told):
    said = []
    learn = trained(shape_arrays, recorder, said=said)
    assert len(said) == 1
    assert told in said[0]
    assert recorder.replayed <= 1
    assert same(bits(learn), bits(trained(shape_arrays)))


def test_on_a_cpu_nothing_is_recorded(shape_arrays):
    learn = learner_for(shape_arrays, RECIPE, 0)
    assert learn._graphs() is None


def test_untouched_puts_buffers_gradients_and_random_numbers_back(shape_arrays):
    learn = learner_for(shape_arrays, RECIPE, 0)
    before, first = bits(learn), next(learn.model.parameters())
    first.grad = torch.ones_like(first)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with untouched(learn.model):
        assert first.grad is None
        learn.model(torch.rand(4, 1, 28, 28)).sum().backward()
        assert not same(before, bits(learn))
    assert same(before, bits(learn))
    assert torch.equal(torch.rand(3), expected)
    assert bool((first.grad == 1).all())
