"""The computed power and smallest difference against closed forms and simulated studies."""
import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import nct, t
from simulated_tables import differences, right_tables, true_difference

from fastlab.study.power import POWER, power, smallest_difference
from fastlab.study.statistics import components, paired_interval, sign_flip_p


def test_without_image_error_power_is_that_of_students_test():
    seeds, ratio = 30, 0.6
    noncentral = 1 - nct.cdf(t.ppf(0.975, seeds - 1), seeds - 1, ratio * seeds ** 0.5)
    assert power(ratio, 1.0, 0.0, seeds) == pytest.approx(noncentral, abs=0.03)


def test_smallest_difference_is_where_power_reaches_eighty_percent():
    seeds = 30
    threshold = t.ppf(0.975, seeds - 1)
    expected = brentq(lambda d: 1 - nct.cdf(threshold, seeds - 1, d * seeds ** 0.5) - POWER, 0.1, 3)
    assert smallest_difference(1.0, 0.0, seeds) == pytest.approx(expected, rel=0.05)


def test_too_few_seeds_see_nothing_and_more_seeds_see_more():
    assert smallest_difference(0.3, 0.1, 5) == float("inf")
    assert smallest_difference(0.3, 0.1, 9, claims=14) == float("inf")
    few, many = (smallest_difference(0.3, 0.1, seeds, claims=14) for seeds in (10, 30))
    assert few > many
    assert power(1, 0.3, 0.1, 9, claims=14) == 0


def test_the_same_question_has_the_same_answer():
    assert power(0.5, 0.3, 0.1, 10, 14) == power(0.5, 0.3, 0.1, 10, 14)


@pytest.mark.parametrize(("seeds", "images", "effect"), [(10, 600, 0.7), (8, 300, 0.7)])
def test_planted_differences_are_found_at_the_computed_power(seeds, images, effect):
    rng = np.random.default_rng(11)
    tables = differences(right_tables(rng, 500, seeds, images, effect=effect))
    interval = paired_interval(tables)
    found = ((interval.low > 0) & (sign_flip_p(tables.mean(-1)) <= 0.05)).mean()
    spread = tables.mean(-1).var(-1, ddof=1).mean() ** 0.5
    _, image, rest = components(tables)
    image_error = np.maximum((image - rest).mean() / (seeds * images), 0) ** 0.5
    computed = power(true_difference(rng, effect), spread, image_error, seeds)
    assert 0.2 < found < 0.98, "the planted difference should be neither hopeless nor certain"
    assert found == pytest.approx(computed, abs=0.1)
