"""Training on a folder as `fastlab train` does it: from images to a tested, saved network, resumed where it was cut."""
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from fastlab.errors import OptionError
from fastlab.images.arrays import Arrays
from fastlab.training.checkpoint import Checkpoint, checkpoint_path, restore
from fastlab.training.figures import Tested
from fastlab.training.learner import LabLearner
from fastlab.training.machine import described
from fastlab.training.modelfile import Model, save_model
from fastlab.training.recipe import Recipe
from fastlab.training.run import learner_for
from fastlab.training.schedules import DividedOnPlateau
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
    threads: of torch; None leaves them. on_start(learn, epochs restored) is called before the first step.
    Raises FastlabError."""
    recipe = recipe or Recipe()
    if save is not None:
        check_writable(save)
    if threads:
        torch.set_num_threads(threads)
    arrays = folder if isinstance(folder, Arrays) else arrays_for(folder, recipe, split_seed, group_by, cache,
                                                                  skip_unreadable, progress)
    learn = learner_for(arrays, recipe, seed, device)
    if learn.recipe.schedule == "plateau":
        learn.add_cb(DividedOnPlateau())
    done, checkpoint = _fit(learn, arrays, seed, cache, cbs, resume, on_start)
    model = model_of(learn)
    develop = test(model, arrays, split="develop")
    final = test(model, arrays) if tested and len(arrays.splits["test"]) else None
    model.tested = {"develop_accuracy": develop.accuracy, "develop_n": develop.n}
    if final is not None:
        model.tested |= {"accuracy": final.accuracy, "interval": list(final.interval), "n": final.n}
    if save is not None:
        save_model(save, model)
    checkpoint.remove()
    machine = described(learn.dls.device or "cpu", learn.recipe.precision)
    return Trained(model, learn, develop, final, sum(epoch["seconds"] for epoch in learn.history), machine, done)


def _fit(learn, arrays, seed, cache, cbs, resume, on_start=None):
    "Trains what an earlier start has not; (epochs that were restored, the Checkpoint)."
    checkpoint = Checkpoint(checkpoint_path(arrays, learn.recipe, seed, Path(cache) if cache else None))
    done = restore(learn, checkpoint.path) if resume and not learn.recipe.freeze else 0
    if on_start:
        on_start(learn, done)
    if done < learn.recipe.epochs:
        with learn.no_bar(), learn.no_logging():
            learn.fit_recipe(cbs=[checkpoint, *(cbs or [])], start_epoch=done)
    return done, checkpoint


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
    return value if isinstance(value, int) or value is None else float(np.float64(value))


def check_writable(path):
    "A mistake in `save` is said before the training, not after it. Raises OptionError."
    path = Path(path)
    if path.is_dir():
        raise OptionError(f"--save {path}: this is a folder. Name a file, such as {path / 'lenet.safetensors'}.")
    place = next(parent for parent in [path.parent, *path.parent.parents] if parent.exists())
    if not place.is_dir():
        raise OptionError(f"--save {path}: {place} is a file, not a folder. Choose another place.")
    if not os.access(place, os.W_OK):
        raise OptionError(f"--save {path}: {place} may not be written to. Choose another place.")

