"""Which Recipes are tried, and how parts come and go."""
import pytest

from fastlab.errors import OptionError
from fastlab.study.advise.space import LEAST_SIZE, PLAIN, Space, complexity, described, parts_of, without
from fastlab.training.recipe import Recipe


def test_the_plain_recipe_comes_first_and_what_usually_pays_soon_after():
    found = Space(28).candidates(0, 40)
    assert found[0] == PLAIN == Recipe()
    assert len(set(found)) == len(found) == 40
    assert any(one.augment == "handwriting" and one.schedule == "one-cycle" and one.net == "lenet" for one in found[:6])
    assert any(one.net == "alexnet" for one in found[:6])


def test_more_candidates_begin_with_the_same_ones_and_another_seed_draws_others():
    assert Space(28).candidates(3, 40)[:12] == Space(28).candidates(3, 12)
    assert Space(28).candidates(3, 40) != Space(28).candidates(4, 40)


@pytest.mark.parametrize("seed", range(4))
def test_every_field_that_an_issue_may_turn_is_turned_by_some_candidate(seed):
    found = Space(64, symmetric=True, unequal=True).candidates(seed, 200)
    for name, least in {"net": 3, "norm": 2, "dropout": 3, "augment": 4, "optimizer": 3, "lr": 4, "batch_size": 3,
                        "schedule": 2, "l1": 2, "l2": 2, "decay": 3, "class_weights": 2, "width": 2}.items():
        assert len({getattr(one, name) for one in found}) >= least, name


def test_mirroring_and_class_weights_are_tried_only_where_the_folder_asks_for_them():
    plain = Space(28).candidates(0, 200)
    assert not any(one.augment == "crop+mirror" or one.class_weights != "none" for one in plain)
    assert any(one.augment == "crop+mirror" for one in Space(28, symmetric=True).candidates(0, 12))


def test_batches_leave_an_epoch_enough_steps():
    assert all(one.batch_size in (16, 64) for one in Space(28, images=200).candidates(0, 100))


@pytest.mark.parametrize("net", LEAST_SIZE)
def test_the_least_sizes_are_the_networks_own(net):
    from fastlab.nets import build
    build(net, 3, 1, LEAST_SIZE[net])
    with pytest.raises(OptionError):
        build(net, 3, 1, LEAST_SIZE[net] - 1)


@pytest.mark.parametrize("seed", range(5))
def test_without_all_of_its_parts_a_recipe_is_the_plain_one(seed):
    for recipe in Space(64, True, True).candidates(seed, 60):
        recipe = recipe.changed(epochs=30)
        parts = parts_of(recipe)
        assert without(recipe, parts) == PLAIN
        for part in parts:
            left = without(recipe, [part])
            assert set(parts_of(left)) < set(parts)
            assert complexity(left) < complexity(recipe)
            left.resolved(1, 64)


def test_the_rate_keeps_its_proportion_when_the_optimizer_goes():
    fast = Recipe(optimizer="sgd", lr=0.1, l2=1e-4)
    assert without(fast, ["optimizer"]) == Recipe(lr=0.01, l2=1e-4)
    assert without(Recipe(optimizer="adamw", decay=0.1), ["optimizer"]) == Recipe()
    assert without(fast, ["rate"]) == Recipe(optimizer="sgd", l2=1e-4)


def test_what_a_network_has_anyway_is_no_part():
    recipe = Recipe(net="alexnet", norm="batch", augment="crop")
    assert parts_of(without(recipe, ["network"])) == ("augmentation",)


def test_recipes_are_told_by_how_they_differ():
    assert described(PLAIN) == "the plain Recipe"
    assert described(Recipe(net="alexnet", augment="handwriting", schedule="one-cycle", lr=3e-3, epochs=30)) == \
        "the reduced AlexNet, augmentation handwriting, schedule one-cycle, rate 0.003, 30 epochs"


def test_a_network_of_several_times_the_work_is_no_simpler_than_a_part_more():
    heavy = PLAIN.changed(net="alexnet", augment="crop", schedule="one-cycle", lr=3e-3)
    light = PLAIN.changed(dropout=0.25, augment="handwriting", schedule="one-cycle", optimizer="adamw", decay=0.1)
    assert len(parts_of(heavy)) == len(parts_of(light)) == 4
    assert complexity(light) < complexity(heavy)
    assert complexity(light.changed(lr=1e-2)) < complexity(heavy)
    assert complexity(PLAIN.changed(net="lenet-classic")) < complexity(light)
