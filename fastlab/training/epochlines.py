"""The table that `fastlab train` prints: one line an epoch, and between them how far the epoch is."""
import time

from fastai.callback.core import Callback

from fastlab.progress import Progress, clock

HEAD = "epoch  train loss  develop loss  develop accuracy      rate  seconds  left"


class EpochLines(Callback):
    "Prints fixed-width lines with `say`; on a terminal the steps of the current epoch renew one line."
    order, while_searching = 90, False

    def __init__(self, say):
        super().__init__()
        self.say, self.begun = say, None

    def before_fit(self):
        self.begun, self.first, self.told = time.monotonic(), len(self.learn.history), 0
        self.say(HEAD)

    def before_train(self):
        self.steps = Progress(f"epoch {len(self.learn.history) + 1}: step")

    def after_batch(self):
        if self.learn.training:
            self.steps(self.learn.iter + 1, self.learn.n_iter)

    def after_train(self):
        self.steps.close()

    def after_epoch(self):
        done = len(self.learn.history) - self.first
        if done == self.told:
            return  # validation alone, which fastai wraps in the events of an epoch
        self.told, log = done, self.learn.history[-1]
        left = (time.monotonic() - self.begun) / done * (self.learn.n_epoch - 1 - self.learn.epoch)
        self.say(f"{log['epoch']:>5}  {log['train_loss']:>10.4f}  {log['develop_loss']:>12.4f}  "
                 f"{log['develop_accuracy']:>16.2%}  {log['lr']:>8.1e}  {log['seconds']:>7.1f}  {clock(left)}")
