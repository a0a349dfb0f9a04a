"""Which of several Recipes is better, from paired rounds: in a round all have the same seed and the same images.

One network's luck is known badly from two or three rounds, but all Recipes of a race share its size: it is pooled over
them, as a two-way analysis of variance does (Recipes × rounds; the residual, with (Recipes - 1)(rounds - 1) degrees of
freedom), and never taken smaller than the pair's own. Images that several rounds share are a source of error besides.
A p is Student's and two-sided. Looking often, and at many Recipes, is paid for: each p is multiplied by the number of
Recipes and of looks (Bonferroni), so that the best Recipe is dropped with a chance of at most LEVEL."""
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from fastlab.study.statistics import components
from fastlab.study.verdicts import LEVEL

# What p is multiplied by for looking often. It pays for every look at the race, of which there are five at most. A part
# is looked at up to ten times in the last stage: there it pays for six of them. The last judgement of a part pays for
# none: it is corrected for the number of parts alone.
LOOKS = 6


@dataclass(frozen=True)
class Standing:
    """One Recipe against a reference, in points: `difference` (its accuracy minus the reference's), a 95 % interval,
    `p` (not corrected). `accuracy`: its own mean, a fraction; `rounds`, `images`: what it rests on."""
    accuracy: float
    difference: float
    low: float
    high: float
    error: float
    p: float
    rounds: int
    images: int


def pooled_spread(means):
    """(variance, freedom) of one Recipe's luck in one round, from accuracies (Recipes, rounds): the residual of Recipes
    × rounds over the better half of the Recipes, at least four; those far behind scatter more and do not count."""
    recipes, rounds = means.shape
    if recipes < 2 or rounds < 2:
        return 0.0, 0
    best = np.argsort(-means.mean(1), kind="stable")[:max(4, (recipes + 1) // 2)]
    means = means[best]
    rest = means - means.mean(1, keepdims=True) - means.mean(0) + means.mean()
    freedom = (len(means) - 1) * (rounds - 1)
    return float((rest ** 2).sum() / freedom), freedom


def standings(right, rows, reference):
    """{name: Standing} for every Recipe. `right`: {name: [float array, an image each, for every round]}; `rows`: [the
    images of every round]; `reference`: the name of the Recipe that all are held against."""
    names = list(right)
    means = np.array([[values.mean() for values in right[name]] for name in names])
    spread, freedom = pooled_spread(means)
    base, found = names.index(reference), {}
    for number, name in enumerate(names):
        differences = [one - other for one, other in zip(right[name], right[reference])]
        found[name] = _standing(means[number], means[number] - means[base], differences, rows, spread, freedom)
    return found


def _standing(own, gaps, differences, rows, spread, freedom):
    rounds, images = len(gaps), len(np.unique(np.concatenate(rows)))
    mean = float(gaps.mean())
    if rounds < 2 or not freedom:
        return Standing(float(own.mean()), 100 * mean, -np.inf, np.inf, np.inf, 1.0, rounds, images)
    from_rounds = max(2 * spread, float(gaps.var(ddof=1))) / rounds
    from_images = image_variance(differences, rows)
    variance = from_rounds + from_images + 0.25 / images ** 2  # half an image, as in `paired_interval`
    spread_of_it = from_rounds ** 2 / freedom + from_images ** 2 / max(images - 1, 1)
    free = max(variance ** 2 / max(spread_of_it, 1e-300), freedom)  # Satterthwaite 1946
    error = variance ** 0.5
    half = float(stdtrit(free, 0.975)) * error
    return Standing(float(own.mean()), 100 * mean, 100 * (mean - half), 100 * (mean + half), 100 * error,
                    float(2 * stdtr(free, -abs(mean) / error)), rounds, images)


def image_variance(differences, rows):
    """What images that return in several rounds add to the variance of the mean difference, which the rounds' own
    spread does not show: 0 where every round has images of its own."""
    if len(rows) > 1 and all(np.array_equal(rows[0], other) for other in rows[1:]):
        _, image, rest = components(np.stack(differences))
        return max(float(image - rest), 0.0) / (len(rows) * len(rows[0]))
    every, index = np.unique(np.concatenate(rows), return_inverse=True)
    total, times = np.zeros(len(every)), np.zeros(len(every))
    np.add.at(total, index, np.concatenate(differences))
    np.add.at(times, index, 1)
    if times.max() < 2:
        return 0.0
    across = float((total / times).var(ddof=1)) / len(every)
    once = sum(float(values.var(ddof=1)) * len(values) for values in differences) / times.sum() ** 2
    return max(across - once, 0.0)


def clearly_worse(found, looks=LOOKS):
    "The names that are worse than the leader beyond chance, which is paid for as many Recipes and looks as there are."
    return {name for name, one in found.items()
            if one.difference < 0 and one.p * max(len(found) - 1, 1) * looks <= LEVEL}


def leader(right):
    "The name with the best mean; ties go to the one that stands first."
    return max(right, key=lambda name: np.mean([values.mean() for values in right[name]]))


def near_the_best(found):
    "The names at most one standard error behind the leader that `found` is held against (Breiman et al. 1984)."
    return [name for name, one in found.items() if not np.isfinite(one.error) or one.difference >= -one.error]
