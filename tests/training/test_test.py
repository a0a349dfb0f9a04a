"""Testing on folders: the right images, the right way, and figures that come from the predictions."""
from pathlib import Path

import numpy as np
import pytest
from trainings import QUICK, fitted

from fastlab.errors import FolderError, ImageError, ModelFileError, OptionError
from fastlab.images.arrays import Arrays
from fastlab.images.folder import read_folder
from fastlab.training.evaluate import scores
from fastlab.training.modelfile import Model, save_model
from fastlab.training.test import test as run_test
from fastlab.training.train import model_of


@pytest.fixture(scope="module")
def model(shape_arrays):
    return model_of(fitted(shape_arrays, QUICK.changed(precision="fp32", epochs=4)))


@pytest.fixture(scope="module")
def other(shape_arrays):
    return model_of(fitted(shape_arrays, QUICK.changed(precision="fp32"), seed=1))


@pytest.mark.parametrize("split", ["train", "develop", "test", "all"])
def test_each_split_is_tested_on_its_own_images(model, split_shapes, shape_arrays, split):
    tested = run_test(model, split_shapes, split=split)
    below = split_shapes if split == "all" else split_shapes / split
    assert sorted(tested.files) == sorted(path.relative_to(split_shapes).as_posix() for path in below.rglob("*.png"))
    right = [path.split("/")[-2] == tested.classes[shares.argmax()] for path, shares in zip(tested.files,
                                                                                         tested.probabilities)]
    assert tested.accuracy == np.mean(right)
    assert (tested.split, tested.n) == (split, {"train": 72, "develop": 24, "test": 24, "all": 120}[split])


def test_probabilities_are_the_models_own(model, split_shapes, shape_arrays):
    tested = run_test(model, split_shapes)
    assert np.array_equal(tested.probabilities, model.probabilities(shape_arrays.images[shape_arrays.splits["test"]]))
    assert np.array_equal(run_test(model, shape_arrays).probabilities, tested.probabilities)


def test_as_printed_is_the_reports_way_with_dropout_from_the_seed(model, shape_arrays):
    printed = {seed: run_test(model, shape_arrays, "as-printed", seed=seed).probabilities for seed in (0, 1)}
    pixels = shape_arrays.images[shape_arrays.splits["test"]]
    wanted = scores(model.net, pixels, model.input["mean"], model.input["deviation"], testing="as-printed", seed=1)
    assert np.array_equal(printed[1], wanted.softmax(1).numpy())
    assert not np.array_equal(printed[0], printed[1])
    assert run_test(model, shape_arrays, "as-printed").testing == "as-printed"


def test_a_folder_without_splits_is_split_as_in_training(model, shapes):
    for seed in (0, 7):
        tested = run_test(model, shapes, split_seed=seed)
        folder = read_folder(shapes, seed)
        wanted = [Path(folder.files[row]).relative_to(shapes).as_posix() for row in folder.splits["test"]]
        assert sorted(tested.files) == sorted(wanted)
    groups = [{file.split("/")[1][0] for file in run_test(model, shapes, split=split, group_by=r"/(\d)").files}
              for split in ("train", "develop", "test")]        # files that begin with the same digit stay together
    assert sum(map(len, groups)) == len(set.union(*groups)) == 9


def test_grey_networks_test_on_colour_images(model, colour_shapes):
    tested = run_test(model, colour_shapes, split="all")
    grey = Arrays.from_folder(colour_shapes, 1, 28)
    assert tested.n == 48
    assert np.array_equal(tested.probabilities, model.probabilities(np.asarray(grey.images)))


def test_an_ensemble_is_the_mean_and_tells_each_members_accuracy(model, other, shape_arrays, tmp_path):
    paths = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for path, each in zip(paths, (model, other)):
        save_model(path, each)
    single = [run_test(path, shape_arrays) for path in paths]
    both = run_test(paths, shape_arrays)
    np.testing.assert_allclose(both.probabilities, (single[0].probabilities + single[1].probabilities) / 2, atol=1e-6)
    assert both.alone == tuple(each.accuracy for each in single)
    assert single[0].alone == ()


def test_mismatched_networks_and_classes_are_errors(model, other, shape_arrays, write_shapes, tmp_path):
    odd = Model(other.net, other.recipe, ("1", "2", "10", "3"), other.names, other.input, path="odd.safetensors")
    with pytest.raises(ModelFileError, match="An ensemble needs the same"):
        run_test([model, odd], shape_arrays)
    with pytest.raises(FolderError, match="stand in another order"):
        run_test(odd, shape_arrays)
    renamed = write_shapes(tmp_path / "renamed", 10)
    (renamed / "10").rename(renamed / "11")
    with pytest.raises(FolderError, match=r"renamed.*differ in '10', '11'.*Test on the classes"):
        run_test(model, renamed)


def test_without_a_test_split_the_message_says_what_to_do(model, write_shapes, tmp_path):
    write_shapes(tmp_path / "data" / "train", 5)
    with pytest.raises(FolderError, match=r"there is no test split.*--split develop"):
        run_test(model, tmp_path / "data")
    assert run_test(model, tmp_path / "data", split="develop").n == 4


def test_unreadable_images_are_named_or_left_out(model, write_shapes, tmp_path):
    for seed, split in enumerate(("train", "develop", "test")):
        write_shapes(tmp_path / "data" / split, 4, seed)
    for name in ("test/1/2.png", "train/3/1.png"):
        (tmp_path / "data" / name).write_bytes(b"")
    with pytest.raises(ImageError) as caught:
        run_test(model, tmp_path / "data")
    assert len(caught.value.reasons) == 2
    assert run_test(model, tmp_path / "data", skip_unreadable=True).n == 15


@pytest.mark.parametrize(("options", "words"), [
    ({"testing": "as printed"}, "Did you mean 'as-printed'"), ({"split": "tset"}, "Did you mean 'test'"),
    ({"testing": "as-printed", "ten_crop": True}, "ten-crop"), ({"ten_crop": True}, "ten-crop")])
def test_wrong_options_are_errors(model, shape_arrays, options, words):
    with pytest.raises(OptionError, match=words):
        run_test(model, shape_arrays, **options)
