"""Batches by index: the pixels of the files, in an order and with draws that nothing else can change."""
import random

import numpy as np
import pytest
import torch
from fastai.vision.augment import Flip, RandTransform
from fastai.vision.core import PILImageBW
from passes import passed, worked_out

from fastlab.errors import OptionError
from fastlab.images.arrays import Arrays
from fastlab.images.batches import arrays_dataloaders
from fastlab.images.decode import open_image


class Speckled(RandTransform):
    "A user's own item transform that draws Python's and numpy's global random numbers."
    split_idx = 0

    def encodes(self, image: PILImageBW):
        shade = int(random.random() * 100 + np.random.rand() * 100)
        return type(image)(image.point(lambda value: min(value, shade)))


def global_states():
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()


# -- pixels and labels -------------------------------------------------------------------------------------------------
def test_batches_are_the_files_pixels_normalised_with_their_labels(shape_arrays, split_shapes):
    dls = arrays_dataloaders(shape_arrays, 16)
    x, y = passed(dls.valid)
    rows = shape_arrays.splits["develop"]
    mean, deviation = shape_arrays.statistics
    opened = np.stack([open_image(split_shapes / shape_arrays.files[row]) for row in rows])
    assert np.abs(x[:, 0].numpy() - (opened / 255 - mean[0]) / deviation[0]).max() < 1e-5
    assert y.tolist() == shape_arrays.labels[rows].tolist()


def test_a_training_pass_serves_every_image_once_with_its_own_label(shape_arrays):
    dls = arrays_dataloaders(shape_arrays, 16)
    x, y = passed(dls.train)
    want = worked_out(shape_arrays, shape_arrays.splits["train"])
    labels = shape_arrays.labels[shape_arrays.splits["train"]]
    distance = torch.cdist(x.flatten(1).double(), torch.from_numpy(want).flatten(1))
    assert sorted(distance.argmin(1).tolist()) == list(range(72))
    assert distance.min(1).values.max() < 1e-3
    assert y.tolist() == labels[distance.argmin(1)].tolist()


def test_the_last_shorter_batch_is_used_and_dropped_only_when_asked(shape_arrays):
    dls = arrays_dataloaders(shape_arrays, 16)
    assert [len(x) for x, _ in dls.train] == [16, 16, 16, 16, 8]
    dropping = dls.train.new(drop_last=True)
    assert [len(x) for x, _ in dropping] == [16, 16, 16, 16]
    assert len(dls.train) == 5
    assert len(dropping) == 4


def test_fault_1_a_batch_larger_than_the_data_is_used_not_dropped(shape_arrays):
    dls = arrays_dataloaders(shape_arrays, 1024)
    assert [len(x) for x, _ in dls.train] == [72]


def test_fault_1_no_batch_left_is_an_error_with_a_cure(shape_arrays):
    dropping = arrays_dataloaders(shape_arrays, 1024).train.new(drop_last=True)
    with pytest.raises(OptionError, match=r"batch size 1024.*only 72 images.*drop_last=False"):
        list(dropping)


def test_fault_14_no_file_is_opened_after_the_first_decoding(write_shapes, tmp_path, monkeypatch):
    data = write_shapes(tmp_path / "data", 10)
    dls = arrays_dataloaders(Arrays.from_folder(data), 16)
    for file in data.rglob("*.png"):
        file.unlink()
    first, second = passed(dls.train)[0], passed(dls.train)[0]
    assert len(first) == len(second) == len(dls.train_ds)


# -- order and draws ---------------------------------------------------------------------------------------------------
def test_order_and_draws_depend_on_seed_and_turn_alone(shape_arrays):
    one, two, other = (arrays_dataloaders(shape_arrays, 16, "handwriting", seed=seed).train for seed in (1, 1, 2))
    passes = [passed(one)[0] for _ in range(2)]
    random.random(), np.random.rand(), torch.rand(3)
    two.turn = 1
    assert torch.equal(passed(two)[0], passes[1])
    assert not torch.equal(*passes)
    assert not torch.equal(passed(other)[0], passes[0])


def test_draws_do_not_depend_on_the_batch_size(shape_arrays):
    small, large = (passed(arrays_dataloaders(shape_arrays, size, "crop+mirror", 24).train)[0] for size in (7, 72))
    assert torch.equal(small, large)


def test_evaluation_draws_nothing(shape_arrays):
    dls = arrays_dataloaders(shape_arrays, 16, "handwriting")
    first, second = passed(dls.valid)[0], passed(dls.valid)[0]
    assert torch.equal(first, second)
    assert np.abs(first.numpy() - worked_out(shape_arrays, shape_arrays.splits["develop"])).max() < 1e-5


def test_fault_6_looking_changes_no_epoch_that_follows(shape_arrays):
    looked, quiet = (arrays_dataloaders(shape_arrays, 16, "handwriting").train for _ in range(2))
    first = looked.one_batch()[0]
    assert not torch.equal(first, looked.one_batch()[0])
    looked.show_batch()
    looked.show_batch(unique=True)
    assert all(torch.equal(a, b) for a, b in zip(passed(looked), passed(quiet)))
    looked.one_batch()
    assert all(torch.equal(a, b) for a, b in zip(passed(looked), passed(quiet)))


@pytest.mark.parametrize("options", [{}, {"augment": "handwriting"}, {"batch_tfms": [Flip()]},
                                     {"item_tfms": [Speckled()]}])
def test_fault_6_no_global_random_number_is_used_up(shape_arrays, options):
    before = global_states()
    dls = arrays_dataloaders(shape_arrays, 16, **options)
    passed(dls.train)
    dls.show_batch()
    dls.test_dl([shape_arrays.paths[0]]).one_batch()
    assert global_states() == before


@pytest.mark.parametrize("options", [{"batch_tfms": [Flip()]}, {"item_tfms": [Speckled()]}])
def test_a_users_own_random_transforms_repeat_with_the_seed(shape_arrays, options):
    one = arrays_dataloaders(shape_arrays, 16, seed=5, **options).train
    first, second = passed(one)[0], passed(one)[0]
    random.seed(99), np.random.seed(99), torch.manual_seed(99)
    again = arrays_dataloaders(shape_arrays, 16, seed=5, **options).train
    assert torch.equal(passed(again)[0], first)
    assert torch.equal(passed(again)[0], second)
