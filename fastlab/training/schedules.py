"""What changes with the epochs: the rate divided by ten when develop accuracy stalls, a body that is frozen at first.
One-cycle is fastai's own."""
from fastai.callback.core import Callback

from fastlab.errors import OptionError
from fastlab.training.optimizers import current_rates

PATIENCE = 5                    # epochs without a new best before the rate is divided
FACTOR = 10
LEAST_SHARE = 1e-3              # the rate is never divided below this share of where it began


class DividedOnPlateau(Callback):
    """Divides the rate of every parameter group by `factor` when develop accuracy has set no new best for `patience`
    epochs, on any optimizer, fastai's or torch's. Source: Krizhevsky et al. 2012, section 5. Raises OptionError where
    the Learner measures no accuracy."""
    order, run_valid, while_searching = 55, False, False

    def __init__(self, patience=PATIENCE, factor=FACTOR, least_share=LEAST_SHARE):
        super().__init__()
        self.patience, self.factor, self.least_share = patience, factor, least_share
        self.best, self.waited, self.first, self.looked = -1.0, 0, None, 0

    def before_fit(self):
        if not {"accuracy", "valid_accuracy"} & set(self.learn.recorder.metric_names):
            raise OptionError("schedule: plateau looks at develop accuracy, and this Learner does not measure it. Take "
                              "Accuracy() among its metrics, or another schedule.")
        self.looked = len(self.learn.history)

    def after_epoch(self):
        "Looks at what the epoch has added to the Learner's history, where it has."
        added, self.looked = self.learn.history[self.looked:], len(self.learn.history)
        for accuracy in (epoch["develop_accuracy"] for epoch in added if epoch.get("develop_accuracy") is not None):
            self._look_at(accuracy)

    def _look_at(self, accuracy):
        rates = current_rates(self.learn.opt)
        self.first = self.first or rates[-1]
        if accuracy > self.best:
            self.best, self.waited = accuracy, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.waited = 0
            if rates[-1] / self.factor >= self.first * self.least_share * 0.999:
                self.learn.opt.set_hyper("lr", [rate / self.factor for rate in rates])

    def state(self):
        "What a resumed training needs to go on alike, as plain numbers."
        return {"best": self.best, "waited": self.waited, "first": self.first}

    def restore(self, state):
        self.best, self.waited, self.first = state["best"], state["waited"], state["first"]


class FrozenBody(Callback):
    "Trains the head alone in a Learner's first `epochs`, then the whole network; BatchNorm learns throughout (fastai)."
    order, while_searching = -5, False

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def before_epoch(self):
        frozen = self.learn.epochs_trained < self.epochs
        if frozen != (self.learn.opt.frozen_idx > 0):
            self.learn.opt.freeze_to(-1 if frozen else 0)
