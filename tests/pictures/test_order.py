from itertools import pairwise, permutations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fastlab.pictures.order import cluster, likeness, spread


def planted(groups, strength=5):
    "Counts in which classes are confused within `groups` only."
    size = sum(map(len, groups))
    counts = 100 * np.eye(size, dtype=int)
    for group in groups:
        for a, b in permutations(group, 2):
            counts[a, b] = strength
    return counts


def test_confused_classes_stand_together():
    groups = [(0, 5, 9), (1, 7), (2, 4, 8), (3,), (6,)]
    place = np.argsort(cluster(planted(groups)))
    for group in groups:
        stands = sorted(place[list(group)])
        assert stands[-1] - stands[0] == len(group) - 1


def test_a_chain_is_laid_out_in_its_order():
    truth = [3, 0, 4, 1, 5, 2]
    counts = 100 * np.eye(6, dtype=int)
    for a, b in pairwise(truth):
        counts[a, b] = counts[b, a] = 10
    assert list(cluster(counts)) in (truth, truth[::-1])


def test_without_confusions_the_given_order_stays():
    assert list(cluster(10 * np.eye(5, dtype=int))) == [0, 1, 2, 3, 4]
    assert list(cluster(np.zeros((3, 3)))) == [0, 1, 2]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 9).flatmap(lambda size: arrays(int, (size, size), elements=st.integers(0, 9))))
def test_it_is_an_order_and_never_worse_than_the_given_one(counts):
    order = cluster(counts)
    assert sorted(order) == list(range(len(counts)))
    assert spread(likeness(counts), order) <= spread(likeness(counts), np.arange(len(counts))) + 1e-9


def test_it_is_near_the_best_of_all_orders():
    rng = np.random.default_rng(5)
    for _ in range(5):
        counts = rng.integers(0, 10, (6, 6)) * (rng.random((6, 6)) < 0.4) + 50 * np.eye(6, dtype=int)
        like = likeness(counts)
        best = min(spread(like, np.array(order)) for order in permutations(range(6)))
        assert spread(like, cluster(counts)) <= 1.35 * best + 1e-12
