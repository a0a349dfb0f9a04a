"""How long the runs that are left will take, and how much room they need."""
import time
from collections import defaultdict

from fastlab.study.schedule import Run


class Pace:
    """Seconds of a run, learnt from those that are done: its own group's, else by its work. `unit`: seconds for one
    LeNet image before anything is known."""

    def __init__(self, unit=3e-4):
        self.unit, self.groups, self.known = unit, defaultdict(list), []

    def learn(self, run: Run, seconds, epochs=None):
        "A run of `epochs` epochs (its own number) took so many seconds."
        share = run.recipe.epochs / (epochs or run.recipe.epochs)
        self.groups[run.group].append(seconds * share / run.recipe.epochs)
        self.known.append(seconds * share / max(run.work, 1))

    def seconds(self, run: Run):
        own = self.groups.get(run.group)
        if own:
            return sum(own) / len(own) * run.recipe.epochs
        unit = sum(self.known) / len(self.known) if self.known else self.unit
        return unit * run.work

    def left(self, runs, jobs):
        "Seconds until all of `runs` are done in `jobs` processes, at least the longest one's."
        each = [self.seconds(run) for run in runs]
        return max(sum(each) / jobs, max(each, default=0.0))


TRIED_IMAGES = 1024


def tried(runs, data, runner, pace):
    "Times one and two epochs on a few images for every group of runs that nothing is known of; `pace` learns from it."
    tested = set()
    for run in runs:
        if run.group not in pace.groups and run.group not in tested:
            tested.add(run.group)
            left = data.left(run.classes, run.images_a_class)
            few = left.with_splits(**{split: rows[:TRIED_IMAGES] for split, rows in left.splits.items()})
            first, both = (_timed(few, run, runner, epochs) for epochs in (1, 2))
            epoch = max(both - first, 1e-6) * _images(left) / _images(few)
            pace.learn(run, max(first - (both - first), 0) + epoch * run.recipe.epochs)


def _timed(arrays, run, runner, epochs):
    recipe = run.recipe.changed(epochs=epochs, freeze=min(run.recipe.freeze, epochs),
                                batch_size=min(run.recipe.batch_size, len(arrays.splits["train"])))
    started = time.perf_counter()
    runner.function(arrays, recipe, run.seed, **runner.options)
    return time.perf_counter() - started


def _images(arrays):
    "Images that an epoch goes through, a forward pass counting a third of a step."
    return len(arrays.splits["train"]) + 2 * len(arrays.splits["develop"]) / 3


def room(run, data):
    "About how many bytes a run's result takes: predictions of two bytes, probabilities of two, both compressed well."
    left = data.left(run.classes, run.images_a_class)
    predictions = 2 * len(left.splits["train"]) + 4 * len(left.splits["develop"]) + 4 * len(left.splits["test"])
    probabilities = 2 * len(left.splits["test"]) * len(left.classes)
    return 4000 + len(run.marks) * (predictions // 3 + probabilities // 2)
