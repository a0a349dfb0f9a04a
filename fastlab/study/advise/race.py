"""Many Recipes on few epochs and rounds; those clearly worse are dropped, the best go on to more of both."""
from dataclasses import dataclass

import numpy as np

from fastlab.study.advise.deciding import Standing, clearly_worse, leader, near_the_best, standings
from fastlab.study.advise.space import PLAIN, complexity
from fastlab.training.figures import wilson

SCREENING, SEMIFINAL, FINAL = "screening", "semifinal", "final"
SCREEN_SHARE, SEMI_SHARE = 0.32, 1 / 3         # of the whole budget; of what is left after screening
MOST, FEWEST, MOST_ON = 40, 4, 8   # candidates at the start, and of those that go on
ROUNDS = {SCREENING: range(2), SEMIFINAL: range(2, 5)}  # rounds are paired; every stage has rounds of its own
SLOWEST = 1 / 3                 # a candidate that takes more of a stage's share is too slow for the time given
SET_ASIDE = "set aside: others were ahead, and the budget holds no more"
TOO_SLOW, NOT_TRIED = "set aside: too slow for the time given", "not tried: "
WON, UNRACED = "won: the simplest within a standard error of the best", "held against the plain Recipe without a race"


@dataclass(frozen=True)
class Fate:
    "What became of a candidate: the last stage that it ran in, why it ended there, and how it stood to the best."
    stage: str
    why: str
    standing: Standing | None = None


@dataclass(frozen=True)
class Moment:
    "The best Recipe so far: after so many trials and seconds of processor time; its develop accuracy and interval."
    stage: str
    runs: int
    seconds: float
    recipe: object
    accuracy: float
    low: float
    high: float


class Race:
    "The first two stages. `plain` is the baseline: it is never dropped."

    def __init__(self, space, bench, budget, notes, seed=0, tell=None):
        self.space, self.bench, self.budget, self.notes, self.seed = space, bench, budget, notes, seed
        self.tell, self.fates, self.moments = tell or (lambda stage, done=None: None), {}, []
        self.alive, self.epochs, self.judged = [], {}, None

    def settle(self, name, decide):
        "A decision, taken once even if the search is stopped and goes on."
        return self.notes.settle(name, decide, self.budget.spent())

    def told(self, stage):
        "What is called after every trial of a stage."
        def call(done):
            self.tell(stage, done)
            self.notes.write(self.budget.spent())
        return call

    def run(self):
        "Both stages. Afterwards `alive` are the Recipes that are left, the best first."
        full = self.settle("epochs", lambda: self.budget.epochs(PLAIN))
        self.epochs = {SCREENING: max(2, round(full / 5)), SEMIFINAL: max(3, round(full / 2.5)), FINAL: full}
        self.alive = self.space.candidates(self.seed, MOST)
        self._stage(SCREENING, SCREEN_SHARE * self.budget.total, FEWEST, MOST)
        self._stage(SEMIFINAL, SEMI_SHARE * self.budget.left(), 2, MOST_ON)

    def challenger(self):
        "The simplest of the best that are not the plain Recipe itself; some other one where none was run."
        fates = {recipe: self.fates.get(recipe) for recipe in self.alive if recipe != PLAIN}
        others = {recipe: fate.standing for recipe, fate in fates.items() if fate and fate.standing}
        if not others:
            return next((recipe for recipe in self.alive if recipe != PLAIN), self.space.candidates(self.seed, 2)[1])
        best = max(others, key=lambda recipe: others[recipe].difference)
        near = [recipe for recipe, one in others.items()
                if one.difference >= others[best].difference - (one.error if np.isfinite(one.error) else 0)]
        return min(near, key=lambda recipe: (complexity(recipe), -others[recipe].difference))

    def at(self, stage, recipe):
        "A candidate as it is trained in a stage."
        return recipe.changed(epochs=self.epochs[stage])

    def _costs(self, stage):
        "What each of the Recipes that are alive takes in all rounds of a stage."
        return [len(ROUNDS[stage]) * self.budget.cost(self.at(stage, recipe)) for recipe in self.alive]

    def _too_slow(self, stage, allowed):
        "The numbers of those alive that take too much of a stage; no process may need longer than the stage lasts."
        most = max(min(SLOWEST, 1 / self.budget.processes) * allowed, len(ROUNDS[stage]))
        return [number for number, cost in enumerate(self._costs(stage)) if cost > most and self.alive[number] != PLAIN]

    def _affordable(self, stage, allowed, fewest, most, slow):
        "Of the Recipes that are alive the numbers of those for which there is time, the too slow ones apart."
        chosen, used = [], 0.0
        for number, cost in enumerate(self._costs(stage)):
            if number not in slow and len(chosen) < most and (used + cost <= allowed or len(chosen) < fewest):
                chosen.append(number)
                used += cost
        return chosen

    def _stage(self, stage, allowed, fewest, most):
        slow = self.settle(f"{stage}, too slow", lambda: self._too_slow(stage, allowed))
        chosen, until = self.settle(stage, lambda: (self._affordable(stage, allowed, fewest, most, slow),
                                                    self.budget.left() - allowed))
        for number, recipe in enumerate(self.alive):
            if number not in chosen and recipe != PLAIN:
                self._left_out(recipe, number in slow, number < max(chosen, default=0))
        self.alive = [recipe for number, recipe in enumerate(self.alive) if number in chosen or recipe == PLAIN]
        done = []
        for number in ROUNDS[stage]:
            if done:
                self._set_aside(stage, self.settle(f"{stage}, round {number}", lambda: self._fitting(stage, until)))
            wanted = [(self.at(stage, recipe), number, False) for recipe in self.alive]
            self.bench.run(sorted(wanted, key=lambda one: -self.budget.cost(one[0])), self.budget.deadline(),
                           self.told(stage))
            if not self._judge(stage, [*done, number]):
                break
            done.append(number)

    def _fitting(self, stage, until):
        "How many of those alive, the best first, go on to another round; fewer where runs took longer than expected."
        room = self.budget.left() - until
        used = np.cumsum([self.budget.cost(self.at(stage, recipe)) for recipe in self.alive])
        return max(int((used <= room).sum()), min(FEWEST, len(self.alive)))

    def _set_aside(self, stage, count):
        "Only the best `count` of those alive, and the plain Recipe, go on."
        for recipe in self.alive[count:]:
            self.fates[recipe] = Fate(stage, SET_ASIDE, self.fates[recipe].standing)
        self.alive = [recipe for place, recipe in enumerate(self.alive) if place < count or recipe == PLAIN]

    def _left_out(self, recipe, slow, reached):
        "Notes why a candidate does not enter a stage; those that were never reached have no fate."
        if recipe in self.fates:
            self.fates[recipe] = Fate(SCREENING, TOO_SLOW if slow else SET_ASIDE, self.fates[recipe].standing)
        elif reached:
            why = "too slow for the time given" if slow else "the budget holds no more"
            self.fates[recipe] = Fate(SCREENING, NOT_TRIED + why)

    def _judge(self, stage, rounds):
        "Ranks those alive by the given rounds and drops the clearly worse; False where a round is not complete."
        for recipe in [one for one in self.alive if self.at(stage, one) in self.bench.failed]:
            self.fates[recipe] = Fate(stage, f"failed: {self.bench.failed[self.at(stage, recipe)]}")
            self.alive.remove(recipe)
        right = self.scores(stage, rounds)
        if set(right) != set(self.alive) or not right:
            return False
        best = leader(right)
        found = standings(right, [self.bench.trials.rows(number) for number in rounds], best)
        for recipe in clearly_worse(found) - {PLAIN}:
            self.alive.remove(recipe)
            self.fates[recipe] = Fate(stage, "clearly worse", found[recipe])
        self.alive.sort(key=lambda recipe: -found[recipe].accuracy)
        for recipe in self.alive:
            self.fates[recipe] = Fate(stage, "not clearly worse than the best", found[recipe])
        first = self.simplest(found) if len(rounds) > 1 else best
        self.judged = stage, rounds, first, right
        self.remember(stage, self.at(stage, first), np.concatenate(right[first]))
        return True

    def scores(self, stage, rounds):
        "{candidate: its scores} of those alive that have all of the given rounds."
        at = {recipe: self.at(stage, recipe) for recipe in self.alive}
        return {recipe: [self.bench.right[one, number] for number in rounds] for recipe, one in at.items()
                if all((one, number) in self.bench.right for number in rounds)}

    def simplest(self, found):
        "The simplest of the Recipes that are at most a standard error behind the best."
        near = [recipe for recipe in near_the_best(found) if recipe in self.alive]
        return min(near, key=lambda recipe: (complexity(recipe, PLAIN), -found[recipe].accuracy))

    def remember(self, stage, recipe, values):
        "Notes the best Recipe so far with its share of right answers."
        low, high = wilson(float(values.sum()), len(values))
        seconds = sum(seconds for _, seconds in self.bench.log.values())
        self.moments.append(Moment(stage, len(self.bench.log), seconds, recipe, float(values.mean()), low, high))
