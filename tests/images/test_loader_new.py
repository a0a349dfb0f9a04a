"""Loaders made from others: new options, new images, saved and loaded."""
import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from passes import passed, worked_out
from PIL import Image

from fastlab.errors import ImageError, OptionError
from fastlab.images import items, stored
from fastlab.images.arrays import Arrays
from fastlab.images.batches import array_loader, arrays_dataloaders


# -- loaders made from others ------------------------------------------------------------------------------------------
def test_a_new_loader_keeps_pixels_seed_and_words(shape_arrays):
    train = arrays_dataloaders(shape_arrays, 16, seed=4, on="total_train").train
    other = train.new(shuffle=False, bs=5)
    assert (other.seed, other.on, other.names) == (4, "total_train", shape_arrays.names)
    assert other.arrays is train.arrays
    assert [len(x) for x, _ in other][:2] == [5, 5]


def test_get_idxs_says_what_is_served(shape_arrays):
    train = arrays_dataloaders(shape_arrays, 72).train
    order = train.get_idxs()
    labels = shape_arrays.labels[shape_arrays.splits["train"]][order]
    assert next(iter(train))[1].tolist() == labels.tolist()
    assert sorted(order.tolist()) == list(range(72))


def test_a_users_own_order_is_served(shape_arrays):
    valid = arrays_dataloaders(shape_arrays, 4).valid.new(get_idxs=lambda: [5, 3, 3], bs=2)
    want = worked_out(shape_arrays, shape_arrays.splits["develop"][[5, 3, 3]])
    assert np.abs(passed(valid)[0].numpy() - want).max() < 1e-5


@pytest.mark.parametrize("kind", ["path", "text", "bytes", "pil", "array", "tensor"])
def test_test_dl_takes_whatever_an_image_comes_as(shape_arrays, kind):
    path = shape_arrays.paths[100]
    pixels = shape_arrays.images[100]
    source = {"path": path, "text": str(path), "bytes": path.read_bytes(), "pil": Image.open(path),
              "array": pixels[:, :, 0], "tensor": torch.from_numpy(pixels).permute(2, 0, 1)}[kind]
    (x,) = arrays_dataloaders(shape_arrays).test_dl([source]).one_batch()
    assert np.abs(x.numpy() - worked_out(shape_arrays, [100])).max() < 1e-5


def test_fault_3_colour_and_transparency_are_brought_to_the_networks_channels(shape_arrays):
    ink = np.zeros((28, 28, 4), np.uint8)
    ink[10:18, 10:18, 3] = 255
    (x,) = arrays_dataloaders(shape_arrays).test_dl([ink, ink[:, :, :3]]).one_batch()
    mean, deviation = shape_arrays.statistics
    assert x.shape == (2, 1, 28, 28)
    assert x[0, 0, 0, 0].item() == pytest.approx((1 - mean[0]) / deviation[0], abs=1e-5)
    assert x[0, 0, 12, 12].item() == pytest.approx(-mean[0] / deviation[0], abs=1e-5)


def test_test_dl_with_labels_finds_them_by_path_or_text(shape_arrays):
    dls = arrays_dataloaders(shape_arrays)
    for sources in ([shape_arrays.paths[119]], [str(shape_arrays.paths[119])]):
        assert dls.test_dl(sources, with_labels=True).one_batch()[1].tolist() == [3]


def test_all_unreadable_test_images_are_named_at_once(shape_arrays, tmp_path):
    for name in ("a.png", "b.png"):
        (tmp_path / name).touch()
    loader = arrays_dataloaders(shape_arrays).test_dl([tmp_path / "a.png", shape_arrays.paths[0], tmp_path / "b.png"])
    with pytest.raises(ImageError) as caught:
        list(loader)
    assert set(caught.value.reasons) == {str(tmp_path / "a.png"), str(tmp_path / "b.png")}


def test_many_new_files_are_decoded_into_the_cache_that_was_told(shape_arrays, write_shapes, tmp_path, monkeypatch):
    monkeypatch.setattr(items, "IN_ONE_GO", 3)
    arrays = Arrays.from_folder(write_shapes(tmp_path / "data", 10), cache=tmp_path / "cache")
    before = len(list((tmp_path / "cache" / "decoded").glob("*.u8")))
    loader = arrays_dataloaders(arrays).test_dl(list(shape_arrays.paths[:5]))
    mean, deviation = arrays.statistics
    want = (shape_arrays.images[:5].transpose(0, 3, 1, 2) / 255 - mean[0]) / deviation[0]
    assert np.abs(loader.one_batch()[0].numpy() - want).max() < 1e-5
    assert len(list((tmp_path / "cache" / "decoded").glob("*.u8"))) == before + 1


def test_an_empty_loader_says_so(shape_arrays):
    dls = arrays_dataloaders(shape_arrays).new_empty()
    with pytest.raises(OptionError, match="holds no images"):
        dls.train.one_batch()


def test_rows_of_any_split_can_be_looked_at_as_evaluation_sees_them(shape_arrays):
    dls = arrays_dataloaders(shape_arrays, 16, "handwriting")
    x, y = passed(array_loader(dls, shape_arrays.splits["test"]))
    assert np.abs(x.numpy() - worked_out(shape_arrays, shape_arrays.splits["test"])).max() < 1e-5
    assert y.tolist() == shape_arrays.labels[shape_arrays.splits["test"]].tolist()


# -- saving ------------------------------------------------------------------------------------------------------------
def test_saved_loaders_carry_no_pixels_and_serve_the_same_batches(write_shapes, tmp_path):
    arrays = Arrays.from_folder(write_shapes(tmp_path / "data", 30, size=56))
    dls = arrays_dataloaders(arrays, 16)
    passed(dls.train)
    content = pickle.dumps(dls)
    assert len(content) < arrays.images.nbytes / 10
    assert all(torch.equal(a, b) for a, b in zip(passed(pickle.loads(content).valid), passed(dls.valid)))


def test_pictures_without_files_are_saved_without_pixels_and_say_so(shape_arrays):
    bare = Arrays(np.array(shape_arrays.images), shape_arrays.labels, shape_arrays.splits, shape_arrays.classes,
                  shape_arrays.names)
    dls = arrays_dataloaders(bare, 16)
    assert np.abs(passed(dls.valid)[0].numpy() - worked_out(bare, bare.splits["develop"])).max() < 1e-5
    content = pickle.dumps(dls)
    assert len(content) < bare.images.nbytes / 3
    with pytest.raises(ImageError, match="not saved with the loader"):
        list(pickle.loads(content).valid)


def test_pictures_of_other_arrays_are_not_taken_for_rows_of_these(shape_arrays):
    parts = (shape_arrays.labels, shape_arrays.splits, shape_arrays.classes, shape_arrays.names)
    here, there = (Arrays(np.full_like(shape_arrays.images, shade), *parts) for shade in (0, 255))
    loader = arrays_dataloaders(here).test_dl([items.Picture(there, 0)])
    mean, deviation = here.statistics
    assert loader.one_batch()[0].unique().tolist() == pytest.approx([(1 - mean[0]) / deviation[0]])
    assert stored.rows_in(here, [items.Picture(here, 7)]).tolist() == [7]


def test_every_new_loader_to_look_at_shows_other_images(shape_arrays):
    valid = arrays_dataloaders(shape_arrays, 8).valid
    shown = [valid.new(shuffle=True).one_batch()[0] for _ in range(3)]
    assert not any(torch.equal(one, other) for one, other in pairwise(shown))
