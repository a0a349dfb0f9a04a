"""What is measured of a folder: its symmetry by a network that knows one side, its balance by counting."""
from dataclasses import replace

import numpy as np
import pytest
from quick_search import labelled

from fastlab.study.advise.bench import Bench
from fastlab.study.advise.look import Looked, look_at
from fastlab.study.advise.trials import TrialRunner, Trials, hidden
from fastlab.study.store import Store


@pytest.mark.parametrize(("straight", "mirrored", "classes", "symmetric"), [
    (0.95, 0.94, 10, True), (0.95, 0.60, 10, False), (0.55, 0.50, 2, False), (0.5, 0.5, 2, False),
    (0.9, 0.85, 2, True)])
def test_a_folder_is_symmetric_where_most_of_what_is_known_survives(straight, mirrored, classes, symmetric):
    assert Looked(100, 50, 50, classes, 28, 1, 1.0, straight, mirrored, 50).symmetric is symmetric


def test_nothing_is_symmetric_before_it_was_measured():
    assert not Looked(100, 50, 50, 4, 28, 1, 1.0).symmetric


def test_a_folder_is_counted_without_its_test_labels(tmp_path):
    arrays = labelled(300)
    unequal = np.sort(np.concatenate([np.flatnonzero(arrays.labels[:240] == 0), np.arange(60)]))
    arrays = hidden(arrays.with_splits(train=np.unique(unequal)))
    bench = Bench(Trials(arrays, TrialRunner("planted_runner:pays")), Store(tmp_path / "out"), 0)
    looked = look_at(bench, len(arrays.splits["test"]))
    assert (looked.train, looked.develop, looked.test, looked.classes) == (len(np.unique(unequal)), 60, 100, 4)
    assert looked.unequal == pytest.approx(60 / 15)
    assert looked.straight > 0.5
    assert looked.measured == 60
    assert any("4.0 times" in line for line in looked.sentences())


def test_the_symmetry_of_real_images_is_found(tmp_path):
    "Two classes that are each other's mirror images, and two that are symmetric, told apart by a real network."
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60, (400, 12, 12, 1), dtype=np.uint8)
    labels = np.arange(400) % 2
    sided, level = images.copy(), images.copy()
    sided[labels == 0, :, :6] += 150
    sided[labels == 1, :, 6:] += 150
    level[labels == 0, :6] += 150
    level[labels == 1, 6:] += 150
    found = {}
    for name, pixels in {"sided": sided, "level": level}.items():
        arrays = replace(labelled(320, 2, test=80), images=pixels, labels=labels)
        bench = Bench(Trials(hidden(arrays), TrialRunner()), Store(tmp_path / name), 0)
        found[name] = look_at(bench, 80)
    assert found["level"].symmetric
    assert not found["sided"].symmetric
    assert found["sided"].mirrored < 0.5 < found["sided"].straight
