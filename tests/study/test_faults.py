"""Failed runs, dying processes, other orders, clocks that jump, foreign places: a study says so and loses nothing."""
import os
import re
import subprocess
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from made_up_study import tables

from fastlab.errors import OptionError, StorageError
from fastlab.study import carry as carrying
from fastlab.study.feed import Feed
from fastlab.study.store import Store
from fastlab.study.study import Study

pytestmark = pytest.mark.usefixtures("no_pictures")


def test_another_order_changes_no_byte(study, whole):
    made = study("backwards")
    missing = [made.schedule.by_key[key] for key in reversed(made.gathered.missing)]
    made._carry(missing, 0, None, None, None)
    assert tables(study("backwards").run(0, show=False)) == whole


@pytest.mark.parametrize("jobs", [1, 2])
def test_processes_give_the_same_bytes(study, whole, jobs):
    "fastai's own training in many processes fails on a CPU; a study puts whole runs into them."
    assert tables(study(f"{jobs} jobs").run(jobs, show=False)) == whole


def test_a_clock_that_jumps_changes_nothing(study, whole, monkeypatch, log):
    done = study().run(0, show=False)
    for number, path in enumerate(sorted(done.out.rglob("*"))):
        os.utime(path, (0, 0) if number % 2 else (4e9, 4e9))
    jumps = iter(range(10 ** 9, 0, -10 ** 6))
    monkeypatch.setattr(time, "time", lambda: float(next(jumps)))
    before = len(log())
    assert tables(study().run(0, show=False)) == whole
    assert len(log()) == before
    assert tables(study("backwards in time").run(0, show=False)) == whole


def test_failed_runs_are_named_never_done_and_tried_again_only_when_asked(study, whole, monkeypatch, log):
    monkeypatch.setenv("FAKE_FAILS", "0.001")
    failed = study().run(0, show=False)
    assert failed.failed == {f"L1, seed {seed}": "the loss is not finite in epoch 3 (made up)." for seed in (0, 1)}
    assert len(failed.gathered.results) == 6
    report = (failed.out / "report.html").read_text("utf-8")
    assert "2 runs failed and count for nothing" in report
    assert report.count("the loss is not finite in epoch 3 (made up).") == 2
    assert "**Failed: L1, seed 1: the loss is not finite" in (failed.out / "report.md").read_text("utf-8")
    verdict = failed.verdicts[0]
    assert (verdict.claim.variant, verdict.verdict, verdict.n) == ("L1", "undecided", 0)
    assert "no seed has all the runs" in verdict.note
    monkeypatch.delenv("FAKE_FAILS")
    before = len(log())
    assert study().run(0, show=False).failed  # not by itself
    assert len(log()) == before
    mended = study().run(0, retry=True, show=False)
    assert not mended.failed
    assert len(log()) == before + 2
    assert tables(mended) == whole


def test_where_some_seeds_failed_the_verdict_says_how_many_are_left(small_plan, arrays, fake, tmp_path):
    made = Study(small_plan, arrays, tmp_path / "study", seeds=6, runner=fake)
    for key in made.schedule.keys["1", "L1", 4]:
        made.store.fail(key, "its process died", {})
    made.run(0, show=False)
    verdict = made.verdicts[0]
    assert verdict.n == 5
    assert "5 of 6 seeds" in verdict.note
    assert list(made.failed) == ["L1, seed 4"]


def test_a_run_that_kills_its_process_is_found_and_the_others_are_done(study, monkeypatch):
    monkeypatch.setenv("FAKE_DIES", "0.001")
    done = study().run(2, show=False)
    assert set(done.failed) == {"L1, seed 0", "L1, seed 1"}
    assert all("its process died" in reason for reason in done.failed.values())
    assert len(done.gathered.results) == 6


def test_an_error_that_is_no_user_s_mistake_fails_its_run_and_no_other(study, monkeypatch, fake):
    real = carrying.work

    def odd(folder, run, runner):
        if run.recipe.l1:
            raise ZeroDivisionError("float division by zero")
        return real(folder, run, runner)

    monkeypatch.setattr(carrying, "work", odd)
    done = study().run(1, show=False)
    assert set(done.failed.values()) == {"ZeroDivisionError: float division by zero"}


def test_the_feed_hands_out_each_run_once_and_takes_over_what_another_left(study, tmp_path):
    runs = study().schedule.runs
    one, other = (Feed(runs, Store(tmp_path / "shared")) for _ in range(2))
    mine = [next(one) for _ in range(3)]
    theirs = [next(other) for _ in range(5)]
    assert {run.key for run in mine} | {run.key for run in theirs} == {run.key for run in runs}
    assert next(other) is None  # all that is left is being done by the other one
    one.close()
    assert {next(other).key for _ in range(3)} == {run.key for run in mine}
    with pytest.raises(StopIteration):
        next(other)


@pytest.mark.parametrize(("make", "words"), [
    (lambda place: place.write_text("a file"), "this is a file. Name a folder"),
    (lambda place: (place.mkdir(), (place / "thesis.tex").write_text("mine")), "holds other things, and no study")])
def test_a_place_that_is_not_a_study_s_is_refused_and_left_alone(small_plan, arrays, fake, tmp_path, make, words):
    make(tmp_path / "out")
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    with pytest.raises(StorageError, match=words):
        Study(small_plan, arrays, tmp_path / "out", runner=fake)
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_looking_at_a_study_that_was_not_begun_writes_nothing(study, tmp_path):
    made = study("not begun")
    assert len(made.gathered.missing) == 8
    assert {one.verdict for one in made.verdicts} == {"undecided"}
    assert not made.out.exists()


@pytest.mark.parametrize(("options", "words"), [
    ({"seeds": 0}, "seeds: 0 is not a whole number of at least 1"), ({"seeds": True}, "seeds: True"),
    ({"seeds": 1001}, "seeds: 1000 is not between 0 and 999")])
def test_seeds_outside_their_rule(small_plan, arrays, fake, tmp_path, options, words):
    with pytest.raises(OptionError, match=words):
        Study(small_plan, arrays, tmp_path / "out", runner=fake, **options)


@pytest.mark.parametrize(("options", "words"), [
    ({"jobs": -1}, "jobs: -1 is not a whole number"), ({"jobs": 1.5}, "jobs: 1.5"),
    ({"minutes": 0}, "minutes: 0 is not"),
    ({"minutes": float("nan")}, "minutes: nan is not")])
def test_options_outside_their_rule(study, options, words):
    with pytest.raises(OptionError, match=re.escape(words)):
        study().run(show=False, **options)


def test_this_process_imported_no_torch_for_any_of_it(tmp_path):
    code = ("import sys, made_up_study\nfrom fastlab.study.runner import Runner\nfrom fastlab import Study\n"
            f"Study(made_up_study.small_plan(), made_up_study.made_up_arrays(), {str(tmp_path / 'out')!r}, seeds=1,\n"
            "      runner=Runner('fake_runner:carry_out')).run(0, show=False).results\n"
            "sys.exit('torch' in sys.modules)")
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parent).returncode == 0


def test_a_run_handed_to_processes_that_are_just_dying_is_done_all_the_same(study, monkeypatch):
    submit, handed = carrying.ProcessPoolExecutor.submit, []

    def dying(pool, *told):
        handed.append(told)
        if len(handed) in (2, 3):
            raise BrokenProcessPool("a process of this pool has died")
        return submit(pool, *told)
    monkeypatch.setattr(carrying.ProcessPoolExecutor, "submit", dying)
    done = study().run(2, show=False)
    assert not done.failed
    assert not done.gathered.missing
    assert len(done.gathered.results) == 8
