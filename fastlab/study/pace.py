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


def tried(runs, data, runner, pace, images=512):
    "Times one epoch on a few images for every group of runs that nothing is known of; `pace` learns from it."
    tested = set()
    for run in runs:
        if run.group in pace.groups or run.group in tested:
            continue
        tested.add(run.group)
        left = data.left(run.classes, run.images_a_class)
        few = left.with_splits(train=left.splits["train"][:images], develop=left.splits["develop"][:images],
                               test=left.splits["test"][:images])
        recipe = run.recipe.changed(epochs=1, batch_size=min(run.recipe.batch_size, len(few.splits["train"])))
        started = time.perf_counter()
        runner.function(few, recipe, run.seed)
        seconds = time.perf_counter() - started
        used = len(few.splits["train"]) + len(few.splits["develop"]) + len(few.splits["test"]) / 2
        whole = run.images + len(left.splits["develop"]) + len(left.splits["test"]) / run.recipe.epochs
        pace.learn(run, seconds * whole / used * run.recipe.epochs)


def room(run, data):
    "About how many bytes a run's result takes: predictions of two bytes, probabilities of two, both compressed well."
    left = data.left(run.classes, run.images_a_class)
    predictions = 2 * len(left.splits["train"]) + 4 * len(left.splits["develop"]) + 4 * len(left.splits["test"])
    probabilities = 2 * len(left.splits["test"]) * len(left.classes)
    return 4000 + len(run.marks) * (predictions // 3 + probabilities // 2)
