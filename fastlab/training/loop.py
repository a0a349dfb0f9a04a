"""A fastai Learner whose loop costs little and repeats exactly.

Every event of fastai's is still called, in the same order; what goes is the search for who listens (kept until the
callbacks change), the walk over each batch for its device, and random numbers shared with the rest of the program."""
import random
from contextlib import contextmanager
from copy import deepcopy
from io import IOBase
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from fastai.callback.core import Callback, CancelBatchException, CancelEpochException, CancelStepException, event
from fastai.callback.schedule import SuggestionMethod
from fastai.learner import Learner

from fastlab.errors import TrainingError
from fastlab.images.batches import BatchLoader
from fastlab.seeds import kept_random_state, seed_for
from fastlab.training.graphs import GraphedSteps, record_on_cuda
from fastlab.training.optimizers import current_rate


class RepeatableLearner(Learner):
    """A Learner with one seed per purpose. `epochs_trained` counts the epochs behind it, over all calls of `fit`; the
    order, augmentation and dropout of epoch k depend on (seed, k) alone. `history` holds one dict an epoch and
    survives `lr_find` and stages. The global random state is left as it was found."""

    def __init__(self, dls, model, *arguments, seed=0, precision="fp32", **options):
        self.seed, self.precision = seed, precision
        self.epochs_trained, self.history, self.searching, self.first_epoch = 0, [], False, 0
        self._listening, self._listening_for, self._device, self._graphed = {}, 0, None, None
        super().__init__(dls, model, *arguments, **options)

    # -- events ------------------------------------------------------------------------------------------------------
    def add_cb(self, cb):
        self._listening = {}
        return super().add_cb(cb)

    def remove_cb(self, cb):
        self._listening = {}
        return super().remove_cb(cb)

    def __call__(self, event_name):
        for name in [event_name] if isinstance(event_name, str) else event_name:
            for callback in self._listeners(name):
                callback(name)

    def _listeners(self, event_name):
        "The callbacks that have something to do at an event, in order; all of them after a fit, which resets them."
        if self._listening_for != (count := len(self.cbs.items)):  # a plain list's length, asked at every event
            self._listening, self._listening_for = {}, count
        if event_name not in self._listening:
            getattr(event, event_name)  # an AttributeError for an event that does not exist
            self._listening[event_name] = [cb for cb in self.cbs.sorted("order")
                                           if event_name == "after_fit" or _listens(cb, event_name)]
        return self._listening[event_name]

    @property
    def smooth_loss(self):
        "The smoothed training loss up to the last step, read from the device only when somebody asks."
        loss = self.recorder.read()
        if loss is None:
            raise AttributeError("smooth_loss: no step has been trained yet")
        return loss

    @contextmanager
    def no_bar(self):
        "Without a progress bar for a while; afterwards the same one is back."
        bars = [cb for cb in self.cbs if cb.name == "progress"]
        with self.removed_cbs(bars):
            yield self

    # -- one step ----------------------------------------------------------------------------------------------------
    def one_batch(self, i, b):
        self.iter = i
        if not self._in_place(b):
            b = _plain_tensors(self._set_device(b))
        self._split(b)
        self._with_events(self._do_one_batch, "batch", CancelBatchException)

    def _in_place(self, batch):
        return all(type(part) is torch.Tensor and part.device == self._device for part in batch)

    def _split(self, b):
        if len(b) == 2:
            self.xb, self.yb = b[:1], b[1:]
        else:
            super()._split(b)

    def _do_one_batch(self):
        if self._graphed is not None and self.training and self._graphed.passed():
            self._after_replay()
            return
        self.pred = self.forward(*self.xb)
        self("after_pred")
        if self.yb:
            self.loss_grad = self.loss_func(self.pred, *self.yb)
            self.loss = self.loss_grad.detach().clone() if self.training else self.loss_grad
        self("after_loss")
        if self.training and self.yb:
            self._do_grad_opt()

    def _after_replay(self):
        "The events and the optimizer's step of a batch whose passes were replayed from a CUDA graph."
        for name in ("after_pred", "after_loss", "before_backward", "after_backward"):
            self(name)
        self._with_events(self._step, "step", CancelStepException)
        self.opt.zero_grad()

    def forward(self, *inputs):
        "The network's scores in float32; calculated in bfloat16 where the precision says so."
        try:
            if self.precision != "bf16":
                return self.model(*inputs)
            with torch.autocast(inputs[0].device.type, dtype=torch.bfloat16):
                return self.model(*inputs).float()
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise TrainingError("batch size: a batch, perhaps the last of an epoch, has a single image, and BatchNorm "
                                "cannot take statistics from its single values. Take another batch size.") from error

    # -- one epoch, one fit ------------------------------------------------------------------------------------------
    def _do_epoch_train(self):
        self._prepare(self.dls.train, self.epochs_trained)
        _seed_everything(seed_for(self.seed, "dropout", self.epochs_trained))
        super()._do_epoch_train()
        if not self.searching:
            self.check_finite()
            self.epochs_trained += 1

    def _do_epoch_validate(self, ds_idx=1, dl=None):
        dl = self.dls[ds_idx] if dl is None else dl
        self._prepare(dl, getattr(self, "epoch", 0))  # which `tta` counts up, for new draws in each of its passes
        super()._do_epoch_validate(ds_idx, dl)

    def _prepare(self, loader, turn):
        "A loader's draws belong to this Learner's seed, whichever Learner used it last."
        self._device = next(self.model.parameters()).device
        if isinstance(loader, BatchLoader):
            loader.seed, loader.turn = self.seed, turn

    def _graphs(self):
        "The recorded steps of a fit on a GPU; None elsewhere."
        on_cuda = next(self.model.parameters()).device.type == "cuda"
        return GraphedSteps(self, _listens, record_on_cuda) if on_cuda else None

    def _do_fit(self):
        self._graphed = self._graphs()
        try:
            for epoch in range(self.first_epoch, self.n_epoch):
                self.epoch = epoch
                self._with_events(self._do_epoch, "epoch", CancelEpochException)
        finally:
            self._graphed = None

    def fit(self, n_epoch, lr=None, wd=None, cbs=None, reset_opt=False, start_epoch=0):
        "As fastai's; leaves the program's random numbers alone. Raises TrainingError for losses that are not finite."
        self.first_epoch = start_epoch
        self.model.zero_grad()  # what an interrupted step left
        with kept_random_state():
            super().fit(n_epoch, lr, wd, cbs, reset_opt)
        if not self.searching:
            self.check_finite()  # a callback may have ended the fit early, as TerminateOnNaN does

    def check_finite(self):
        "A TrainingError that names the epoch and the first step whose loss was not finite."
        self.recorder.read()
        where, losses = f"epoch {self.epochs_trained + 1}", np.array(self.recorder.raw_losses)
        if not np.isfinite(losses).all():
            step = int(np.argmin(np.isfinite(losses)))
            raise TrainingError(f"{where}: the loss is {losses[step]} at step {step + 1} of this fit. Take a lower "
                                f"learning rate (now {current_rate(self.opt):g}), or look for broken inputs.")
        if not torch.stack([tensor.isfinite().all() for tensor in self.model.state_dict().values()]).all():
            raise TrainingError(f"{where}: weights are not finite. Take a lower learning rate "
                                f"(now {current_rate(self.opt):g}).")

    def lr_find(self, start_lr=1e-7, end_lr=10, num_it=100, stop_div=True, show_plot=True,
                suggest_funcs=(SuggestionMethod.Valley,)):
        "fastai's learning-rate finder; afterwards weights, optimizer, history and random numbers are as before."
        with self._put_back():
            return super().lr_find(start_lr, end_lr, num_it, stop_div, show_plot, suggest_funcs)

    def export(self, fname="export.pkl", **options):
        "As fastai's. Callbacks that hold an open or closed file are left out; a failure leaves the Learner as it was."
        dls, opt = self.dls, self.opt
        with_files = [cb for cb in self.cbs if any(isinstance(value, IOBase) for value in vars(cb).values())]
        try:
            with self.removed_cbs(with_files):
                super().export(fname, **options)
        finally:
            self.dls, self.opt = dls, opt

    @contextmanager
    def _put_back(self):
        "A search that leaves nothing behind, in the Learner or on disk, even when it is interrupted."
        weights, path = deepcopy(self.model.state_dict()), self.path
        state = deepcopy(self.opt.state_dict()) if self.opt is not None else None
        listeners = [cb for cb in self.cbs if not getattr(cb, "while_searching", True)]
        with TemporaryDirectory() as place:
            self.path, self.searching = Path(place), True
            try:
                with self.removed_cbs(listeners):
                    yield
            finally:
                self.path, self.searching = path, False
                self.model.zero_grad()
                self.model.load_state_dict(weights)
                if state is None:
                    self.opt = None
                else:
                    self.opt.load_state_dict(state)


def _seed_everything(seed):
    "What draws from a global generator (dropout, MixUp, a user's own transforms) draws the same in the same epoch."
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2 ** 32)


def _plain_tensors(batch):
    "fastai's own types, which batches still have after a user's item transforms, as plain tensors, part by part."
    return tuple(part.as_subclass(torch.Tensor) if isinstance(part, torch.Tensor) else part for part in batch)


def _listens(callback, event_name):
    "Whether a callback has a method of its own for an event; fastai's forwarding to the Learner does not count."
    return event_name in vars(callback) or any(event_name in vars(kind) for kind in type(callback).__mro__[:-1]
                                               if kind is not Callback)
