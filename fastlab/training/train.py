"""Training on a folder as `fastlab train` does it: from images to a tested, saved network, resumed where it was cut."""
from dataclasses import dataclass

import numpy as np

from fastlab.images.arrays import Arrays
from fastlab.training.checkpoint import Checkpoint, checkpoint_path, restore
from fastlab.training.choices import check_choices
from fastlab.training.figures import Tested
from fastlab.training.learner import LabLearner, listed
from fastlab.training.machine import described, threads_set
from fastlab.training.modelfile import Model, save_model
from fastlab.training.recipe import Recipe
from fastlab.training.run import learner_for
from fastlab.training.schedules import DividedOnPlateau
from fastlab.training.seen import seen_images
from fastlab.training.test import test

NATURAL_SIZE = {"alexnet2012": 256}


@dataclass
class Trained:
    """The outcome of `train`. model: the Model; learn: the LabLearner; develop, test: Tested or None; seconds: of the
    whole training; machine: what the bits depend on besides; resumed: epochs that an earlier start had trained."""
    model: Model
    learn: LabLearner
    develop: Tested
    test: Tested | None
    seconds: float
    machine: dict
    resumed: int = 0

    @property
    def seconds_per_epoch(self):
        "The least wall time of one epoch, training and validation."
        return min(epoch["seconds"] for epoch in self.model.history)


def train(folder, recipe=None, seed=0, save=None, device="auto", split_seed=0, group_by=None, cache=None,
          skip_unreadable=False, progress=None, cbs=None, threads=None, resume=True, tested=True,
          on_start=None):
    """Trains a Recipe (by default the report's LeNet) on a folder or an Arrays; returns a Trained.

    save: the model file to write, whole, in place of what was there. The same call after an interruption goes on after
    the last epoch that was kept, to the same bits (`resume`). tested: whether the test split is read at the end.
    threads: of torch meanwhile; None leaves them. on_start(learn, epochs restored) is called before the first step.
    Raises FastlabError."""
    recipe = recipe or Recipe()
    check_choices(recipe, device, threads, save, folder.root if isinstance(folder, Arrays) else folder)
    arrays = folder if isinstance(folder, Arrays) else arrays_for(folder, recipe, split_seed, group_by, cache,
                                                                  skip_unreadable, progress)
    with threads_set(threads):
        learn = learner_for(arrays, recipe, seed, device)
        checkpoint = Checkpoint(checkpoint_path(arrays, learn.recipe, seed, learn.dls.device, cache))
        done = _fit(learn, checkpoint, cbs, resume, on_start)
        return _finished(learn, arrays, checkpoint, done, save, tested)


def _fit(learn, checkpoint, cbs, resume, on_start):
    "Trains what an earlier start has not; the epochs that were restored."
    if learn.recipe.schedule == "plateau":
        learn.add_cb(DividedOnPlateau())
    done = restore(learn, checkpoint.path) if resume else 0
    if on_start:
        on_start(learn, done)
    if done < learn.recipe.epochs:
        with learn.no_bar(), learn.no_logging():
            learn.fit_recipe(cbs=[checkpoint, *listed(cbs)], start_epoch=done)
    return done


def _finished(learn, arrays, checkpoint, done, save, tested):
    "The Trained of a Learner, tested and saved; the checkpoint goes only then."
    model = model_of(learn)
    develop = test(model, arrays, split="develop")
    final = test(model, arrays) if tested and len(arrays.splits["test"]) else None
    model.tested = {"develop_accuracy": develop.accuracy, "develop_n": develop.n, "calculated_in": model.calculates_in}
    if final is not None:
        model.tested |= {"accuracy": final.accuracy, "interval": list(final.interval), "n": final.n}
    model.seen = seen_images(learn.dls.arrays)  # whose train split is what was trained on, with develop or not
    if save is not None:
        save_model(save, model)
    checkpoint.remove()
    machine = described(learn.dls.device or "cpu", learn.recipe.precision)
    return Trained(model, learn, develop, final, sum(epoch["seconds"] for epoch in learn.history), machine, done)


def arrays_for(folder, recipe, split_seed=0, group_by=None, cache=None, skip_unreadable=False, progress=None):
    "A folder decoded as a Recipe wants it."
    size = recipe.size or NATURAL_SIZE.get(recipe.net)
    return Arrays.from_folder(folder, recipe.channels, size, split_seed, group_by, cache, skip_unreadable, progress)


def model_of(learn):
    "The Model of a trained LabLearner: what prediction needs, apart from the data."
    arrays, recipe = learn.dls.arrays, learn.recipe
    mean, deviation = arrays.statistics
    told = {"size": arrays.size[0], "crop": recipe.crop, "channels": arrays.channels, "mean": list(mean),
            "deviation": list(deviation)}
    history = [{name: _plain(value) for name, value in epoch.items()} for epoch in learn.history]
    return Model(learn.model.eval(), recipe, arrays.classes, arrays.names, told, history)


def _plain(value):
    "A figure for JSON, which knows no nan: None."
    return value if isinstance(value, int) or value is None else float(value) if np.isfinite(value) else None
