"""What a study can see: the chance that a true difference becomes a verdict, and the smallest difference to hope for.

A verdict needs both the sign-flip p of the paired seeds and the p of the interval over seeds and images (`paired_p`);
both are simulated, on the same fixed draws every time, so that the same question has the same answer."""
from functools import cache

import numpy as np
from scipy.special import stdtr, stdtrit

from fastlab.seeds import numpy_generator
from fastlab.study.statistics import ENUMERATED, sign_flip_p, smallest_p

DRAWS = 1000
POWER = 0.8
HALVINGS = 14
TYPICAL_SEEDS, TYPICAL_CHURN = 0.25, 0.01  # assumed before any run: points between seeds; share of images that differ


@cache
def _draws(seeds):
    generator = numpy_generator(0, "resample", "power", seeds)
    return generator.standard_normal((DRAWS, seeds)), generator.standard_normal((DRAWS, 1))


def power(difference, seed_spread, image_error, seeds, claims=1, margin=0.0, level=0.05, step=0.0):
    """The chance that a true `difference` is found, beyond `margin`, in a family of so many claims.

    `seed_spread`: standard deviation of the paired differences over seeds; `image_error`: the standard error that the
    test images add; `step`: what one image counts, 0 neglects that seeds may tie. All in one unit. The p must pass
    Holm's strictest step, level / claims: a lower bound."""
    if smallest_p(seeds) * claims > level:
        return 0.0
    by_seed, by_image = _draws(seeds)
    rows = difference + seed_spread * by_seed + image_error * by_image
    if step:
        rows = step * np.round(rows / step)
    mean, variance = rows.mean(-1), rows.var(-1, ddof=1) / seeds
    whole = variance + image_error ** 2
    freedom = np.maximum(whole ** 2 / np.maximum(variance ** 2 / (seeds - 1), 1e-300), seeds - 1)
    error = np.sqrt(whole)
    beyond = mean - stdtrit(freedom, 1 - level / 2) * error > margin
    seen = mean > stdtrit(freedom, 1 - level / 2 / claims) * error
    return float((beyond & seen & (_quick_p(rows) * claims <= level)).mean())


def _quick_p(rows):
    "The sign-flip p; for many seeds Student's, which it approaches (Lehmann and Romano 2005, section 15.2)."
    seeds = rows.shape[-1]
    if seeds <= ENUMERATED:
        return sign_flip_p(rows)
    ratio = rows.mean(-1) / np.maximum(rows.std(-1, ddof=1) / seeds ** 0.5, 1e-300)
    return 2 * stdtr(seeds - 1, -np.abs(ratio))


def smallest_difference(seed_spread, image_error, seeds, claims=1, level=0.05):
    """The smallest true difference found with a power of 80 %; infinite where the seeds are too few for so many claims.
    Ties of seeds are neglected, so it grows in proportion to the spreads: it is worked out once for each mixture of
    the two, to a twentieth."""
    if smallest_p(seeds) * claims > level:
        return float("inf")
    whole = (seed_spread ** 2 + image_error ** 2) ** 0.5
    return whole * _smallest_of(round(20 * image_error / whole), seeds, claims, level) if whole else 0.0


@cache
def _smallest_of(twentieths, seeds, claims, level):
    "The smallest difference where both spreads together are 1 and the images' is so many twentieths."
    image_error = twentieths / 20
    seed_spread, low, high = (1 - image_error ** 2) ** 0.5, 0.0, 12.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        enough = power(middle, seed_spread, image_error, seeds, claims, level=level) >= POWER
        low, high = (low, middle) if enough else (middle, high)
    return high


def typical_image_error(images):
    "The error in points that so many test images add, where networks differ on a typical share of them."
    return 100 * (TYPICAL_CHURN / max(images, 1)) ** 0.5
