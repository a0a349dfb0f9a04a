"""Which pictures a network and a folder allow, and the learning rate of every step."""
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastai.callback.core import Callback
from torch.nn.modules.module import register_module_forward_pre_hook

from fastlab.cli import run
from fastlab.pictures import showing
from fastlab.pictures.showing import drawings, further, one_cycle, rate, steps_of
from fastlab.training.modelfile import save_model
from fastlab.training.predict import predict
from fastlab.training.recipe import Recipe
from fastlab.training.run import learner_for
from fastlab.training.test import test as tested_on
from fastlab.training.train import model_of


def cosine(start, end, share):
    return start + (1 + math.cos(math.pi * (1 - share))) * (end - start) / 2


def test_one_cycle_is_two_cosines():
    rates, momenta = one_cycle(3e-3, 400)
    for step in (0, 50, 100, 250, 399):
        share = step / 400
        up = share < 0.25
        expected = cosine(3e-3 / 25, 3e-3, share / 0.25) if up else cosine(3e-3, 3e-8, (share - 0.25) / 0.75)
        assert rates[step] == pytest.approx(expected, rel=1e-6)
        assert momenta[step] == pytest.approx(cosine(0.95, 0.85, share / 0.25) if up else
                                              cosine(0.85, 0.95, (share - 0.25) / 0.75))


def test_the_rate_of_every_step_is_the_one_that_trained(shape_arrays):
    recipe = Recipe(epochs=3, schedule="one-cycle", lr=2e-3, batch_size=16, width=0.25, precision="fp32")
    learn = learner_for(shape_arrays, recipe, 0)
    with learn.no_bar(), learn.no_logging():
        learn.fit_recipe()
    assert steps_of(recipe, shape_arrays) == learn.train_steps == 5
    line, = rate(recipe, learn.history, shape_arrays).lines
    np.testing.assert_allclose(line.get_ydata(), learn.recorder.lrs, rtol=1e-6)
    np.testing.assert_allclose(line.get_xdata(), np.arange(15) / 5)


@pytest.mark.parametrize("change", [{"optimizer": "sgd", "momentum": 0.6}, {"optimizer": "sgd"}, {}], ids=str)
def test_the_momentum_that_is_drawn_is_the_one_that_trained(shape_arrays, change):
    recipe = Recipe(epochs=2, schedule="one-cycle", lr=2e-3, batch_size=16, width=0.25, precision="fp32", **change)
    learn, trained = learner_for(shape_arrays, recipe, 0), []
    learn.add_cb(Callback(before_step=lambda callback: trained.append(callback.learn.opt.hypers[-1]["mom"])))
    with learn.no_bar(), learn.no_logging():
        learn.fit_recipe()
    drawn = [line for axes in rate(recipe, learn.history, shape_arrays).figure.axes for line in axes.lines]
    np.testing.assert_allclose(drawn[1].get_ydata(), trained, rtol=1e-6)


def test_where_steps_are_unknown_the_recorded_rates_are_drawn(shape_arrays):
    recipe = Recipe(epochs=2, schedule="one-cycle", lr=1e-3, batch_size=64)
    history = [{"lr": 4e-4}, {"lr": 1e-5}]
    line, = rate(recipe, history, shape_arrays).lines
    assert line.get_ydata().tolist() == [4e-4, 1e-5]
    line, = rate(recipe.changed(schedule="plateau"), history, shape_arrays).lines
    assert line.get_ydata().tolist() == [4e-4, 4e-4, 1e-5, 1e-5]
    assert steps_of(recipe.changed(on="total_train", batch_size=10), shape_arrays) == 10


@pytest.fixture(scope="module")
def model(shape_arrays):
    "A Model after one epoch on crops of the shapes, which makes mistakes."
    recipe = Recipe(epochs=1, batch_size=32, width=0.25, crop=24, augment="crop", precision="fp32")
    learn = learner_for(shape_arrays, recipe, 0)
    with learn.no_bar(), learn.no_logging():
        learn.fit_recipe()
    return model_of(learn)


@pytest.fixture
def passed(model):
    "How many images each forward pass of any network takes, pass by pass."
    counts = []
    handle = register_module_forward_pre_hook(
        lambda module, given: counts.append(len(given[0])) if type(module) is type(model.net) else None)
    yield counts
    handle.remove()


def drawn_for(model, arrays):
    "(Tested, {name: function that draws}) of all pictures but those of what lies inside."
    tested, images = tested_on(model, arrays), arrays.images[arrays.splits["test"]]
    return tested, drawings(model, tested, images) | further(model, tested, images, arrays)


def test_pictures_that_need_a_history_or_crops_are_there_only_with_them(model, shape_arrays, monkeypatch):
    monkeypatch.setattr(showing, "sections", lambda *_: [])
    _, found = drawn_for(model, shape_arrays)
    assert set(found) == {"batch", "results", "confusion", "mistakes", "training", "pairs", "shares", "calibration",
                          "classes", "crops", "rate"}
    assert [tick.get_text() for tick in found["crops"]().get_yticklabels()] == ["the middle", "5 crops"]
    _, less = drawn_for(replace(model, history=[], recipe=model.recipe.changed(augment="none")), shape_arrays)
    assert set(found) - set(less) == {"training", "crops", "rate"}


def test_fault_9_the_network_sees_each_image_once_for_all_pictures_of_its_answers(model, shape_arrays, passed,
                                                                                  monkeypatch):
    monkeypatch.setattr(showing, "sections", lambda *_: [])
    _, found = drawn_for(model, shape_arrays)
    for name in set(found) - {"crops"}:
        found[name]()
    assert passed == [24]
    found["crops"]()
    assert sum(passed[1:]) == 5 * 24


def test_fault_9_show_runs_the_network_once_and_worst_mistakes_have_both_probabilities(model, split_shapes, tmp_path,
                                                                                       passed, monkeypatch, capsys):
    axes, path = {}, tmp_path / "small.safetensors"
    save_model(path, model)
    monkeypatch.setattr("fastlab.pictures.command.save", lambda drawn, place: axes.update({place.stem: drawn}))
    assert run(["show", str(path), str(split_shapes), "--out", str(tmp_path)]) == 0
    assert passed == [24]
    told = predict(model, sorted((split_shapes / "test").rglob("*.png")))
    wrong = []
    for file, said, shares in zip(told.files, told.predicted, told.probabilities.astype(float)):
        true = told.classes.index(Path(file).parent.name)
        if said != true:
            wrong.append((shares[true], f"true {told.names[true]}  {shares[true]:.2f}\n"
                                        f"predicted {told.names[said]}  {shares[said]:.2f}"))
    assert wrong
    assert [ax.get_title(loc="left") for ax in axes["mistakes"]] == [title for _, title in sorted(wrong)[:12]]


def test_show_all_draws_what_lies_inside_too(split_shapes, shape_arrays, tmp_path, monkeypatch, capsys):
    from fastlab.inside import twins
    from fastlab.pictures.explain import answers, looking, steadying
    for module in (answers, looking, steadying):
        monkeypatch.setattr(module, "WORK", 1e9)
    monkeypatch.setattr(twins, "SEEN", 0)
    path = tmp_path / "small.safetensors"
    assert run(["train", str(split_shapes), "--epochs", "1", "--width", "0.25", "--save", str(path)]) == 0
    capsys.readouterr()
    assert run(["show", str(path), str(split_shapes), "--all", "--form", "svg", "--out", str(tmp_path / "p"),
                "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    names = {file.name for file in (tmp_path / "p").iterdir()}
    assert {f"{name}.svg" for name in (
        "batch", "confusion", "calibration", "classes", "pairs", "training", "rate", "kernels", "maps", "patches-relu1",
        "patches-relu2", "attention", "fields", "effective", "shift", "changes", "steps", "costs", "prior", "shapes",
        "contrast", "lrn", "batchnorm", "dropout", "updates")} <= names     # no twin, so nothing of what it learns
    assert len(figures["files"]) == len(names)
    for file in (tmp_path / "p").iterdir():
        assert file.read_text("utf-8").rstrip().endswith("</svg>")
