"""The whole way from a folder to an answer: look, race, take parts away, train, read the test split once, write."""
import math
import time
from dataclasses import dataclass, field
from pathlib import Path

import joblib

from fastlab.errors import FolderError, OptionError
from fastlab.files import write_text
from fastlab.images.arrays import Arrays
from fastlab.images.place import name_of as folder_name
from fastlab.images.place import place_for
from fastlab.study.advise.bench import Bench
from fastlab.study.advise.budget import LEAST_RUNS, RunBudget, TimeBudget
from fastlab.study.advise.final import file_told, member_paths, name_of, networks, reading, say_tested, unchanged
from fastlab.study.advise.finals import Finals
from fastlab.study.advise.found import Found
from fastlab.study.advise.look import UNEQUAL, look_at
from fastlab.study.advise.notes import Notes
from fastlab.study.advise.race import Race
from fastlab.study.advise.recipefile import plan_toml, recipe_toml
from fastlab.study.advise.space import Space, described
from fastlab.study.advise.telling import Telling, headline
from fastlab.study.advise.trials import TrialRunner, Trials, folds_for, hidden
from fastlab.study.store import Store, check_free
from fastlab.training.writable import check_writable


@dataclass
class Advice:
    """What `advise` answers. `recipe`: to use; `accuracy`, `interval`, `n`: of the network that is handed over, on the
    test split; `gain`: points over the plain Recipe on test, with `gain_interval`; `models`: the networks' files;
    `page`: for people; `found`: how the answer came about; `seconds`: of all starts together; `stopped`:
    whether the search was cut short, when there is neither network nor test."""
    recipe: object
    found: Found
    looked: object
    race: object
    out: Path
    seconds: float
    models: tuple = ()
    told: dict = field(default_factory=dict)
    stopped: bool = False

    accuracy = property(lambda self: self.told.get("accuracy"))
    interval = property(lambda self: self.told.get("interval"))
    n = property(lambda self: self.told.get("n"))
    gain = property(lambda self: self.told.get("gain"))
    gain_interval = property(lambda self: self.told.get("gain_interval"))
    page = property(lambda self: self.out / "report.html")

    def to_dict(self):
        "In the words of `fastlab advise --json`."
        models = [str(path) for path in self.models]
        return {"recipe": self.recipe.to_dict(), "accuracy": self.accuracy, "interval": self.interval, "n": self.n,
                "gain": self.gain, "gain_interval": self.gain_interval, "gain_rounds": self.told.get("gain_rounds"),
                "model": models[0] if models else None, "models": models, "page": str(self.page),
                "recipe_file": str(self.out / "recipe.toml"), "plan_file": str(self.out / "plan.toml"),
                "seconds": round(self.seconds, 3), "runs": len(self.race.bench.log), "verdict": self.found.verdict,
                "sure": self.found.sure, "stopped": self.stopped, "parts": self.parts(),
                "folder": self.looked.to_dict()}

    def parts(self):
        "One dict a part of the race's winner; no interval where one round tells none."
        told = []
        for part in self.found.parts:
            there, kept = part.standing, part.kept and self.recipe != self.found.plain
            span = [there.low, there.high] if there is not None and math.isfinite(there.high) else None
            told.append({"part": part.name, "verdict": part.verdict, "kept": kept,
                         "difference": there and there.difference, "interval": span})
        return told


def advise(folder, minutes=20, runs=None, seed=0, jobs=None, out=None, save=None, ensemble=1, device="cpu",
           split_seed=0, group_by=None, cache=None, skip_unreadable=False, runner=None, show=True, finish=networks,
           begun=None):
    """Finds the Recipe that fits a folder (or an Arrays) within `minutes` of wall time, or within `runs` trainings,
    whatever they take; returns an Advice. The same call goes on where it was stopped; with `runs` the same call gives
    the same answer. `jobs`: processes, one a core if left out; `out`: folder of runs, page, Recipe, plan and network;
    `save`: another file for the network; `ensemble`: so many networks whose probabilities are averaged. `runner`,
    `finish`: who carries out runs and trains the networks, for tests; `begun`: a time.monotonic() from which the
    minutes count, this call's start if left out. Raises FastlabError; on Ctrl-C the best answer so far is written
    before KeyboardInterrupt goes on."""
    begun = time.monotonic() if begun is None else begun
    jobs = joblib.cpu_count() if jobs is None else jobs
    check_options(minutes, runs, seed, jobs, ensemble)
    root = folder.root if isinstance(folder, Arrays) else Path(folder)
    name = folder_name(root) if root else "arrays"
    out = place_for(out, f"advice-{name}", root)
    check_free(out)
    save, option = (Path(save), "--save") if save else (out / "model.safetensors", "--out")
    check_places(member_paths(save, ensemble), option, root)
    arrays = folder if isinstance(folder, Arrays) else Arrays.from_folder(
        folder, seed=split_seed, group_by=group_by, cache=cache, skip_unreadable=skip_unreadable)
    check_arrays(arrays)
    runner = runner or TrialRunner.here(device)
    blind = hidden(arrays)
    blind = blind.with_splits(**folds_for(blind, group_by))
    request = {"data": blind.digest, "folds": len(blind.splits), "minutes": None if runs else minutes, "runs": runs,
               "seed": seed, "ensemble": ensemble, "runner": [runner.path, runner.device, runner.capability],
               **({"group_by": group_by} if group_by else {})}
    bench = Bench(Trials(blind, runner, seed), Store(out), jobs)
    notes = Notes(out, request)
    budget = RunBudget(runs, bench) if runs else TimeBudget(minutes, bench, notes.seconds, begun)
    search = _Search(name, arrays, bench, notes, budget, Telling(budget, show, begun), out, seed, ensemble)
    return search.run(save, device, cache, finish)


class _Search:
    "One search at work."

    def __init__(self, name, arrays, bench, notes, budget, tell, out, seed, ensemble):
        self.arrays, self.bench, self.notes, self.budget, self.tell = arrays, bench, notes, budget, tell
        self.name, self.out, self.seed, self.ensemble = name, out, seed, ensemble
        self.looked = self.race = self.finals = None

    def run(self, save, device, cache, finish):
        try:
            found = self._found()
            self.bench.close()
            return self._written(found, self._read(found, save, device, cache, finish))
        except KeyboardInterrupt:
            self.tell.close()
            found = self.finals.so_far() if self.finals is not None else None
            if found is not None and self.notes.get(f"reading of {name_of(found.answer)}") is None:
                self.tell.lines(*headline(self._written(found, {}, stopped=True)))
            raise
        finally:
            self.bench.close()
            self.tell.close()

    def _read(self, found, save, device, cache, finish):
        """Trains the networks and reads the test split: once for a Recipe, as the notes keep what it said, also where
        its networks have to be made again, or are wanted elsewhere."""
        notes, name = self.notes, name_of(found.answer)
        wanted = [str(path) for path in member_paths(save, self.ensemble)]
        there = notes.get(f"files of {name}")
        if there and [path for path, _ in there] == wanted and all(unchanged(*one) for one in there):
            return notes.get(f"reading of {name}") | {"models": wanted}
        models, paths = finish(self.bench.trials.arrays, found.answer, self.seed, self.ensemble, save, device, cache,
                               notes, self.tell)
        told = notes.settle(f"reading of {name}", lambda: reading(models, self.arrays, found, self.bench))
        say_tested(models, paths, told, found.answer, notes)
        notes.note(f"files of {name}", [file_told(path) for path in paths])
        return told | {"models": [str(path) for path in paths]}

    @property
    def seconds(self):
        return self.tell.seconds()

    def _found(self):
        self.tell("looking", None)
        self.looked = look_at(self.bench, len(self.arrays.splits["test"]))
        space = Space(self.looked.size, self.looked.symmetric, self.looked.unequal >= UNEQUAL, self.looked.train)
        self.race = Race(space, self.bench, self.budget, self.notes, self.seed, self.tell)
        self.finals = Finals(self.race)
        self.race.run()
        return self.finals.run(self.ensemble)

    def _written(self, found, told, stopped=False):
        from fastlab.study.advise.page import write_page
        advice = Advice(found.answer, found, self.looked, self.race, self.out, self.seconds,
                        tuple(map(Path, told.get("models", ()))), told, stopped)
        words = [f"fastlab's advice for {self.name}: {described(found.answer, found.plain)}"]
        write_text(self.out / "recipe.toml", recipe_toml(found.answer, words))
        write_text(self.out / "plan.toml", plan_toml(self.name, found.plain, found.answer, round(found.region, 2),
                                                     found.winner, self.seed))
        write_page(advice, self.name)
        self.notes.write(self.seconds)
        return advice


def check_options(minutes, runs, seed, jobs, ensemble):
    "Raises OptionError for an option outside its rule."
    if runs is None and (isinstance(minutes, bool) or not isinstance(minutes, int | float) or not 0 < minutes < 1e6):
        raise OptionError(f"minutes: {minutes!r} is not a number above 0.")
    for name, number, least in (("runs", runs, LEAST_RUNS), ("jobs", jobs, 0), ("ensemble", ensemble, 1),
                                ("seed", seed, 0)):
        if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < least):
            raise OptionError(f"{name}: {number!r} is not a whole number of at least {least}.")


def check_places(paths, option, root):
    "Raises OptionError for a file that cannot be written, or would be read as an image of the folder `root`."
    from fastlab.training.choices import check_not_among_images  # it imports torch, which takes of the minutes
    for path in paths:
        check_writable(path, option)
        check_not_among_images(path, root)


def check_arrays(arrays):
    "Raises FolderError or OptionError where a folder cannot be advised on."
    for split in ("train", "develop", "test"):
        if not len(arrays.splits.get(split, ())):
            raise FolderError(f"{arrays.root or 'arrays'}: there is no {split} split, and advice needs train, develop "
                              "and test. Give a folder with all three, or one of plain class folders, which is split.")
    if arrays.size[0] != arrays.size[1]:
        raise OptionError("size: the images are not square, and the networks take square ones.")

