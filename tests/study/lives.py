"""Lives of a study that are cut short at random instants: `python lives.py FOLDER LIVES`. It imports no torch.

One process imports everything once; every life is a fork of it that begins or goes on with a study, carried out by the
fake runner, and is killed: before a random line of the code that runs, keeps and writes (SIGKILL by itself), or in the
middle of writing a file, at a random byte (the system's own limit on a file's size kills it). After every death the
study's folder is held against what must always be true. Prints one JSON line: deaths of each kind, and studies."""
import json
import os
import random
import resource
import signal
import sys
from collections import Counter
from pathlib import Path

import made_up_study

from fastlab.study import carry, feed, record, store, study
from fastlab.study.report import write
from fastlab.study.runner import Runner

CODE = {module.__file__ for module in (carry, feed, store, study, write)} | {study.write_text.__code__.co_filename}
WRITTEN = ("results.csv", "curves.csv", "verdicts.json", "report.md", "report.html", "costs.csv")
SEEDS = 3
# how long lives are: about 85 lines a run, 300 for tables and report; a result takes 3 kB, a table or a report up to 25
LIMITS = {"a line": lambda rng: rng.randint(1, 900), "a byte": lambda rng: rng.randint(1, rng.choice((3_300, 25_000)))}


class Line:
    "Counts the lines of CODE as they come up, and kills the process before number `last`."

    def __init__(self, last):
        self.left = last

    def __call__(self, frame, event, argument):
        return self.on_line if frame.f_code.co_filename in CODE else None

    def on_line(self, frame, event, argument):
        self.left -= event == "line"
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return self.on_line


def life(out, kind=None, number=0):
    "One process that carries out the study in `out` to its end, unless it is killed. Returns its process id."
    child = os.fork()
    if child:
        return child
    os.environ["FAKE_LOG"] = str(out) + ".log"
    if kind == "a byte":
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))
        os.environ["FAKE_LOG"] = os.devnull
    made = study.Study(PLAN, ARRAYS, out, seeds=SEEDS, runner=Runner("fake_runner:carry_out"))
    if kind == "a line":
        sys.settrace(Line(number))
    made.run(0, show=False)
    os._exit(0)


def stored(out):
    "The keys of the results that are there; each must be whole, and the one that its name says."
    found = set()
    for path in out.glob("runs/*.run"):
        record.decode(path.read_bytes(), path.stem)
        found.add(path.stem)
    return found


def trained(out):
    "The (Recipe, seed) of every run that came to its end, in order."
    log = Path(str(out) + ".log")
    return [line.partition(" ")[2] for line in log.read_text().splitlines()] if log.exists() else []


def cut_until_done(out, rng, deaths, whole):
    "Lives of one study until one comes to its end by itself."
    before, names = set(), {}
    for _ in range(1000):
        kind = rng.choice(list(LIMITS))
        done = len(trained(out))
        _, status = os.waitpid(life(out, kind, LIMITS[kind](rng)), 0)
        after = stored(out) if out.exists() else set()
        assert before <= after, "a result was lost"
        fresh = trained(out)[done:]
        assert not set(fresh) & set(names), "a run whose result was there was done again"
        names |= dict.fromkeys(fresh[:len(after - before)])  # the last one's result may not have been kept any more
        before = after
        for name in WRITTEN:
            assert not (out / name).exists() or (out / name).read_bytes() == whole[name], f"{name} is torn"
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return {name: (out / name).read_bytes() for name in WRITTEN}
        assert os.WTERMSIG(status) == {"a byte": signal.SIGXFSZ, "a line": signal.SIGKILL}[kind]
        deaths[kind] += 1
    raise AssertionError("the study never came to its end")


def main(folder, lives):
    folder, rng, deaths, studies = Path(folder), random.Random(7), Counter(), 0
    write.pictures_of = lambda gathered, item, ids: []  # drawing takes most of a life and touches no file
    assert os.waitpid(life(folder / "whole"), 0)[1] == 0
    whole = {name: (folder / "whole" / name).read_bytes() for name in WRITTEN}
    while deaths.total() < lives:
        assert cut_until_done(folder / f"cut {studies}", rng, deaths, whole) == whole
        studies += 1
    assert "torch" not in sys.modules
    print(json.dumps({"deaths": deaths, "studies": studies}))


if __name__ == "__main__":
    PLAN, ARRAYS = made_up_study.small_plan(), made_up_study.made_up_arrays()
    main(sys.argv[1], int(sys.argv[2]))
