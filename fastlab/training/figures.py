"""What a test says: accuracy with its interval, and the figures of each class, from predictions kept as arrays."""
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist

import numpy as np


def wilson(right, n, level=0.95):
    """The interval (low, high) for a share of `right` among `n`, both fractions; (0, 1) for n = 0.
    Source: Wilson 1927, the score interval, without continuity correction."""
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + level) / 2)
    share, middle = right / n, (right + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * (n * share * (1 - share) + z * z / 4) ** 0.5
    return max(0.0, middle - half) if right else 0.0, min(1.0, middle + half) if right < n else 1.0


@dataclass(frozen=True)
class Tested:
    """The outcome of one test. truth: int (N,); probabilities: float32 (N, classes); classes, names: of each column;
    files: names relative to the folder; split; testing: 'eval' or 'as-printed'; crops: 1, 5 or 10 an image; members: of
    an ensemble, the probabilities of each of its networks; trained_on: (how many of the training images that a network
    remembers are among those tested, how many it remembers), of the network with the most."""
    truth: np.ndarray
    probabilities: np.ndarray
    classes: tuple
    names: tuple
    files: tuple
    split: str = "test"
    testing: str = "eval"
    crops: int = 1
    members: tuple = ()
    trained_on: tuple = (0, 0)

    @property
    def alone(self):
        "Of an ensemble, the accuracy of each of its networks by itself."
        return tuple(float((shares.argmax(1) == self.truth).mean()) for shares in self.members)

    @cached_property
    def predicted(self):
        "The class number of the greatest probability, int (N,)."
        return self.probabilities.argmax(1)

    @property
    def n(self):
        return len(self.truth)

    @cached_property
    def right(self):
        "Which images were told rightly, bool (N,)."
        return self.predicted == self.truth

    @property
    def accuracy(self):
        return float(self.right.mean())

    @property
    def interval(self):
        "95 % Wilson interval of the accuracy."
        return wilson(int(self.right.sum()), self.n)

    @cached_property
    def confusion(self):
        "Counts, int (classes, classes): row the true class, column the predicted one."
        counts = np.zeros((len(self.classes), len(self.classes)), dtype=np.int64)
        np.add.at(counts, (self.truth, self.predicted), 1)
        return counts

    @cached_property
    def per_class(self):
        "One dict a class: class, name, n, accuracy (recall), interval, precision, f1; None where there is no image."
        rows, counts = [], self.confusion
        for label, (folder, name) in enumerate(zip(self.classes, self.names)):
            right, n, told = int(counts[label, label]), int(counts[label].sum()), int(counts[:, label].sum())
            rows.append({"class": folder, "name": name, "n": n, "accuracy": right / n if n else None,
                         "interval": list(wilson(right, n)), "precision": right / told if told else None,
                         "f1": 2 * right / (n + told) if n + told else None})
        return rows

    @property
    def balanced_accuracy(self):
        "The mean of the classes' accuracies, over classes that have images."
        return float(np.mean([row["accuracy"] for row in self.per_class if row["n"]]))

    @property
    def macro_f1(self):
        "The mean of the classes' F1, over classes that have images."
        return float(np.mean([row["f1"] for row in self.per_class if row["n"]]))

    def summary(self):
        "The figures as plain data, in the words of `fastlab test --json`."
        return {"accuracy": self.accuracy, "interval": list(self.interval), "n": self.n,
                "balanced_accuracy": self.balanced_accuracy, "macro_f1": self.macro_f1, "per_class": self.per_class}
