"""fastai's Recorder and progress bar without their cost: nothing is read back from the device inside an epoch."""
import time

import torch
from fastai.callback.progress import ProgressCallback
from fastai.learner import Metric, Recorder

from fastlab.training.optimizers import current_rate


class Accuracy(Metric):
    "The share of right answers, counted on the device."
    name = "accuracy"

    def reset(self):
        self.right, self.count = 0, 0

    def accumulate(self, learn):
        truth = learn.yb[-1]
        self.right = self.right + (learn.pred.argmax(-1) == truth).sum()
        self.count += len(truth)

    @property
    def value(self):
        return float(self.right) / self.count if self.count else None


class DeviceRecorder(Recorder):
    """Keeps each step's loss in one tensor on the device, read once an epoch. `losses` (smoothed), `lrs`, `iters`,
    `values` and the plots are fastai's; `raw_losses` are the steps' own, free of smoothing and of any penalty, and
    `sizes` the images of each step."""
    reads_only = True           # inside a step, which may then be a CUDA graph's
    _stateattrs = (*Recorder._stateattrs, "raw_losses", "sizes", "waiting", "kept")

    @property
    def name(self):
        "fastai's own name, so that `learn.recorder` is this."
        return "recorder"

    def before_fit(self):
        super().before_fit()
        self.smooth, self.weight = 0.0, 0.0
        self.raw_losses, self.sizes, self.waiting, self.kept = [], [], 0, torch.empty(0)

    def after_loss(self):
        "A step counts from its loss on: a callback may end the fit before anybody sees the step's end."
        if self.learn.training and self.learn.yb:
            self._keep(self.learn.loss.detach())
            self.sizes.append(len(self.learn.yb[0]))
            self.lrs.append(current_rate(self.learn.opt))

    def _keep(self, loss):
        """Into a place made beforehand: tensors of their own that outlive each step would lie scattered among what it
        frees, and memory would grow with the steps."""
        if self.waiting == len(self.kept) or self.kept.device != loss.device:
            if self.waiting:
                self.read()
            self.kept = torch.empty(max(self.learn.n_iter, 1), device=loss.device)
        self.kept[self.waiting] = loss if loss.dim() == 0 else loss.float().mean()
        self.waiting += 1

    def after_batch(self):
        if not self.learn.training:
            self._count_validation()
            return
        for metric in self.learn.metrics if self.train_metrics else ():
            metric.accumulate(self.learn)

    def _count_validation(self):
        if self.learn.yb and self.valid_metrics:
            self.loss.total = self.loss.total + self.learn.loss.detach().mean() * len(self.learn.yb[0])
            self.loss.count += len(self.learn.yb[0])
            for metric in self.learn.metrics:
                metric.accumulate(self.learn)

    def read(self):
        "Brings the waiting losses to the host, one transfer for all, and smooths them (fastai's beta of 0.98)."
        if self.waiting:
            beta = self.smooth_loss.beta
            for loss in self.kept[:self.waiting].tolist():
                self.smooth, self.weight = beta * self.smooth + (1 - beta) * loss, beta * self.weight + (1 - beta)
                self.raw_losses.append(loss)
                self.losses.append(torch.tensor(self.smooth / self.weight))
            self.waiting = 0
            self.smooth_loss.val = torch.tensor(self.smooth)
            self.smooth_loss.count = len(self.losses)
        return self.losses[-1] if self.losses else None

    def before_train(self):
        self.begins = len(self.raw_losses)
        super().before_train()

    def after_train(self):
        self.read()
        super().after_train()

    @property
    def train_loss(self):
        "The mean loss an image over the epoch's steps so far; None before the first."
        losses, sizes = self.raw_losses[self.begins:], self.sizes[self.begins:]
        return sum(loss * size for loss, size in zip(losses, sizes)) / sum(sizes) if sizes else None


class LightProgress(ProgressCallback):
    "fastai's progress bar, moved a few times a second; reading the loss for it is then the only look at the device."
    every = 0.25                # seconds

    @property
    def name(self):
        return "progress"

    def _launch_pbar(self):
        super()._launch_pbar()
        self.shown = time.monotonic()

    def after_batch(self):
        now = time.monotonic()
        if now - self.shown >= self.every or self.learn.iter + 1 == self.learn.n_iter:
            self.shown = now
            self.pbar.update(self.learn.iter + 1)
            if self.learn.training:
                self.pbar.comment = f"{float(self.learn.smooth_loss):.4f}"
