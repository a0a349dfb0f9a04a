"""The mathematics of a comparison: paired by seed, with both sources of error, seeds and test images.

Arrays come in, numbers go out; any leading axes are studies of their own, so that thousands are done at once. Rows are
seeds (K), columns are test images (n). A difference is variant minus baseline."""
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import stdtr, stdtrit

from fastlab.seeds import numpy_generator

ENUMERATED = 12  # up to so many seeds every sign pattern is written out; above, halves of the patterns are matched
LARGEST_EXACT = 30
SAMPLED = 99_999


@dataclass(frozen=True)
class Interval:
    "A mean paired difference with its interval (arrays when the input had leading axes), standard error and freedom."
    mean: float
    low: float
    high: float
    error: float
    freedom: float


def components(matrix):
    """Mean squares of a two-way table (..., K, n) without repeats: seeds, images, residual.
    Source: two-way random effects (Scheffé 1959, chapter 7; Efron and Stein's jackknife gives the same)."""
    matrix = np.asarray(matrix, dtype=np.float64)
    seeds, images = matrix.shape[-2:]
    grand = matrix.mean((-2, -1), keepdims=True)
    by_seed = images * ((matrix.mean(-1, keepdims=True) - grand) ** 2).sum((-2, -1))
    by_image = seeds * ((matrix.mean(-2, keepdims=True) - grand) ** 2).sum((-2, -1))
    rest = np.maximum(((matrix - grand) ** 2).sum((-2, -1)) - by_seed - by_image, 0)
    freedom = max(seeds - 1, 1), max(images - 1, 1)
    return by_seed / freedom[0], by_image / freedom[1], rest / (freedom[0] * freedom[1])


def seed_interval(rows, level=0.95):
    "Student's interval for the mean of per-seed differences (..., K): seeds are the only source of error."
    rows = np.asarray(rows, dtype=np.float64)
    seeds = rows.shape[-1]
    if seeds < 2:
        return _open_interval(rows.mean(-1))
    error = np.sqrt(rows.var(-1, ddof=1) / seeds)
    return _interval(rows.mean(-1), error, np.full(error.shape, seeds - 1.0), level)


def paired_interval(matrices, level=0.95):
    """The interval of a mean difference over seeds and test images.

    `matrices`: one table of differences (..., K, n), or several whose test images differ and whose per-seed means add
    up. Variance: Var_images + Var_seeds - Var_residual, each component cut at 0, plus half an image that might have
    gone the other way (in the spirit of Agresti and Min 2005: no disagreement on 20 images is not certainty).
    Freedom: Satterthwaite 1946."""
    tables = [np.asarray(one, dtype=np.float64) for one in (matrices if isinstance(matrices, list) else [matrices])]
    rows = sum(table.mean(-1) for table in tables)
    seeds = rows.shape[-1]
    if seeds < 2:
        return _open_interval(rows.mean(-1))
    from_seeds = rows.var(-1, ddof=1) / seeds
    variance, spread = from_seeds, from_seeds ** 2 / (seeds - 1)
    for table in tables:
        images = table.shape[-1]
        _, image, rest = components(table)
        whole, free = seeds * images, max(images - 1, 1)
        variance = variance + np.maximum(image - rest, 0) / whole + 0.25 / images ** 2
        spread = spread + (image ** 2 + rest ** 2 / (seeds - 1)) / free / whole ** 2
    freedom = variance ** 2 / np.maximum(spread, np.finfo(float).tiny)
    return _interval(rows.mean(-1), np.sqrt(variance), np.maximum(freedom, seeds - 1), level)


def _interval(mean, error, freedom, level):
    half = stdtrit(freedom, 0.5 + level / 2) * error
    return Interval(mean, mean - half, mean + half, error, freedom)


def _open_interval(mean):
    "One seed says nothing of its spread: the interval is unbounded."
    endless = np.full(np.shape(mean), np.inf)[()]
    return Interval(mean, -endless, endless, endless, np.zeros(np.shape(mean))[()])


def interval_p(interval, null=0.0):
    "The two-sided p of `null` from an Interval's own error and freedom: at most 5 % where the interval leaves it out."
    ratio = np.abs(interval.mean - null) / np.maximum(interval.error, np.finfo(float).tiny)
    return 2 * stdtr(np.maximum(interval.freedom, 1), -ratio)


def paired_p(rows, interval, null=0.0):
    """The p of a mean difference over seeds and test images: the larger of the seeds' exact sign-flip p and the
    `interval`'s own. The seeds alone say nothing of another set of images: where one variant suits these images better,
    every seed agrees on it, and Holm on their p alone let 9 to 31 % of families without any difference come to a false
    verdict (simulated, 1,488 images). A difference must be there on both counts, so the larger p is the valid one
    (Berger 1982)."""
    return np.maximum(sign_flip_p(np.asarray(rows) - null), interval_p(interval, null))


def sign_flip_p(rows):
    """The exact two-sided p of a mean of paired differences (..., K): the share of the 2^K sign patterns whose sum is
    at least as far from 0. Never below 2 / 2^K. Source: Fisher 1935, section 21."""
    rows = np.asarray(rows, dtype=np.float64)
    if not rows.shape[-1]:
        return np.ones(rows.shape[:-1])[()]
    if rows.shape[-1] <= ENUMERATED:
        return _enumerated_p(rows)
    flat = rows.reshape(-1, rows.shape[-1])
    p = [_matched_p(row) if len(row) <= LARGEST_EXACT else _sampled_p(row) for row in flat]
    return np.reshape(p, rows.shape[:-1])[()]


def _reached(rows):
    "The sum that counts as reached, a hair below the observed one: sums that differ by rounding alone are ties."
    return np.abs(rows.sum(-1)) - 1e-9 * np.abs(rows).sum(-1)


def _sign_patterns(count):
    "Every sign pattern of `count` values: (2^count, count) of -1 and 1."
    return 1.0 - 2.0 * ((np.arange(2 ** count)[:, None] >> np.arange(count)) & 1)


def _enumerated_p(rows):
    half = _sign_patterns(rows.shape[-1] - 1)  # the first sign stays: a pattern and its mirror have the same |sum|
    sums = rows[..., 1:] @ half.T
    sums += rows[..., :1]
    return np.count_nonzero(np.abs(sums, out=sums) >= _reached(rows)[..., None], axis=-1) / len(half)


def _matched_p(row):
    "Sums of the left half of the seeds matched with sorted sums of the right half: exact for 30 seeds in milliseconds."
    cut, reached = len(row) // 2, _reached(row)
    if reached <= 0:
        return 1.0
    left, right = (_sign_patterns(len(part)) @ part for part in (row[:cut], row[cut:]))
    right = np.sort(right)
    above = len(right) - np.searchsorted(right, reached - left, "left")
    below = np.searchsorted(right, -reached - left, "right")
    return float((above + below).sum() / 2.0 ** len(row))


def _sampled_p(row):
    "A p from sampled patterns, the observed one among them, so that it is never too small (Phipson and Smyth 2010)."
    reached = np.abs(_sampled_signs(len(row)) @ row) >= _reached(row)
    return float((1 + np.count_nonzero(reached)) / (1 + SAMPLED))


@lru_cache(maxsize=1)
def _sampled_signs(count):
    draws = numpy_generator(0, "resample", "signs", count).integers(0, 2, (SAMPLED, count), dtype=np.int8)
    return (1 - 2 * draws).astype(np.float64)


def smallest_p(seeds):
    "The smallest two-sided sign-flip p that so many paired seeds can give: 2 / 2^K."
    return min(1.0, 2.0 / 2.0 ** seeds)


def seeds_needed(claims, level=0.05):
    "The fewest paired seeds with which one of so many claims could hold under Holm."
    return next(seeds for seeds in range(1, 64) if smallest_p(seeds) * max(claims, 1) <= level)


def holm(p):
    "Holm's step-down p of a family along the last axis (Holm 1979): an error anywhere in the family is bounded."
    p = np.asarray(p, dtype=np.float64)
    order = np.argsort(p, axis=-1, kind="stable")
    steps = np.take_along_axis(p, order, -1) * np.arange(p.shape[-1], 0, -1)
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(np.maximum.accumulate(steps, -1), 1), -1)
    return adjusted


def share_ahead(rows):
    "P(A > B): the share of seeds (..., K) in which the variant is ahead, a tie counting half."
    rows = np.asarray(rows)
    return (rows > 0).mean(-1) + (rows == 0).mean(-1) / 2
