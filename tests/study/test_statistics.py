"""Each formula against another way to the same number: scipy, statsmodels' textbook sums, brute force."""
from itertools import product

import numpy as np
import pytest
from scipy import stats

from fastlab.study.statistics import (
    components,
    holm,
    paired_interval,
    seed_interval,
    seeds_needed,
    share_ahead,
    sign_flip_p,
    smallest_p,
)
from fastlab.training.figures import wilson


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def brute_force_p(row):
    "Every sign pattern, one after the other."
    reached = abs(sum(row)) - 1e-12
    sums = [abs(sum(sign * value for sign, value in zip(signs, row))) for signs in product((-1, 1), repeat=len(row))]
    return sum(total >= reached for total in sums) / len(sums)


@pytest.mark.parametrize("seeds", [1, 2, 5, 9])
def test_sign_flip_p_equals_brute_force(rng, seeds):
    for row in (rng.normal(0.3, 1, seeds), rng.integers(-2, 3, seeds) / 1488):
        assert sign_flip_p(row) == pytest.approx(brute_force_p(row), abs=1e-12)


def test_sign_flip_p_equals_scipys_permutation_test(rng):
    row = rng.normal(0.4, 1, 10)
    scipy = stats.permutation_test((row,), np.sum, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip_p(row) == pytest.approx(scipy.pvalue)


def test_matched_halves_equal_full_enumeration(rng):
    from fastlab.study import statistics
    row = rng.normal(0.3, 1, 13)
    assert sign_flip_p(row) == pytest.approx(statistics._enumerated_p(row[None])[0], abs=1e-12)
    ties = rng.integers(-3, 4, 13).astype(float)
    assert sign_flip_p(ties) == pytest.approx(statistics._enumerated_p(ties[None])[0], abs=1e-12)


def test_sign_flip_p_for_very_many_seeds_agrees_with_student(rng):
    row = rng.normal(0.25, 1, 60)
    assert sign_flip_p(row) == pytest.approx(stats.ttest_1samp(row, 0).pvalue, rel=0.15)


@pytest.mark.parametrize("seeds", [1, 3, 10, 14, 22])
def test_no_p_is_below_two_in_two_to_the_seeds(rng, seeds):
    assert sign_flip_p(np.abs(rng.normal(5, 1, seeds))) == pytest.approx(smallest_p(seeds))


def test_no_difference_at_all_gives_p_one():
    assert sign_flip_p(np.zeros(10)) == 1 == sign_flip_p(np.zeros(18))


def test_what_ten_seeds_carry_is_what_the_rule_says():
    assert smallest_p(9) * 14 > 0.05 >= smallest_p(10) * 25
    assert seeds_needed(14) == 10 == seeds_needed(25)
    assert seeds_needed(26) == 11
    assert seeds_needed(1) == 6


def test_holm_equals_the_definition(rng):
    for _ in range(20):
        p = rng.random(8) ** 3
        level = 0.05
        rejected, left = set(), list(np.argsort(p))
        while left and p[left[0]] <= level / len(left):
            rejected.add(left.pop(0))
        assert rejected == set(np.flatnonzero(holm(p) <= level))


def test_holm_by_hand_and_on_many_families_at_once():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([[0.5, 0.9], [0.02, 0.01]]) == pytest.approx(np.array([[1.0, 1.0], [0.02, 0.02]]))


def test_mean_squares_equal_those_of_the_textbook(rng):
    table = rng.normal(size=(4, 7))
    seeds, images, grand = table.mean(1), table.mean(0), table.mean()
    by_seed, by_image, rest = components(table)
    assert by_seed == pytest.approx(sum(7 * (one - grand) ** 2 for one in seeds) / 3)
    assert by_image == pytest.approx(sum(4 * (one - grand) ** 2 for one in images) / 6)
    residual = sum((table[k, i] - seeds[k] - images[i] + grand) ** 2 for k in range(4) for i in range(7)) / 18
    assert rest == pytest.approx(residual)


def test_components_are_recovered_from_known_spreads(rng):
    seeds, images = 400, 500
    table = rng.normal(0, 2, (seeds, 1)) + rng.normal(0, 3, (1, images)) + rng.normal(0, 1, (seeds, images))
    by_seed, by_image, rest = components(table)
    assert (by_seed - rest) / images == pytest.approx(4, rel=0.2)
    assert (by_image - rest) / seeds == pytest.approx(9, rel=0.2)
    assert rest == pytest.approx(1, rel=0.05)


def test_without_an_image_effect_the_interval_is_nearly_students_over_seeds(rng):
    table = rng.normal(0, 1, (10, 1)) + rng.normal(0, 0.5, (10, 4000))
    over_seeds = stats.ttest_1samp(table.mean(1), 0).confidence_interval()
    both = paired_interval(table)
    assert (both.low, both.high) == pytest.approx(tuple(over_seeds), abs=0.01)


def test_without_a_seed_effect_the_interval_is_nearly_students_over_images(rng):
    table = np.repeat(rng.normal(0.1, 1, (1, 400)), 8, 0)
    over_images = stats.ttest_1samp(table[0], 0).confidence_interval()
    both = paired_interval(table)
    assert (both.low, both.high) == pytest.approx(tuple(over_images), abs=0.003)


def test_seed_interval_equals_scipy(rng):
    row = rng.normal(1, 2, 6)
    expected = stats.ttest_1samp(row, 0).confidence_interval()
    assert (seed_interval(row).low, seed_interval(row).high) == pytest.approx(tuple(expected))


def test_two_sets_of_test_images_both_widen_the_interval(rng):
    one, other = (rng.normal(0, 1, (1, 200)) + rng.normal(0, 0.1, (10, 200)) for _ in range(2))
    alone, both = paired_interval(one), paired_interval([one, -other])
    assert both.error ** 2 == pytest.approx(alone.error ** 2 + paired_interval(other).error ** 2, rel=0.2)
    assert both.mean == pytest.approx(one.mean() - other.mean())


def test_one_seed_bounds_nothing():
    for interval in (paired_interval(np.ones((1, 50))), seed_interval(np.ones(1))):
        assert interval.low == -np.inf
        assert interval.high == np.inf


def test_few_images_without_disagreement_are_not_certainty():
    interval = paired_interval(np.zeros((10, 20)))
    assert interval.high - interval.low > 0.05
    assert paired_interval(np.zeros((10, 12_000))).high < 0.0001


def test_many_studies_at_once_equal_one_by_one(rng):
    tables = rng.integers(-1, 2, (5, 6, 40)).astype(float)
    together = paired_interval(tables)
    for study, table in enumerate(tables):
        alone = paired_interval(table)
        assert (alone.low, alone.high) == pytest.approx((together.low[study], together.high[study]))
    assert sign_flip_p(tables.mean(-1)) == pytest.approx([sign_flip_p(table.mean(-1)) for table in tables])


@pytest.mark.parametrize(("right", "n"), [(0, 10), (10, 10), (1470, 1488), (3, 7)])
def test_wilson_equals_scipy(right, n):
    expected = stats.binomtest(right, n).proportion_ci(0.95, "wilson")
    assert wilson(right, n) == pytest.approx((expected.low, expected.high))


def test_wilson_of_nothing_is_everything():
    assert wilson(0, 0) == (0.0, 1.0)


def test_share_ahead_counts_ties_half():
    assert share_ahead([0.1, 0.2, -0.1, 0.0]) == pytest.approx(0.625)
