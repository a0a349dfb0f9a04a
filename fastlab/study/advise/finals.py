"""The last stage, in full trainings on fresh rounds: the winner of the race, without each of its parts, and plain.

What goes together is tried together: several parts that do not pay alone may pay as one."""
from dataclasses import replace

import numpy as np

from fastlab.study.advise.budget import EPOCHS, LAST_SHARE
from fastlab.study.advise.deciding import LOOKS, standings
from fastlab.study.advise.found import UNDECIDED, UNTRIED, Found, Part, compared, part_for, preferred
from fastlab.study.advise.race import FINAL, Fate
from fastlab.study.advise.space import PLAIN, complexity, parts_of, without
from fastlab.study.statistics import holm

FIRST, LEAST, MOST = 5, 3, 12   # the first round of this stage; the fewest and the most rounds


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
            spare = max(LEAST, len(self.done) + 1) * self.budget.cost(winner)  # for the parts that go together
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
        return tuple(part_for(name, against.get(name), corrected.get(name, 1.0)) if name in variants
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
        return bool(found) and not part_for("", found[simpler], found[simpler].p).kept

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
        rounds = tuple(number for number in self.done if (rival, number) in self.bench.right)
        if preferred(found, verdict):
            return Found(self.plain, self.winner, answer, parts, found, verdict, rounds)
        plain = self._plain_in_full()
        return Found(plain, self.winner, plain, parts, found, verdict, rounds)

    def _plain_in_full(self):
        "The plain Recipe with all of its epochs where there is time to train it so, though it was compared with fewer."
        longer = [PLAIN.changed(epochs=count) for count in EPOCHS if self.plain.epochs < count <= PLAIN.epochs]
        spare = self.budget.left() / self.budget.processes + self.budget.final
        return next((one for one in longer if 1.4 * self.budget.cost(one) <= spare), self.plain)
