"""A study at work: a table that renews itself on a terminal, a plain line a finished run elsewhere."""
import sys

from fastlab.progress import clock

BAR = 20


class Live:
    """Shows how far a study is. `jobs`: runs at a time, 0 where that is not known yet. `stream`: a text stream; a table
    on a terminal, lines of fixed form elsewhere."""

    def __init__(self, schedule, jobs, pace, stream=None):
        self.schedule, self.jobs, self.pace = schedule, jobs, pace
        self.stream = stream or sys.stderr
        self.terminal, self.lines = self.stream.isatty(), 0
        self.done, self.failed = set(), set()

    def begin(self, done, failed):
        "Before the first run: what was there already."
        self.done, self.failed = set(done), set(failed)
        if self.terminal:
            self._draw("")
        else:
            others = f"; about {clock(self._left())} for the others on {self.jobs} process{'es' * (self.jobs > 1)}"
            self._say(f"{len(self.done)} of {len(self.schedule.runs)} runs are there" + others * (self.jobs > 0))

    def cluster(self, count):
        "A cluster now has so many CPUs: machines come and go."
        self.jobs, what = count, f"The cluster has {count} CPU{'s' * (count != 1)}"
        if self.terminal:
            self._draw(what)
        else:
            self._say(f"{what}; {clock(self._left())} left")

    def finished(self, done):
        "A run that ended."
        (self.failed if done.reason else self.done).add(done.run.key)
        what = f"{done.run.label}, seed {done.run.seed}"
        last = f"{what}: FAILED, {done.reason}" if done.reason else f"{what}: {done.seconds:.1f} s"
        if self.terminal:
            self._draw(last)
        else:
            count = f"{len(self.done) + len(self.failed)}/{len(self.schedule.runs)}"
            self._say(f"{count:>9}  {last}; {clock(self._left())} left")

    def _left(self):
        return self.pace.left([run for run in self.schedule.runs if run.key not in self.done | self.failed],
                              max(self.jobs, 1))

    def _say(self, line):
        print(line, file=self.stream, flush=True)

    def _draw(self, last):
        lines = [f"{len(self.done):,} of {len(self.schedule.runs):,} runs, {clock(self._left())} left"
                 + (f", {len(self.failed)} failed" if self.failed else ""), "", *self.table(), "", last]
        up = f"\x1b[{self.lines}A" if self.lines else ""
        self.stream.write(up + "".join(f"\r\x1b[K{line[:110]}\n" for line in lines))
        self.stream.flush()
        self.lines = len(lines)

    def table(self):
        "One line a comparison: how many seeds have all their runs."
        rows, names = {}, {}
        for (comparison, variant, seed), keys in self.schedule.keys.items():
            names.setdefault(comparison, []).append(variant)
            rows.setdefault(comparison, {}).setdefault(seed, []).extend(keys)
        for comparison, seeds in rows.items():
            done = sum(set(keys) <= self.done for keys in seeds.values())
            bar = "█" * round(BAR * done / len(seeds))
            variants = ", ".join(dict.fromkeys(names[comparison]))
            yield f"{comparison:<11} {bar:·<{BAR}} {done:>3}/{len(seeds)} seeds  {variants}"
