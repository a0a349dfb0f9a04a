"""Folders with fewer classes than a comparison takes: it is left out, and said."""
from dataclasses import replace

import pytest
from made_up_study import made_up_arrays

from fastlab.errors import OptionError
from fastlab.study.planfile import read_plan
from fastlab.study.study import Study


@pytest.mark.parametrize("classes", [2, 4])
def test_a_folder_with_few_classes_leaves_out_what_takes_only_some_of_them(fake, tmp_path, classes):
    plan = read_plan("lab")
    study = Study(plan, made_up_arrays(classes=classes), tmp_path / "study", seeds=1, runner=fake)
    gone = {claim.says for claim in plan.claims} - {claim.says for claim in study.plan.claims}
    assert {one.name for one in plan.comparisons} - {one.name for one in study.plan.comparisons} == {"i"}
    assert gone == {"BatchNorm pays more on a larger problem: 12 classes rather than 4"}
    note = f"Comparison 'i' is left out: it takes some classes only, and the folder has just {classes} in all."
    assert study.data.arrays.notes == (note,)
    assert all(run.classes is None for run in study.schedule.runs)


def test_a_folder_with_enough_classes_keeps_the_whole_plan(fake, tmp_path):
    plan = read_plan("lab")
    study = Study(plan, made_up_arrays(classes=5), tmp_path / "study", seeds=1, runner=fake)
    assert study.plan == plan
    assert study.data.arrays.notes == ()


def test_a_plan_of_which_nothing_is_left_is_a_mistake(fake, tmp_path):
    plan = read_plan("lab")
    only = replace(plan, comparisons=tuple(one for one in plan.comparisons if one.name == "i"))
    with pytest.raises(OptionError, match="none of its comparisons can be made"):
        Study(only, made_up_arrays(classes=3), tmp_path / "study", seeds=1, runner=fake)
