"""Where a search has its trials carried out: through a study's store and processes, which stay up for all of it."""
import numpy as np

from fastlab.study.carry import carry, carry_here
from fastlab.study.feed import Feed
from fastlab.study.pace import Pace
from fastlab.study.store import covers


class OpenFeed(Feed):
    "A Feed that more runs may be put into: it ends only when it is asked while nothing waits and nothing is under way."

    def __next__(self):
        try:
            return super().__next__()
        except StopIteration:
            if self.locks:
                return None
            raise


class Bench:
    """Does trials and knows their scores. `right`: {(Recipe, round): which images of that round's develop were told
    rightly, float (n,)}; `failed`: {Recipe: why}; `log`: every trial that was asked for, in order, with its seconds."""

    def __init__(self, trials, store, jobs=1):
        self.trials, self.store, self.jobs = trials, store, jobs
        self.right, self.failed, self.log, self.pace = {}, {}, {}, Pace()
        self._feed, self._carried = None, None

    def run(self, wanted, until=None, told=None):
        """Has (Recipe, round, tested) carried out unless they are there. `until`: a time.monotonic() after which none
        is started; told(done): called with each one that ends. What fails is in `failed`."""
        asked = {}
        for recipe, number, tested in wanted:
            trial = self.trials.trial(recipe, number, tested)
            asked[trial.key] = trial, recipe, number
        missing = [one[0] for key, one in asked.items() if not self._known(key, *one)]
        for key in self._done(missing, until, told):
            self._known(key, *asked[key])

    def _known(self, key, trial, recipe, number):
        "Whether a trial is done or has failed; takes note of it."
        if key in self.log:
            return True
        found = self.store.get(key)
        if found is not None and covers(found[0], trial):
            self._score(trial, recipe, number, found[0])
            return True
        reason = self.store.failure(key)
        if reason is not None:
            self.failed.setdefault(recipe, reason)
            self.log[key] = trial, 0.0
        return reason is not None

    def _score(self, trial, recipe, number, result):
        truth = self.trials.arrays.labels[self.trials.rows(number)]
        self.right[recipe, number] = (result.marks[trial.recipe.epochs]["develop"] == truth).astype(np.float64)
        self.log[trial.key] = trial, result.seconds
        self.pace.learn(trial, result.seconds)

    def result(self, trial):
        "The Result of a trial of any division, carried out unless it is there; None where it failed."
        for _ in self._done([trial] if self.store.get(trial.key) is None else [], None, None):
            pass
        found = self.store.get(trial.key)
        return None if found is None else found[0]

    def _done(self, missing, until, told):
        "Carries trials out; yields the key of each that ended."
        waiting = {trial.key for trial in missing}
        if not waiting:
            return
        self._open()
        self._feed.deadline = until
        self._feed.waiting.extend(missing)
        while waiting:
            done = next(self._carried, None)
            if done is None:  # the feed has ended: what is left is not started any more, or was done by another
                self.close()
                break
            if done.reason is None:
                self.store.keep(done.run.key, done.content)
            else:
                self.store.fail(done.run.key, done.reason, done.run.told())
            self._feed.release(done.run.key)
            waiting.discard(done.run.key)
            if told:
                told(done)
            yield done.run.key
        yield from (key for key in sorted(waiting) if self.store.get(key) is not None)

    def _open(self):
        if self._carried is None:
            self._feed = OpenFeed([], self.store)
            arrays, runner = self.trials.arrays, self.trials.runner
            self._carried = carry_here(self._feed, arrays, runner) if self.jobs == 0 else \
                carry(self._feed, arrays, runner, self.jobs)

    def cost(self, recipe):
        "Seconds of one process that a trial of a Recipe takes, learnt from those that are done."
        return self.pace.seconds(self.trials.trial(recipe, 0))

    def close(self):
        "Lets the processes go; they come back when there is work again."
        if self._carried is not None:
            self._carried.close()
            self._feed.close()
            self._carried = self._feed = None
