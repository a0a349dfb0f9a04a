"""What a study costs above its runs, and what its statistics and report cost for a thousand runs.

python tests/benchmarks/study_overhead.py [--runs N] [--jobs N] [--seeds N] [--test N] [--real FOLDER [--real-seeds N]]
First: runs that do nothing but wait (0.5 s each) in --jobs processes: wall time of the whole study, report included,
over the sum of its runs shared by the processes. The parts are timed too, so that what one run costs above its own time
can be held against runs of any length. Then: `lab.toml` over as many seeds as make 1,000 runs, with 2,000 test images,
their results written by the fake runner beforehand: reading, statistics, tables and report. No torch is needed.
With --real FOLDER only this: the LeNet runs of `lab.toml` on FOLDER, truly trained, as `fastlab study` does them."""
import argparse
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "study"))

import numpy as np
from made_up_study import made_up_arrays, small_plan

from fastlab.images.arrays import Arrays
from fastlab.study.planfile import read_plan
from fastlab.study.runner import Runner
from fastlab.study.study import Study

os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (sys.path[0], os.environ.get("PYTHONPATH"))))
SECONDS = 0.5
FAKE = Runner("fake_runner:carry_out")


def overhead(jobs, seeds, place):
    "Prints what a study of waiting runs takes above the runs themselves."
    os.environ["FAKE_SECONDS"] = str(SECONDS)
    started = time.perf_counter()
    made = Study(small_plan(), made_up_arrays(), place / "overhead", seeds=seeds, runner=FAKE)
    own, parts = [], {"making": time.perf_counter() - started}
    learn = made.pace.learn
    made.pace.learn = lambda run, seconds, epochs=None: (own.append(seconds), learn(run, seconds, epochs))
    write, writing = made.write, []

    def timed():
        begun = time.perf_counter()
        write()
        writing.append(time.perf_counter() - begun)
    made.write = timed
    made.run(jobs, show=False)
    whole, shared = time.perf_counter() - started, sum(own[:len(made.schedule.runs)]) / jobs
    parts |= {"writing": writing[0], "carrying": whole - shared - parts["making"] - writing[0]}
    print(f"{len(made.schedule.runs)} runs of {SECONDS} s in {jobs} processes: {whole:.2f} s for {shared:.2f} s of "
          f"runs, {whole / shared - 1:.1%} above; "
          + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in parts.items()))
    each = parts["carrying"] * jobs / len(made.schedule.runs)
    print(f"carrying costs {1000 * each:.0f} ms a run, the start of the processes included: {each / 15:.2%} of a run "
          f"of 15 s; making and writing {parts['making'] + parts['writing']:.2f} s, once")
    os.environ["FAKE_SECONDS"] = "0"


def real(folder, seeds, jobs, place):
    "Prints what a study of real runs takes above them: its processes, its report, and the end, when one has no run."
    from study_vs_report_loop import study_of
    started, own = time.perf_counter(), []
    made = study_of(folder, seeds, "auto", "lenet", place / "real")
    learn = made.pace.learn
    made.pace.learn = lambda run, seconds, epochs=None: (own.append(seconds), learn(run, seconds, epochs))
    made.run(jobs, show=False)
    whole, shared = time.perf_counter() - started, sum(own[:len(made.schedule.runs)]) / jobs
    print(f"{len(made.schedule.runs)} real runs, {min(own):.1f} to {max(own):.1f} s, in {jobs} processes: "
          f"{whole:.1f} s for {shared:.1f} s of runs, {whole / shared - 1:.1%} above")


def thousand(runs, test, place):
    "Prints what statistics, tables and report of a thousand runs take, wall and processor time."
    small = made_up_arrays(12, 10, 10, max(test // 12, 1))
    blank = np.broadcast_to(np.uint8(0), (len(small.labels), 28, 28, 1))  # takes no memory
    arrays = Arrays(blank, small.labels, small.splits, small.classes, small.names)
    plan = read_plan("lab")
    seeds = max(runs // len(Study(plan, arrays, place / "none", seeds=1, runner=FAKE).schedule.runs), 1)
    made = Study(replace(plan, seeds=seeds), arrays, place / "thousand", runner=FAKE)
    made.write = lambda: None
    made.run(0, show=False)
    again = Study(made.plan, arrays, made.out, runner=FAKE)
    for what, work in (("reading the results", lambda: again.gathered), ("verdicts", lambda: again.verdicts),
                       ("tables and report", again.write)):
        started, used = time.perf_counter(), time.process_time()
        work()
        print(f"  {what}: {time.perf_counter() - started:.2f} s, {time.process_time() - used:.2f} s of processor")
    print(f"{len(made.schedule.runs)} runs over {seeds} seeds, {len(arrays.splits['test']):,} test images")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--test", type=int, default=2000, help="test images of the thousand runs")
    parser.add_argument("--real", type=Path, metavar="FOLDER")
    parser.add_argument("--real-seeds", type=int, default=3)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if chosen.real:
            real(chosen.real, chosen.real_seeds, chosen.jobs, Path(folder))
            raise SystemExit
        overhead(chosen.jobs, chosen.seeds, Path(folder))
        thousand(chosen.runs, chosen.test, Path(folder))
