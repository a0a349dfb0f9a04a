"""The recorder and the bar: the figures of fastai's own on the same run, without a look at the device inside it."""
import gc

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from fastai.callback.core import Callback
from fastai.callback.schedule import ParamScheduler  # noqa: F401 (gives Recorder its plot_sched)
from fastai.learner import Recorder
from fastai.metrics import accuracy, error_rate
from fastai.torch_core import TensorBase, TensorImageBW
from torch.overrides import TorchFunctionMode
from trainings import QUICK, learner_for, quiet, stock_learner

from fastlab.images.batches import arrays_dataloaders
from fastlab.training.learner import lenet_learner
from fastlab.training.recorder import Accuracy, DeviceRecorder, LightProgress


@pytest.fixture
def both(shape_arrays, tmp_path):
    "(our recorder, fastai's own) after the same training by one-cycle, with two metrics."
    learn = lenet_learner(arrays_dataloaders(shape_arrays, 20), metrics=[accuracy, error_rate], dropout=0.0,
                          precision="fp32")
    stock = stock_learner(shape_arrays, learn, tmp_path, metrics=[accuracy, error_rate])
    for each in (learn, stock):
        with quiet(each):
            each.fit_one_cycle(3, 1e-2)
    assert type(stock.recorder) is Recorder
    return learn.recorder, stock.recorder


def test_losses_rates_values_and_counts_are_fastais(both):
    ours, fastais = both
    np.testing.assert_allclose([float(loss) for loss in ours.losses], [float(loss) for loss in fastais.losses],
                               rtol=1e-5)
    assert ours.lrs == fastais.lrs
    assert ours.iters == fastais.iters == [4, 8, 12]
    assert ours.metric_names == fastais.metric_names
    np.testing.assert_allclose(np.array(ours.values), np.array(fastais.values), rtol=1e-5)


def test_the_curves_that_are_drawn_are_fastais(both):
    lines = []
    for recorder in both:
        _, ax = plt.subplots()
        recorder.plot_loss(skip_start=2, ax=ax)
        lines.append([line.get_xydata() for line in ax.get_lines()])
    assert len(lines[0]) == 2
    for ours, fastais in zip(*lines):
        np.testing.assert_allclose(ours, fastais, rtol=1e-5)
    both[0].plot_sched()
    drawn = {ax.get_ylabel(): ax.get_lines()[0].get_ydata() for ax in plt.gcf().axes}
    np.testing.assert_allclose(drawn["lr"], both[0].lrs)
    plt.close("all")


def test_the_train_loss_of_an_epoch_is_the_mean_over_its_images(shape_arrays):
    learn = learner_for(shape_arrays, QUICK.changed(batch_size=50), 0)        # steps of 50 and 22 images
    with quiet(learn):
        learn.fit(2)
    first, second = np.array(learn.recorder.raw_losses).reshape(2, 2)
    for losses, epoch in zip((first, second), learn.history):
        assert epoch["train_loss"] == pytest.approx((50 * losses[0] + 22 * losses[1]) / 72)


def test_the_rows_of_the_history_are_those_of_the_recorder(shape_arrays):
    learn = learner_for(shape_arrays, QUICK, 0)
    with quiet(learn):
        learn.fit(2)
    for epoch, values in zip(learn.history, learn.recorder.values):
        assert (epoch["develop_loss"], epoch["develop_accuracy"]) == (values[1], values[2])
        assert epoch["seconds"] > 0


def test_accuracy_is_the_share_of_right_answers_over_batches_of_any_size():
    class Step:
        pass
    metric, step, rng = Accuracy(), Step(), torch.Generator().manual_seed(0)
    metric.reset()
    assert metric.value is None
    scores, truth = torch.randn(50, 5, generator=rng), torch.randint(5, (50,), generator=rng)
    for part in (slice(0, 32), slice(32, 50)):
        step.pred, step.yb = scores[part], (truth[part],)
        metric.accumulate(step)
    assert metric.value == pytest.approx(np.mean(scores.numpy().argmax(1) == truth.numpy()))


def test_fault_13_nothing_is_read_from_the_device_inside_an_epoch(shape_arrays, monkeypatch):
    "On a GPU each .item(), .cpu(), .tolist() or float() waits for all that was launched."
    looks, steps, watched = [], [], []
    learn = learner_for(shape_arrays, QUICK.changed(batch_size=6, l1=1e-3), 0)
    learn.dls.loaders[1] = learn.dls.valid.new(bs=3)
    learn.progress.every = 1e9
    for name in ("item", "cpu", "tolist", "numpy", "__float__", "__int__", "__bool__", "__index__"):
        original = getattr(torch.Tensor, name)
        monkeypatch.setattr(torch.Tensor, name, lambda *given, original=original, name=name, **named: (
            looks.append(name) if steps else None, original(*given, **named))[1])

    class Inside(Callback):
        "Counts from the second step to the last but one, of training and of validation."
        order = 1000

        def after_batch(self):
            inside = 0 < self.learn.iter < self.learn.n_iter - 2
            steps[:] = [1] if inside else []
            watched.append((self.learn.training, inside))
    with learn.no_logging():
        learn.fit(1, cbs=Inside())
    assert (watched.count((True, True)), watched.count((False, True))) == (9, 5)
    assert looks == []


class Subclasses(TorchFunctionMode):
    "fastai's tensor types among what torch's functions are called with."

    def __init__(self):
        super().__init__()
        self.seen, self.calls = set(), 0

    def __torch_function__(self, function, types, args=(), kwargs=None):
        self.calls += 1
        self.seen |= {kind.__name__ for kind in types if issubclass(kind, TensorBase)}
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("loader", ["plain", "typed"])
def test_fault_13_no_tensor_of_fastais_types_takes_part_in_an_epoch(shape_arrays, loader):
    "Each operation on one costs a search for whose it is. A loader that gives them is what would show them."
    learn = learner_for(shape_arrays, QUICK.changed(augment="crop", l1=1e-3), 0)
    if loader == "typed":
        learn.model.register_forward_pre_hook(lambda net, given: (TensorImageBW(given[0]),))
    with quiet(learn), Subclasses() as mode:
        learn.fit(1)
    assert mode.calls > 100
    assert mode.seen == (set() if loader == "plain" else {"TensorImageBW"})


def test_fault_13_the_bar_looks_at_the_loss_only_now_and_then(shape_arrays, monkeypatch):
    reads = []
    original = DeviceRecorder.read
    monkeypatch.setattr(DeviceRecorder, "read", lambda self: (reads.append(1), original(self))[1])
    learn = learner_for(shape_arrays, QUICK.changed(batch_size=2), 0)
    assert isinstance(learn.progress, LightProgress)
    learn.progress.every = 1e9
    with learn.no_logging():
        learn.fit(1)
    assert len(learn.recorder.losses) == 36
    assert len(reads) <= 4


def test_the_smoothed_loss_is_there_at_every_step_for_those_who_ask(shape_arrays):
    seen = []
    learn = learner_for(shape_arrays, QUICK, 0)
    assert not hasattr(learn, "smooth_loss")
    watch = Callback(after_batch=lambda callback: callback.learn.training and seen.append(callback.learn.smooth_loss))
    watch.order = 70
    with quiet(learn):
        learn.fit(1, cbs=watch)
    assert [float(loss) for loss in seen] == pytest.approx([float(loss) for loss in learn.recorder.losses])


def test_memory_does_not_grow_with_the_steps_of_an_epoch(shape_arrays):
    "What outlives a step lies in one tensor: none is left over for each step before the epoch's end."
    alive = []

    def count(callback):
        if callback.learn.training and callback.learn.iter in (5, 35):
            alive.append(sum(type(thing) is torch.Tensor for thing in gc.get_objects()))
    learn = learner_for(shape_arrays, QUICK.changed(batch_size=2), 0)
    with quiet(learn):
        learn.fit(1, cbs=Callback(after_batch=count))
    assert alive[1] <= alive[0] + 2


def test_losses_that_are_no_single_number_and_more_steps_than_foreseen_are_kept(shape_arrays):
    learn = learner_for(shape_arrays, QUICK, 0)
    with quiet(learn):
        learn.fit(1)
    recorder, steps = learn.recorder, [torch.tensor([1.0, 3.0]), torch.tensor(4.0, dtype=torch.bfloat16)] * 4
    before = len(recorder.raw_losses)
    for loss in steps:
        recorder._keep(loss)
    recorder.read()
    assert recorder.raw_losses[before:] == [2.0, 4.0] * 4
    assert len(recorder.losses) == before + 8
