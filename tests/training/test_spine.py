"""From arrays to a trained network: the same bits by every way, the penalties' effects, the two ways of testing."""
import json

import numpy as np
import pytest
import torch

from fastlab.errors import ModelFileError, OptionError, TrainingError
from fastlab.images.batches import arrays_dataloaders
from fastlab.training.evaluate import as_printed, scores
from fastlab.training.figures import wilson
from fastlab.training.learner import lab_learner, lenet_learner
from fastlab.training.modelfile import load_model, save_model
from fastlab.training.recipe import OWN_SWITCHES, Recipe
from fastlab.training.run import carry_out, learner_for
from fastlab.training.train import model_of, train
from fastlab.training.wholefile import checked_metadata as _checked

QUICK = Recipe(epochs=2, batch_size=16)


def weights(learn):
    return {name: tensor.clone() for name, tensor in learn.model.state_dict().items()}


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def fitted(arrays, recipe=QUICK, seed=0, cbs=None):
    learn = learner_for(arrays, recipe, seed)
    with learn.no_bar(), learn.no_logging():
        learn.fit_recipe(cbs=cbs)
    return learn


@pytest.mark.parametrize("augment", ["none", "handwriting"])
def test_the_same_seed_gives_the_same_bits_by_every_way(shape_arrays, augment):
    recipe = QUICK.changed(augment=augment)
    first = weights(fitted(shape_arrays, recipe))
    torch.rand(17)
    np.random.rand(5)
    dls = arrays_dataloaders(shape_arrays, 16, augment)
    learn = lenet_learner(dls, epochs=2)
    dls.train.one_batch()
    with learn.no_bar(), learn.no_logging():
        learn.lr_find(num_it=8, show_plot=False)
        learn.fit(1, 1e-3)
        learn.validate()
        learn.fit(1, 1e-3)
    assert equal(first, weights(learn))
    assert equal(first, weights(train(shape_arrays, recipe, resume=False).learn))
    assert not equal(first, weights(fitted(shape_arrays, recipe, seed=1)))


def test_random_numbers_of_the_program_are_left_alone(shape_arrays):
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    learn = fitted(shape_arrays)
    with learn.no_bar(), learn.no_logging():
        learn.lr_find(num_it=8, show_plot=False)
    assert torch.equal(torch.rand(4), expected)


def test_a_longer_run_begins_as_the_shorter_one(shape_arrays):
    long = carry_out(shape_arrays, QUICK.changed(epochs=3), 5, marks=(2,))
    short = carry_out(shape_arrays, QUICK, 5)
    assert set(long.marks) == {2, 3}
    for name, values in short.marks[2].items():
        assert np.array_equal(values, long.marks[2][name]), name
    for name, values in short.epochs.items():
        if name != "seconds":
            assert np.array_equal(values, long.epochs[name][:2]), name


@pytest.mark.parametrize("change", [{}, {"optimizer": "sgd"}, {"schedule": "one-cycle"}, {"schedule": "plateau"}])
def test_an_interrupted_training_goes_on_to_the_same_bits(shape_arrays, fresh_cache, change, monkeypatch):
    from fastai.callback.core import Callback
    monkeypatch.setattr("fastlab.training.checkpoint.Checkpoint.__init__.__defaults__", (0.0,), raising=False)
    recipe = QUICK.changed(epochs=4, **change)
    straight = train(shape_arrays, recipe, resume=False)

    class Stop(Callback):
        order = 99

        def after_epoch(self):
            if len(self.learn.history) == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(shape_arrays, recipe, cbs=[Stop()])
    trained = []

    class Count(Callback):
        def after_train(self):
            trained.append(self.learn.epoch)

    again = train(shape_arrays, recipe, cbs=[Count()])
    assert again.resumed + len(trained) == 4
    assert again.resumed >= 1
    assert equal(weights(straight.learn), weights(again.learn))
    assert not list((fresh_cache / "resume").glob("*"))


def test_l1_in_the_loss_and_in_the_gradient_are_the_same_bits_and_proximal_gives_zeros(shape_arrays):
    runs = {form: fitted(shape_arrays, QUICK.changed(l1=1e-3, l1_form=form)) for form in ("loss", "gradient")}
    assert equal(weights(runs["loss"]), weights(runs["gradient"]))
    zeros = {form: sum(int((p == 0).sum()) for p in learn.model.parameters()) for form, learn in runs.items()}
    assert zeros["loss"] == zeros["gradient"] == 0
    strong = fitted(shape_arrays, QUICK.changed(l1=1.0, l1_form="proximal"))
    assert sum(int((p == 0).sum()) for p in strong.model.parameters()) > 1_000


def test_the_logged_loss_is_free_of_the_penalty(shape_arrays):
    learn = learner_for(shape_arrays, QUICK.changed(l1=1.0, dropout=0.0, epochs=1, batch_size=72, lr=1e-12), 0)
    plain = learner_for(shape_arrays, QUICK.changed(dropout=0.0, epochs=1, batch_size=72, lr=1e-12), 0)
    for each in (learn, plain):
        with each.no_bar(), each.no_logging():
            each.fit_recipe()
    assert learn.history[0]["train_loss"] == pytest.approx(plain.history[0]["train_loss"], abs=1e-6)


def test_l2_joins_the_gradient_of_every_parameter_and_none_is_none(shape_arrays):
    def after_one_step(l2):
        learn = learner_for(shape_arrays, QUICK.changed(optimizer="sgd", momentum=0.0, lr=0.1, l2=l2, dropout=0.0,
                                                        epochs=1, batch_size=72), 0)
        before = [p.detach().double().clone() for p in learn.model.parameters()]
        with learn.no_bar(), learn.no_logging():
            learn.fit_recipe()
        return before, [p.detach().double() for p in learn.model.parameters()]
    before, plain = after_one_step(0.0)
    _, decayed = after_one_step(0.5)
    for start, without, with_l2 in zip(before, plain, decayed):
        assert torch.allclose(without - with_l2, 0.1 * 0.5 * start, atol=1e-6)


def test_a_loss_that_is_not_finite_is_an_error_also_with_terminate_on_nan(shape_arrays):
    from fastai.callback.tracker import TerminateOnNaNCallback
    for cbs in (None, [TerminateOnNaNCallback()]):
        with pytest.raises(TrainingError, match="lower learning rate"):
            fitted(shape_arrays, QUICK.changed(lr=1e30, optimizer="sgd", norm="none"), cbs=cbs)


def test_a_batch_larger_than_the_data_trains_on_the_short_batch(shape_arrays):
    learn = fitted(shape_arrays, QUICK.changed(batch_size=1024, epochs=1))
    assert len(learn.recorder.raw_losses) == 1
    assert np.isfinite(learn.history[0]["train_loss"])


def test_as_printed_batchnorm_equals_a_literal_loop_image_by_image(shape_arrays):
    learn = fitted(shape_arrays, QUICK.changed(dropout=0.0))
    net, (mean, deviation) = learn.model, shape_arrays.statistics
    kept, images = weights(learn), shape_arrays.images[:30]
    fast = scores(net, images, mean, deviation, testing="as-printed")
    assert equal(kept, weights(learn))
    net.train()
    with torch.no_grad():
        slow = torch.cat([net((torch.from_numpy(image[None]).permute(0, 3, 1, 2) / 255 - mean[0]) / deviation[0])
                          for image in images])
    assert torch.allclose(fast, slow, atol=1e-4)


def test_as_printed_keeps_dropout_on_from_its_own_seed(shape_arrays):
    learn = fitted(shape_arrays)
    mean, deviation = shape_arrays.statistics
    one, same, other = (scores(learn.model, shape_arrays.images[:8], mean, deviation, testing="as-printed", seed=seed)
                        for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    learn.model.train()
    with as_printed(learn.model, 0):
        pass
    assert learn.model.norm1.training


def test_a_model_file_gives_back_the_same_predictions_and_the_same_bytes(shape_arrays, tmp_path):
    model = model_of(fitted(shape_arrays))
    save_model(tmp_path / "a.safetensors", model)
    save_model(tmp_path / "b.safetensors", model)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    loaded = load_model(tmp_path / "a.safetensors")
    assert np.array_equal(loaded.probabilities(shape_arrays.images), model.probabilities(shape_arrays.images))
    assert (loaded.recipe, loaded.classes, loaded.names) == (model.recipe, model.classes, model.names)


def test_every_flipped_bit_of_the_header_and_a_sample_of_the_rest_is_refused(shape_arrays, tmp_path):
    path = tmp_path / "a.safetensors"
    save_model(path, model_of(learner_for(shape_arrays, QUICK, 0)))
    content = bytearray(path.read_bytes())
    header = 8 + int.from_bytes(content[:8], "little")
    rest = np.random.default_rng(0).integers(header * 8, len(content) * 8, 500).tolist()
    for bit in [*range(header * 8), *rest]:
        content[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ModelFileError):
            _checked(path, bytes(content))
        content[bit // 8] ^= 1 << bit % 8
    _checked(path, bytes(content))
    for length in (0, 7, 8, 100, header, len(content) - 1):
        with pytest.raises(ModelFileError):
            _checked(path, bytes(content[:length]))
    with pytest.raises(ModelFileError):
        _checked(path, bytes(content) + b"\0")


def test_a_file_that_names_code_does_not_run_it(shape_arrays, tmp_path, monkeypatch):
    (tmp_path / "stranger.py").write_text("raise SystemExit('code of a file was run')")
    monkeypatch.chdir(tmp_path)
    model = model_of(learner_for(shape_arrays, QUICK, 0))
    model.recipe = model.recipe.changed(net="stranger:net")
    save_model("a.safetensors", model)
    with pytest.raises(ModelFileError, match="does not run"):
        load_model("a.safetensors")


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (97, 100), (1488, 1488), (1, 3)])
def test_wilson_is_scipys(right, n):
    from scipy.stats import binomtest
    expected = binomtest(right, n).proportion_ci(method="wilson")
    assert wilson(right, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_recipe_survives_json_and_says_which_field_is_wrong():
    recipe = Recipe.for_net("alexnet2012", switches={"order": "pool-norm"}, l1=0.5)
    assert Recipe.from_dict(json.loads(json.dumps(recipe.to_dict()))) == recipe
    for field, value in (("epochs", 0), ("lr", float("nan")), ("dropout", 1.0), ("optimizer", "adm"),
                         ("batch_size", 2.5), ("l1_form", "los"), ("channels", 2), ("momentum", 1.0), ("width", 0)):
        with pytest.raises(OptionError, match=field.replace("_", "-")):
            Recipe(**{field: value})
    with pytest.raises(OptionError, match="Did you mean 'epochs'"):
        Recipe.from_dict({"epoch": 3})


def test_a_recipes_own_switches_are_the_networks():
    from fastlab.nets.registry import NETS, own_switches
    assert set(OWN_SWITCHES) == set(NETS)
    for net, (norm, dropout, lrn) in OWN_SWITCHES.items():
        own = own_switches(net)
        assert (norm, dropout, lrn) == (own["norm"], own["dropout"], own.get("lrn", "none"))


def test_fastais_ways_of_training_and_looking_work(shape_arrays, tmp_path, monkeypatch):
    import matplotlib.pyplot as plt
    from fastai.callback.mixup import MixUp
    from fastai.callback.tracker import EarlyStoppingCallback, ReduceLROnPlateau, SaveModelCallback
    from fastai.callback.training import GradientAccumulation, GradientClip
    from fastai.vision.all import ClassificationInterpretation
    monkeypatch.chdir(tmp_path)
    learn = lab_learner(arrays_dataloaders(shape_arrays, 16), QUICK)
    with learn.no_logging():
        learn.fit_one_cycle(3, 3e-3, cbs=[SaveModelCallback(), EarlyStoppingCallback(), ReduceLROnPlateau()])
        learn.fit_flat_cos(1, 1e-3, cbs=[GradientAccumulation(32), GradientClip(1.0), MixUp()])
        shares, truth = learn.get_preds()
        assert torch.equal(truth, torch.from_numpy(shape_arrays.labels[shape_arrays.splits["develop"]]))
        assert learn.validate()[1] == pytest.approx(float((shares.argmax(1) == truth).double().mean()))
        found = ClassificationInterpretation.from_learner(learn)
        assert found.confusion_matrix().sum() == len(truth)
        found.plot_top_losses(4)
        learn.show_results()
        learn.recorder.plot_loss()
        name, number, probabilities = learn.predict(shape_arrays.root / shape_arrays.files[0])
        assert name == shape_arrays.classes[int(number)]
        assert float(probabilities.sum()) == pytest.approx(1, abs=1e-5)
        learn.save("kept")
        before = weights(learn)
        learn.fit(1, 1e-2)
        learn.load("kept")
        assert equal(before, weights(learn))
        tta, _ = learn.tta(n=2)
        assert tta.shape == shares.shape
    plt.close("all")
