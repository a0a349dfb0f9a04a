"""Decoded arrays take no more room than they may; the least recently used go, and nothing else."""
import os
import time

import numpy as np
import pytest
from PIL import Image

from fastlab.errors import OptionError
from fastlab.images.cache import decoded


@pytest.fixture
def files(new_data, fresh_cache):
    "24 drawn images, and a cache in which nothing lies yet."
    return sorted(new_data.glob("*/*.png"))


def truth(files):
    return np.stack([np.asarray(Image.open(file)) for file in files])[..., None]


def array_of(cache):
    return next((cache / "decoded").glob("*.u8"))


def test_the_least_recently_used_arrays_go_once_the_bound_is_passed(files, fresh_cache, monkeypatch):
    for number, size in enumerate((20, 21, 22)):
        decoded(files, 1, size)
        note = max((fresh_cache / "decoded").glob("*.json"), key=lambda file: file.stat().st_ctime_ns)
        os.utime(note, (1000 + number, 1000 + number))
    decoded(files, 1, 20)  # used again, so 21 is now the oldest
    monkeypatch.setenv("FASTLAB_CACHE_GB", str(24 * (20 ** 2 + 22 ** 2 + 23 ** 2) / (1 << 30)))
    decoded(files, 1, 23)
    assert {file.stat().st_size // 24 for file in (fresh_cache / "decoded").glob("*.u8")} == {400, 484, 529}
    assert len(list((fresh_cache / "decoded").iterdir())) == 6


def test_the_newest_array_stays_though_it_passes_the_bound(files, fresh_cache, monkeypatch):
    monkeypatch.setenv("FASTLAB_CACHE_GB", "0")
    assert np.array_equal(decoded(files), truth(files))
    assert array_of(fresh_cache).exists()


def test_what_a_killed_process_left_behind_goes_after_a_day(files, fresh_cache):
    (fresh_cache / "decoded").mkdir(parents=True)
    old, young, foreign = (fresh_cache / "decoded" / name for name in (".old.part", ".young.part", "mine.txt"))
    for file in (old, young, foreign):
        file.touch()
    os.utime(old, (time.time() - 90_000,) * 2)
    os.utime(foreign, (1, 1))
    decoded(files)
    assert [old.exists(), young.exists(), foreign.exists()] == [False, True, True]


@pytest.mark.parametrize("told", ["much", "-1", "nan"])
def test_a_bound_that_is_no_number_is_an_error_that_names_it(files, monkeypatch, told):
    monkeypatch.setenv("FASTLAB_CACHE_GB", told)
    with pytest.raises(OptionError, match=r"\$FASTLAB_CACHE_GB"):
        decoded(files)
