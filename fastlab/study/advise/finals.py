"""The last stage, in full trainings on fresh rounds: the winner of the race, without each of its parts, and plain.

A part whose loss shows stays. A part without which nothing is lost, or too little to matter, goes; what goes together
is tried together. Where nothing is decided, the figures are followed only beyond the region of no difference."""
from dataclasses import dataclass, replace

import numpy as np

from fastlab.study.advise.budget import LAST_SHARE
from fastlab.study.advise.deciding import LOOKS, standings
from fastlab.study.advise.race import FINAL, Fate
from fastlab.study.advise.space import PLAIN, complexity, parts_of, without
from fastlab.study.advise.trials import REGION
from fastlab.study.statistics import holm
from fastlab.study.verdicts import LEVEL

FIRST, LEAST, MOST = 5, 3, 12   # the first round of this stage; the fewest and the most rounds
PAYS, DOES_NOT, UNDECIDED, UNTRIED = "pays", "does not pay", "undecided", "not tried"
BETTER, NO_DIFFERENCE, WORSE = "better", "no difference that matters", "worse"


@dataclass(frozen=True)
class Part:
    "One part of the winner: whether it pays, and how the winner without it stood to the winner."
    name: str
    verdict: str
    standing: object = None
    kept: bool = True


@dataclass(frozen=True)
class Found:
    """What a search found. `plain`: the baseline as it was trained; `winner`: of the race; `answer`: what is left of
    it, or plain; `parts`: a Part for each of the winner's; `against_plain`: the Standing of what was held against the
    plain Recipe in the end; `verdict`: better, no difference that matters, undecided or worse; `rounds`: those that
    both have; `stage`: the last one that was reached."""
    plain: object
    winner: object
    answer: object
    parts: tuple = ()
    against_plain: object = None
    verdict: str = UNDECIDED
    rounds: tuple = ()
    stage: str = FINAL

    @property
    def sure(self):
        return self.verdict in (BETTER, NO_DIFFERENCE)


class Finals:
    "The last stage of a Race."

    def __init__(self, race):
        self.race, self.bench, self.budget = race, race.bench, race.budget
        self.done, self.winner, self.plain, self.variants = [], None, None, {}

    def run(self, ensemble=1):
        "The Found of a race that has been run."
        race = self.race
        challenger = self._challenger()
        full = race.settle("full", lambda: self._epochs(challenger, ensemble))
        self.plain = PLAIN.changed(epochs=min(PLAIN.epochs, full))
        self.winner = challenger.changed(epochs=full)
        for recipe, why in ((challenger, "won: the simplest within a standard error of the best"),
                            (PLAIN, "the baseline")):
            race.fates[recipe] = Fate(FINAL, why, race.fates[recipe].standing if recipe in race.fates else None)
        self._reserve(ensemble)
        tried = race.settle("parts", self._affordable)
        self.variants = {part: without(self.winner, [part], self.plain) for part in tried}
        self._rounds()
        answer, parts = self._together(self._judged())
        self._more(answer)
        return self._found(answer, parts)

    def so_far(self):
        "The Found of a race that was stopped, by what is there; None before its first round was complete."
        if self.done:
            return self._found(self.winner, self._judged())
        race = self.race
        if race.judged is None:
            return None
        stage, rounds, best, right = race.judged
        rows = [self.bench.trials.rows(number) for number in rounds]
        standing = standings(right, rows, PLAIN).get(best) if PLAIN in right and best != PLAIN else None
        epochs = race.epochs[FINAL]
        return Found(PLAIN.changed(epochs=min(PLAIN.epochs, epochs)), best.changed(epochs=epochs),
                     best.changed(epochs=epochs) if best != PLAIN else PLAIN.changed(epochs=min(PLAIN.epochs, epochs)),
                     (), standing, compared(standing, len(right)), (), stage)

    def _challenger(self):
        "The simplest of the best that are not the plain Recipe itself."
        race = self.race
        fates = {recipe: race.fates.get(recipe) for recipe in race.alive if recipe != PLAIN}
        others = {recipe: fate.standing for recipe, fate in fates.items() if fate and fate.standing}
        if not others:
            return next((recipe for recipe in race.alive if recipe != PLAIN), race.space.candidates(race.seed, 2)[1])
        best = max(others, key=lambda recipe: others[recipe].difference)
        near = [recipe for recipe, one in others.items()
                if one.difference >= others[best].difference - (one.error if np.isfinite(one.error) else 0)]
        return min(near, key=lambda recipe: (complexity(recipe), -others[recipe].difference))

    def _epochs(self, challenger, ensemble):
        "As many epochs as were planned, or fewer where this Recipe is slow; never fewer than in the race."
        race = self.race
        steps = [race.epochs[FINAL], round(0.75 * race.epochs[FINAL]), round(0.5 * race.epochs[FINAL])]
        allowed = min(LAST_SHARE * self.budget.total, self.budget.left())
        for epochs in steps:
            cost = self.budget.cost(challenger.changed(epochs=epochs))
            if LEAST * (2 + len(parts_of(challenger))) * cost + 1.3 * ensemble * cost <= allowed:
                return epochs
        return steps[-1]

    def _reserve(self, ensemble):
        "Keeps time for the training that follows, on train and develop together, one network after the other."
        splits = self.bench.trials.arrays.splits
        more = 1 + len(splits["develop"]) / max(len(splits["train"]), 1)
        self.budget.final = 1.1 * more * ensemble * self.budget.cost(self.winner)

    def _affordable(self):
        "The parts that can be taken away within the budget, beginning with those without which it is quickest."
        winner = self.winner
        left = self.budget.left() - LEAST * (2 * self.budget.cost(winner) + self.budget.cost(self.plain))
        tried = []
        parts = parts_of(winner, self.plain)
        if len(parts) < 2:
            return []  # without its only part it is the plain Recipe
        for part in sorted(parts, key=lambda part: self.budget.cost(without(winner, [part], self.plain))):
            cost = LEAST * self.budget.cost(without(winner, [part], self.plain))
            if cost <= left:
                tried.append(part)
                left -= cost
        return tried

    def _rounds(self):
        "Rounds of all, then of those that are not decided yet, until all are or the budget ends."
        winner, variants = self.winner, self.variants
        open_parts = set(variants)
        while len(self.done) < MOST:
            wanted = [self.plain, winner, *(variants[part] for part in variants if part in open_parts)]
            spare = LEAST * self.budget.cost(winner)  # for the parts that go together
            if len(self.done) >= LEAST and sum(map(self.budget.cost, wanted)) + spare > self.budget.left():
                break
            if not self._round(wanted, FIRST + len(self.done)):
                break
            if len(self.done) >= LEAST:
                open_parts = {part.name for part in self._judged(LOOKS) if part.verdict == UNDECIDED}
                if not open_parts:
                    break

    def _round(self, recipes, number):
        "Has one round done; whether it is complete."
        wanted = sorted(dict.fromkeys(recipes), key=lambda recipe: -self.budget.cost(recipe))
        self.bench.run([(recipe, number, True) for recipe in wanted], self.budget.deadline(),
                       self.race.told(FINAL))
        complete = all((recipe, number) in self.bench.right for recipe in (self.plain, recipes[1]))
        if complete:
            self.done.append(number)
            best = self.winner if self.winner in recipes else recipes[1]
            values = [self.bench.right[best, done] for done in self.done if (best, done) in self.bench.right]
            self.race.remember(FINAL, best, np.concatenate(values))
        return complete

    def standings(self, recipes, reference):
        "Standings of Recipes on the rounds that all of them have; {} where there is none."
        rounds = [number for number in self.done if all((one, number) in self.bench.right for one in recipes)]
        right = {one: [self.bench.right[one, number] for number in rounds] for one in recipes}
        return standings(right, [self.bench.trials.rows(number) for number in rounds], reference) if rounds else {}

    def _judged(self, looks=1):
        "A Part for each of the winner's; p after Holm, and times `looks` while there are more to come."
        against, winner, variants = {}, self.winner, self.variants
        for part, variant in variants.items():
            all_together = [one for one in (winner, *variants.values()) if self._has_all(one, variant)]
            found = self.standings(all_together, winner) if variant in all_together else {}
            if variant in found:
                against[part] = found[variant]
        corrected = dict(zip(against, looks * holm([one.p for one in against.values()]))) if against else {}
        return tuple(_part(name, against.get(name), corrected.get(name, 1.0)) if name in variants
                     else Part(name, UNTRIED) for name in parts_of(winner, self.plain))

    def _has_all(self, one, variant):
        "Whether a Recipe has every round that `variant` has: then it tells more of the rounds' spread."
        return all((one, number) in self.bench.right for number in self.done
                   if (variant, number) in self.bench.right)

    def _together(self, parts):
        "(the winner without all that does not pay, its Parts); what is worse together is put back, the worst first."
        winner = self.winner
        gone = [part for part in parts if not part.kept]
        gone.sort(key=lambda part: part.standing.difference, reverse=True)
        while len(gone) > 1:
            simpler = without(winner, [part.name for part in gone], self.plain)
            if simpler == self.plain or self._holds_together(simpler):
                break  # the plain Recipe is held against the winner in any case
            gone.pop()
        left = {part.name for part in gone}
        return without(winner, left, self.plain) if left else winner, \
            tuple(replace(part, kept=part.name not in left) for part in parts)

    def _holds_together(self, simpler):
        "Whether the winner is no better than its form without several parts."
        winner = self.winner
        rounds = self.done[:max(LEAST, len(self.done) // 2)]
        if len(rounds) * self.budget.cost(simpler) > self.budget.left():
            rounds = self.done[:LEAST]
        if len(rounds) * self.budget.cost(simpler) <= self.budget.left():
            self.bench.run([(simpler, number, True) for number in rounds], self.budget.deadline(),
                           self.race.told(FINAL))
        found = self.standings([winner, simpler], winner)
        return bool(found) and not _part("", found[simpler], found[simpler].p).kept

    def _more(self, answer):
        "Further rounds of the answer (the winner, where that is plain) and the plain Recipe, until the budget ends."
        answer = self.winner if answer == self.plain else answer
        for number in self.done:
            if (answer, number) not in self.bench.right and self.budget.cost(answer) <= self.budget.left():
                self.bench.run([(answer, number, True)], self.budget.deadline(), self.race.told(FINAL))
        while len(self.done) < MOST and self.budget.cost(answer) + self.budget.cost(self.plain) <= self.budget.left():
            if not self._round([self.plain, answer], FIRST + len(self.done)):
                break

    def _found(self, answer, parts):
        "The outcome, with the last word on whether it is to be preferred to the plain Recipe."
        rival = self.winner if answer == self.plain else answer
        others = [one for one in (self.winner, *self.variants.values())
                  if self._has_all(one, rival) and one not in (rival, self.plain)]
        found = self.standings([self.plain, rival, *others], self.plain).get(rival)
        verdict = compared(found, 2 + len(self.variants))
        chosen = answer if preferred(found, verdict) else self.plain
        rounds = tuple(number for number in self.done if (rival, number) in self.bench.right)
        return Found(self.plain, self.winner, chosen, parts, found, verdict, rounds)


def _part(name, standing, p):
    "The Part that a Standing without it speaks for; p is corrected."
    if standing is None:
        return Part(name, UNTRIED)
    if standing.difference < 0 and p <= LEVEL:
        return Part(name, PAYS, standing)
    if standing.low > -REGION:
        return Part(name, DOES_NOT, standing, kept=False)
    return Part(name, UNDECIDED, standing, kept=standing.difference < -REGION)


def compared(standing, tried):
    "The verdict on a Recipe against the plain one; paid for as many Recipes as were tried beside it."
    if standing is None:
        return UNDECIDED
    if standing.p * tried <= LEVEL:
        return BETTER if standing.difference > 0 else WORSE
    return NO_DIFFERENCE if max(-standing.low, standing.high) < REGION else UNDECIDED


def preferred(standing, verdict):
    "Whether it is to be preferred to the plain Recipe: shown to be better, or else well beyond what does not matter."
    if verdict == UNDECIDED:
        return standing is not None and standing.difference > max(REGION, standing.error)
    return verdict == BETTER
