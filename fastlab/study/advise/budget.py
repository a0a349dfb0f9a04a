"""What a search may spend: minutes, or so many runs. With runs no clock is read: the same search is the same again."""
import time

LEAST_RUNS = 24
EPOCHS = (40, 30, 24, 20, 16, 12, 10, 8, 6, 5, 4, 3)  # how long a full training may be
FULL_RUNS = 16                  # so many full trainings must fit into the share of the last stage
RESERVE = 12.0                  # seconds for what follows the search, the last training apart: imports, test, page
LAST_SHARE = 0.45               # of the budget, for the winner, its parts and the plain Recipe
IN_TURN = 8                     # so many of them must fit one after the other, however many processes there are
FEW = 2                         # processes up to which what trials take together is all that counts


class Budget:
    "What both kinds have in common: whether trials fit. A trial is carried out by one process, whatever their number."

    def fits(self, costs, more=0.0, then=0.0, allowed=None):
        """Whether trials side by side and `more` besides fit into `allowed`, or what is left; with many processes also
        whether the longest of them and then another trial, of the cost `then`, do, one after the other."""
        allowed = self.left() if allowed is None else allowed
        in_turn = (max(costs, default=0.0) + then) * self.processes if self.processes > FEW else 0.0
        return sum(costs) + more <= allowed and in_turn <= allowed


class RunBudget(Budget):
    "So many trials. Every one costs 1, whatever it takes."
    final, processes = 0.0, 1

    def __init__(self, runs, bench):
        self.total, self.bench = runs, bench

    def left(self):
        return self.total - len(self.bench.log)

    def cost(self, recipe):
        return 1.0

    def deadline(self):
        return None

    def spent(self):
        "Wall time settles nothing here."
        return 0.0

    def progress(self):
        "(done, total, what of)"
        return len(self.bench.log), self.total, "runs"

    def epochs(self, plain):
        return 30


class TimeBudget(Budget):
    """So many minutes of wall time, all told. `before`: seconds that earlier starts took; `begun`: a time.monotonic(),
    now if left out; `reserve`: seconds kept for what follows the search; `final`: those of the last training, once it
    is known which."""

    def __init__(self, minutes, bench, before=0.0, begun=None, reserve=RESERVE):
        self.bench, self.seconds, self.before, self.reserve = bench, 60 * minutes, before, reserve
        self.begun, self.final = time.monotonic() if begun is None else begun, 0.0
        self.processes = max(bench.jobs, 1)
        self.total = self.seconds * self.processes

    def spent(self):
        "Seconds since the search began, those of earlier starts included."
        return self.before + time.monotonic() - self.begun

    def progress(self):
        "(done, total, what of)"
        return round(self.spent()), round(self.seconds), f"seconds, {len(self.bench.log)} runs"

    def left(self):
        "Seconds of processor time that the search may still use."
        return (self.seconds - self.reserve - self.final - self.spent()) * self.processes

    def cost(self, recipe):
        "Seconds of a processor."
        return self.bench.cost(recipe)

    def deadline(self):
        "When no further trial is started."
        return self.begun - self.before + self.seconds - self.reserve - self.final

    def epochs(self, plain):
        "The longest full training of which the last stage holds enough, side by side and one after the other."
        runs = max(FULL_RUNS, IN_TURN * self.processes)
        return next((count for count in EPOCHS
                     if runs * self.cost(plain.changed(epochs=count)) <= LAST_SHARE * self.total), EPOCHS[-1])
