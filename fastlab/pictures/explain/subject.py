"""What is explained: a trained network, images of its test split in a fair order, and what it affords to measure."""
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fastlab.images.arrays import Arrays
from fastlab.inside.budget import Budget
from fastlab.inside.layers import layer_rows
from fastlab.inside.overtime import OverTime
from fastlab.inside.twins import plan_for, trained_twin
from fastlab.inside.unpooled import unpool
from fastlab.pictures.fonts import readable
from fastlab.training.modelfile import Model
from fastlab.training.recipe import OWN_SWITCHES
from fastlab.training.test import check_classes, rows_of

# Multiplications that one explanation may spend; on one core of an AMD EPYC (AVX2) 1e11 are about five seconds.
ANSWERED = 300e9
MARKS = 16              # times that a twin's layers are looked at while it learns, besides the beginning


def spread(truth, count=24):
    "Row numbers that go round the classes, the first image of each, then the second …"
    order = np.argsort(truth, kind="stable")
    place = np.arange(len(truth)) - np.searchsorted(truth[order], truth[order])
    return order[np.lexsort((truth[order], place))][:count]


@dataclass(frozen=True)
class Subject:
    "A Model, the Arrays of a folder, the split that is looked at, and a seed for what is drawn at random."
    model: Model
    arrays: Arrays
    split: str = "test"
    seed: int = 0

    def __post_init__(self):
        check_classes(self.model, self.arrays)

    @property
    def net(self):
        return self.model.net

    @property
    def channels(self):
        return self.model.input["channels"]

    @property
    def size(self):
        "Pixels a side that the network sees."
        return self.model.input["crop"]

    @property
    def scale(self):
        "How pixels become what the network takes: options of every measurement."
        return {"mean": self.model.input["mean"], "std": self.model.input["deviation"]}

    @cached_property
    def budget(self):
        return Budget.of(self.net, self.channels, self.size)

    @cached_property
    def rows(self):
        "The images that are looked at, one of each class in turn: all of the split that the network affords."
        rows = rows_of(self.arrays, self.split)
        return rows[spread(self.arrays.labels[rows], self.budget.images(ANSWERED, least=64, most=4096))]

    @cached_property
    def truth(self):
        return self.arrays.labels[self.rows]

    @cached_property
    def images(self):
        "uint8 (N, size, size, channels): what the network sees of them, the middle."
        whole, margin = self.arrays.images[self.rows], (self.model.input["size"] - self.size) // 2
        return whole[:, margin:margin + self.size, margin:margin + self.size]

    @cached_property
    def probabilities(self):
        "The network's answers to them, (N, classes)."
        return self.model.probabilities(self.arrays.images[self.rows])

    @property
    def names(self):
        "The classes' names, for a page, which has the reader's own fonts."
        return self.model.names

    @cached_property
    def labels(self):
        "The same for a picture: a class's folder where no font here has its name."
        return [name if readable(name) else folder for name, folder in zip(self.model.names, self.model.classes)]

    def file(self, place):
        "The file of one of the images."
        return self.arrays.files[self.rows[place]]

    @property
    def predicted(self):
        return self.probabilities.argmax(1)

    def first(self, work, passes=1, least=8, most=1024):
        "(images, labels, options) of the first images, as many as so many multiplications allow; see Budget.images."
        count = self.budget.images(work, passes, least, most)
        return self.images[:count], self.truth[:count], {**self.scale, "chunk": self.budget.chunk}

    @cached_property
    def layers(self):
        "(rows of every step, effective fields): see `layer_rows`."
        images, _, options = self.first(150e9, passes=30, least=8, most=128)
        return layer_rows(self.net, images, self.seed, **options)

    @property
    def field_images(self):
        "How many images the effective fields are of."
        return min(len(self.images), self.budget.images(150e9, 30, 8, 128))

    @cached_property
    def plan(self):
        "How twins of this network are trained, or None where they are not: too costly, or a network of the user's own."
        known = self.model.recipe.net in OWN_SWITCHES or self.model.recipe.net.startswith("torchvision:")
        return plan_for(self.arrays, self.model.recipe, self.budget.multiplications) if known else None

    @cached_property
    def watched(self):
        "(Twin, OverTime): the network's Recipe trained anew, briefly, and its layers while it learned."
        watch = OverTime(every=max(1, self.plan.steps // MARKS))
        return trained_twin(self.arrays, self.model.recipe, self.plan, self.seed, cbs=[watch]), watch

    @property
    def twin(self):
        return self.watched[0]

    @cached_property
    def twin_without_pooling(self):
        return trained_twin(self.arrays, self.model.recipe, self.plan, self.seed, unpool)

    @cached_property
    def other_norm(self):
        "The Recipe with BatchNorm where it has none, and without where it has; None where that is no switch of it."
        recipe = self.model.recipe
        if recipe.net not in OWN_SWITCHES:
            return None
        return recipe.changed(norm="none" if recipe.norm == "batch" else "batch")

    @cached_property
    def twin_of_other_norm(self):
        return trained_twin(self.arrays, self.other_norm, self.plan, self.seed)
