"""Runners for the tests of advice, without torch: which parts of a Recipe pay is planted, the rest is chance.

Every image has its difficulty, every seed its luck, every Recipe its own luck with a seed and its taste in images.
PLANTED_LOG names a file to which every training adds a line; PLANTED_STOP_AFTER a number of them after which Ctrl-C;
PLANTED_FAILS an optimizer whose trainings fail."""
import json
import os
from functools import lru_cache
from pathlib import Path

import numpy as np
from fake_runner import generator

from fastlab.errors import TrainingError
from fastlab.training.result import Result

WORLDS = {
    "pays": {("augment", "handwriting"): 1.3, ("schedule", "one-cycle"): 0.8, ("optimizer", "sgd"): -0.5},
    "nothing": {},
    "harms": {("augment", "handwriting"): -1.5, ("augment", "crop"): -1.5, ("schedule", "one-cycle"): -1.5,
              ("net", "alexnet"): -1.5, ("lr", None): 1.0},
}


def logit(recipe, world):
    "What a Recipe gains by its planted parts."
    return sum(gain for (name, value), gain in WORLDS[world].items() if getattr(recipe, name) == value)


@lru_cache(maxsize=256)
def normals(*parts, count, deviation):
    "Normal numbers, one for each of `count` images."
    return generator(*parts, count).normal(0, deviation, count)


def told_rightly(recipe, seed, rows, count, world, level=3.0):
    "Which of `rows`, images of `count`, a network of this Recipe and seed tells rightly, bool."
    told = json.dumps(recipe.to_dict(), sort_keys=True)
    hard = normals("hard", count=count, deviation=1.5)[rows]
    taste = normals("taste", told, count=count, deviation=0.4)[rows]
    own = generator("own", told, seed)
    skill = level + logit(recipe, world) + own.normal(0, 0.15) + generator("shared", seed).normal(0, 0.2)
    return skill + hard + taste + own.logistic(0, 0.6, len(rows)) > 0


def trained(arrays, recipe, seed, world):
    log, stop = os.environ.get("PLANTED_LOG"), os.environ.get("PLANTED_STOP_AFTER")
    if log:
        with open(log, "a") as file:
            file.write(f"{recipe.net} {seed}\n")
        if stop and len(Path(log).read_text().splitlines()) > int(stop):
            raise KeyboardInterrupt
    if recipe.optimizer == os.environ.get("PLANTED_FAILS"):
        raise TrainingError("the loss is not finite (made up).")
    mark = {}
    for split in ("train", "develop", "test"):
        rows = arrays.splits[split]
        right = told_rightly(recipe, seed, rows, len(arrays.images), world) if len(rows) else np.zeros(0, bool)
        truth = arrays.labels[rows]
        mark[split] = np.where(right, truth, (truth + 1) % len(arrays.classes)).astype(np.int16)
    if len(arrays.splits["test"]):  # what is shown of the test split is the prediction, whatever the hidden label
        said = generator("said", len(arrays.images)).integers(0, len(arrays.classes), len(arrays.images))
        rows = arrays.splits["test"]
        right = told_rightly(recipe, seed, rows, len(arrays.images), world)
        mark["test"] = np.where(right, said[rows], (said[rows] + 1) % len(arrays.classes)).astype(np.int16)
    figures = {"develop_accuracy": np.full(recipe.epochs, (mark["develop"] == arrays.labels[arrays.splits["develop"]])
                                           .mean()), "seconds": np.full(recipe.epochs, 1e-4)}
    return Result(figures, {recipe.epochs: mark}, {"device": "cpu"}, 1e-4 * recipe.epochs)


def pays(arrays, recipe, seed, marks=()):
    return trained(arrays, recipe, seed, "pays")


def nothing(arrays, recipe, seed, marks=()):
    return trained(arrays, recipe, seed, "nothing")


def harms(arrays, recipe, seed, marks=()):
    return trained(arrays, recipe, seed, "harms")
