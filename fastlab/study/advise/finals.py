"""The last stage, in full trainings on fresh rounds: the winner of the race, without each of its parts, and plain.

What goes together is tried together: several parts that do not pay alone may pay as one."""
from dataclasses import replace

import numpy as np

from fastlab.study.advise.budget import EPOCHS, LAST_SHARE
from fastlab.study.advise.deciding import LOOKS, standings
from fastlab.study.advise.found import PUT_BACK, UNDECIDED, UNTRIED, Found, Part, compared, part_for, preferred
from fastlab.study.advise.race import FINAL, UNRACED, WON, Fate
from fastlab.study.advise.space import PLAIN, described, parts_of, without
from fastlab.study.statistics import holm

FIRST, LEAST, MOST = 5, 3, 12   # the first round of this stage; the fewest and the most rounds


class Finals:
    """The last stage of a Race. `decided`: (what is left of the winner, its Parts), once all parts are judged; `found`:
    the outcome. What depends on the clock is settled in the race's notes, so that another start comes out the same."""

    def __init__(self, race):
        self.race, self.bench, self.budget = race, race.bench, race.budget
        self.done, self.winner, self.plain, self.variants, self.ensemble = [], None, None, {}, 1
        self.decided = self.found = None

    def run(self, ensemble=1):
        "The Found of a race that has been run."
        race, self.ensemble = self.race, ensemble
        challenger = race.challenger()
        full = race.settle("full", lambda: self._epochs(challenger))
        self.plain = PLAIN.changed(epochs=min(PLAIN.epochs, full))
        self.winner = challenger.changed(epochs=full)
        for recipe in (challenger, PLAIN):
            standing = race.fates[recipe].standing if recipe in race.fates else None
            race.fates[recipe] = Fate(FINAL, "the baseline" if recipe == PLAIN else WON if standing else UNRACED,
                                      standing)
        self._reserve()
        tried = race.settle("parts", self._affordable)
        self.variants = {part: without(self.winner, [part], self.plain) for part in tried}
        self._rounds()
        self.decided = self._together(self._judged())
        self._more(self.decided[0])
        self.found = self._found(*self.decided, lambda: race.settle("plain, epochs", self._plain_in_full))
        return self.found

    def so_far(self):
        "The Found of a race that was stopped, by what is there; None before its first round was complete."
        if self.found:
            return self.found
        if self.done:
            whole = self.winner, tuple(replace(part, kept=True) for part in self._judged())
            return self._found(*(self.decided or whole), self._plain_in_full)
        race = self.race
        if race.judged is None:
            return None
        stage, rounds, best, right = race.judged
        rows = [self.bench.trials.rows(number) for number in rounds]
        standing = standings(right, rows, PLAIN).get(best) if PLAIN in right and best != PLAIN else None
        epochs = race.epochs[FINAL]
        plain, winner = PLAIN.changed(epochs=min(PLAIN.epochs, epochs)), best.changed(epochs=epochs)
        return Found(plain, winner, winner if best != PLAIN else plain, (), standing, compared(standing, len(right)),
                     (), stage)

    def _epochs(self, challenger):
        "As many epochs as were planned, or fewer where this Recipe is slow; never fewer than in the race."
        race = self.race
        steps = [race.epochs[FINAL], round(0.75 * race.epochs[FINAL]), round(0.5 * race.epochs[FINAL])]
        allowed = min(LAST_SHARE * self.budget.total, self.budget.left())
        for epochs in steps:
            cost = self.budget.cost(challenger.changed(epochs=epochs))
            last = 1.3 * self.ensemble * cost
            if self.budget.fits([LEAST * cost] * (2 + len(parts_of(challenger))), last, last, allowed):
                return epochs
        return steps[-1]

    def _reserve(self):
        "Keeps time for the training that follows, on train and develop together, one network after the other."
        splits = self.bench.trials.arrays.splits
        more = 1 + len(splits["develop"]) / max(len(splits["train"]), 1)
        self.budget.final = 1.1 * more * self.ensemble * self.budget.cost(self.winner)

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
            cost, number = self.budget.cost(winner), FIRST + len(self.done)
            spare = max(LEAST, len(self.done) + 1) * cost  # for the parts that go together
            if len(self.done) >= LEAST and not self._time_for(f"round {number}", wanted, spare, cost):
                break
            if not self._round(wanted, number):
                break
            if len(self.done) >= LEAST:
                open_parts = {part.name for part in self._judged(LOOKS) if part.verdict == UNDECIDED}
                if not open_parts:
                    break

    def _time_for(self, what, recipes, more=0.0, then=0.0):
        "Whether there is time for a training of each of these Recipes; settled once."
        costs = [self.budget.cost(recipe) for recipe in recipes]
        return self.race.settle(f"{FINAL}, {what}", lambda: self.budget.fits(costs, more, then))

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
        return tuple(part_for(name, against[name], corrected[name]) if name in against
                     else Part(name, UNTRIED, why=self._why_untried(name)) for name in parts_of(winner, self.plain))

    def _why_untried(self, part):
        failed = self.bench.failed.get(self.variants.get(part))
        return f"the training without it failed: {failed}" if failed else "there was no time to try without it"

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
        judged = tuple(replace(part, kept=part.name not in left, why=part.why if part.kept or part.name in left else
                               PUT_BACK) for part in parts)
        return without(winner, left, self.plain) if left else winner, judged

    def _holds_together(self, simpler):
        "Whether the winner is no better than its form without several parts."
        winner, name = self.winner, described(simpler, self.plain)
        for rounds in (self.done[:max(LEAST, len(self.done) // 2)], self.done[:LEAST]):
            if self._time_for(f"{len(rounds)} rounds of {name}", [simpler] * len(rounds)):
                self.bench.run([(simpler, number, True) for number in rounds], self.budget.deadline(),
                               self.race.told(FINAL))
                break
        found = self.standings([winner, simpler], winner)
        return bool(found) and not part_for("", found[simpler], found[simpler].p).kept

    def _more(self, answer):
        "Further rounds of the answer (the winner, where that is plain) and the plain Recipe, until the budget ends."
        answer = self.winner if answer == self.plain else answer
        for number in self.done:
            if (answer, number) not in self.bench.right and self._time_for(f"answer's round {number}", [answer]):
                self.bench.run([(answer, number, True)], self.budget.deadline(), self.race.told(FINAL))
        while len(self.done) < MOST:
            number = FIRST + len(self.done)
            if not self._time_for(f"answer and plain, round {number}", [answer, self.plain]) or \
                    not self._round([self.plain, answer], number):
                break

    def _found(self, answer, parts, plain_in_full):
        """The outcome, with the last word on whether it is to be preferred to the plain Recipe. plain_in_full(): the
        epochs of the plain Recipe where that is the answer."""
        rival = self.winner if answer == self.plain else answer
        others = [one for one in (self.winner, *self.variants.values())
                  if self._has_all(one, rival) and one not in (rival, self.plain)]
        found = self.standings([self.plain, rival, *others], self.plain).get(rival)
        verdict = compared(found, 2 + len(self.variants))
        rounds = tuple(number for number in self.done if (rival, number) in self.bench.right)
        if preferred(found, verdict):
            return Found(self.plain, self.winner, answer, parts, found, verdict, rounds)
        plain = PLAIN.changed(epochs=plain_in_full())
        return Found(plain, self.winner, plain, parts, found, verdict, rounds)

    def _plain_in_full(self):
        "The plain Recipe's own epochs, or as many as there is time to train, though it was compared with fewer."
        spare = self.budget.left() / self.budget.processes + self.budget.final
        return next((count for count in EPOCHS if self.plain.epochs < count <= PLAIN.epochs and
                     1.4 * self.ensemble * self.budget.cost(PLAIN.changed(epochs=count)) <= spare), self.plain.epochs)
