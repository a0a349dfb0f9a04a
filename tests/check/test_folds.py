"""Folds that keep doubles together, and what a network of one fold has seen."""
import numpy as np
import pytest

from fastlab.check.folds import FOLDS, dealt_folds, recipe_for


def random_groups(rng, count):
    "Groups of 2 to 5 rows, no row in two of them."
    rows, groups = rng.permutation(count)[:count // 3], []
    while len(rows):
        size = int(rng.integers(2, 6))
        groups.append(rows[:size])
        rows = rows[size:]
    return [group for group in groups if len(group) > 1]


@pytest.mark.parametrize("seed", range(6))
def test_a_group_is_never_torn_whatever_its_classes(seed):
    rng = np.random.default_rng(seed)
    labels = rng.integers(6, size=500)
    groups = random_groups(rng, 500)
    fold = dealt_folds(labels, groups, seed)
    assert all(len(set(fold[group])) == 1 for group in groups)
    assert set(fold) == set(range(FOLDS))


@pytest.mark.parametrize("seed", range(6))
def test_every_class_is_dealt_evenly(seed):
    labels = np.random.default_rng(seed).integers(5, size=403)
    fold = dealt_folds(labels, [], seed)
    counts = np.array([np.bincount(fold[labels == label], minlength=FOLDS) for label in range(5)])
    assert np.ptp(counts, axis=1).max() <= 1
    assert np.ptp(counts.sum(axis=0)) <= 1


def test_the_seed_settles_the_folds():
    labels = np.arange(200) % 4
    first, again, other = (dealt_folds(labels, [], seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


@pytest.mark.parametrize(("images", "epochs"), [(100, 40), (1125, 40), (4500, 10), (15_000, 3), (10**6, 3)])
def test_the_fewer_images_the_more_epochs_within_bounds(images, epochs):
    assert recipe_for(images, True).epochs == epochs
    assert recipe_for(images, True).augment == "handwriting"
    assert recipe_for(images, False).augment == "crop+mirror"
