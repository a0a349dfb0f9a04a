"""One seed per purpose, by counting; global random numbers stay as they were."""
import hashlib
import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as some

from fastlab.seeds import (
    PURPOSES,
    global_random_state_of,
    kept_random_state,
    numpy_generator,
    seed_for,
    torch_generator,
)


def drawn():
    return random.random(), np.random.rand(), torch.rand(1).item()


@given(some.integers(0, 2 ** 32), some.sampled_from(PURPOSES), some.integers(0, 10 ** 6))
def test_a_seed_is_the_first_63_bits_of_sha256_of_its_words(seed, purpose, epoch):
    text = f"fastlab/{seed}/{purpose}/{epoch}"
    assert seed_for(seed, purpose, epoch) == int(hashlib.sha256(text.encode()).hexdigest()[:16], 16) // 2


def test_seeds_purposes_and_counters_give_seeds_of_their_own():
    found = {seed_for(seed, purpose, *counters) for seed in range(20) for purpose in PURPOSES
             for counters in ((), *[(epoch,) for epoch in range(20)])}
    assert len(found) == 20 * len(PURPOSES) * 21


def test_numbers_of_numpy_count_as_pythons():
    assert seed_for(np.int64(3), "order", np.int64(5)) == seed_for(3, "order", 5)


def test_an_unknown_purpose_is_an_error():
    with pytest.raises(ValueError, match="'ordr' is not one of"):
        seed_for(0, "ordr")


@pytest.mark.parametrize("make", [lambda *told: numpy_generator(*told).random(4).tolist(),
                                  lambda *told: torch.rand(4, generator=torch_generator(*told)).tolist()])
def test_generators_repeat_and_differ_by_purpose_without_touching_global_numbers(make):
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    want = drawn()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    assert make(0, "order", 1) == make(0, "order", 1)
    assert make(0, "order", 1) != make(0, "augment", 1)
    assert drawn() == want


@pytest.mark.parametrize("fails", [False, True])
def test_kept_random_state_puts_all_three_back_also_after_an_error(fails):
    with kept_random_state():
        want = drawn()
    try:
        with kept_random_state():
            drawn(), random.seed(5), np.random.seed(5), torch.manual_seed(5)
            if fails:
                raise KeyError
    except KeyError:
        pass
    assert drawn() == want


def test_a_global_state_of_a_seed_repeats_inside_and_leaves_no_trace():
    with kept_random_state():
        want = drawn()
    for seed in (7, 7, seed_for(0, "augment")):
        with global_random_state_of(seed):
            first = drawn()
        with global_random_state_of(seed):
            assert drawn() == first
    assert drawn() == want
