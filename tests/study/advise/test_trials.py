"""Divisions of the images: nothing of the test labels is left, folds part what they should, keys name what differs."""
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from quick_search import labelled

from fastlab.errors import OptionError
from fastlab.images.arrays import Arrays
from fastlab.study.advise.trials import (
    MIRROR,
    OWN,
    TrialRunner,
    Trials,
    divided,
    folds_for,
    hidden,
    mirrored,
)
from fastlab.study.power import typical_image_error
from fastlab.training.recipe import Recipe


@pytest.fixture
def small():
    return labelled(600)


def test_the_labels_of_the_test_split_are_gone_and_cannot_be_told_from_the_digest(small):
    poisoned = small.labels.copy()
    poisoned[small.splits["test"]] = (poisoned[small.splits["test"]] + 1) % 4
    other = replace(small, labels=poisoned)
    assert small.digest != other.digest
    assert hidden(small).digest == hidden(other).digest
    assert not hidden(small).labels[small.splits["test"]].any()
    for split in ("train", "develop"):
        assert np.array_equal(hidden(small).labels[small.splits[split]], small.labels[small.splits[split]])


def test_folds_develop_on_every_image_once_and_never_on_what_they_train_on(small):
    folds = folds_for(small)
    count = len(folds) // 2
    assert count == 5  # develop is a fifth, so every fold is one
    develop = np.concatenate([folds[f"develop {number}"] for number in range(count)])
    assert np.array_equal(np.sort(develop), np.arange(600))
    for number in range(count):
        train, own = folds[f"train {number}"], folds[f"develop {number}"]
        assert not set(train) & set(own)
        assert len(train) + len(own) == 600
        assert np.bincount(small.labels[own]).tolist() == [30] * 4


def test_groups_stay_whole():
    arrays = labelled(600)
    files = tuple(f"{label}/writer{row % 30}-{row}.png" for row, label in enumerate(arrays.labels))
    arrays = replace(arrays, files=files, root=Path("/nowhere"))
    folds = folds_for(arrays, r"writer(\d+)-")
    for number in range(len(folds) // 2):
        writers = [{files[row].split("-")[0].split("/")[1] for row in folds[f"{split} {number}"]}
                   for split in ("train", "develop")]
        assert not writers[0] & writers[1]
    with pytest.raises(OptionError, match="must match every file"):
        folds_for(arrays, r"nobody(\d)")


def test_groups_are_matched_below_the_splits_folder_as_when_a_folder_is_read():
    plain = labelled(600)
    names = [f"{label}/{row % 30}-{row}.png" for row, label in enumerate(plain.labels)]
    inside = replace(plain, files=tuple(f"train/{name}" for name in names), root=Path("/nowhere"))
    expected = folds_for(replace(plain, files=tuple(names), root=Path("/nowhere")), r"^\w+/(\d+)-")
    found = folds_for(inside, r"^\w+/(\d+)-")      # ^: a class, not a split
    assert found.keys() == expected.keys() != set()
    assert all(np.array_equal(found[name], expected[name]) for name in found)
    with pytest.raises(OptionError, match="come from no folder"):
        folds_for(plain, r"(\d+)-")


def test_a_develop_split_that_tells_enough_is_kept_as_it_is():
    large = labelled(10_000)
    assert 1.96 * typical_image_error(len(large.splits["develop"])) <= 0.5
    assert folds_for(large) == {}
    assert Trials(large, TrialRunner("planted_runner:pays")).division(3) == OWN


def test_classes_of_very_few_images_make_few_folds_and_a_class_of_one_none():
    few = labelled(12, develop=0.4)
    assert len(folds_for(few)) // 2 == 3
    labels = np.array([0, 0, 0, 1, 0, 1])
    names = ("1", "2")
    single = Arrays(np.zeros((6, 4, 4, 1), np.uint8), labels, {"train": np.arange(3), "develop": np.array([3, 4]),
                                                               "test": np.array([5])}, names, names)
    assert folds_for(single) == {}


def test_mirrored_images_are_develops_flipped():
    rng = np.random.default_rng(0)
    arrays = replace(labelled(300), images=rng.integers(0, 256, (400, 6, 6, 1), dtype=np.uint8))
    both = mirrored(replace(arrays, root=Path("/nowhere")))
    assert both.paths is None  # the mirror images lie in no file
    straight, flipped = (both.images[both.splits[split]] for split in ("develop", "test"))
    assert np.array_equal(np.flip(straight, 2), flipped)
    assert np.array_equal(both.labels[both.splits["develop"]], both.labels[both.splits["test"]])
    assert np.array_equal(straight, arrays.images[arrays.splits["develop"]])


def test_only_tested_trials_see_the_test_images(small):
    folded = small.with_splits(**folds_for(small))
    assert len(divided(folded, "fold 2").splits["test"]) == 0
    assert np.array_equal(divided(folded, "fold 2", tested=True).splits["test"], small.splits["test"])
    assert np.array_equal(divided(folded, "fold 2").splits["develop"], folded.splits["develop 2"])


def test_a_trials_key_depends_on_what_its_result_depends_on(small):
    folded = hidden(small).with_splits(**folds_for(small))
    trials = Trials(folded, TrialRunner("planted_runner:pays"), seed=1)
    plain = trials.trial(Recipe(), 0)
    others = [trials.trial(Recipe(epochs=30), 0), trials.trial(Recipe(lr=1e-2), 0), trials.trial(Recipe(), 1),
              trials.trial(Recipe(), 0, tested=True), trials.trial(Recipe(), 0, division=MIRROR),
              Trials(folded, TrialRunner("planted_runner:pays"), seed=2).trial(Recipe(), 0),
              Trials(folded, TrialRunner("planted_runner:nothing"), seed=1).trial(Recipe(), 0)]
    keys = [plain.key, *(one.key for one in others[:-1])]
    assert len(set(keys)) == len(keys)
    assert trials.trial(Recipe(lr=1e-3), 0).key == plain.key  # the usual rate, written out
    assert (plain.seed, trials.trial(Recipe(net="alexnet"), 0).seed) == (100, 100)
    assert trials.trial(Recipe(), 7).division == trials.trial(Recipe(), 2).division == "fold 2"
