"""What a study's runs left, brought together for its comparisons."""
from functools import lru_cache

import numpy as np

from fastlab.study.outcome import Outcome
from fastlab.study.store import covers
from fastlab.training.result import Result

MACHINE = ("device", "processor", "capability", "precision", "threads", "torch")


class Gathered:
    """The finished runs of a schedule. `results`: key -> Result; `told`: key -> what its file says of it; `failed`:
    key -> reason; `missing`: keys that are neither."""

    def __init__(self, plan, schedule, store, data):
        self.plan, self.schedule, self.data = plan, schedule, data
        self.results, self.told, self.failed, self.missing = {}, {}, {}, []
        for run in schedule.runs:
            found = store.get(run.key)
            if found is not None and covers(found[0], run):
                self.results[run.key], self.told[run.key] = found
            elif (reason := store.failure(run.key)) is not None:
                self.failed[run.key] = reason
            else:
                self.missing.append(run.key)
        self._combined = lru_cache(maxsize=None)(self._combine)

    def outcomes(self, comparison, variant, testing="eval", since=None):
        "seed -> Outcome of a variant in a comparison, for every seed of which all runs are done."
        change = self.plan.change_of(comparison, variant)
        epochs = self.plan.recipe_of(comparison, variant).epochs
        truth = self.data.truth(change.classes, change.images_a_class)
        ten_crop, found = self.plan.variants[variant].ten_crop, {}
        for (name, other, seed), keys in self.schedule.keys.items():
            if (name, other) == (comparison.name, variant) and all(key in self.results for key in keys):
                found[seed] = Outcome(self._combined(keys, ten_crop), truth, epochs, testing, since)
        return dict(sorted(found.items()))

    def _combine(self, keys, ten_crop):
        "The Result of one run; or of several, or of ten crops: probabilities on test averaged, curves averaged."
        members = [self.results[key] for key in keys]
        if len(members) == 1 and not ten_crop:
            return members[0]
        names = set.intersection(*(set(member.epochs) for member in members))
        length = min(len(next(iter(member.epochs.values()))) for member in members)
        epochs = {name: np.mean([member.epochs[name][:length] for member in members], 0) for name in sorted(names)}
        marks, kept = {}, "test_ten_crop_probabilities" if ten_crop else "test_probabilities"
        for mark in set.intersection(*(set(member.marks) for member in members)):
            shares = np.mean([member.marks[mark][kept].astype(np.float64) for member in members], 0)
            marks[mark] = {"test": shares.argmax(1).astype(np.int16), "test_probabilities": shares}
        return Result(epochs, marks, members[0].machine, sum(member.seconds for member in members))

    @property
    def machines(self):
        "Every kind of machine that results come from, as sorted tuples: more than one may mean other bits."
        kinds = {tuple(str(result.machine.get(name, "")) for name in MACHINE) for result in self.results.values()}
        return sorted(kinds)

    @property
    def seeds(self):
        return sorted({seed for _, _, seed in self.schedule.keys})
