"""The figures behind one part of a claim: paired differences, their interval, p, and what could have been seen."""
from dataclasses import dataclass

import numpy as np

from fastlab.study.measures import LEVELLED, MEASURES, PRINTED_SHIFT, epochs_to
from fastlab.study.outcome import quarter
from fastlab.study.power import smallest_difference
from fastlab.study.statistics import paired_interval, paired_p, seed_interval, share_ahead, sign_flip_p


@dataclass(frozen=True)
class Figures:
    """One measure of one claim in its own unit. `rows`: one difference a seed, in the order of `seeds`; `images`: how
    many test images the interval carries, 0 where the measure is a curve's; `region`: what makes no difference."""
    measure: str
    side: str
    clearly: bool
    unit: str
    region: float
    seeds: tuple
    rows: tuple
    images: int
    difference: float
    low: float
    high: float
    p: float
    ahead: float
    smallest: float


def figures(part, claim, gathered, family_size):
    "The Figures of a part of a claim, or in words why there are none."
    measure = MEASURES[part.measure]
    region = measure.region if measure.region is not None else gathered.plan.region
    seeds, tables = differences(part.measure, claim, gathered)
    if not seeds:
        return "no seed has all the runs that this claim needs"
    if unmeasured(tables):
        return "cannot be tested as printed" if claim.testing != "eval" or part.measure == PRINTED_SHIFT \
            else f"{measure.title} was not measured"
    curve = tables[0].ndim == 1
    rows, interval, p = weighed(tables, curve, _from_unit(-region, measure) if part.side == ">=" else 0.0)
    spread = float(rows.std(ddof=1)) if len(rows) > 1 else 0.0
    image_error = 0.0 if curve else max(float(interval.error) ** 2 - spread ** 2 / len(rows), 0.0) ** 0.5
    smallest = smallest_difference(spread, image_error, len(rows), family_size) if spread or image_error else 0.0
    return Figures(part.measure, part.side, part.clearly, measure.unit, region, seeds,
                   tuple(map(float, measure.told(rows))), 0 if curve else sum(table.shape[1] for table in tables),
                   *(float(measure.told(value)) for value in (interval.mean, interval.low, interval.high)),
                   float(p), float(share_ahead(rows)), float(measure.told(smallest)))


def unmeasured(tables):
    "Whether tables of differences lack figures."
    return any(np.isnan(table).any() for table in tables)


def weighed(tables, curve, null=0.0):
    """(rows, Interval, p) of paired differences, one row a seed. `tables`: (..., K, n), one or several whose per-seed
    means add up; for a curve's measure one (..., K). Leading axes are studies of their own. `null`: what p is of."""
    if curve:
        return tables[0], seed_interval(tables[0]), sign_flip_p(tables[0] - null)
    rows, interval = sum(table.mean(-1) for table in tables), paired_interval(tables)
    return rows, interval, paired_p(rows, interval, null)


def _from_unit(value, measure):
    return np.log1p(value / measure.scale) if measure.ratio else value / measure.scale


def differences(measure, claim, gathered, testing=None):
    """(seeds, tables): variant minus baseline, or the variant's own figures, for the seeds that have all runs. A table
    is (K,) for a number a run, or (K, n) for a number an image; the per-seed means of several tables add up. The same
    images, which have one and the same truth, are subtracted image by image; others are an error of their own."""
    here = _sides(measure, claim, gathered, claim.comparison, testing)
    there = _sides(measure, claim, gathered, claim.elsewhere, testing) if claim.elsewhere else []
    sides = [*here, *((outcomes, -sign) for outcomes, sign in there)]
    seeds = tuple(sorted(set.intersection(*(set(outcomes) for outcomes, _ in sides)))) if sides else ()
    if not seeds:
        return (), []
    level = _level([outcomes for outcomes, _ in here], seeds, gathered.plan.region) if measure == LEVELLED else None
    found = {}
    for outcomes, sign in sides:
        for split, values in zip(MEASURES[measure].splits, _values(measure, [outcomes[seed] for seed in seeds], level)):
            place = split, id(outcomes[seeds[0]].truth[split]) if values.ndim == 2 else 0
            found[place] = found.get(place, 0) + sign * values
    return seeds, list(found.values())


def _sides(measure, claim, gathered, name, testing):
    comparison = gathered.plan.comparison(name)
    testing = testing or claim.testing
    sides = [(gathered.outcomes(comparison, claim.variant, testing, claim.since), 1)]
    if claim.than is not None:
        sides.append((gathered.outcomes(comparison, claim.than, testing, claim.since), -1))
    return sides


def _values(measure, outcomes, level):
    "One table for every set that the measure gives: (K,) or (K, n)."
    if measure == LEVELLED:
        return [np.array([epochs_to(outcome.curve, level) for outcome in outcomes])]
    found = [MEASURES[measure].of(outcome) for outcome in outcomes]
    if isinstance(found[0], list):
        return [np.stack(values) for values in zip(*found)]
    return [np.array(found, dtype=np.float64)]


def _level(sides, seeds, region):
    """A level that every variant reaches: the lowest of their mean accuracies over the last quarter, less the region.
    It comes from develop, and from all seeds at once."""
    ends = [np.mean([quarter(outcomes[seed].curve, 3) for seed in seeds]) for outcomes in sides]
    return min(ends) - region / 100
