"""Every callback of ours through fit, lr_find, save and export; fastai's own, held against fastai's own Learner."""
import inspect
import sys
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

import numpy as np
import pytest
import torch
from fastai.callback.channelslast import ChannelsLast
from fastai.callback.core import Callback
from fastai.callback.data import CollectDataCallback
from fastai.callback.hook import ActivationStats
from fastai.callback.mixup import CutMix, MixUp
from fastai.callback.progress import CSVLogger, ShowGraphCallback
from fastai.callback.schedule import minimum, slide, steep, valley
from fastai.callback.tracker import EarlyStoppingCallback, ReduceLROnPlateau, SaveModelCallback, TerminateOnNaNCallback
from fastai.callback.training import BnFreeze, GradientAccumulation, GradientClip
from safetensors.torch import load
from trainings import QUICK, bits, figures, learner_for, quiet, same, stock_learner

import fastlab.training
from fastlab.images.batches import arrays_dataloaders
from fastlab.nets.weights import body_and_head
from fastlab.training.checkpoint import Checkpoint
from fastlab.training.epochlines import EpochLines
from fastlab.training.learner import EpochLog, lenet_learner
from fastlab.training.penalties import L1Penalty
from fastlab.training.recorder import DeviceRecorder, LightProgress
from fastlab.training.run import Collected
from fastlab.training.schedules import DividedOnPlateau, FrozenBody

ALWAYS_THERE = (EpochLog, DeviceRecorder, LightProgress)        # every Learner of ours has them
OURS = {
    "L1Penalty": lambda place: L1Penalty(1.0, "proximal"),
    "DividedOnPlateau": lambda place: DividedOnPlateau(patience=1),
    "FrozenBody": lambda place: FrozenBody(1),
    "Checkpoint": lambda place: Checkpoint(place / "a.checkpoint", seconds=0),
    "Collected": lambda place: Collected({2}),
    "EpochLines": lambda place: EpochLines((place / "lines").open("a").write),
}


# -- ours --------------------------------------------------------------------------------------------------------------
def test_no_callback_of_ours_is_left_out_here():
    modules = [import_module(f"fastlab.training.{found.name}") for found in walk_packages(fastlab.training.__path__)]
    there = {kind for module in modules for _, kind in inspect.getmembers(module, inspect.isclass)
             if issubclass(kind, Callback) and kind.__module__.startswith("fastlab")}
    assert {kind.__name__ for kind in there} == {*OURS, *(kind.__name__ for kind in ALWAYS_THERE)}


def learner(arrays, path, cbs=()):
    return lenet_learner(arrays_dataloaders(arrays, 24), path=path, splitter=body_and_head, precision="fp32",
                         cbs=list(cbs))


@pytest.mark.parametrize("name", OURS)
def test_every_callback_of_ours_goes_through_fit_lr_find_save_and_export(shape_arrays, tmp_path, name):
    "A search between two fits changes nothing; what is saved is loaded again; after an export it still trains."
    plain, searched = (learner(shape_arrays, tmp_path, [OURS[name](tmp_path)]) for _ in range(2))
    assert all(any(type(cb) is kind for cb in searched.cbs) for kind in ALWAYS_THERE)
    for learn in (plain, searched):
        with quiet(learn):
            learn.fit(1, 1e-3)
            if learn is searched:
                before = bits(learn), figures(learn)
                learn.lr_find(num_it=6, show_plot=False)
                assert same(bits(learn), before[0])
                assert figures(learn) == before[1]
            learn.fit(1, 1e-3)
    assert same(bits(plain), bits(searched))
    assert figures(plain) == figures(searched)
    assert [epoch["epoch"] for epoch in searched.history] == [1, 2]
    kept = bits(searched)
    searched.save("kept")
    with quiet(searched):
        searched.fit(1, 1e-2)
        assert not same(bits(searched), kept)
        searched.load("kept")
        assert same(bits(searched), kept)
        if name != "EpochLines":        # which prints into what the caller gave it, here an open file
            searched.export("whole.pkl")
            assert (tmp_path / "whole.pkl").stat().st_size > 10_000
        searched.fit(1, 1e-3)
    assert len(searched.recorder.raw_losses) == 3


def test_all_callbacks_of_ours_together_do_what_each_does_alone(shape_arrays, tmp_path, monkeypatch):
    monkeypatch.setattr("fastlab.training.checkpoint.SHARE_OF_TIME", float("inf"))
    learn = learner(shape_arrays, tmp_path, [make(tmp_path) for make in OURS.values()])
    fresh = bits(learn)
    with quiet(learn):
        learn.fit(2, 1e-3)
    kept = load((tmp_path / "a.checkpoint").read_bytes()[:-32])
    assert all(torch.equal(kept[f"net.{key}"], tensor) for key, tensor in bits(learn).items())
    predicted = learn.get_preds()[0].argmax(1)
    assert learn.collected.marks[2]["develop"].tolist() == predicted.tolist()
    assert not torch.equal(bits(learn)["conv1.weight"], fresh["conv1.weight"])      # thawed for the second epoch
    assert int((bits(learn)["linear.weight"] == 0).sum()) > 0


# -- fastai's ----------------------------------------------------------------------------------------------------------
FASTAIS = {
    "EarlyStopping": lambda: EarlyStoppingCallback("valid_loss", min_delta=10.0, patience=2),
    "SaveModel": lambda: SaveModelCallback("valid_loss", comp=np.greater, fname="worst"),
    "ReduceLROnPlateau": lambda: ReduceLROnPlateau("valid_loss", min_delta=10.0, patience=1),
    "TerminateOnNaN": TerminateOnNaNCallback,
    "GradientAccumulation": lambda: GradientAccumulation(48),
    "GradientClip": lambda: GradientClip(0.05),
    "BnFreeze": BnFreeze,
    "ChannelsLast": ChannelsLast,
    "ActivationStats": lambda: ActivationStats(with_hist=True),
    "CSVLogger": lambda: CSVLogger("ours.csv"),
    "ShowGraph": ShowGraphCallback,
    "CollectData": CollectDataCallback,
}


@pytest.fixture
def pair(shape_arrays, tmp_path):
    "The function that fits our Learner and fastai's own alike, four epochs with a callback: both Learners."
    def fitted_pair(make):
        learn = lenet_learner(arrays_dataloaders(shape_arrays, 24), dropout=0.0, precision="fp32", optimizer="sgd",
                              lr=0.02, path=tmp_path / "ours")
        stock = stock_learner(shape_arrays, learn, tmp_path / "fastai", metrics=learn.metrics)
        start = bits(learn)
        learn.path.mkdir(exist_ok=True), stock.path.mkdir(exist_ok=True)
        for each in (learn, stock):
            with each.no_logging() if make is ShowGraphCallback else quiet(each):
                each.fit(4, cbs=make())
        return learn, stock, start
    return fitted_pair


@pytest.mark.parametrize("name", FASTAIS)
def test_fastais_callbacks_do_on_ours_what_they_do_on_fastais_own_learner(pair, name):
    learn, stock, start = pair(FASTAIS[name])
    ours, fastais = bits(learn), bits(stock)
    assert not same(ours, start)
    for key in ours:
        torch.testing.assert_close(ours[key], fastais[key], rtol=1e-3, atol=1e-4, msg=f"{name}: {key}")
    np.testing.assert_allclose(np.array(learn.recorder.values), np.array(stock.recorder.values), rtol=1e-3, atol=1e-4)
    assert learn.recorder.lrs == pytest.approx(stock.recorder.lrs)
    assert len(learn.recorder.values) == (3 if name == "EarlyStopping" else 4)


@pytest.mark.parametrize("name", ["EarlyStopping", "ReduceLROnPlateau", "GradientAccumulation", "GradientClip"])
def test_those_that_change_the_training_do_change_it(pair, name):
    assert not same(bits(pair(FASTAIS[name])[0]), bits(pair(TerminateOnNaNCallback)[0]))


def test_save_model_keeps_the_epoch_that_it_watches_for(shape_arrays, tmp_path):
    learn = learner(shape_arrays, tmp_path)
    states = []
    with quiet(learn):
        learn.fit(3, 5e-2, cbs=[SaveModelCallback("accuracy", fname="best"), Callback(after_epoch=lambda callback: (
            states.append(bits(callback.learn))))])
    accuracies = [epoch["develop_accuracy"] for epoch in learn.history]
    assert same(bits(learn), states[int(np.argmax(accuracies))])    # fastai loads the best again after the fit
    assert (tmp_path / "models" / "best.pth").exists()


def test_activation_stats_are_those_of_the_layers(shape_arrays, tmp_path):
    seen = []
    learn = learner(shape_arrays, tmp_path)
    handle = learn.model.conv1.register_forward_hook(lambda module, given, out: seen.append(out.detach().float()))
    with quiet(learn):
        learn.fit(1, cbs=(stats := ActivationStats(with_hist=True)))
    handle.remove()
    mean, deviation, _ = stats.layer_stats(0)
    assert list(mean) == pytest.approx([float(out.mean()) for out in seen[:3]])
    assert list(deviation) == pytest.approx([float(out.std()) for out in seen[:3]])
    assert stats.hist(0).shape == (40, 3)


@pytest.mark.parametrize("kind", [MixUp, CutMix])
def test_mixing_repeats_with_the_seed_and_is_gone_after_the_fit(shape_arrays, tmp_path, kind):
    def trained(seed, *cbs):
        learn = learner_for(shape_arrays, QUICK.changed(precision="fp32"), seed)
        loss_func = learn.loss_func
        torch.rand(3)
        with quiet(learn):
            learn.fit(2, cbs=list(cbs))
        assert learn.loss_func is loss_func
        return bits(learn)
    assert same(trained(0, kind()), trained(0, kind()))
    assert not same(trained(0, kind()), trained(0))
    learn = learner(shape_arrays, tmp_path)
    with quiet(learn):
        learn.fit(12, 3e-3, cbs=kind())
        assert learn.validate()[1] > 0.5    # chance is 0.25


def test_fault_2_a_csv_logger_neither_stops_export_nor_empties_the_data_and_our_log_survives(shape_arrays, tmp_path):
    learn = learner(shape_arrays, tmp_path, [CSVLogger("log.csv")])
    with quiet(learn):
        learn.fit(2, 1e-3)
        learn.lr_find(num_it=5, show_plot=False)
        learn.fine_tune(2, 1e-3)
        learn.export("a.pkl")
        assert (tmp_path / "a.pkl").exists()
        assert [len(learn.dls.train_ds), len(learn.dls.valid_ds)] == [72, 24]
        before = bits(learn)
        learn.fit(1, 1e-2)
    assert not same(bits(learn), before)
    assert [epoch["epoch"] for epoch in learn.history] == [1, 2, 3, 4, 5, 6]
    assert all(np.isfinite(epoch["train_loss"]) for epoch in learn.history)
    assert learn.csv_logger.read_log()["accuracy"].tolist() == pytest.approx([learn.history[-1]["develop_accuracy"]])


def test_tensorboard_is_told_every_step_and_epoch(shape_arrays, tmp_path, monkeypatch):
    "fastai's own callback, with a writer in place of TensorBoard's that keeps what it is told."
    told = {}

    class SummaryWriter:
        def __init__(self, log_dir):
            self.add_graph = lambda model, *inputs: told.setdefault("graph", model(*inputs).shape)
            self.add_image = self.add_figure = lambda *_, **__: told.setdefault("images", []).append(1)
            self.add_scalar = lambda name, value, step: told.setdefault(name, []).append((step, float(value)))
            self.close = lambda: told.setdefault("closed", True)

    stand_in = ModuleType("torch.utils.tensorboard")
    stand_in.SummaryWriter = SummaryWriter
    monkeypatch.setitem(sys.modules, "tensorboard", ModuleType("tensorboard"))
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", stand_in)
    monkeypatch.delitem(sys.modules, "fastai.callback.tensorboard", raising=False)
    kind = import_module("fastai.callback.tensorboard").TensorBoardCallback
    monkeypatch.delitem(sys.modules, "fastai.callback.tensorboard")
    learn = learner(shape_arrays, tmp_path)
    with quiet(learn):
        learn.fit(2, 1e-3, cbs=kind(tmp_path / "board"))
    assert told["graph"] == (24, 4)
    assert {1, 2, 3, 4, 5, 6} <= {step for step, _ in told["train_loss"]}
    assert [value for _, value in told["accuracy"]] == pytest.approx([row["develop_accuracy"] for row in learn.history])
    assert {"lr_0", "images", "closed"} <= set(told)


def test_fault_6_a_search_gives_four_suggestions_and_leaves_no_trace(shape_arrays, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    learn = learner(shape_arrays, tmp_path)
    with quiet(learn):
        learn.fit(1, 1e-3)
        before = bits(learn), [group["lr"] for group in learn.opt.opt.param_groups], torch.get_rng_state()
        moments = [state["exp_avg"].clone() for state in learn.opt.opt.state.values()]
        found = learn.lr_find(suggest_funcs=(valley, slide, minimum, steep), show_plot=False)
    assert found._fields == ("valley", "slide", "minimum", "steep")
    assert all(1e-7 <= rate <= 10 for rate in found)
    assert same(bits(learn), before[0])
    assert [group["lr"] for group in learn.opt.opt.param_groups] == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])
    after = [state["exp_avg"] for state in learn.opt.opt.state.values()]
    assert all(torch.equal(one, other) for one, other in zip(moments, after, strict=True))
    assert list(tmp_path.iterdir()) == []


# -- what an interruption leaves ---------------------------------------------------------------------------------------
def test_gradients_of_an_interrupted_step_reach_no_later_one(shape_arrays):
    def interrupted():
        raise KeyboardInterrupt
    straight, learn = (learner_for(shape_arrays, QUICK, 0) for _ in range(2))
    stop = Callback(after_backward=lambda _: interrupted())
    with quiet(learn), pytest.raises(KeyboardInterrupt), learn.added_cbs(stop):
        learn.lr_find(num_it=5, show_plot=False)
    assert all(parameter.grad is None or not parameter.grad.any() for parameter in learn.model.parameters())
    for parameter in learn.model.parameters():
        parameter.grad = torch.ones_like(parameter)     # as an interrupted `fit` leaves them
    for each in (straight, learn):
        with quiet(each):
            each.fit(1)
    assert same(bits(learn), bits(straight))
