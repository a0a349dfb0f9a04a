"""A study: a plan carried out on a folder, its results, verdicts and report. The same call goes on where it was cut."""
import time
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import joblib

from fastlab.errors import OptionError
from fastlab.files import write_text
from fastlab.images.place import name_of, place_for
from fastlab.study.carry import carry, carry_here
from fastlab.study.data import StudyData
from fastlab.study.feed import Feed
from fastlab.study.forgotten import explained
from fastlab.study.gathered import Gathered
from fastlab.study.live import Live
from fastlab.study.pace import Pace
from fastlab.study.planfile import read_plan
from fastlab.study.results import COSTS, CURVES, RESULTS, as_csv, as_json, cost_rows, curve_rows, result_rows
from fastlab.study.runner import Runner
from fastlab.study.schedule import schedule
from fastlab.study.store import Store, check_free
from fastlab.study.verdicts import verdicts


class Study:
    """`plan`: a Plan; `arrays`: the images, decoded; `out`: the folder of results and report; `seeds`: how many paired
    seeds, the plan's if left out; `quick`: less of everything, to see that it works; `runner`: who carries out a run.

    Example: `Study.from_toml("lab", "my-images", out="my-study").run().verdicts`."""

    def __init__(self, plan, arrays, out="study", seeds=None, quick=False, runner=None, source=""):
        self.plan, notes = (plan.quick() if quick else plan).fitting(len(arrays.classes))
        if not self.plan.comparisons:
            raise OptionError(f"plan: none of its comparisons can be made. {' '.join(notes)}")
        arrays = replace(arrays, notes=(*arrays.notes, *notes)) if notes else arrays
        count = self.plan.seeds if seeds is None else seeds
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise OptionError(f"seeds: {count!r} is not a whole number of at least 1.")
        for split in ("train", "develop", "test"):
            if not len(arrays.splits.get(split, ())):
                raise OptionError(f"folder: a study needs the split {split!r}, and it has no images.")
        check_free(out)
        self.out, self.source, self.runner = Path(out), str(source), runner or Runner.here()
        self.data = StudyData(arrays)
        self.schedule = schedule(self.plan, range(count), self.data, self.runner)
        self.pace, self.seconds = Pace(), 0.0

    @classmethod
    def from_toml(cls, plan="lab", folder=None, out=None, seeds=None, quick=False, split_seed=0, group_by=None,
                  cache=None, skip_unreadable=False, runner=None, progress=None):
        """A Study of a TOML plan ('lab', 'extras', 'photos' or a file) on a folder; left out, characters are drawn,
        with 12,000 of them to test on. Raises PlanError, FolderError, ImageError, OptionError."""
        from fastlab.study.folder import study_arrays
        told = read_plan(plan)
        told = told.quick() if quick else told
        arrays, source = study_arrays(told, folder, split_seed, group_by, cache, skip_unreadable, progress)
        return cls.of(told, arrays, out, seeds, quick, runner, source, plan)

    @classmethod
    def of(cls, told, arrays, out, seeds, quick, runner, source, plan):
        "A Study whose folder, where `out` is None, is named after plan and data; it never lies among the images."
        name = f"study-{Path(plan).stem}-{name_of(source)}" + ("-quick" if quick else "")
        return cls(told, arrays, place_for(out, name, arrays.root), seeds, quick, runner, source)

    @cached_property
    def store(self):
        return Store(self.out)

    @cached_property
    def gathered(self):
        "The finished runs, read once; `run` reads them anew."
        found = Gathered(self.plan, self.schedule, self.store, self.data)
        for key, result in found.results.items():
            self.pace.learn(found.schedule.by_key[key], result.seconds, len(next(iter(result.epochs.values()))))
        return found

    def run(self, jobs=None, minutes=None, retry=False, ray=None, show=True):
        """Does the runs that are missing, then writes tables and report. `jobs`: processes, one a core if left out, 0
        for this one; `minutes`: no run is started after so long; `retry`: failed runs are tried again; `ray`: an
        address, or 'here', to do them on a Ray cluster; `show`: progress on standard error. Returns the Study."""
        started = time.monotonic()
        jobs = joblib.cpu_count() if jobs is None else jobs
        if isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 0:
            raise OptionError(f"jobs: {jobs!r} is not a whole number of at least 0.")
        if minutes is not None and not minutes > 0:
            raise OptionError(f"minutes: {minutes!r} is not a number above 0.")
        self.__dict__.pop("gathered", None)
        if retry:
            for key in self.gathered.failed:
                self.store.forget_failure(key)
            del self.gathered
        missing = [self.schedule.by_key[key] for key in self.gathered.missing]
        self.runner.check(missing, len(self.data.arrays.classes))
        live = Live(self.schedule, max(jobs, 1) if ray is None else 0, self.pace) if show and missing else None
        if live:
            live.begin(self.gathered.results, self.gathered.failed)
        if missing:
            deadline = None if minutes is None else started + 60 * minutes
            self._carry(missing, jobs, ray, deadline, live)
            del self.gathered
        self.seconds = time.monotonic() - started
        self.write()
        return self

    def _carry(self, missing, jobs, ray, deadline, live):
        feed = Feed(missing, self.store, deadline)
        if ray is not None:
            from fastlab.study.cluster import carry_on_ray
            carried = carry_on_ray(feed, self.data.arrays, self.runner, ray, live and live.cluster)
        elif jobs == 0:
            carried = carry_here(feed, self.data.arrays, self.runner)
        else:
            carried = carry(feed, self.data.arrays, self.runner, jobs)
        try:
            for done in carried:
                if done.reason is None:
                    self.store.keep(done.run.key, done.content)
                    self.pace.learn(done.run, done.seconds)
                else:
                    self.store.fail(done.run.key, done.reason, done.run.told())
                feed.release(done.run.key)
                if live:
                    live.finished(done)
        finally:
            carried.close()
            feed.close()

    def write(self):
        "Writes results.csv, curves.csv, costs.csv, verdicts.json and the report, each whole or not at all."
        from fastlab.study.report.write import write_report
        with self.store.alone():
            tables = {"results.csv": as_csv(RESULTS, result_rows(self.gathered)),
                      "curves.csv": as_csv(("comparison", "variant", "seed", "epoch", *CURVES),
                                           curve_rows(self.gathered)),
                      "costs.csv": as_csv(COSTS, cost_rows(self.gathered)), "verdicts.json": as_json(self.verdicts)}
            for name, text in tables.items():
                write_text(self.out / name, text)
            write_report(self)

    @property
    def verdicts(self):
        "A Verdict for every claim of the plan, from the runs that are done."
        if getattr(self, "_decided", (None,))[0] is not self.gathered:
            self._decided = self.gathered, verdicts(self.gathered)
        return self._decided[1]

    @property
    def explained(self):
        "Whether the missing eval() alone explains a claim, for those decided under both ways of testing."
        return explained(self.verdicts, self.gathered)

    @property
    def results(self):
        "A tidy DataFrame, one row for each variant, seed, epoch with predictions, and way of testing."
        import pandas as pd
        return pd.DataFrame(result_rows(self.gathered), columns=RESULTS)

    @property
    def curves(self):
        "A tidy DataFrame, one row an epoch of every variant and seed."
        import pandas as pd
        return pd.DataFrame(curve_rows(self.gathered), columns=("comparison", "variant", "seed", "epoch", *CURVES))

    @property
    def failed(self):
        "{label and seed: reason} of the runs that failed."
        return {f"{run.label}, seed {run.seed}": self.gathered.failed[run.key]
                for run in self.schedule.runs if run.key in self.gathered.failed}
