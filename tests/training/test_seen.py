"""A test on images that the network was trained on is noticed; one on new images is not."""
import json
from dataclasses import replace

import numpy as np
import pytest
from trainings import QUICK

from fastlab.cli import run
from fastlab.training.modelfile import load_model
from fastlab.training.seen import LOOKED_FOR, among, seen_images
from fastlab.training.test import test as run_test
from fastlab.training.train import train


@pytest.fixture(scope="module")
def saved(shape_arrays, tmp_path_factory):
    "The file of a network trained on `shape_arrays`."
    path = tmp_path_factory.mktemp("seen") / "net.safetensors"
    train(shape_arrays, QUICK.changed(epochs=1), save=path, device="cpu", cache=path.parent)
    return path


def test_a_network_remembers_some_of_its_training_images_in_its_file(saved, shape_arrays):
    seen, rows = load_model(saved).seen, shape_arrays.splits["train"]
    assert len(seen) == LOOKED_FOR
    assert seen == seen_images(shape_arrays)
    assert among(seen, shape_arrays.images, rows) == LOOKED_FOR
    assert among(seen, shape_arrays.images, shape_arrays.splits["test"]) == 0
    assert among((), shape_arrays.images, rows) == 0


def test_what_is_trained_on_with_develop_is_remembered_too(shape_arrays, tmp_path):
    model = train(shape_arrays, QUICK.changed(epochs=1, on="total_train"), device="cpu", cache=tmp_path).model
    assert run_test(model, shape_arrays, split="develop").trained_on[0] > 5
    assert run_test(model, shape_arrays).trained_on[0] == 0


@pytest.mark.parametrize("moved", [0, 1, 9, 24])
def test_as_many_are_found_as_were_moved_among_those_tested(saved, shape_arrays, moved):
    model, rows = load_model(saved), shape_arrays.splits["train"]
    remembered = rows[np.unique(np.linspace(0, len(rows) - 1, LOOKED_FOR).round().astype(int))]
    mixed = shape_arrays.with_splits(test=np.concatenate([shape_arrays.splits["test"], remembered[:moved]]))
    assert run_test(model, mixed).trained_on == (moved, LOOKED_FOR)
    forgetful = replace(model, seen=model.seen[:5])
    assert run_test([model, forgetful], mixed).trained_on == (moved, LOOKED_FOR)


def test_a_folder_that_is_split_anew_is_told(shapes, tmp_path, capsys):
    path = str(tmp_path / "net.safetensors")
    assert run(["train", str(shapes), "--epochs", "1", "--split-seed", "3", "--save", path]) == 0
    capsys.readouterr()
    for options, told in ((["--split-seed", "3"], False), ([], True), (["--split", "train"], False)):
        assert run(["test", path, str(shapes), "--json", *options]) == 0
        figures = json.loads(capsys.readouterr().out.splitlines()[-1])
        assert (figures["trained_on"][0] > 1) == told
        assert run(["test", path, str(shapes), *options]) == 0
        assert ("training images that the network remembers" in capsys.readouterr().out) == told
