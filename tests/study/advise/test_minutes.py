"""A search by the clock, on a clock that is made up: every training takes what it would take on one processor."""
import heapq
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import planted_runner
import pytest
from quick_search import labelled

from fastlab.images.arrays import Arrays
from fastlab.recipeoptions import recipe_from
from fastlab.study.advise import advise, command
from fastlab.study.advise.finals import Finals
from fastlab.study.advise.race import SCREENING, TOO_SLOW
from fastlab.study.advise.space import PLAIN
from fastlab.study.advise.telling import headline
from fastlab.study.advise.trials import TrialRunner
from fastlab.study.carry import Done
from fastlab.training.result import Result

SECONDS = {"lenet": 1.9e-4, "lenet-classic": 1.5e-4, "alexnet": 1.25e-3, "alexnet2012": 2e-2}  # an image and epoch


class MadeUpClock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    "time.monotonic, moved on by every training: slower ones for larger networks, and none as quick as expected."
    clock = MadeUpClock()
    monkeypatch.setattr(time, "monotonic", clock)

    def pays(arrays, recipe, seed, marks=()):
        result = planted_runner.trained(arrays, recipe, seed, "pays")
        epoch = len(arrays.splits["train"]) * SECONDS[recipe.net] * recipe.width ** 1.6
        epoch *= 1.2 if recipe.augment == "handwriting" else 1.0
        seconds = 0.4 + recipe.epochs * epoch
        clock.now += seconds + 0.05
        figures = {**result.epochs, "seconds": np.full(recipe.epochs, epoch)}
        return Result(figures, result.marks, result.machine, seconds)

    monkeypatch.setattr(planted_runner, "pays", pays)
    return clock


def search(clock, out, minutes, monkeypatch, images=5857, folder=None, jobs=0, **options):
    "(seconds on the clock, Advice)"
    def finish(arrays, recipe, seed, ensemble, path, device, cache, notes, tell):
        trained = arrays.with_splits(train=np.concatenate([arrays.splits["train"], arrays.splits["develop"]]))
        for number in range(ensemble):
            planted_runner.pays(trained, recipe, number)
        clock.now += 8  # imports, test, page
        return [], []

    monkeypatch.setattr("fastlab.study.advise.advising.reading", lambda *given: {
        "accuracy": 0.9, "interval": [0.8, 0.95], "n": 100, "gain": 0.0, "gain_interval": [0.0, 0.0], "gain_rounds": 0,
        "alone": []})
    begun = clock.now
    advice = advise(folder or labelled(images), minutes, jobs=jobs, out=out, show=False,
                    runner=TrialRunner("planted_runner:pays"), **{"finish": finish, **options})
    return clock.now - begun, advice


@pytest.mark.parametrize(("minutes", "ensemble"), [(20, 1), (40, 3), (5, 1)])
def test_a_search_keeps_to_its_minutes(clock, tmp_path, monkeypatch, minutes, ensemble):
    seconds, advice = search(clock, tmp_path / "out", minutes, monkeypatch, ensemble=ensemble)
    assert 0.9 * 60 * minutes <= seconds <= 1.1 * 60 * minutes
    assert advice.recipe.augment == "handwriting"
    assert len(advice.found.rounds) >= 3


def test_other_work_that_begins_on_the_machine_leaves_time_for_the_last_stage(clock, tmp_path, monkeypatch):
    count, quick = SimpleNamespace(done=0), planted_runner.pays

    def slower(arrays, recipe, seed, marks=()):
        result = quick(arrays, recipe, seed, marks)
        count.done += 1
        if not 4 < count.done <= 30:
            return result
        clock.now += 2 * result.seconds     # three times as long for a while
        figures = {**result.epochs, "seconds": 3 * result.epochs["seconds"]}
        return Result(figures, result.marks, result.machine, 3 * result.seconds)

    monkeypatch.setattr(planted_runner, "pays", slower)
    seconds, advice = search(clock, tmp_path / "out", 20, monkeypatch)
    assert 0.9 * 1200 <= seconds <= 1.1 * 1200
    assert advice.recipe.augment == "handwriting"
    assert len(advice.found.rounds) >= 4
    assert advice.found.sure


def test_a_search_that_goes_on_counts_the_minutes_of_its_first_start(clock, tmp_path, monkeypatch):
    whole, count, slow = 20 * 60, SimpleNamespace(left=25), planted_runner.pays

    def stops(arrays, recipe, seed, marks=()):
        count.left -= 1
        if not count.left:
            raise KeyboardInterrupt
        return slow(arrays, recipe, seed, marks)

    monkeypatch.setattr(planted_runner, "pays", stops)
    begun = clock.now
    with pytest.raises(KeyboardInterrupt):
        search(clock, tmp_path / "out", 20, monkeypatch)
    first = clock.now - begun
    monkeypatch.setattr(planted_runner, "pays", slow)
    clock.now += 5000  # nobody's time
    second, advice = search(clock, tmp_path / "out", 20, monkeypatch)
    assert 60 < first < whole
    assert 0.9 * whole <= first + second <= 1.1 * whole
    assert advice.recipe.augment == "handwriting"
    assert advice.seconds == pytest.approx(first + second, rel=0.02)


def test_a_folder_that_is_too_large_for_its_minutes_still_gets_an_answer(clock, tmp_path, monkeypatch):
    seconds, advice = search(clock, tmp_path / "out", 2, monkeypatch, images=40_000)
    assert advice.recipe is not None
    assert seconds <= 3 * 60
    assert not advice.found.sure


def test_where_the_time_holds_no_round_the_plain_recipe_is_handed_over_and_nothing_is_claimed(clock, tmp_path,
                                                                                                 monkeypatch):
    _, advice = search(clock, tmp_path / "out", 0.1, monkeypatch, images=40_000)
    assert advice.recipe == advice.found.plain
    assert advice.found.against_plain is None
    assert not any(fate.why.startswith("won") for fate in advice.race.fates.values())
    assert headline(advice)[2].startswith("Nothing is sure")


def told(advice):
    return {name: one for name, one in advice.to_dict().items() if name != "seconds"}


def test_a_finished_search_given_again_says_the_same_though_its_minutes_are_used_up(clock, tmp_path, monkeypatch):
    _, first = search(clock, tmp_path / "out", 20, monkeypatch)
    assert len(first.found.rounds) > 3
    work = {recipe: SECONDS[recipe.net] * recipe.width ** 1.6 for recipe in first.race.fates}
    slow = [work[recipe] for recipe, fate in first.race.fates.items() if fate.why == TOO_SLOW]
    went_on = [work[recipe] for recipe, fate in first.race.fates.items() if fate.stage != SCREENING]
    assert min(slow) > max(went_on)     # and not because others were ahead
    clock.now += 5000
    _, again = search(clock, tmp_path / "out", 20, monkeypatch)
    assert again.found == first.found
    assert told(again) == told(first)


def test_stopped_in_the_last_training_it_hands_over_the_recipe_that_it_goes_on_with(clock, tmp_path, monkeypatch):
    def stops(*given):
        clock.now += 150
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(clock, tmp_path / "out", 20, monkeypatch, finish=stops)
    left = recipe_from({}, file=tmp_path / "out" / "recipe.toml")
    _, advice = search(clock, tmp_path / "out", 20, monkeypatch)
    assert advice.found.answer != advice.found.winner   # parts were taken away
    assert left == advice.recipe


def test_what_comes_before_the_search_is_part_of_its_minutes(clock, tmp_path, monkeypatch):
    def decoded(*given, **options):
        clock.now += 100
        return labelled(2000)

    monkeypatch.setattr(Arrays, "from_folder", decoded)
    seconds, advice = search(clock, tmp_path / "out", 5, monkeypatch, folder=str(tmp_path / "images"))
    assert 0.8 * 300 <= seconds <= 1.1 * 300
    assert advice.seconds == pytest.approx(seconds, abs=1)


def test_the_command_counts_from_its_first_line(clock, monkeypatch):
    seen = {}

    def drawn(folder, say):
        clock.now += 60
        return folder

    def advised(*given, **options):
        seen.update(options)
        raise KeyboardInterrupt

    monkeypatch.setattr("fastlab.strokes.dataset.named_or_default", drawn)
    monkeypatch.setattr(command, "advise", advised)
    with pytest.raises(KeyboardInterrupt):
        command.advise_command(SimpleNamespace(say=None))
    assert seen["begun"] == clock.now - 60


@pytest.fixture
def processes(clock, monkeypatch):
    "A machine with as many processors as processes: trials that are under way together take the time of the longest."
    def carried(runs, arrays, runner, jobs):
        under_way, ended, count = [], False, 0
        while True:
            paused = False
            while not ended and not paused and len(under_way) < jobs:
                run = next(runs, carried)
                ended, paused = run is carried, run is None
                if not ended and not paused:
                    begun, count = clock.now, count + 1
                    content = runner.carry_out(arrays, run)
                    heapq.heappush(under_way, (clock.now, count, Done(run, content, None, clock.now - begun)))
                    clock.now = begun
            if not under_way:
                return
            end, _, done = heapq.heappop(under_way)
            clock.now = max(clock.now, end)
            yield done

    monkeypatch.setattr("fastlab.study.advise.bench.carry", carried)


@pytest.mark.parametrize(("minutes", "images", "ensemble"), [(3, 5857, 1), (10, 20_000, 3)])
def test_many_processes_keep_to_the_minutes_and_still_compare(clock, processes, tmp_path, monkeypatch, minutes, images,
                                                               ensemble):
    seconds, advice = search(clock, tmp_path / "out", minutes, monkeypatch, images, jobs=16, ensemble=ensemble)
    assert 0.85 * 60 * minutes <= seconds <= 1.1 * 60 * minutes
    assert len(advice.found.rounds) >= 3


@pytest.mark.parametrize(("ensemble", "epochs"), [(1, 20), (3, 12), (9, 8)])
def test_the_plain_recipe_in_full_is_trained_once_for_every_network_of_an_ensemble(ensemble, epochs):
    "60 seconds for networks of a second an epoch, each counted 1.4 times."
    budget = SimpleNamespace(left=lambda: 100.0, processes=2, final=10.0, cost=lambda recipe: recipe.epochs)
    finals = Finals(SimpleNamespace(bench=None, budget=budget))
    finals.plain, finals.ensemble = PLAIN.changed(epochs=8), ensemble
    assert finals._plain_in_full() == epochs


def test_torch_is_imported_within_the_minutes():
    code = "import sys, fastlab.study.advise.command; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
