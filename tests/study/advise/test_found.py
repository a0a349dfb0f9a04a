"""The rules by which parts stay or go and the plain Recipe is left, at their borders."""
import json

import numpy as np
import pytest

from fastlab.study.advise import Advice
from fastlab.study.advise.deciding import Standing, standings
from fastlab.study.advise.found import (
    BETTER,
    DOES_NOT,
    NO_DIFFERENCE,
    PAYS,
    UNDECIDED,
    UNTRIED,
    WORSE,
    Found,
    Part,
    compared,
    part_for,
    preferred,
    region_of,
)
from fastlab.study.advise.space import PLAIN


def standing(difference, low, high, p):
    return Standing(0.9, difference, low, high, (high - low) / 4, p, 4, 1000)


@pytest.mark.parametrize(("difference", "low", "high", "p", "verdict", "kept"), [
    (-0.3, -0.45, -0.15, 0.001, PAYS, True),      # its loss shows, small as it is
    (-0.1, -0.4, 0.2, 0.4, DOES_NOT, False),      # at most the region is lost
    (0.8, 0.2, 1.4, 0.01, DOES_NOT, False),       # better without it
    (-0.4, -1.2, 0.4, 0.3, UNDECIDED, False),     # not decided: figures within the region are not followed
    (-0.6, -1.4, 0.2, 0.2, UNDECIDED, True),
])
def test_parts_stay_or_go(difference, low, high, p, verdict, kept):
    part = part_for("augmentation", standing(difference, low, high, p), p)
    assert (part.verdict, part.kept) == (verdict, kept)


def test_what_was_not_tried_stays():
    assert part_for("rate", None, 1.0).verdict == UNTRIED
    assert part_for("rate", None, 1.0).kept


@pytest.mark.parametrize(("found", "tried", "verdict", "taken"), [
    (standing(1.0, 0.5, 1.5, 0.001), 5, BETTER, True),
    (standing(1.0, 0.1, 1.9, 0.02), 5, UNDECIDED, True),       # 0.02 × 5 is no proof, yet it is well beyond the region
    (standing(1.0, -3.0, 5.0, 0.6), 5, UNDECIDED, False),      # within its own error
    (standing(0.3, -0.4, 1.0, 0.4), 5, UNDECIDED, False),
    (standing(0.1, -0.2, 0.4, 0.5), 5, NO_DIFFERENCE, False),
    (standing(-1.0, -1.5, -0.5, 0.001), 5, WORSE, False),
    (standing(0.5, -np.inf, np.inf, 1.0), 2, UNDECIDED, False),
    (None, 2, UNDECIDED, False),
])
def test_the_plain_recipe_is_left_for_what_is_better(found, tried, verdict, taken):
    assert compared(found, tried) == verdict
    assert bool(preferred(found, verdict)) is taken


@pytest.mark.parametrize(("accuracy", "difference", "region"), [
    (0.9, -0.3, 0.5), (0.993, -0.3, 0.2), (0.996, 0.3, 0.2), (0.98, -0.3, 0.5), (0.9995, -0.01, 0.1), (1.0, 0.0, 0.1)])
def test_what_matters_is_at_most_half_of_the_errors_that_are_left(accuracy, difference, region):
    assert region_of(Standing(accuracy, difference, -1.0, 1.0, 0.1, 0.5, 4, 1000)) == pytest.approx(region)


def test_near_perfection_three_tenths_of_a_point_are_not_given_away():
    "0.3 points of 99.6 %: nearly twice the errors. Of 90 % they are nothing that matters."
    lost = {accuracy: Standing(accuracy, -0.3, -0.45, 0.0, 0.1, 0.06, 4, 4000) for accuracy in (0.993, 0.9)}
    kept = {accuracy: part_for("rate", one, 0.06) for accuracy, one in lost.items()}
    assert (kept[0.993].verdict, kept[0.993].kept) == (UNDECIDED, True)
    assert (kept[0.9].verdict, kept[0.9].kept) == (DOES_NOT, False)
    better = Standing(0.996, 0.35, -0.1, 0.8, 0.2, 0.1, 3, 3500)
    assert compared(better, 4) == UNDECIDED
    assert preferred(better, UNDECIDED)


def test_an_interval_that_one_round_cannot_tell_is_none_in_json():
    one = standings({"a": [np.ones(4)], "b": [np.array([1.0, 1.0, 0.0, 1.0])]}, [np.arange(4)], "a")["b"]
    lost = standing(-1.0, -1.5, -0.5, 0.001)
    parts = (Part("rate", UNDECIDED, one), Part("schedule", UNTRIED), Part("L1", PAYS, lost))
    advice = Advice(PLAIN, Found(PLAIN, PLAIN, PLAIN, parts), None, None, None, 0.0)
    told = json.loads(json.dumps(advice.parts(), allow_nan=False))
    assert [(part["difference"], part["interval"]) for part in told] == [(-25.0, None), (None, None),
                                                                         (-1.0, [-1.5, -0.5])]
