"""Shares are exact by class, seeded, and no group is ever torn."""
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from fastlab.errors import OptionError
from fastlab.images.splitting import group_keys, split_rows, torn_group

SHARES = {"train": 0.64, "develop": 0.16, "test": 0.20}


def covered_once(parts, count):
    return sorted(np.concatenate(list(parts.values())).tolist()) == list(range(count))


@pytest.mark.parametrize("blocks", [1, 4, 31])
def test_multiples_of_25_are_shared_out_16_4_5_in_every_class(blocks):
    labels = np.repeat([0, 1, 2], 25 * blocks)
    parts = split_rows(labels, SHARES, seed=0)
    for name, want in (("train", 16), ("develop", 4), ("test", 5)):
        assert Counter(labels[parts[name]].tolist()) == dict.fromkeys(range(3), want * blocks)


@given(some.lists(some.integers(3, 90), min_size=2, max_size=5), some.integers(0, 9))
def test_every_class_is_shared_out_within_one_image_and_missing_nowhere(counts, seed):
    labels = np.repeat(np.arange(len(counts)), counts)
    parts = split_rows(labels, SHARES, seed)
    assert covered_once(parts, len(labels))
    for name, share in SHARES.items():
        for label, count in enumerate(counts):
            found = (labels[parts[name]] == label).sum()
            assert found >= 1
            assert abs(found - share * count) <= 1


def test_rows_come_out_in_order_and_depend_on_the_seed_alone():
    labels = np.repeat([0, 1], 50)
    first, again, other = (split_rows(labels, SHARES, seed) for seed in (3, 3, 4))
    assert all((np.diff(rows) > 0).all() for rows in first.values())
    assert all(np.array_equal(first[name], again[name]) for name in SHARES)
    assert any(not np.array_equal(first[name], other[name]) for name in SHARES)


def test_more_images_of_one_class_leave_the_other_classes_split_as_it_was():
    few, many = np.repeat([0, 1], [50, 50]), np.repeat([0, 1], [50, 80])
    first, second = (split_rows(labels, SHARES, 1) for labels in (few, many))
    assert all(np.array_equal(first[name][first[name] < 50], second[name][second[name] < 50]) for name in SHARES)


@given(some.lists(some.tuples(some.integers(0, 3), some.integers(0, 12)), min_size=1, max_size=99), some.integers(0, 9))
def test_no_group_is_ever_torn(images, seed):
    labels, groups = (np.array(column) for column in zip(*images))
    parts = split_rows(labels, SHARES, seed, groups)
    assert covered_once(parts, len(images))
    homes = [set(groups[rows].tolist()) for rows in parts.values()]
    assert not any(first & second for number, first in enumerate(homes) for second in homes[:number])


@pytest.mark.parametrize("writers", [3, 4, 10, 60])
def test_writers_of_every_class_fill_every_part_near_its_share(writers):
    labels, groups = np.tile(np.arange(12), writers), np.repeat(np.arange(writers), 12)
    parts = split_rows(labels, SHARES, 0, groups)
    for name, share in SHARES.items():
        assert set(labels[parts[name]].tolist()) == set(range(12))
        assert abs(len(parts[name]) / len(labels) - share) <= 1 / writers + 1e-9 or writers < 5


def test_objects_of_one_class_each_leave_no_part_without_a_class():
    labels, groups = np.repeat([0, 1, 2], 40), np.repeat(np.arange(12), 10)
    parts = split_rows(labels, SHARES, 0, groups)
    assert all(set(labels[rows].tolist()) == {0, 1, 2} for rows in parts.values())


def test_a_group_is_the_first_bracket_or_the_whole_match():
    files = [Path("/d/a/w1_5.png"), Path("/d/b/w12_5.png")]
    assert group_keys(files, Path("/d"), r"w(\d+)_") == ["1", "12"]
    assert group_keys(files, Path("/d"), r"w\d+") == ["w1", "w12"]
    assert group_keys(files, Path("/d"), r"^[ab]/") == ["a/", "b/"]
    assert group_keys(files, Path("/d"), None) is None


@pytest.mark.parametrize(("pattern", "told"), [("(", "not a regular expression"), ("x", "no match in 2 file names"),
                                               (r"w1_|(w9)", "no match in 2")])
def test_an_expression_that_does_not_fit_is_an_error_that_says_why(pattern, told):
    with pytest.raises(OptionError, match=rf"--group-by .*{told}"):
        group_keys([Path("/d/a/w1_5.png"), Path("/d/a/w2_5.png")], Path("/d"), pattern)


def test_a_torn_group_is_found_with_both_its_splits():
    splits = {"train": np.array([0, 1]), "test": np.array([2, 3])}
    assert torn_group(["a", "b", "c", "b"], splits) == ("b", "train", "test")
    assert torn_group(["a", "a", "c", "c"], splits) is None


@pytest.mark.parametrize("seed", range(5))
def test_large_groups_are_dealt_first_so_that_small_ones_even_out_the_shares(seed):
    labels, groups = np.tile([0, 1], 50), np.concatenate([np.zeros(64, int), 1 + np.arange(36) // 2])
    parts = split_rows(labels, SHARES, seed, groups)
    assert [len(rows) for rows in parts.values()] == [64, 16, 20]
