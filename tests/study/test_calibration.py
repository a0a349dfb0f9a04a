"""Whether verdicts are worth what they say: thousands of simulated studies with image difficulty, luck of seeds, and
interactions of both, decided by the study's own functions. Shares are held to their bounds with two binomial standard
errors of the simulation; tests/benchmarks/study_calibration.py prints the same from more studies."""
from functools import cache

import numpy as np
import pytest
from simulated_studies import (
    World,
    answers,
    computed,
    decided,
    false_share,
    families,
    family,
    singles,
)

from fastlab.study.outcome import Outcome
from fastlab.study.plan import Comparison
from fastlab.study.power import DRAWS
from fastlab.study.statistics import interval_p, paired_interval, paired_p, seed_interval, sign_flip_p
from fastlab.study.verdicts import CONTRADICTED, HOLDS, VERDICTS, verdicts
from fastlab.training.result import Result

SAME = World()                      # variants that are one and the same Recipe, with other draws: A/A
TASTES = World(taste=1.0)           # none is better, but each suits other images


def two_errors(share, studies):
    return 2 * (share * (1 - share) / studies) ** 0.5


@cache
def null_families(world, seeds, images, studies):
    return families(np.random.default_rng(101), world, studies, seeds, images)


@pytest.mark.parametrize("world", [SAME, TASTES], ids=["same", "tastes"])
@pytest.mark.parametrize(("seeds", "images", "studies"), [(10, 1488, 400), (20, 1488, 150), (10, 12_000, 40)])
def test_in_families_without_a_difference_false_verdicts_stay_below_five_percent(world, seeds, images, studies):
    found, _ = null_families(world, seeds, images, studies)
    assert found.shape == (studies, 14)
    assert false_share(found) <= 0.05 + two_errors(0.05, studies)


def test_the_simulation_sees_false_verdicts_where_the_rule_forgets_the_images():
    _, on_seeds_alone = null_families(TASTES, 20, 1488, 150)
    assert on_seeds_alone.mean() > 0.2


@pytest.mark.parametrize(("seeds", "images", "studies"), [
    (5, 1488, 1000), (10, 1488, 800), (20, 1488, 400), (5, 12_000, 400), (10, 12_000, 250), (20, 12_000, 150)])
def test_intervals_cover_the_true_difference(seeds, images, studies):
    for world, effect in ((SAME, 0.0), (World(taste=0.6), 0.3)):
        coverage = singles(np.random.default_rng(103), world, studies, seeds, images, effect).coverage
        margin = two_errors(0.95, studies)
        assert 0.92 - margin <= coverage <= 0.98 + margin


@pytest.mark.parametrize(("seeds", "images", "effect", "claims"), [
    (6, 1488, 0.5, 1), (10, 1488, 0.4, 1), (10, 1488, 0.7, 14), (20, 1488, 0.35, 14), (10, 12_000, 0.3, 14)])
@pytest.mark.parametrize("taste", [0.0, 0.8])
def test_planted_differences_are_found_at_the_computed_power(seeds, images, effect, claims, taste):
    studies = 600 if images < 2000 else 150
    single = singles(np.random.default_rng(104), World(taste), studies, seeds, images, effect)
    power = computed(single, seeds, images, claims)
    assert 0.1 < power < 0.95, "a share that could tell right from wrong"
    spread = power * (1 - power)
    assert single.found(claims) == pytest.approx(power, abs=3 * (spread / studies + spread / DRAWS) ** 0.5)


def test_in_a_whole_family_planted_differences_hold_or_are_contradicted_at_the_computed_power():
    studies, seeds, images, effect = 300, 10, 1488, 0.8
    claims = family(("more accurate", "less accurate"), 5)
    effects = [effect, effect, *[0.0] * 8]
    found, _ = families(np.random.default_rng(105), TASTES, studies, seeds, images, effects, claims)
    single = singles(np.random.default_rng(106), TASTES, 600, seeds, images, effect)
    lowest, most = (computed(single, seeds, images, left) for left in (len(claims), len(claims) - 2))
    assert 0.3 < lowest < 0.95
    for claim, verdict in ((0, HOLDS), (1, CONTRADICTED)):
        share = (found[:, claim] == VERDICTS.index(verdict)).mean()
        assert lowest - 3 * (0.25 / studies + 0.25 / DRAWS) ** 0.5 <= share
        assert share <= most + 3 * (0.25 / studies + 0.25 / DRAWS) ** 0.5
    assert not (found[:, 0] == VERDICTS.index(CONTRADICTED)).any()
    assert not (found[:, 1] == VERDICTS.index(HOLDS)).any()
    assert false_share(found[:, 2:]) <= 0.05 + two_errors(0.05, studies)


class Made:
    "What `verdicts` asks of a study's results, from simulated answers of one study: variant -> (seeds, images)."

    def __init__(self, claims, right):
        self.right, self.plan, self.region, self.claims = right, self, 0.5, tuple(claims)
        self.seeds, self.made = list(range(len(right["v0"]))), Comparison("made up", "", "v0", tuple(right)[1:])
        self.truth = {"test": np.zeros(right["v0"].shape[1], np.int64)}

    def comparison(self, name):
        return self.made

    def outcomes(self, comparison, variant, testing="eval", since=None):
        results = [Result({}, {1: {"test": (answer == 0).astype(np.int16)}}, {}, 0.0) for answer in self.right[variant]]
        return {seed: Outcome(result, self.truth, 1, testing, since) for seed, result in enumerate(results)}


def test_one_study_at_a_time_has_the_same_verdicts_as_many_at_once():
    rng, studies, effects = np.random.default_rng(107), 12, (0.0, 0.4, 0.7, -1.2, 0.0, 0.0)
    claims = family(("more accurate", "less accurate", "clearly less accurate", "no difference that matters",
                     "more accurate"), 1)
    right = list(answers(rng, World(taste=0.8), studies, 10, 6000, effects))
    tables = {f"v{number}": one.astype(np.float64) - right[0] for number, one in enumerate(right) if number}
    together, corrected = decided(claims, tables, {}, studies)
    assert len(np.unique(together)) == len(VERDICTS)
    for study in range(studies):
        alone = verdicts(Made(claims, {f"v{number}": one[study] for number, one in enumerate(right)}))
        assert [VERDICTS.index(verdict.verdict) for verdict in alone] == together[study].tolist()
        assert [verdict.p_holm for verdict in alone] == pytest.approx(corrected[study].tolist())


def test_the_intervals_p_is_where_the_interval_just_leaves_the_null_out():
    rng = np.random.default_rng(108)
    table = rng.integers(-1, 2, (7, 60)).astype(float)
    for level in (0.5, 0.95, 0.996):
        interval = paired_interval(table, level)
        assert interval_p(interval, interval.low) == pytest.approx(1 - level)
        assert interval_p(interval, interval.high) == pytest.approx(1 - level)
    assert interval_p(paired_interval(table), paired_interval(table).mean) == pytest.approx(1)


def test_the_intervals_p_over_seeds_alone_is_students():
    from scipy import stats
    rows = np.random.default_rng(109).normal(0.5, 1, (4, 9))
    assert interval_p(seed_interval(rows), 0.2) == pytest.approx(stats.ttest_1samp(rows, 0.2, axis=-1).pvalue)


def test_a_difference_must_be_there_on_both_counts():
    agreed = np.zeros((10, 400))
    agreed[:, :3] = 1               # ten seeds agree on three images; another set of images may have none
    steady = np.tile(np.r_[np.ones(20), np.zeros(380)], (10, 1))
    for table in (agreed, steady):
        assert sign_flip_p(table.mean(-1)) == 2 / 2 ** 10
    p = paired_p(agreed.mean(-1), paired_interval(agreed))
    assert p == interval_p(paired_interval(agreed)) > 0.05
    assert paired_p(steady.mean(-1), paired_interval(steady)) == 2 / 2 ** 10
    assert paired_p(np.ones(1), paired_interval(np.ones((1, 50)))) == 1
