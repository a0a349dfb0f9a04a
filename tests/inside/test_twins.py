"""Twins: trained alike from the same start, on images of their split alone, and told honestly."""
import numpy as np
import pytest
import torch

from fastlab.inside import twins
from fastlab.inside.twins import Plan, evenly, plan_for, trained_twin
from fastlab.inside.unpooled import Subsample, unpool
from fastlab.training.recipe import Recipe

RECIPE = Recipe(lr=3e-3, dropout=0.0, precision="fp32")


def test_the_plan_is_what_the_work_allows(shape_arrays, monkeypatch):
    monkeypatch.setattr(twins, "WORK", 3 * 10 * 1440)
    monkeypatch.setattr(twins, "LEAST_STEPS", 2)
    plan = plan_for(shape_arrays, RECIPE, 10)       # 1,440 images may be seen, of 72
    assert plan == Plan(72, 20, 64)
    assert plan.steps == 40
    assert plan.text == "72 images, 20 epochs, 40 steps"
    assert plan_for(shape_arrays, RECIPE, 10_000) is None
    assert plan_for(shape_arrays.with_splits(train=np.arange(0)), RECIPE, 10) is None
    assert plan_for(shape_arrays.with_splits(develop=np.arange(0)), RECIPE, 10) is None


def test_twins_learn_and_leave_the_random_numbers_alone(shape_arrays):
    plan = Plan(72, 6, 24)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    twin = trained_twin(shape_arrays, RECIPE, plan)
    again = trained_twin(shape_arrays, RECIPE, plan)
    assert torch.equal(torch.get_rng_state(), before)
    assert twin.accuracy > 0.5      # of four classes
    assert twin.n == 24
    assert all(torch.equal(one, other) for one, other in zip(twin.net.parameters(), again.net.parameters()))
    assert not twin.net.training


def test_twins_begin_alike_and_differ_in_the_one_thing(shape_arrays):
    plan, starts = Plan(8, 1, 8), []

    def noted(net):
        starts.append({name: tensor.clone() for name, tensor in net.named_parameters()})
        return unpool(net) if len(starts) == 2 else 0
    with_pools, without = (trained_twin(shape_arrays, RECIPE, plan, change=noted) for _ in range(2))
    assert all(torch.equal(tensor, starts[1][name]) for name, tensor in starts[0].items())
    assert not any(isinstance(part, Subsample) for part in with_pools.net.modules())
    assert sum(isinstance(part, Subsample) for part in without.net.modules()) == 2


@pytest.mark.parametrize(("count", "expected"), [(4, [0, 3, 6, 9]), (10, list(range(10))), (99, list(range(10)))])
def test_rows_are_taken_evenly(count, expected):
    assert evenly(np.arange(10), count).tolist() == expected
