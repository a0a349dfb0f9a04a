"""A Recipe: frozen, comparable, the same after JSON and TOML; every mistake names its field."""
import json
import tomllib
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from fastlab.errors import OptionError
from fastlab.nets.registry import NETS, own_switches
from fastlab.training.recipe import OWN_SWITCHES, RATES, WORDS, Recipe

OTHER = {"net": "alexnet2012", "norm": "batch", "dropout": 0.25, "lrn": "paper", "width": 0.5, "weights": "a",
         "switches": {"order": "pool-norm", "grouped": True, "padding": 2}, "freeze": 1, "epochs": 7, "batch_size": 9,
         "optimizer": "sgd", "lr": 0.02, "momentum": 0.5, "schedule": "plateau", "l1": 1e-3, "l1_form": "proximal",
         "l2": 5e-4, "decay": 0.0, "augment": "crop", "class_weights": "balanced", "on": "total_train", "size": 64,
         "crop": 56, "channels": 3, "precision": "bf16"}
NUMBER = [float("nan"), float("inf"), -1, -1e-9, "1", True, [1], 10 ** 400]
WHOLE = [0, -3, 2.5, 2.0, "2", True, float("nan")]
WRONG = {"net": [None, "", 5], "weights": [5, b"a"], "lr": [*NUMBER, 0], "width": [*NUMBER, 0, None],
         "l1": [*NUMBER, None], "l2": [*NUMBER, None], "decay": [*NUMBER, None], "momentum": [*NUMBER, 1, None],
         "dropout": [*NUMBER, 1, 1.5], "epochs": [*WHOLE, None], "batch_size": [*WHOLE, None], "size": WHOLE,
         "crop": WHOLE, "channels": [0, 2, 4, "3"], "freeze": [-1, 0.5, "1", True, None, 21],
         "switches": [5, "ab", [1], {1: 2}, {"order": None}, {"order": [1]}, {"padding": float("nan")}],
         **{name: ["", "nope", 5, []] for name in WORDS}}


def test_every_field_survives_json():
    recipe = Recipe(**OTHER)
    assert all(getattr(recipe, name) != getattr(Recipe(), name) for name in OTHER if name != "decay")
    for each in (recipe, Recipe(), Recipe(optimizer="adamw", decay=0.1), Recipe.for_net("alexnet2012")):
        assert Recipe.from_dict(json.loads(json.dumps(each.to_dict(), allow_nan=False))) == each


def test_every_field_survives_toml_where_what_is_left_open_is_left_out():
    def line(name, value):
        pairs = ", ".join(f"{key} = {json.dumps(each)}" for key, each in value.items()) if name == "switches" else ""
        return f"{name} = " + (f"{{ {pairs} }}" if name == "switches" else json.dumps(value))
    for recipe in (Recipe(**OTHER), Recipe()):
        text = "\n".join(line(name, value) for name, value in recipe.to_dict().items() if value is not None)
        assert Recipe.from_dict(tomllib.loads(text)) == recipe


def test_equal_recipes_are_equal_however_they_were_written():
    one, other = Recipe(lr=1, switches={"b": 1, "a": 2}), Recipe(lr=1.0, switches=(("a", 2), ("b", 1)))
    assert one == other
    assert hash(one) == hash(other)
    assert json.dumps(one.to_dict()) == json.dumps(other.to_dict())
    assert json.dumps(Recipe(epochs=np.int64(3), lr=np.float32(0.5)).to_dict()) == json.dumps(
        Recipe(epochs=3, lr=0.5).to_dict())


def test_a_recipe_is_frozen_and_changed_makes_another():
    recipe = Recipe()
    with pytest.raises(FrozenInstanceError):
        recipe.epochs = 3
    assert recipe.changed(epochs=3) == Recipe(epochs=3)
    assert recipe == Recipe()


@pytest.mark.parametrize("name", WRONG)
def test_every_wrong_value_is_an_error_that_names_the_field(name):
    for value in WRONG[name]:
        if value is None and name in ("norm", "lrn"):
            continue
        with pytest.raises(OptionError, match=name.replace("_", "-")):
            Recipe(**{name: value})
    assert set(WRONG) == set(Recipe.names())


@pytest.mark.parametrize(("fields", "words"), [
    ({"l2": 0.1, "decay": 0.1, "optimizer": "adamw"}, "l2 and decay"),
    ({"decay": 0.1}, "decay: .*adamw"),
    ({"decay": 0.1, "optimizer": "sgd"}, "decay: .*adamw"),
    ({"l2": 0.1, "optimizer": "adamw"}, "l2: .*adam "),
    ({"crop": 29, "size": 28}, "crop: 29"),
    ({"freeze": 3, "epochs": 2}, "freeze: 3"),
])
def test_fields_that_contradict_each_other_are_an_error_that_says_the_cure(fields, words):
    with pytest.raises(OptionError, match=words):
        Recipe(**fields)


def test_a_mistyped_field_is_told_the_nearest():
    for mistake in (lambda: Recipe.from_dict({"epoch": 3}), lambda: Recipe().changed(epoch=3)):
        with pytest.raises(OptionError, match="Did you mean 'epochs'"):
            mistake()
    for what in ([("epochs", 3)], "epochs", 3, None):
        with pytest.raises(OptionError, match="recipe: "):
            Recipe.from_dict(what)


def test_a_networks_own_switches_are_those_it_is_built_with():
    assert set(OWN_SWITCHES) == set(NETS)
    for net, (norm, dropout, lrn) in OWN_SWITCHES.items():
        own = own_switches(net)
        assert (norm, dropout, lrn) == (own["norm"], own["dropout"], own.get("lrn", "none"))


@pytest.mark.parametrize("optimizer", RATES)
def test_resolved_leaves_nothing_open_and_changes_nothing_that_was_said(optimizer):
    full = Recipe(optimizer=optimizer).resolved(3, 40, "bf16")
    assert None not in {name: value for name, value in full.to_dict().items() if name != "weights"}.values()
    assert (full.channels, full.size, full.crop, full.precision, full.lr) == (3, 40, 40, "bf16", RATES[optimizer])
    assert full.resolved(1, 99, "fp32") == full
    said = Recipe(norm="none", dropout=0.0, lr=0.5, crop=20, precision="fp32").resolved(1, 28, "bf16")
    assert (said.norm, said.dropout, said.lr, said.crop, said.precision) == ("none", 0.0, 0.5, 20, "fp32")


def test_a_networks_own_defaults_stay_its_own_where_it_is_not_fastlabs():
    for net in ("mine:net", "torchvision:resnet18"):
        left, said = Recipe(net=net).resolved(1, 28, "fp32"), Recipe(net=net, dropout=0.2).resolved(1, 28, "fp32")
        assert (left.norm, left.dropout, left.lrn) == (None, None, None)
        assert said.dropout == 0.2


@pytest.mark.parametrize(("changes", "lr", "l2"), [
    ({}, 1e-2, 5e-4), ({"optimizer": "sgd"}, 1e-2, 5e-4), ({"optimizer": "adam"}, 1e-3, 0.0),
    ({"optimizer": "adamw", "decay": 0.01}, 1e-3, 0.0), ({"optimizer": "adam", "lr": 5e-4, "l2": 1e-4}, 5e-4, 1e-4)])
def test_the_paper_s_rate_and_decay_are_for_its_optimizer(changes, lr, l2):
    recipe = Recipe.for_net("alexnet2012", **changes).resolved(3, 256)
    assert (recipe.lr, recipe.l2, recipe.schedule, recipe.crop) == (lr, l2, "plateau", 224)
