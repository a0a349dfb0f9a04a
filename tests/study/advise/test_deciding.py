"""The race's statistics against scipy, the study's own intervals, and simulated races whose truth is known."""
import numpy as np
import pytest
from scipy import stats
from simulated_tables import right_tables

from fastlab.study.advise.deciding import (
    clearly_worse,
    image_variance,
    leader,
    near_the_best,
    pooled_spread,
    standings,
)
from fastlab.study.statistics import paired_interval


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def race(rng, recipes, rounds, images, effect=0.0):
    "right, rows of a race whose rounds have images of their own; all Recipes but 0 gain `effect` logits."
    tables = [right_tables(rng, 1, 1, images, recipes, effect) for _ in range(rounds)]
    right = {name: [table[name, 0, 0].astype(float) for table in tables] for name in range(recipes)}
    return right, [np.arange(number * images, (number + 1) * images) for number in range(rounds)]


def test_two_recipes_over_rounds_of_their_own_images_are_students_paired_test(rng):
    right, rows = race(rng, 2, 6, 3000)
    found = standings(right, rows, 0)[1]
    means = {name: [values.mean() for values in right[name]] for name in right}
    expected = stats.ttest_rel(means[1], means[0])
    low, high = expected.confidence_interval()
    assert found.p == pytest.approx(expected.pvalue, rel=0.02)
    assert (found.low, found.high) == pytest.approx((100 * low, 100 * high), abs=0.01)


def test_two_recipes_over_the_same_images_have_the_studys_interval(rng):
    tables = right_tables(rng, 1, 5, 400, 2)[:, 0].astype(float)
    found = standings({0: list(tables[0]), 1: list(tables[1])}, [np.arange(400)] * 5, 0)[1]
    study = paired_interval(tables[1] - tables[0])
    assert found.error == pytest.approx(100 * study.error)
    assert (found.low, found.high) == pytest.approx((100 * study.low, 100 * study.high), abs=0.02)


def test_the_pooled_spread_is_the_residual_of_a_two_way_analysis_of_variance(rng):
    means = rng.normal(0.9, 0.02, (4, 5))
    total = sum((means[i, j] - means[i].mean() - means[:, j].mean() + means.mean()) ** 2
                for i in range(4) for j in range(5))
    assert pooled_spread(means) == pytest.approx((total / 12, 12))


def test_recipes_far_behind_do_not_blur_those_ahead(rng):
    good, bad = rng.normal(0.98, 0.002, (8, 4)), rng.normal(0.3, 0.2, (8, 4))
    spread, _ = pooled_spread(np.vstack([good, bad]))
    assert spread < 5 * 0.002 ** 2


def test_images_that_return_are_a_source_of_error(rng):
    images, times, deviation = 4000, 3, 0.5
    own = rng.normal(0, deviation, images)
    parts = np.array_split(rng.permutation(images), 4)
    rows = parts * times
    differences = [own[part] + rng.normal(0, 0.2, len(part)) for part in rows]
    missing = deviation ** 2 / images * (1 - 1 / times)  # a share of it shows in the spread between rounds
    assert image_variance(differences, rows) == pytest.approx(missing, rel=0.15)
    assert image_variance(differences[:4], parts) == 0


def test_one_round_decides_nothing(rng):
    right, rows = race(rng, 5, 1, 2000, effect=3.0)
    found = standings(right, rows, leader(right))
    assert clearly_worse(found) == set()
    assert set(near_the_best(found)) == set(right)


def test_equal_recipes_are_hardly_ever_dropped_and_bad_ones_are(rng):
    dropped = found_bad = 0
    races = 200
    for _ in range(races):
        right, rows = race(rng, 12, 2, 400)
        dropped += bool(clearly_worse(standings(right, rows, leader(right)), looks=1) & {0})
        right, rows = race(rng, 12, 3, 400, effect=2.5)
        found_bad += 0 in clearly_worse(standings(right, rows, leader(right)))
    assert dropped <= 0.05 * races
    assert found_bad >= 0.8 * races
