"""Twins: the same Recipe trained anew, briefly and alike, once as it is and once with one thing changed.

What pooling or BatchNorm is good for cannot be read off one network. Twins share images, order, epochs and, where
shapes agree, initial weights. They are small trainings, told with their n; `fastlab study` is the thorough way."""
from dataclasses import dataclass

import numpy as np
from torch import nn

from fastlab.seeds import kept_random_state
from fastlab.training.evaluate import scores
from fastlab.training.run import learner_for

WORK = 160e9                    # multiplications that one twin may cost, forward and backward
IMAGES = 1500                   # different images at most
SEEN = 6000                     # images seen at most, over all epochs
WATCHED = 64                    # develop images that are tested after every epoch; all of them after the last
LEAST_STEPS = 40                # fewer would show nothing
BATCH = 64                      # images a step at most, so that there are steps enough


@dataclass(frozen=True)
class Plan:
    "How long twins are trained: `images` in `epochs` epochs, `batch` images a step."
    images: int
    epochs: int
    batch: int

    @property
    def steps(self):
        return self.epochs * -(-self.images // self.batch)

    @property
    def text(self):
        return f"{self.images:,} images, {self.epochs} epoch{'s' * (self.epochs > 1)}, {self.steps} steps"


@dataclass(frozen=True)
class Twin:
    """A network trained by a Plan, its accuracy on `n` develop images that its training did not see, and the `scale`
    of the pixels that it takes: mean and std of the images that it was trained on, options of every measurement."""
    net: nn.Module
    plan: Plan
    accuracy: float
    n: int
    scale: dict


def plan_for(arrays, recipe, multiplications):
    "The Plan that a network of so many multiplications an image affords, or None where that is too little to tell."
    seen = int(min(SEEN, WORK / (3 * multiplications)))
    batch = min(BATCH, recipe.batch_size)
    images = min(IMAGES, len(arrays.splits["train"]), seen)
    if seen < LEAST_STEPS * batch or not images or not len(arrays.splits["develop"]):
        return None
    return Plan(images, max(1, round(seen / images)), batch)


def trained_twin(arrays, recipe, plan, seed=0, change=None, cbs=None):
    """The Twin of `recipe` on the first `plan.images` of the train split, taken evenly; `change(net)` alters the
    network before it is trained, `cbs` are fastai callbacks that watch. Plain: no augmentation, constant rate, float32,
    nothing frozen or loaded. The program's random numbers stay as they are. Raises TrainingError where it diverges."""
    develop = evenly(arrays.splits["develop"], IMAGES)
    rows = {"train": evenly(arrays.splits["train"], plan.images), "develop": evenly(develop, WATCHED)}
    recipe = recipe.changed(epochs=plan.epochs, batch_size=plan.batch, augment="none", schedule="constant", on="train",
                            precision="fp32", weights=None, freeze=0)
    with kept_random_state():
        learn = learner_for(arrays.with_splits(**rows), recipe, seed, cbs=cbs)
        if change is not None:
            change(learn.model)
        with learn.no_bar(), learn.no_logging():
            learn.fit_recipe()
    net = learn.model.eval()
    mean, deviation = learn.dls.arrays.statistics
    found = scores(net, arrays.images[develop], mean, deviation, learn.recipe.crop)
    right = found.argmax(1).cpu().numpy() == arrays.labels[develop]
    return Twin(net, plan, float(right.mean()), len(right), {"mean": mean, "std": deviation})


def evenly(rows, count):
    "At most `count` of the rows, evenly spread over them; of a split in class order, as many of each class."
    return rows if len(rows) <= count else rows[np.linspace(0, len(rows) - 1, count).round().astype(int)]
