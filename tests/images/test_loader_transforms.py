"""A user's own transforms act, on batches and on single images, as they do in fastai."""

import numpy as np
import torch
from fastai.data.transforms import Transform
from fastai.vision.augment import Flip, Normalize, Resize
from fastai.vision.core import PILImageBW

from fastlab.images.batches import arrays_dataloaders


class Darker(Transform):
    "A user's own item transform."

    def encodes(self, image: PILImageBW):
        return type(image)(image.point(lambda value: value // 2))


def passed(loader):
    "All batches of one pass, as (x, y)."
    parts = list(loader)
    return torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])


def test_fault_20_fastais_own_flip_acts_on_training_and_not_on_evaluation(shape_arrays):
    plain = arrays_dataloaders(shape_arrays, 72)
    flipped = arrays_dataloaders(shape_arrays, 72, batch_tfms=[Flip(p=1.0)])
    assert torch.allclose(passed(flipped.train)[0], passed(plain.train)[0].flip(3), atol=1e-4)
    assert torch.allclose(passed(flipped.valid)[0], passed(plain.valid)[0], atol=1e-4)


def test_fault_20_fastais_own_normalize_acts(shape_arrays):
    plain, _ = passed(arrays_dataloaders(shape_arrays, 72).valid)
    told = Normalize.from_stats([0.5], [2.0], cuda=False)
    found, _ = passed(arrays_dataloaders(shape_arrays, 72, batch_tfms=[told]).valid)
    assert torch.allclose(found, (plain - 0.5) / 2.0, atol=1e-6)


def test_fault_20_normalize_without_figures_finds_them_in_a_batch(shape_arrays):
    dls = arrays_dataloaders(shape_arrays, 72, batch_tfms=[Normalize()])
    x, _ = passed(dls.train)
    assert abs(x.mean().item()) < 1e-3
    assert abs(x.std().item() - 1) < 1e-3


def test_a_users_item_transforms_see_every_image_and_give_right_results(shape_arrays):
    dls = arrays_dataloaders(shape_arrays, 16, item_tfms=[Darker()])
    assert not dls.train.by_index
    x, y = passed(dls.valid)
    rows, (mean, deviation) = shape_arrays.splits["develop"], shape_arrays.statistics
    want = (shape_arrays.images[rows] // 2 / 255 - mean[0]) / deviation[0]
    assert np.abs(x.permute(0, 2, 3, 1).numpy() - want).max() < 1e-5
    assert y.tolist() == shape_arrays.labels[rows].tolist()


def test_item_by_item_has_the_same_order_draws_and_pixels_as_by_index(shape_arrays):
    by_index = arrays_dataloaders(shape_arrays, 16, "crop", seed=3).train
    one_by_one = arrays_dataloaders(shape_arrays, 16, "crop", seed=3, item_tfms=[Resize(28)]).train
    assert by_index.by_index
    assert not one_by_one.by_index
    assert all(torch.equal(a, b) for a, b in zip(passed(by_index), passed(one_by_one)))
