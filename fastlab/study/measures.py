"""The measures that claims speak of: one run in, one number out, or one number for every test image.

Curves are develop's, final accuracy is test's. Each function gives its definition. A measure that looks at
every test image returns one number for each, so that the images' error is carried as well."""
from dataclasses import dataclass

import numpy as np

from fastlab.study.outcome import quarter


@dataclass(frozen=True)
class Measure:
    """`of(outcome)`: a float, or a list of float arrays, one number an image, whose means add up. `unit`, `scale`: how
    it is told (fractions times 100 are points). `region`: what makes no difference in that unit; None takes the plan's
    region. `ratio`: `of` is a logarithm, and differences are told as a ratio minus 1, in %. `splits`: whose images the
    arrays are of."""
    of: object
    unit: str = "points"
    scale: float = 100.0
    region: float | None = None
    title: str = ""
    ratio: bool = False
    splits: tuple = ("test",)

    def told(self, value):
        "A difference (float or array) in the measure's unit."
        return self.scale * (np.expm1(value) if self.ratio else value)


def accuracy(outcome):
    "Right answers on test at the comparison's last epoch."
    return [outcome.right("test")]


def gain_since(outcome):
    "Accuracy on test at the last epoch minus that at the earlier mark `since`, image by image."
    return [outcome.right("test") - outcome.right("test", outcome.since)]


def gap(outcome):
    "Overfitting: accuracy on the training images minus that on test, both with eval()."
    return [outcome.right("train"), -outcome.right("test")]


def shift_as_printed(outcome):
    "What the missing eval() does: accuracy as printed minus accuracy with eval(), image by image."
    return [outcome.tested("as-printed").right("test") - outcome.tested("eval").right("test")]


def early_accuracy(outcome):
    "Mean accuracy over the first quarter of the epochs."
    return float(quarter(outcome.curve, 0))


def late_accuracy(outcome):
    "Mean accuracy over the last quarter of the epochs."
    return float(quarter(outcome.curve, 3))


def epochs_to(curve, level):
    """How many epochs until `curve` first reaches `level`, between two epochs by a straight line (before the first one
    from 0). One more than there are where it never does; nan for a curve that was not measured."""
    if np.isnan(curve).any():
        return np.nan
    reached = np.flatnonzero(curve >= level)
    if not len(reached):
        return float(len(curve) + 1)
    first = int(reached[0])
    before = curve[first - 1] if first else 0.0
    return first + float((level - before) / (curve[first] - before)) if curve[first] > before else float(first)


def changes(curve):
    "Absolute changes from epoch to epoch; (epochs - 1,)."
    return np.abs(np.diff(curve))


def swing(outcome):
    "Mean absolute change from epoch to epoch over the last half; small is calm."
    return _mean(changes(outcome.curve)[(outcome.epochs - 1) // 2:])


def middle_swing(outcome):
    "Mean absolute change over the middle half: from a quarter to three quarters of the epochs."
    steps = changes(outcome.curve)
    return _mean(steps[len(steps) // 4:len(steps) - len(steps) // 4])


def calming(outcome):
    "How much less it swings in the last quarter than in the middle half."
    steps = changes(outcome.curve)
    return middle_swing(outcome) - _mean(steps[-max(1, len(steps) // 4):])


def climb(outcome):
    "The rise over the last third of the epochs: the slope of a straight line through them, times their number."
    return rise(outcome.curve)


def loss_climb(outcome):
    "The rise of develop's loss over the last third, in nats an image."
    return rise(outcome.figures("develop_loss"))


def rise(curve):
    "Least-squares slope over the last third of a curve, times the steps in it; 0 for a single epoch."
    last = curve[-max(2, round(len(curve) / 3)):]
    if len(last) < 2:
        return 0.0
    time = np.arange(len(last)) - (len(last) - 1) / 2
    return float(time @ last / (time @ time) * (len(last) - 1))


def exact_zeros(outcome):
    "The share of weights that are exactly 0 at the end."
    return float(outcome.figures("zeros")[-1])


def outputs(outcome):
    "Logarithm of the mean size of the outputs while training, over the first quarter: differences are ratios."
    return float(np.log(np.maximum(quarter(outcome.figures("output_size"), 0), 1e-300)))


def updates(outcome):
    "Logarithm of the mean size of one step's change of the weights, over the first quarter."
    return float(np.log(np.maximum(quarter(outcome.figures("update_norm"), 0), 1e-300)))


def _mean(values):
    return float(values.mean()) if len(values) else 0.0


LEVELLED = "epochs to a level"  # the one measure that needs a level common to both variants
PRINTED_SHIFT = "shift as printed"
MEASURES = {
    "accuracy": Measure(accuracy, title="accuracy on test"),
    "gain since": Measure(gain_since, title="gain in accuracy on test since the earlier mark"),
    "gap": Measure(gap, title="accuracy on train minus accuracy on test", splits=("train", "test")),
    PRINTED_SHIFT: Measure(shift_as_printed, title="accuracy as printed minus accuracy with eval()"),
    "early accuracy": Measure(early_accuracy, title="mean accuracy over the first quarter"),
    "late accuracy": Measure(late_accuracy, title="mean accuracy over the last quarter"),
    LEVELLED: Measure(epochs_to, "epochs", 1.0, 0.5, "epochs to a level that both reach"),
    "swing": Measure(swing, "points an epoch", 100.0, 0.05, "mean change from epoch to epoch, last half"),
    "swing in the middle": Measure(middle_swing, "points an epoch", 100.0, 0.05, "mean change, middle half"),
    "calming": Measure(calming, "points an epoch", 100.0, 0.05, "swing in the middle minus swing at the end"),
    "climb": Measure(climb, title="rise over the last third"),
    "loss climb": Measure(loss_climb, "nats", 1.0, 0.005, "rise of develop's loss over the last third"),
    "exact zeros": Measure(exact_zeros, "% of weights", 100.0, 1.0, "exact zeros"),
    "outputs": Measure(outputs, "%", 100.0, 5.0, "size of the outputs, first quarter", ratio=True),
    "updates": Measure(updates, "%", 100.0, 5.0, "size of an update, first quarter", ratio=True),
}
