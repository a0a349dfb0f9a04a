"""What a search has to know of a folder before it begins: counted, and the symmetry measured."""
from dataclasses import asdict, dataclass

import numpy as np

from fastlab.study.advise.space import PLAIN
from fastlab.study.advise.trials import MIRROR
from fastlab.training.figures import wilson

UNEQUAL = 1.5                   # a class this many times as large as another makes a folder unequal
KEEPS = 0.8                     # of what a network knows above chance: so much must survive mirroring
MIRROR_EPOCHS = 4
WARM = 1.2                      # a run takes longer than its quickest epoch times their number


@dataclass(frozen=True)
class Looked:
    """A folder: counts a split, classes, pixels a side, channels, the largest class over the smallest; `straight`,
    `mirrored`: a small network's accuracy on develop as it is and with left and right exchanged (None: not measured);
    `folds`: into how many parts train and develop are divided, 0 where develop is large enough by itself."""
    train: int
    develop: int
    test: int
    classes: int
    size: int
    channels: int
    unequal: float
    straight: float | None = None
    mirrored: float | None = None
    measured: int = 0
    folds: int = 0

    @property
    def symmetric(self):
        "Whether most of what a network knows survives mirroring: then a mirrored image still shows its class."
        if self.straight is None:
            return False
        chance = 1 / self.classes
        return self.straight > chance and self.mirrored - chance >= KEEPS * (self.straight - chance)

    def to_dict(self):
        return asdict(self) | {"symmetric": self.symmetric}

    def sentences(self):
        "What a person should know of it, a sentence each."
        colour = "colour" if self.channels == 3 else "grey"
        yield (f"{self.classes} classes, {colour} {self.size} × {self.size} pixels; {self.train:,} images to train on, "
               f"{self.develop:,} develop, {self.test:,} test")
        if self.unequal >= UNEQUAL:
            yield f"the largest class has {self.unequal:.1f} times the images of the smallest: class weights are tried"
        if self.straight is not None:
            low, high = wilson(self.mirrored * self.measured, self.measured)
            word = "so mirroring is tried" if self.symmetric else "so images are never mirrored"
            yield (f"a small network knows {100 * self.straight:.1f} % of {self.measured:,} develop images, and "
                   f"{100 * self.mirrored:.1f} % ({100 * low:.1f} to {100 * high:.1f}) of their mirror images, {word}")
        if self.folds:
            yield (f"{self.develop:,} develop images alone would tell too little: train and develop are divided "
                   f"{self.folds} ways in turn")


def unit_of(result, trial):
    "Seconds for one LeNet image, from the quickest epoch: the first ones of a process take longer."
    return WARM * float(np.min(result.epochs["seconds"])) * trial.recipe.epochs / max(trial.work, 1)


def look_at(bench, test_images):
    "The Looked of a bench's arrays; trains one small network on some of the images."
    arrays, trials = bench.trials.arrays, bench.trials
    counts = np.bincount(arrays.labels[arrays.splits["train"]], minlength=len(arrays.classes))
    trial = trials.trial(PLAIN.changed(epochs=MIRROR_EPOCHS), 0, tested=True, division=MIRROR)
    result = bench.result(trial)
    straight = mirrored = None
    measured = 0
    if result is not None:
        bench.pace.unit = unit_of(result, trial)
        marks, truth = result.marks[MIRROR_EPOCHS], trials.divided(MIRROR).labels
        measured = len(marks["develop"])
        truth = truth[-measured:]
        straight, mirrored = (float((marks[split] == truth).mean()) for split in ("develop", "test"))
    return Looked(len(arrays.splits["train"]), len(arrays.splits["develop"]), test_images, len(arrays.classes),
                  arrays.size[0], arrays.channels, float(counts.max() / max(counts.min(), 1)), straight, mirrored,
                  measured, trials.folds)
