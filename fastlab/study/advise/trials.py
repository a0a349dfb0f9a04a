"""The trainings of a search are a study's runs, on images whose test labels are hidden until the end.

Where develop is too small to tell differences that matter, every round trains and develops on another division of train
and develop together (stratified k-fold, groups kept whole), so that all of its images have their say."""
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np

from fastlab.errors import OptionError
from fastlab.files import digest
from fastlab.images.splitting import group_keys, split_rows
from fastlab.study.keys import code_digest, run_key
from fastlab.study.power import typical_image_error
from fastlab.study.record import encode
from fastlab.study.runner import REAL, Runner
from fastlab.study.schedule import Run

OWN, MIRROR = "own", "mirror"
REGION = 0.5                    # points of accuracy that make no difference that matters
MIRROR_IMAGES = 2000            # training images that measuring the symmetry takes, and as many develop images
FOLDS = (3, 10)                 # the fewest and the most parts that train and develop are divided into


@dataclass(frozen=True)
class Trial(Run):
    "A run on one division of the images; `tested`: it also predicts the test images, whose labels it cannot know."
    division: str = OWN
    tested: bool = False

    @property
    def group(self):
        "Trials of one group take about as long as each other, image by image and epoch by epoch."
        recipe = self.recipe
        return (recipe.net, recipe.width, recipe.augment == "handwriting", recipe.batch_size, self.division == MIRROR)

    def told(self):
        return super().told() | {"division": self.division, "tested": self.tested}


@dataclass(frozen=True)
class TrialRunner(Runner):
    "Carries out trials: the same function as a study's, on the trial's division of the images."

    def carry_out(self, arrays, run):
        options = {"device": self.device, "as_printed": False} if self.path == REAL else {}
        here = divided(arrays, run.division, run.tested)
        return encode(run.key, self.function(here, run.recipe, run.seed, marks=run.marks, **options), run.told())


def hidden(arrays):
    "The same images without the labels of the test split, which are all 0: nothing below can learn them."
    rows = np.concatenate([arrays.splits["train"], arrays.splits["develop"]])
    labels = np.zeros_like(arrays.labels)
    labels[rows] = arrays.labels[rows]
    return replace(arrays, labels=labels)


def folds_for(arrays, group_by=None):
    """{'train 0': rows, 'develop 0': rows, …} for every fold, where develop alone could not tell differences that
    matter; {} where it can, or where a class has too few images to be divided. `group_by` is matched on the same text
    as when a folder is read: <class>/<image>, below the split's folder. Raises OptionError."""
    if group_by and arrays.root is None:
        raise OptionError("group_by: it is matched on the names of files, and these Arrays come from no folder. Leave "
                          "it away, or give the folder.")
    develop = arrays.splits["develop"]
    rows = np.sort(np.concatenate([arrays.splits["train"], develop]))
    labels = arrays.labels[rows]
    if 1.96 * typical_image_error(len(develop)) <= REGION:
        return {}
    files = [PurePosixPath(*PurePosixPath(arrays.files[row]).parts[-2:]) for row in rows] if group_by else []
    groups = group_keys(files, "", group_by) if group_by else None
    most = min(np.bincount(labels, minlength=len(arrays.classes)).min(), len(set(groups)) if groups else len(rows))
    count = min(max(round(len(rows) / len(develop)), FOLDS[0]), FOLDS[1], int(most))
    if count < 2:
        return {}
    parts = split_rows(labels, {str(number): 1 / count for number in range(count)}, 0, groups)
    found = {}
    for number, part in parts.items():
        found[f"develop {number}"] = rows[part]
        found[f"train {number}"] = np.setdiff1d(rows, rows[part])
    return found


def divided(arrays, division, tested=False):
    "The Arrays of a division: 'own', 'fold 3' (out of `folds_for`), or 'mirror' (see `mirrored`)."
    if division == MIRROR:
        return mirrored(arrays)
    left = {} if tested else {"test": np.zeros(0, np.int64)}
    if division != OWN:
        number = division.rpartition(" ")[2]
        left |= {split: arrays.splits[f"{split} {number}"] for split in ("train", "develop")}
    return arrays.with_splits(**left)


def mirrored(arrays):
    "Some images to train on, and some of develop twice: as they are (develop), and left and right exchanged (test)."
    train, develop = (_evenly(arrays.splits[split], MIRROR_IMAGES) for split in ("train", "develop"))
    pixels = arrays.images[np.concatenate([train, develop, develop])]
    start, end = len(train), len(train) + len(develop)
    pixels[end:] = pixels[end:, :, ::-1]
    labels = arrays.labels[np.concatenate([train, develop, develop])]
    splits = {"train": np.arange(start), "develop": np.arange(start, end), "test": np.arange(end, len(pixels))}
    return replace(arrays, images=pixels, labels=labels, splits=splits, files=(), root=None)  # these are no files


def _evenly(rows, most):
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).round().astype(int))]


class Trials:
    "Makes the trials of a search. `arrays`: with hidden test labels and the folds among its splits."

    def __init__(self, arrays, runner, seed=0):
        self.arrays, self.runner, self.seed = arrays, runner, seed
        self.folds = sum(name.startswith("develop ") for name in arrays.splits)
        self._codes = {}

    def division(self, number):
        "Where round `number` develops."
        return f"fold {number % self.folds}" if self.folds else OWN

    def rows(self, number):
        "The images on which round `number` develops."
        return self.arrays.splits[f"develop {number % self.folds}" if self.folds else "develop"]

    def trial(self, recipe, number, tested=False, division=None):
        "The Trial of a Recipe in round `number`: its seed and its division are the same for every Recipe."
        recipe = recipe.resolved(self.arrays.channels, self.arrays.size[0], self.runner.capability)
        division, seed = division or self.division(number), 100 * self.seed + number
        left = self.arrays.splits
        train = left["train" if division in (OWN, MIRROR) else division.replace("fold", "train")]
        develop = left["develop" if division in (OWN, MIRROR) else division.replace("fold", "develop")]
        data = digest(self.arrays.digest, division, str(tested), train.tobytes(), develop.tobytes(),
                      str(recipe.epochs))
        count = min(len(train), MIRROR_IMAGES) if division == MIRROR else len(train)
        return Trial(run_key(data, recipe, seed, self._code(recipe.net)), recipe, seed, (recipe.epochs,),
                     label=division, images=count, division=division, tested=tested)

    def divided(self, division):
        "The Arrays of a division, as a trial sees them."
        return divided(self.arrays, division)

    def _code(self, net):
        if net not in self._codes:
            self._codes[net] = code_digest(self.runner.path, [net])
        return self._codes[net]
