"""Trainings that are killed, stopped or whose checkpoints are damaged end with the bits of an undisturbed one."""
import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import kill_points
import numpy as np
import pytest
import torch
from kill_points import OLD, POINTS, RECIPE
from trainings import QUICK, CountEpochs, StopAfter, bits, figures, fitted, learner_for, quiet, same

from fastlab.images.arrays import Arrays
from fastlab.training import checkpoint
from fastlab.training.checkpoint import Checkpoint, checkpoint_path, forget_old, restore, state_bytes
from fastlab.training.modelfile import load_model
from fastlab.training.schedules import DividedOnPlateau
from fastlab.training.train import train


@pytest.fixture
def every_epoch(monkeypatch):
    "Every epoch of `train` leaves a checkpoint."
    monkeypatch.setattr(checkpoint, "SHARE_OF_TIME", float("inf"))
    monkeypatch.setattr("fastlab.training.train.Checkpoint", partial(Checkpoint, seconds=0))


# -- killed ------------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def killed(split_shapes, tmp_path_factory):
    "What processes left behind that were killed at each of POINTS."
    place = tmp_path_factory.mktemp("killed")
    room = Path(__file__).parents[2]
    subprocess.run([sys.executable, kill_points.__file__, split_shapes, place], check=True, cwd=room,
                   env=os.environ | {"PYTHONPATH": str(room)})
    return place


@pytest.fixture(scope="module")
def straight(shape_arrays, tmp_path_factory):
    "The Trained of RECIPE that nothing disturbed."
    place = tmp_path_factory.mktemp("straight")
    return train(shape_arrays, RECIPE, save=place / "net.safetensors", device="cpu", cache=place)


@pytest.mark.parametrize(("point", "left"), POINTS.items())
def test_after_a_kill_only_what_is_missing_is_trained_and_to_the_same_bits(killed, straight, shape_arrays, point, left):
    place, counted = killed / point, CountEpochs()
    saved = place / "net.safetensors"
    assert point == "after saving" or saved.read_bytes() == OLD
    again = train(shape_arrays, RECIPE, save=saved, device="cpu", cache=place, cbs=[counted])
    assert counted.count == left
    assert again.resumed == RECIPE.epochs - left
    assert same(bits(again.learn), bits(straight.learn))
    assert figures(again.learn) == figures(straight.learn)
    assert np.array_equal(again.test.probabilities, straight.test.probabilities)
    assert same(load_model(saved).net.state_dict(), bits(straight.learn))
    assert list((place / "resume").glob("*.checkpoint")) == []


# -- stopped -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("change", "stop"), [
    ({}, 1), ({"optimizer": "sgd", "norm": "none"}, 2), ({"schedule": "one-cycle"}, 2), ({"freeze": 2}, 1),
    ({"freeze": 1}, 2), ({"class_weights": "balanced", "on": "total_train", "augment": "handwriting"}, 1)], ids=str)
def test_a_stopped_training_goes_on_to_the_same_bits(shape_arrays, fresh_cache, every_epoch, change, stop):
    recipe = QUICK.changed(epochs=3, **change)
    undisturbed = fitted(shape_arrays, recipe)
    with pytest.raises(KeyboardInterrupt):
        train(shape_arrays, recipe, device="cpu", cbs=[StopAfter(stop)])
    counted = CountEpochs()
    again = train(shape_arrays, recipe, device="cpu", cbs=[counted])
    assert (again.resumed, counted.count) == (stop, 3 - stop)
    assert same(bits(again.learn), bits(undisturbed))
    assert figures(again.learn) == figures(undisturbed)


def test_a_plateau_is_gone_on_with_where_it_was(shape_arrays, fresh_cache, every_epoch, monkeypatch):
    "With a patience of one epoch the rate falls within the few epochs of this test, before and after the stop."
    impatient = partial(DividedOnPlateau, patience=1)
    monkeypatch.setattr("fastlab.training.train.DividedOnPlateau", impatient)
    recipe = QUICK.changed(epochs=4, schedule="plateau", lr=1e-9)
    undisturbed = learner_for(shape_arrays, recipe, 0, cbs=[impatient()])
    with quiet(undisturbed):
        undisturbed.fit_recipe()
    with pytest.raises(KeyboardInterrupt):
        train(shape_arrays, recipe, device="cpu", cbs=[StopAfter(2)])
    again = train(shape_arrays, recipe, device="cpu")
    assert again.resumed == 2
    assert figures(again.learn) == figures(undisturbed)
    rates = [epoch["lr"] for epoch in again.learn.history]
    assert rates[1] > rates[2] > rates[3]


def test_stopping_again_and_again_still_ends_with_the_same_bits(shape_arrays, fresh_cache, every_epoch):
    recipe = QUICK.changed(epochs=3)
    for epoch in (1, 2):
        with pytest.raises(KeyboardInterrupt):
            train(shape_arrays, recipe, device="cpu", cbs=[StopAfter(epoch)])
    assert same(bits(train(shape_arrays, recipe, device="cpu").learn), bits(fitted(shape_arrays, recipe)))


def test_without_resume_a_training_begins_anew(shape_arrays, fresh_cache, every_epoch):
    with pytest.raises(KeyboardInterrupt):
        train(shape_arrays, QUICK, device="cpu", cbs=[StopAfter(1)])
    counted = CountEpochs()
    assert train(shape_arrays, QUICK, device="cpu", cbs=[counted], resume=False).resumed == 0
    assert counted.count == 2


# -- not this training's -----------------------------------------------------------------------------------------------
def test_each_training_has_a_checkpoint_of_its_own(shape_arrays, tmp_path, monkeypatch):
    other = Arrays(255 - shape_arrays.images, shape_arrays.labels, shape_arrays.splits, shape_arrays.classes,
                   shape_arrays.names)
    paths = [checkpoint_path(shape_arrays, QUICK, 0, "cpu", tmp_path),
             checkpoint_path(shape_arrays, QUICK.changed(lr=2e-3), 0, "cpu", tmp_path),
             checkpoint_path(shape_arrays, QUICK.changed(epochs=3), 0, "cpu", tmp_path),
             checkpoint_path(shape_arrays, QUICK, 1, "cpu", tmp_path),
             checkpoint_path(shape_arrays, QUICK, 0, "cuda", tmp_path),
             checkpoint_path(other, QUICK, 0, "cpu", tmp_path)]
    for version in ("__version__", "torch.__version__"):
        with monkeypatch.context() as patch:
            patch.setattr(f"fastlab.training.checkpoint.{version}", "0.0.1")
            paths.append(checkpoint_path(shape_arrays, QUICK, 0, "cpu", tmp_path))
    assert len(set(paths)) == 8
    assert checkpoint_path(shape_arrays, QUICK, 0, "cpu", tmp_path) == paths[0]


def test_another_trainings_checkpoint_is_not_gone_on_with(shape_arrays, fresh_cache, every_epoch):
    for recipe, seed in ((QUICK, 0), (QUICK.changed(l1=1e-3), 0), (QUICK, 1)):
        with pytest.raises(KeyboardInterrupt):
            train(shape_arrays, recipe, seed, device="cpu", cbs=[StopAfter(1)])
    kept = sorted((fresh_cache / "resume").glob("*.checkpoint"))
    assert len(kept) == 3
    own = checkpoint_path(shape_arrays, learner_for(shape_arrays, QUICK, 0).recipe, 0)
    own.write_bytes(next(path for path in kept if path != own).read_bytes())    # whole, under another's name
    assert train(shape_arrays, QUICK, device="cpu").resumed == 0


def test_a_damaged_or_cut_checkpoint_is_passed_over_and_changes_nothing(shape_arrays, tmp_path):
    path, rng = tmp_path / "name.checkpoint", np.random.default_rng(0)
    content = state_bytes(fitted(shape_arrays, QUICK.changed(epochs=1)), "name")
    learn = learner_for(shape_arrays, QUICK, 0)
    untouched = bits(learn)
    damaged = [b"", b"\0" * 31, content + b"\0", b"not a checkpoint at all" * 9]
    damaged += [content[:length] for length in (8, 32, 1000, len(content) // 2, len(content) - 32, len(content) - 1)]
    for bit in [*range(64), *rng.integers(0, len(content) * 8, 60), len(content) * 8 - 1]:
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << int(bit) % 8
        damaged.append(bytes(flipped))
    for wrong in damaged:
        path.write_bytes(wrong)
        assert restore(learn, path) == 0
    assert restore(learn, tmp_path / "none.checkpoint") == restore(learn, tmp_path) == 0
    assert same(bits(learn), untouched)
    assert (learn.epochs_trained, learn.history) == (0, [])
    path.write_bytes(content)
    assert restore(learn, path) == 1
    assert not same(bits(learn), untouched)


def test_weights_and_networks_of_ones_own_count_with_their_content(shape_arrays, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    source, weights = tmp_path / "net_of_mine_kept.py", tmp_path / "body.safetensors"
    recipes = [QUICK.changed(weights=str(weights)), QUICK.changed(net="net_of_mine_kept:net")]
    found = []
    for content in ("def net(classes): ...", "def net(classes): pass", "def net(classes): ..."):
        source.write_text(content)
        weights.write_bytes(content.encode())
        found.append([checkpoint_path(shape_arrays, recipe, 0, "cpu", tmp_path) for recipe in recipes])
    assert found[0] == found[2]
    assert not set(found[0]) & set(found[1])


def test_a_network_whose_shapes_have_changed_begins_anew(shape_arrays, tmp_path):
    path = tmp_path / "name.checkpoint"
    path.write_bytes(state_bytes(fitted(shape_arrays, QUICK.changed(epochs=1)), "name"))
    for change in ({"width": 2.0}, {"norm": "none"}):
        learn = learner_for(shape_arrays, QUICK.changed(**change), 0)
        untouched = bits(learn)
        assert restore(learn, path) == 0
        assert same(bits(learn), untouched)


def test_the_optimizer_goes_on_where_the_weights_will_be(shape_arrays, tmp_path, monkeypatch):
    path, order = tmp_path / "name.checkpoint", []
    path.write_bytes(state_bytes(fitted(shape_arrays, QUICK.changed(epochs=1)), "name"))
    learn = learner_for(shape_arrays, QUICK, 0)
    move, create = learn.model.to, learn.create_opt
    monkeypatch.setattr(learn.model, "to", lambda *where, **how: (order.append(where), move(*where, **how))[1])
    monkeypatch.setattr(learn, "create_opt", lambda: (order.append("optimizer"), create())[1])
    assert restore(learn, path) == 1
    assert order == [(learn.dls.device or "cpu",), "optimizer"]


# -- when and whether it can be saved ----------------------------------------------------------------------------------
def test_where_nothing_can_be_saved_the_training_warns_once_and_goes_on(shape_arrays, tmp_path, every_epoch):
    (tmp_path / "a file").touch()
    with pytest.warns(UserWarning, match=r"a file.*The training goes on.*begin anew") as warned:
        trained = train(shape_arrays, QUICK.changed(epochs=3), device="cpu", cache=tmp_path / "a file")
    assert len([each for each in warned if "begin anew" in str(each.message)]) == 1
    assert same(bits(trained.learn), bits(fitted(shape_arrays, QUICK.changed(epochs=3))))


@pytest.mark.parametrize(("epoch", "saving"), [(0.5, 0.0), (5.0, 0.0), (1.0, 0.05), (1.0, 0.25), (0.1, 1.0)])
def test_it_is_saved_every_two_seconds_at_most_and_takes_a_twentieth_of_the_time_at_most(tmp_path, monkeypatch, epoch,
                                                                                         saving):
    clock, begun = [0.0], []

    def slow_write(path, content):
        begun.append(clock[0])
        clock[0] += saving

    monkeypatch.setattr(checkpoint, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(checkpoint, "write_bytes", slow_write)
    monkeypatch.setattr(checkpoint, "state_bytes", lambda learn, name: b"")
    keeping = Checkpoint(tmp_path / "x.checkpoint")
    keeping.learn = None
    while clock[0] < 200:
        clock[0] += epoch
        keeping.after_epoch()
    least = max(2.0, 20 * saving)           # between the end of one and the next
    between = np.diff(begun) - saving
    assert begun[0] == epoch
    assert between.min() > least - 1e-6
    assert between.max() < least + epoch + 1e-6
    assert len(begun) * saving / clock[0] < 0.051


def test_what_nobody_went_on_with_is_forgotten_after_a_month_and_nothing_else(tmp_path):
    month = 30 * 86400
    ages = {"old.checkpoint": month + 99, ".x.abc.part": month + 99, "new.checkpoint": month - 99, ".y.part": 60,
            "someone's file": 9 * month}
    for name, age in ages.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (os.stat(tmp_path / name).st_mtime - age,) * 2)
    forget_old(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"new.checkpoint", ".y.part", "someone's file"}


def test_the_state_holds_the_optimizers_memory_and_no_pickle(shape_arrays):
    from safetensors.torch import load
    learn = fitted(shape_arrays, QUICK)
    tensors = load(state_bytes(learn)[:-32])
    moments = [state["exp_avg"] for state in learn.opt.opt.state.values()]
    assert sum(name.endswith(".exp_avg") for name in tensors) == len(moments) > 0
    assert all(torch.equal(tensors[f"opt.{number}.exp_avg"], moment) for number, moment in enumerate(moments))
    assert b"pickle" not in state_bytes(learn)
