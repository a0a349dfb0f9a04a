"""What one run says to one comparison: its Result up to that comparison's last epoch, held against the true labels."""
from dataclasses import dataclass
from functools import cached_property

import numpy as np

PRINTED = "_as_printed"


@dataclass(frozen=True)
class Outcome:
    """One variant with one seed. `result`: a Result of at least `epochs` epochs; `truth`: split -> labels; `since`: an
    earlier mark that a claim compares with; `testing`: 'eval' or 'as-printed', the way all figures are taken."""
    result: object
    truth: dict
    epochs: int
    testing: str = "eval"
    since: int | None = None

    @property
    def _suffix(self):
        return PRINTED if self.testing == "as-printed" else ""

    def right(self, split="test", mark=None):
        """Which images of a split were told rightly after epoch `mark` (the last), float64 (n,) of 0 and 1; nan where
        this network cannot be tested as printed."""
        suffix, kept = "" if split == "train" else self._suffix, self.result.marks[mark or self.epochs]
        if suffix and split + suffix not in kept:
            return np.full(len(self.truth[split]), np.nan)
        return (kept[split + suffix] == self.truth[split]).astype(np.float64)

    def figures(self, name):
        "One number an epoch, float64 (epochs,); nan where it was not measured."
        values = self.result.epochs.get(name)
        return np.full(self.epochs, np.nan) if values is None else np.asarray(values, np.float64)[:self.epochs]

    @cached_property
    def curve(self):
        "Develop accuracy after every epoch, fractions (epochs,)."
        return self.figures("develop_accuracy" + self._suffix)

    def tested(self, testing):
        "The same run, tested in another way."
        return Outcome(self.result, self.truth, self.epochs, testing, self.since)


def quarter(curve, which):
    "The mean of the first (0) … last (3) quarter of a curve (…, epochs); at least one epoch."
    count = curve.shape[-1]
    size = max(1, round(count / 4))
    start = {0: 0, 3: count - size}.get(which, round(count * which / 4))
    return curve[..., start:start + size].mean(-1)
