"""A search by the clock, on a clock that is made up: every training takes what it would take on one processor."""
import time
from types import SimpleNamespace

import numpy as np
import planted_runner
import pytest
from quick_search import labelled

from fastlab.study.advise import advise
from fastlab.study.advise.telling import headline
from fastlab.study.advise.trials import TrialRunner
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


def search(clock, out, minutes, monkeypatch, images=5857, **options):
    "(seconds on the clock, Advice)"
    def finish(arrays, recipe, seed, ensemble, path, device, cache, notes, tell):
        trained = arrays.with_splits(train=np.concatenate([arrays.splits["train"], arrays.splits["develop"]]))
        for number in range(ensemble):
            planted_runner.pays(trained, recipe, number)
        clock.now += 8  # imports, test, page
        return [], []

    monkeypatch.setattr("fastlab.study.advise.advising.reading", lambda *given: {
        "accuracy": 0.9, "interval": [0.8, 0.95], "n": 100, "gain": 0.0, "gain_interval": [0.0, 0.0], "gain_rounds": 0})
    begun = clock.now
    advice = advise(labelled(images), minutes, jobs=0, out=out, show=False, finish=finish,
                    runner=TrialRunner("planted_runner:pays"), **options)
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
    assert headline(advice)[2].startswith("Nothing is sure")
