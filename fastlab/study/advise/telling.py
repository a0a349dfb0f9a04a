"""What a person is told: progress while it goes on, and the answer in three lines."""
import sys
import time

from fastlab.progress import Progress, clock
from fastlab.study.advise.found import BETTER, NO_DIFFERENCE, WORSE
from fastlab.study.advise.race import FINAL, SCREENING, SEMIFINAL
from fastlab.study.advise.space import described
from fastlab.study.report.wording import number, signed

STAGES = {"looking": "looking at the folder", SCREENING: "many Recipes, few epochs", SEMIFINAL: "the better ones, more",
          FINAL: "the best in full, and without its parts", "training": "training the network"}


class Telling:
    "Progress of a search on standard error: what it is at, how many runs are done, how much of the budget is left."

    def __init__(self, budget, show=True, begun=None):
        self.budget, self.begun = budget, time.monotonic() if begun is None else begun
        self.before = getattr(budget, "before", 0.0)
        self.progress = Progress("Advising:", sys.stderr) if show else None
        self.stage = None

    def seconds(self):
        "Wall time of all starts of this search."
        return self.before + time.monotonic() - self.begun

    def __call__(self, stage, done):
        if self.progress is None:
            return
        if stage != self.stage:
            self.lines(f"{clock(self.seconds())}  {STAGES[stage]}")
            self.stage = stage
        done, total, what = self.budget.progress()
        self.progress(done, total, f" ({what}): {STAGES[stage]}")

    def lines(self, *lines):
        if self.progress is not None:
            self.close()
            print(*lines, sep="\n", file=sys.stderr, flush=True)

    def close(self):
        if self.progress is not None:
            self.progress.close()


def headline(advice):
    "The answer in three lines: what to use, what it reaches, how sure that is."
    found = advice.found
    return (f"Use {described(advice.recipe, found.plain)} ({advice.recipe.epochs} epochs).", reached(advice),
            sureness(advice))


def reached(advice):
    "What the network reaches on the test split, and its gain over the plain Recipe."
    if advice.accuracy is None:
        return "There is no network yet, and the test split has not been read."
    low, high = (100 * bound for bound in advice.interval)
    line = f"It reaches {100 * advice.accuracy:.2f} % ({low:.2f} to {high:.2f}) on {advice.n:,} test images"
    if advice.recipe == advice.found.plain:
        return line + "."
    bounds = advice.gain_interval
    span = f" ({signed(bounds[0])} to {signed(bounds[1])})" if None not in bounds else ""
    return (f"{line}; the gain over the plain Recipe is {signed(advice.gain)} points{span}, n = "
            f"{advice.told['gain_rounds']} paired rounds.")


def sureness(advice):
    "How sure the answer is, in one sentence."
    found, standing = advice.found, advice.found.against_plain
    if standing is None:
        return "Nothing is sure: it was not held against the plain Recipe in two rounds."
    span = f"{signed(standing.difference)} points ({signed(standing.low)} to {signed(standing.high)})"
    if advice.stopped:
        return (f"Stopped in the {found.stage}: so far {span} against the plain Recipe, n = {standing.rounds} rounds × "
                f"{standing.images:,} images; {'sure' if found.sure else 'not sure'} yet. The same command goes on.")
    told = f"{span} on train and develop, n = {standing.rounds} rounds × {standing.images:,} images"
    if found.verdict == BETTER:
        return f"Sure that it is better than the plain Recipe: {told}."
    if found.verdict == NO_DIFFERENCE:
        return f"Sure that what the race found differs from the plain Recipe by nothing that matters: {told}."
    if found.verdict == WORSE:
        return f"Sure that what the race found is no better than the plain Recipe: {told}."
    small = f"differences below {number(2.8 * standing.error, 1)} points could not be seen"
    return f"Not sure: this folder and this time are too small to tell it from the plain Recipe: {told}; {small}."
