"""Training on a folder: what comes out, what goes wrong and how it is said; Ctrl-C at any point loses nothing."""
import errno
import os
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from fastai.callback.core import Callback
from fastai.callback.tracker import TerminateOnNaNCallback
from fastai.torch_core import L
from trainings import QUICK, CountEpochs, bits, figures, fitted, learner_for, quiet, same

from fastlab.errors import FolderError, ImageError, OptionError, StorageError, TrainingError
from fastlab.images.batches import arrays_dataloaders
from fastlab.training.learner import lenet_learner
from fastlab.training.machine import threads_set
from fastlab.training.modelfile import load_model
from fastlab.training.recipe import Recipe
from fastlab.training.test import test as run_test
from fastlab.training.train import arrays_for, train
from fastlab.training.writable import check_writable


class RaiseAt(Callback):
    "Raises at an event of the second epoch."
    order = 95

    def __init__(self, event, error):
        super().__init__()
        setattr(self, event, lambda: self.raise_in_second_epoch(error))

    def raise_in_second_epoch(self, error):
        if self.learn.epoch == 1:
            raise error


# -- what comes out ----------------------------------------------------------------------------------------------------
def test_a_training_is_tested_saved_and_told(shape_arrays, split_shapes, fresh_cache, tmp_path):
    saved = tmp_path / "new" / "folder" / "net.safetensors"
    trained = train(split_shapes, QUICK, seed=3, save=saved, device="cpu")
    loaded = load_model(saved)
    assert same(bits(trained.learn), bits(fitted(shape_arrays, QUICK, seed=3)))
    assert same(loaded.net.state_dict(), bits(trained.learn))
    assert (trained.develop.n, trained.test.n, trained.resumed) == (24, 24, 0)
    assert np.array_equal(run_test(saved, split_shapes).probabilities, trained.test.probabilities)
    assert loaded.tested == {"develop_accuracy": trained.develop.accuracy, "develop_n": 24, "n": 24,
                             "accuracy": trained.test.accuracy, "interval": list(trained.test.interval),
                             "calculated_in": loaded.recipe.precision}
    assert trained.develop.accuracy == trained.learn.history[-1]["develop_accuracy"]
    assert loaded.history == trained.model.history
    assert [epoch["epoch"] for epoch in loaded.history] == [1, 2]
    assert trained.seconds >= trained.seconds_per_epoch == min(epoch["seconds"] for epoch in loaded.history) > 0
    assert None not in loaded.recipe.changed(weights="none").to_dict().values()
    assert list((fresh_cache / "resume").iterdir()) == []


def test_a_folder_without_test_split_is_trained_on_all_the_same(write_shapes, tmp_path):
    trained = train(write_shapes(tmp_path / "data" / "train", 8).parent, QUICK, device="cpu")
    assert trained.test is None
    assert "n" not in trained.model.tested


def test_images_are_decoded_as_the_recipe_wants_them(colour_shapes):
    arrays = arrays_for(colour_shapes, Recipe(channels=1, size=20))
    assert arrays.images.shape[1:] == (20, 20, 1)
    assert arrays_for(colour_shapes, Recipe()).images.shape[1:] == (40, 40, 3)
    assert arrays_for(colour_shapes, Recipe(net="alexnet2012")).images.shape[1:] == (256, 256, 3)


def test_the_number_of_threads_is_as_before_afterwards(shape_arrays, fresh_cache):
    before = torch.get_num_threads()
    with pytest.raises(KeyError, match=str(before + 1)), threads_set(before + 1):
        raise KeyError(torch.get_num_threads())
    assert torch.get_num_threads() == before
    assert train(shape_arrays, QUICK.changed(epochs=1), device="cpu", threads=1).machine["threads"] == 1
    with pytest.raises(OptionError, match="threads: -1"):
        train(shape_arrays, QUICK, device="cpu", threads=-1)


def test_balanced_class_weights_are_inverse_to_how_often_a_class_is_trained_on(shape_arrays):
    labels = shape_arrays.labels
    rows = np.concatenate([np.flatnonzero(labels == 0)[:16], np.flatnonzero(labels == 1)[:4],
                           np.flatnonzero(labels == 2)[:2], np.flatnonzero(labels == 3)[:2]])
    learn = learner_for(shape_arrays.with_splits(train=rows), QUICK.changed(class_weights="balanced"), 0)
    weights = learn.loss_func.func.weight.tolist()
    assert weights == pytest.approx([24 / 4 / 16, 24 / 4 / 4, 24 / 4 / 2, 24 / 4 / 2])
    scores, truth = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 0])
    each = np.array([weights[label] for label in truth])
    losses = np.array([-float(row.log_softmax(0)[label]) for row, label in zip(scores, truth)])
    assert float(learn.loss_func(scores, truth)) == pytest.approx((each * losses).sum() / each.sum(), rel=1e-5)


def test_fault_1_a_batch_larger_than_the_data_trains_on_the_images_that_there_are(shape_arrays):
    large, all_at_once = (fitted(shape_arrays, QUICK.changed(batch_size=size)) for size in (1024, 72))
    assert len(large.recorder.raw_losses) == 2
    assert same(bits(large), bits(all_at_once))
    assert figures(large) == figures(all_at_once)


# -- Ctrl-C ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("event", ["before_epoch", "before_batch", "after_loss", "after_step", "after_train",
                                   "before_validate", "after_epoch"])
def test_ctrl_c_at_any_point_loses_nothing(shape_arrays, fresh_cache, tmp_path, event):
    saved = tmp_path / "net.safetensors"
    saved.write_bytes(b"an older network")
    random_state, threads = torch.get_rng_state(), torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt):
        train(shape_arrays, QUICK, save=saved, device="cpu", threads=1, cbs=[RaiseAt(event, KeyboardInterrupt())])
    assert saved.read_bytes() == b"an older network"
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.get_num_threads() == threads
    again = train(shape_arrays, QUICK, save=saved, device="cpu")
    assert again.resumed == 1
    assert same(load_model(saved).net.state_dict(), bits(fitted(shape_arrays, QUICK)))


@pytest.mark.parametrize("place", ["fastlab.training.train.test", "fastlab.files.os.replace", "fastlab.files.os.fsync"])
def test_ctrl_c_after_the_last_epoch_does_not_train_again(shape_arrays, fresh_cache, tmp_path, monkeypatch, place):
    def interrupt(*_, **__):
        raise KeyboardInterrupt
    saved, begun = tmp_path / "net.safetensors", []
    monkeypatch.setattr("fastlab.training.checkpoint.SHARE_OF_TIME", float("inf"))
    monkeypatch.setattr("fastlab.training.checkpoint.Checkpoint.__init__.__defaults__", (0.0,))
    with monkeypatch.context() as patch:
        late = Callback(after_fit=lambda callback: patch.setattr(place, interrupt))
        with pytest.raises(KeyboardInterrupt):
            train(shape_arrays, QUICK, save=saved, device="cpu", cbs=[late])
    assert list(tmp_path.glob("*.safetensors*")) == list(tmp_path.glob(".*.part")) == []
    again = train(shape_arrays, QUICK, save=saved, device="cpu", cbs=[Callback(before_batch=lambda _: begun.append(1))])
    assert (again.resumed, begun) == (2, [])
    assert same(load_model(saved).net.state_dict(), bits(fitted(shape_arrays, QUICK)))


# -- nowhere to write --------------------------------------------------------------------------------------------------
def test_a_disk_that_fills_up_while_training_costs_no_epoch(shape_arrays, fresh_cache, tmp_path, monkeypatch):
    "Neither checkpoints nor the model can be written; once there is space the same call ends as it should."
    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    saved = tmp_path / "net.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr("fastlab.files.os.fsync", full)
        with (pytest.raises(StorageError, match=r"net\.safetensors: the disk is full; free some space"),
              pytest.warns(UserWarning, match="the disk is full.*The training goes on")):
            train(shape_arrays, QUICK, save=saved, device="cpu")
    assert not saved.exists()
    with monkeypatch.context() as patch:
        late = Callback(after_fit=lambda callback: patch.setattr("fastlab.files.os.fsync", full))
        with pytest.raises(StorageError):
            train(shape_arrays, QUICK, save=saved, device="cpu", cbs=[late])
    assert train(shape_arrays, QUICK, save=saved, device="cpu").resumed >= 1
    assert same(load_model(saved).net.state_dict(), bits(fitted(shape_arrays, QUICK)))


def test_an_output_that_cannot_be_written_is_said_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "a file").touch()
    os.mkfifo(tmp_path / "pipe")
    places = {tmp_path: "this is a folder", tmp_path / "a file" / "net": "is a file, not a folder",
              tmp_path / "pipe": "a device or a pipe", tmp_path / ("long" * 80): "cannot be written",
              "/proc/nowhere/net": "cannot be written"}
    monkeypatch.setattr("fastlab.training.train.arrays_for", None)      # nothing is decoded
    for place, words in places.items():
        with pytest.raises(OptionError, match=f"--save .*{words}"):
            train(tmp_path, QUICK, save=place, device="cpu")
    check_writable(tmp_path / "new" / "deep" / "net.safetensors")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a file", "pipe"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write into read-only folders")
def test_a_folder_without_permission_is_said_before_the_work(tmp_path):
    (tmp_path / "kept").mkdir(mode=0o500)
    with pytest.raises(OptionError, match=r"--out .*cannot be written"):
        check_writable(tmp_path / "kept" / "net", "--out")


# -- losses that are not finite ----------------------------------------------------------------------------------------
class NanAt(Callback):
    "Makes the loss of one step nan, before anybody else sees it."
    order = -50

    def __init__(self, step, kind):
        super().__init__()
        self.step, self.kind = step, kind

    def after_loss(self):
        if self.learn.training and self.learn.train_iter == self.step - 1:
            self.learn.loss = self.learn.loss * 0 + self.kind


@pytest.mark.parametrize("kind", [float("nan"), float("inf")])
@pytest.mark.parametrize("also", [[], [TerminateOnNaNCallback]], ids=["alone", "with TerminateOnNaN"])
def test_fault_19_a_loss_that_is_not_finite_is_an_error_that_names_epoch_and_step(shape_arrays, kind, also):
    for step, epoch in ((1, 1), (3, 1), (5, 2)):        # three steps an epoch
        with pytest.raises(TrainingError, match=f"epoch {epoch}: the loss is {kind} at step {step} of this fit"):
            fitted(shape_arrays, QUICK, cbs=[NanAt(step, kind), *(kind_of() for kind_of in also)])


@pytest.mark.parametrize("change", [{"optimizer": "sgd", "norm": "none"}, {"optimizer": "adam", "l1": 1e-3}], ids=str)
@pytest.mark.parametrize("also", [[], [TerminateOnNaNCallback]], ids=["alone", "with TerminateOnNaN"])
def test_fault_19_a_rate_too_high_is_an_error_with_step_and_cure(shape_arrays, fresh_cache, change, also, tmp_path):
    recipe = QUICK.changed(lr=1e30, precision="fp32", **change)
    with pytest.raises(TrainingError, match=r"epoch 1: .*Take a lower learning rate \(now 1e\+30\)") as caught:
        train(shape_arrays, recipe, save=tmp_path / "a", device="cpu", cbs=[kind() for kind in also])
    assert re.search(r"the loss is \S+ at step \d of this fit|weights are not finite", str(caught.value))
    assert list(tmp_path.glob("a*")) == []


def test_fault_19_weights_that_are_not_finite_are_an_error_where_no_loss_tells(shape_arrays):
    "The last step of an epoch ruins the weights: no training loss sees them."
    class Ruin(Callback):
        def after_step(self):
            if self.learn.iter == self.learn.n_iter - 1:
                with torch.no_grad():
                    self.learn.model.linear.weight[0, 0] = float("inf")
    with pytest.raises(TrainingError, match="epoch 1: weights are not finite"):
        fitted(shape_arrays, QUICK, cbs=[Ruin()])


def test_fault_19_a_users_own_fit_with_terminate_on_nan_is_an_error_too(shape_arrays):
    learn = lenet_learner(arrays_dataloaders(shape_arrays, 24), cbs=TerminateOnNaNCallback(), precision="fp32")
    with quiet(learn), pytest.raises(TrainingError, match="step 2"):
        learn.fit(1, 1e-3, cbs=NanAt(2, float("nan")))


# -- mistakes ----------------------------------------------------------------------------------------------------------
def test_images_that_cannot_be_read_are_named_at_once_or_left_out(new_data, fresh_cache):
    for name in ("1/2.png", "3/4.png"):
        (new_data / name).write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"2 images cannot be read(.|\n)*--skip-unreadable") as caught:
        train(new_data, QUICK, device="cpu")
    assert len(caught.value.reasons) == 2
    splits = train(new_data, QUICK, device="cpu", skip_unreadable=True).learn.dls.arrays.splits
    assert sum(map(len, splits.values())) == 22


def test_mistakes_are_said_before_anything_is_decoded_or_trained(shape_arrays, tmp_path):
    with pytest.raises(FolderError, match="there is no such folder"):
        train(tmp_path / "none", QUICK, device="cpu")
    for wrong in ({"size": 32}, {"channels": 3}):
        with pytest.raises(OptionError, match=next(iter(wrong))):
            train(shape_arrays, QUICK.changed(**wrong), device="cpu")
    with pytest.raises(OptionError, match="Did you mean 'lenet'"):
        train(shape_arrays, QUICK.changed(net="lennet"), device="cpu")
    with pytest.raises(OptionError, match="device: 'gpu'"):
        train(shape_arrays, QUICK, device="gpu")


class OneByOne(torch.nn.Module):
    "BatchNorm over single values, as a deep network has it on small images."

    def __init__(self, classes=4):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 8), torch.nn.BatchNorm1d(8),
                                          torch.nn.Linear(8, classes))

    def forward(self, images):
        return self.layers(images)


def test_a_last_batch_of_one_image_that_batchnorm_cannot_take_is_said_with_its_cure(shape_arrays, monkeypatch):
    monkeypatch.setitem(sys.modules, "one_by_one", SimpleNamespace(net=OneByOne))
    recipe = QUICK.changed(net="one_by_one:net", batch_size=71)  # 72 images to train on
    with pytest.raises(TrainingError, match=r"single image.*Take another batch size"):
        fitted(shape_arrays, recipe)
    assert fitted(shape_arrays, recipe.changed(batch_size=36)).epochs_trained == 2


def test_one_callback_may_stand_alone_or_in_an_l(shape_arrays, fresh_cache):
    for cbs in (CountEpochs(), L(CountEpochs()), [CountEpochs()]):
        trained = train(shape_arrays, QUICK, device="cpu", cbs=cbs)
        assert L(cbs)[0].count == 2
        assert same(bits(trained.learn), bits(fitted(shape_arrays, QUICK)))
        learn = lenet_learner(arrays_dataloaders(shape_arrays, 24), cbs=cbs)
        assert L(cbs)[0] in list(learn.cbs)
