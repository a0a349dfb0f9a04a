"""Small trainings without bars and tables, and their bits."""
from contextlib import contextmanager
from copy import deepcopy

import torch
from fastai.callback.core import Callback
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat

from fastlab.images.batches import arrays_dataloaders
from fastlab.training.recipe import Recipe
from fastlab.training.run import learner_for

QUICK = Recipe(epochs=2, batch_size=24)


@contextmanager
def quiet(learn):
    "The Learner without progress bar and without a table."
    with learn.no_bar(), learn.no_logging():
        yield learn


def fitted(arrays, recipe=QUICK, seed=0, cbs=None):
    "A LabLearner after its Recipe's training."
    learn = learner_for(arrays, recipe, seed)
    with quiet(learn):
        learn.fit_recipe(cbs=cbs)
    return learn


def stock_learner(arrays, learn, tmp_path, **options):
    "fastai's own Learner with the network, optimizer and data order of an untrained LabLearner without dropout."
    dls = arrays_dataloaders(arrays, learn.recipe.batch_size, seed=learn.seed)
    return Learner(dls, deepcopy(learn.model), CrossEntropyLossFlat(), learn.opt_func, lr=learn.recipe.lr,
                   path=tmp_path, **options)


def bits(learn):
    "Copies of a Learner's weights and buffers, by name."
    return {name: tensor.clone() for name, tensor in learn.model.state_dict().items()}


def same(one, other):
    "Whether two results of `bits` are equal bit for bit."
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def figures(learn):
    "A Learner's history without what depends on the clock."
    return [{name: value for name, value in epoch.items() if name != "seconds"} for epoch in learn.history]


class StopAfter(Callback):
    "Ctrl-C after so many epochs of a Learner's life, once everybody else has seen the epoch."
    order = 99

    def __init__(self, epochs):
        super().__init__()
        self.stop_at = epochs

    def after_epoch(self):
        if self.learn.epochs_trained == self.stop_at:
            raise KeyboardInterrupt


class CountEpochs(Callback):
    "Counts the epochs that are trained."
    count = 0

    def after_train(self):
        self.count += 1
