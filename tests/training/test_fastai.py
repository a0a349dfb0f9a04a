"""fastai's ways of fitting and of looking at a network, on the Learners of both factories."""
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from fastai.callback.core import Callback
from fastai.callback.hook import hook_outputs
from fastai.callback.schedule import ParamScheduler  # noqa: F401 (gives Learner and Recorder their schedules)
from fastai.interpret import ClassificationInterpretation
from fastai.learner import load_learner
from trainings import QUICK, bits, learner_for, quiet, same

from fastlab.errors import OptionError
from fastlab.images.batches import arrays_dataloaders, folder_dataloaders
from fastlab.nets.weights import body_and_head
from fastlab.training.evaluate import scores
from fastlab.training.learner import alexnet_learner, lab_learner, lenet_learner

FACTORIES = {"lenet": lenet_learner, "alexnet": partial(alexnet_learner, width=0.25)}


@pytest.fixture(scope="module", params=FACTORIES)
def trained(request, split_shapes, tmp_path_factory):
    "A Learner of each factory after six epochs on the shapes, in fp32."
    dls = folder_dataloaders(split_shapes, 24, seed=2)
    learn = FACTORIES[request.param](dls, precision="fp32", lr=3e-3, path=tmp_path_factory.mktemp(request.param))
    with quiet(learn):
        learn.fit_one_cycle(6, 3e-3)
    return learn


@pytest.fixture
def learn(shape_arrays, tmp_path):
    return lenet_learner(arrays_dataloaders(shape_arrays, 24), precision="fp32", path=tmp_path, splitter=body_and_head)


def by_hand(learn, rows):
    "Probabilities of some rows of the arrays, without fastai, float32 (N, classes)."
    arrays = learn.dls.arrays
    return scores(learn.model, arrays.images[rows], *arrays.statistics).softmax(1)


# -- fitting -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("fit", "highest", "last"), [
    (lambda learn: learn.fit(3, 1e-2), 1e-2, 1e-2), (lambda learn: learn.fit_one_cycle(3, 1e-2), 1e-2, 1e-7),
    (lambda learn: learn.fit_flat_cos(3, 1e-2), 1e-2, 1e-7)], ids=["fit", "one cycle", "flat cos"])
def test_each_way_of_fitting_learns_with_its_own_rates(learn, fit, highest, last):
    with quiet(learn):
        fit(learn)
    assert max(learn.recorder.lrs) == pytest.approx(highest, rel=0.05)
    assert learn.recorder.lrs[-1] <= highest if last == highest else learn.recorder.lrs[-1] < highest / 2
    assert learn.history[-1]["train_loss"] < learn.history[0]["train_loss"]
    learn.recorder.plot_loss()
    if last == highest:
        return      # fastai draws only schedules that a scheduler made
    learn.recorder.plot_sched()
    drawn = [ax.get_lines()[0].get_ydata() for ax in plt.gcf().axes if ax.get_ylabel() == "lr"]
    np.testing.assert_allclose(drawn[0], learn.recorder.lrs)


def test_fine_tune_freezes_the_body_for_its_first_epochs(learn):
    seen, start = [], bits(learn)
    with quiet(learn):
        learn.add_cb(Callback(after_epoch=lambda callback: seen.append(bits(callback.learn))))
        learn.fine_tune(2, 1e-2, freeze_epochs=1)
    assert torch.equal(seen[0]["conv1.weight"], start["conv1.weight"])
    assert not torch.equal(seen[0]["linear.weight"], start["linear.weight"])
    assert not torch.equal(seen[2]["conv1.weight"], start["conv1.weight"])
    assert [epoch["epoch"] for epoch in learn.history] == [1, 2, 3]


# -- predictions -------------------------------------------------------------------------------------------------------
def test_get_preds_validate_and_predict_agree_with_the_network_itself(trained):
    arrays = trained.dls.arrays
    rows = arrays.splits["develop"]
    wanted = by_hand(trained, rows)
    with quiet(trained):
        shares, truth = trained.get_preds()
        loss, accuracy = trained.validate()
        torch.testing.assert_close(shares, wanted, rtol=1e-4, atol=1e-5)
        assert truth.tolist() == arrays.labels[rows].tolist()
        right = wanted.argmax(1) == truth
        assert accuracy == pytest.approx(float(right.double().mean()))
        assert loss == pytest.approx(float(-wanted[range(24), truth].log().mean()), rel=1e-3)
        name, number, probabilities = trained.predict(arrays.paths[int(rows[5])])
    assert name == arrays.classes[int(number)]
    torch.testing.assert_close(probabilities.as_subclass(torch.Tensor), wanted[5], rtol=1e-4, atol=1e-5)


def test_new_images_go_through_test_dl(trained):
    arrays = trained.dls.arrays
    rows = arrays.splits["test"]
    with quiet(trained):
        shares, _ = trained.get_preds(dl=trained.dls.test_dl([arrays.paths[row] for row in rows]))
        losses = trained.get_preds(with_loss=True, with_decoded=True, with_input=True)
    torch.testing.assert_close(shares, by_hand(trained, rows), rtol=1e-4, atol=1e-5)
    inputs, shares, truth, decoded, loss = losses
    assert inputs.shape == (24, 1, 28, 28)
    assert decoded.tolist() == shares.argmax(1).tolist()
    torch.testing.assert_close(loss, -shares[range(24), truth].log(), rtol=1e-3, atol=1e-4)


def test_tta_mixes_draws_of_the_augmentation_with_the_plain_image(shape_arrays):
    learn = lenet_learner(arrays_dataloaders(shape_arrays, 24, "handwriting"), precision="fp32", lr=3e-3)
    with quiet(learn):
        learn.fit(3)
        plain, _ = learn.get_preds()
        one, truth = learn.tta(n=3, beta=0.25)
        again, _ = learn.tta(n=3, beta=0.25)
        whole, _ = learn.tta(n=3, beta=1)
    assert torch.equal(one, again)
    assert not torch.allclose(one, plain, atol=1e-4)
    torch.testing.assert_close(whole, plain)
    torch.testing.assert_close(one.sum(1), torch.ones(24))
    assert truth.tolist() == shape_arrays.labels[shape_arrays.splits["develop"]].tolist()


def test_hooks_see_every_layer(trained):
    first = next(part for part in trained.model if isinstance(part, torch.nn.Conv2d))
    with hook_outputs([first], cpu=True) as hooks, quiet(trained):
        trained.get_preds()
    assert hooks.stored[0].shape[:2] == (24, first.out_channels)


def test_the_summary_names_layers_and_counts_parameters(trained):
    text = trained.summary()
    count = sum(parameter.numel() for parameter in trained.model.parameters())
    assert f"Total params: {count:,}" in text
    assert "Conv2d" in text


# -- pictures ----------------------------------------------------------------------------------------------------------
def test_show_results_puts_the_true_and_the_told_class_above_each_image(trained):
    with quiet(trained):
        trained.show_results(max_n=9, shuffle=False)
    titles = [ax.get_title().split("\n") for ax in plt.gcf().axes if ax.get_title()]
    arrays, rows = trained.dls.arrays, trained.dls.arrays.splits["develop"][:9]
    told = by_hand(trained, rows).argmax(1)
    assert titles == [[arrays.classes[arrays.labels[row]], arrays.classes[number]] for row, number in zip(rows, told)]


def test_interpretation_counts_and_shows_the_predictions(trained):
    arrays, rows = trained.dls.arrays, trained.dls.arrays.splits["develop"]
    shares, truth = by_hand(trained, rows), torch.from_numpy(arrays.labels[rows])
    with quiet(trained):
        found = ClassificationInterpretation.from_learner(trained)
        counts = found.confusion_matrix()
        wanted = np.zeros((4, 4), int)
        np.add.at(wanted, (truth.numpy(), shares.argmax(1).numpy()), 1)
        assert np.array_equal(counts, wanted)
        confused = [(arrays.classes[t], arrays.classes[p], wanted[t, p]) for t in range(4) for p in range(4)
                    if t != p and wanted[t, p]]
        assert sorted(found.most_confused(min_val=1)) == sorted(confused)
        losses, order = found.top_losses(24)
        expected = -shares[range(24), truth].log()
        torch.testing.assert_close(losses, expected.sort(descending=True).values, rtol=1e-3, atol=1e-4)
        found.plot_confusion_matrix()
        found.plot_top_losses(4)
    titles = [ax.get_title() for ax in plt.gcf().axes if ax.get_title()]
    firsts = [f"{arrays.classes[shares[i].argmax()]}/{arrays.classes[truth[i]]}" for i in order[:4].tolist()]
    assert [title.split(" / ")[0] for title in titles] == firsts
    assert len(titles) == 4


@pytest.mark.parametrize("images", ["grey", "colour"])
def test_fault_9_top_losses_show_the_probability_of_the_predicted_and_of_the_true_class(images, split_shapes,
                                                                                        colour_shapes):
    learn = lenet_learner(folder_dataloaders(split_shapes if images == "grey" else colour_shapes), precision="fp32")
    with quiet(learn):
        found = ClassificationInterpretation.from_learner(learn)    # not trained: all is wrong that can be
        found.plot_top_losses(5)
    arrays, rows = learn.dls.arrays, learn.dls.arrays.splits["develop"][found.top_losses(5)[1]]
    shown = [ax.get_title().rpartition(" / ")[2] for ax in plt.gcf().axes if ax.get_title()]
    both = [[shares.max(), shares[arrays.labels[row]]] for row, shares in zip(rows, by_hand(learn, rows))]
    assert any(said > true for said, true in both)
    np.testing.assert_allclose([[float(share) for share in text.split("/")] for text in shown], both, atol=0.0051)


# -- saving ------------------------------------------------------------------------------------------------------------
def test_save_and_load_bring_back_weights_and_optimizer(learn):
    with quiet(learn):
        learn.fit(1, 1e-3)
        learn.save("kept")
        kept, moments = bits(learn), [state["exp_avg"].clone() for state in learn.opt.opt.state.values()]
        learn.fit(1, 1e-2)
        assert not same(bits(learn), kept)
        learn.load("kept")
    assert same(bits(learn), kept)
    assert all(torch.equal(one, state["exp_avg"]) for one, state in zip(moments, learn.opt.opt.state.values()))


def test_an_exported_learner_predicts_alike(trained):
    "fastai's own export is a pickle: only for files that one wrote oneself."
    trained.export("whole.pkl")
    other = load_learner(trained.path / "whole.pkl")
    path = trained.dls.arrays.paths[3]
    with quiet(trained), other.no_bar():
        torch.testing.assert_close(other.predict(path)[2], trained.predict(path)[2])
    assert len(trained.dls.train_ds) == 72


# -- seeds -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("augment", ["none", "handwriting"])
def test_fault_11_the_same_seed_gives_the_same_bits_whatever_ran_before(shape_arrays, augment):
    recipe = QUICK.changed(augment=augment)
    first, other = (learner_for(shape_arrays, recipe, seed) for seed in (0, 1))
    for each in (first, other):
        with quiet(each):
            each.fit_recipe()
    torch.rand(17), np.random.rand(5)
    dls = arrays_dataloaders(shape_arrays, 24, augment)
    later = lenet_learner(dls, epochs=2)
    dls.train.one_batch(), dls.show_batch()
    with quiet(later):
        later.lr_find(num_it=6, show_plot=False)
        later.fit(1, 1e-3)
        later.validate(), later.get_preds(), later.show_results()
        later.lr_find(num_it=6, show_plot=False)
        later.fit(1, 1e-3)
    assert same(bits(first), bits(later))
    assert not same(bits(first), bits(other))


@pytest.mark.parametrize("workers", [1, 2])
def test_fault_11_any_number_of_workers_gives_the_same_bits(shape_arrays, workers):
    found = []
    for options in ({}, {"num_workers": workers}):
        dls = arrays_dataloaders(shape_arrays, 24, "crop")
        dls.train = dls.train.new(**options) if options else dls.train
        learn = lenet_learner(dls)
        with quiet(learn):
            learn.fit(1, 1e-3)
        found.append(bits(learn))
    assert same(*found)


def test_the_programs_random_numbers_are_left_alone(shape_arrays):
    state = torch.get_rng_state()
    learn = learner_for(shape_arrays, QUICK, 0)
    with quiet(learn):
        learn.fit(1, 1e-3)
        learn.lr_find(num_it=6, show_plot=False)
    assert torch.equal(torch.get_rng_state(), state)


# -- mistakes ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("options", "words"), [
    ({"epoch": 3}, "Did you mean 'epochs'"), ({"batch_size": 3}, "batch_size: .*folder_dataloaders"),
    ({"augment": "crop"}, "augment: .*DataLoaders"), ({"net": "alexnet"}, "net: .*lab_learner"),
    ({"dropout": 2}, "dropout")])
def test_an_option_that_a_factory_does_not_have_is_an_error_with_a_cure(shape_arrays, options, words):
    with pytest.raises(OptionError, match=words):
        lenet_learner(arrays_dataloaders(shape_arrays, 24), **options)


def test_dataloaders_that_fastlab_did_not_make_are_an_error_that_says_which_to_take(split_shapes):
    from fastai.vision.data import ImageDataLoaders
    dls = ImageDataLoaders.from_folder(split_shapes, train="train", valid="develop", bs=8)
    with pytest.raises(OptionError, match=r"dls: .*folder_dataloaders"):
        lab_learner(dls)
