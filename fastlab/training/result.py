"""What one run leaves behind. Numpy alone: whoever reads, stores or compares results needs no torch."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Result:
    """The outcome of one run, a pure function of (arrays, Recipe, seed).

    `epochs`: name -> float array, one number an epoch: losses, accuracies (fractions), lr, seconds, share of zeros.
    `marks`: epoch -> name -> array, the predictions after that epoch, in the split's order: class numbers (int16) under
    'train', 'develop', 'test', 'develop_as_printed', 'test_as_printed', and 'test_probabilities' (float16, N x C);
    where crops smaller than the images were trained on, also 'test_ten_crop' and 'test_ten_crop_probabilities'.
    `machine`: what the bits depend on besides the inputs (capability, threads, torch's version).
    `seconds`: wall time of the whole run."""
    epochs: dict
    marks: dict
    machine: dict = field(default_factory=dict)
    seconds: float = 0.0
