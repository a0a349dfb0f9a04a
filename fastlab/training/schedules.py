"""How the learning rate goes: constant, one-cycle (fastai's own), or divided by ten when develop accuracy stalls."""
from fastai.callback.core import Callback

from fastlab.training.optimizers import current_rate

PATIENCE = 5                    # epochs without a new best before the rate is divided
FACTOR = 10
LEAST_SHARE = 1e-3              # the rate is never divided below this share of where it began


class DividedOnPlateau(Callback):
    """Divides the rate of every parameter group by `factor` when develop accuracy has set no new best for `patience`
    epochs, on any optimizer, fastai's or torch's. Source: Krizhevsky et al. 2012, section 5."""
    order, run_valid, while_searching = 55, False, False

    def __init__(self, patience=PATIENCE, factor=FACTOR, least_share=LEAST_SHARE):
        super().__init__()
        self.patience, self.factor, self.least_share = patience, factor, least_share
        self.best, self.waited, self.first = -1.0, 0, None

    def before_epoch(self):
        self.trained = self.learn.epochs_trained

    def after_epoch(self):
        "Looks at the last develop accuracy in the Learner's history."
        accuracy = self.learn.history[-1].get("develop_accuracy") if self.learn.history else None
        if accuracy is None or self.learn.epochs_trained == self.trained:
            return
        if self.first is None:
            self.first = current_rate(self.learn.opt)
        if accuracy > self.best:
            self.best, self.waited = accuracy, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.waited = 0
            rates = [group["lr"] for group in self.learn.opt.hypers]
            if rates[-1] / self.factor >= self.first * self.least_share * 0.999:
                self.learn.opt.set_hyper("lr", [rate / self.factor for rate in rates])

    def state(self):
        "What a resumed training needs to go on alike, as plain numbers."
        return {"best": self.best, "waited": self.waited, "first": self.first}

    def restore(self, state):
        self.best, self.waited, self.first = state["best"], state["waited"], state["first"]
