"""Epochs that are frozen, and the time that runs take: plans with `freeze` are planned, hurried and carried out."""
from dataclasses import replace

import pytest

from fastlab.errors import PlanError
from fastlab.study.command import planned
from fastlab.study.pace import Pace, tried
from fastlab.study.planfile import plan_from
from fastlab.study.runner import REAL, Runner
from fastlab.study.study import Study
from fastlab.study.tomllines import PlanText

PLAN = """
seeds = 2
[recipe]
norm = "none"
epochs = 40
freeze = 12
[variants]
plain = {}
long = { freeze = 30 }
short = { epochs = 14, freeze = 14 }
[[comparison]]
name = "1"
baseline = "plain"
variants = ["long", "short"]
[[comparison.claim]]
says = "Longer is worse"
is = "less accurate"
[[comparison]]
name = "2"
change = { epochs = 60 }
baseline = "plain"
variants = ["long"]
"""


def test_a_plan_with_frozen_epochs_is_planned_and_carried_out(arrays, fake, tmp_path, no_pictures):
    made = Study(plan_from(PlanText(PLAN)), arrays, tmp_path / "study", runner=fake)
    assert planned(made)["missing"] == 6
    done = made.run(0, show=False)
    assert not done.failed
    assert {run.recipe.freeze for run in done.schedule.runs} == {12, 14, 30}
    assert done.verdicts[0].n == 2


@pytest.mark.parametrize(("quick", "expected"), [
    ("", [(12, 12), (12, 12), (4, 4), (18, 12), (18, 18)]),
    ("[quick]\nepochs = 5\n", [(5, 5), (5, 5), (4, 4), (18, 5), (18, 18)]),
    ("[quick]\nfreeze = 1\n", [(12, 1), (12, 12), (4, 4), (18, 1), (18, 18)])])
def test_a_quick_look_freezes_no_more_epochs_than_it_has(quick, expected):
    plan = plan_from(PlanText(PLAN + quick)).quick()
    recipes = [plan.recipe_of(one, variant) for one in plan.comparisons for variant in one.everyone]
    assert [(recipe.epochs, recipe.freeze) for recipe in recipes] == expected


@pytest.mark.parametrize(("old", "new", "words"), [
    ("freeze = 12", "freeze = 41", "line 3: freeze: 41 is more than the 40 epochs"),
    ("freeze = 12", 'freeze = "a"', "line 6: freeze: 'a' is not a whole number"),
    ("{ freeze = 30 }", "{ freeze = 50 }", "line 9: the variant 'long' in the comparison '1': freeze: 50 is more"),
    ("[[comparison]]\nname = \"1\"", "[quick]\nepochs = 4\nfreeze = 5\n[[comparison]]\nname = \"1\"",
     "line 11: the quick look: freeze: 5 is more than the 4 epochs")])
def test_too_many_frozen_epochs_are_named_with_their_line(old, new, words):
    assert old in PLAN
    with pytest.raises(PlanError, match=words):
        plan_from(PlanText(PLAN.replace(old, new, 1), "my.toml"))


def test_runs_that_differ_in_seed_and_epochs_alone_are_of_one_group(arrays, fake, tmp_path):
    runs = Study(plan_from(PlanText(PLAN)), arrays, tmp_path / "study", runner=fake).schedule.runs
    groups = {(run.label, run.group) for run in runs}
    assert len(groups) == len({group for _, group in groups}) == 3
    assert replace(runs[0], recipe=runs[0].recipe.changed(epochs=99)).group == runs[0].group
    assert replace(runs[0], recipe=runs[0].recipe.changed(lr=0.5)).group != runs[0].group


def test_time_is_tried_on_the_device_that_the_runs_are_done_on(arrays, fake, tmp_path):
    made = Study(plan_from(PlanText(PLAN)), arrays, tmp_path / "study", seeds=1, runner=fake)
    asked, runner = [], Runner(REAL, "cuda")
    runner.__dict__["function"] = lambda arrays, recipe, seed, **options: asked.append((recipe.epochs, options))
    tried(made.schedule.runs, made.data, runner, Pace())
    assert asked == [(1, {"device": "cuda"}), (2, {"device": "cuda"})] * 3
