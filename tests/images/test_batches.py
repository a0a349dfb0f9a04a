"""From a folder to fastai's DataLoaders: what fastai's users know works, and what is shown is what was fed."""
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from fastai.data.block import CategoryBlock, DataBlock, TransformBlock
from fastai.data.transforms import ToTensor

from fastlab.errors import FolderError, ImageError, OptionError
from fastlab.images.arrays import Arrays
from fastlab.images.augment import Augmentation
from fastlab.images.batches import arrays_dataloaders, folder_dataloaders, items_of, lab_block
from fastlab.images.items import OpenPicture, ToNetwork
from fastlab.images.loader import BatchLoader


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def rectangular(shape_arrays):
    return Arrays(np.array(shape_arrays.images[:, :20]), shape_arrays.labels, shape_arrays.splits, shape_arrays.classes,
                  shape_arrays.names)


def test_a_folder_becomes_loaders_with_vocabulary_names_and_arrays(split_shapes):
    dls = folder_dataloaders(split_shapes, batch_size=8)
    assert list(dls.vocab) == ["1", "2", "3", "10"]
    assert dls.names == ("disc", "ring", "cross", "bars")
    assert len(dls.arrays.splits["test"]) == 24
    assert (len(dls.train_ds), len(dls.valid_ds), dls.on) == (72, 24, "train")


@pytest.mark.parametrize(("size", "channels"), [(20, 1), (32, 3)])
def test_size_and_channels_are_what_was_asked(colour_shapes, size, channels):
    x, _ = folder_dataloaders(colour_shapes, 4, size=size, channels=channels).one_batch()
    assert x.shape == (4, channels, size, size)


def test_total_train_is_train_and_develop_together(shape_arrays):
    dls = arrays_dataloaders(shape_arrays, 16, on="total_train")
    assert len(dls.train_ds) == 96
    assert (len(dls.valid_ds), dls.on) == (24, "total_train")
    assert sum(len(x) for x, _ in dls.train) == 96


def test_show_batch_shows_the_pixels_that_were_fed(shape_arrays):
    dls = arrays_dataloaders(shape_arrays, 9, "handwriting")
    batch = dls.one_batch()
    dls.show_batch(batch)
    mean, deviation = shape_arrays.statistics
    fed = (batch[0][:, 0].numpy() * deviation[0] + mean[0]).clip(0, 1)
    axes = [ax for ax in plt.gcf().axes if ax.images]
    assert len(axes) == 9
    for ax, image, label in zip(axes, fed, batch[1]):
        shown = ax.images[0]
        assert np.abs(np.asarray(shown.get_array()).squeeze() - image).max() < 1e-5
        assert shown.cmap(shown.norm(1.0))[:3] == (1, 1, 1)  # white paper stays white
        assert ax.get_title() == dls.vocab[label]


def test_show_batch_unique_shows_one_image_in_many_draws(shape_arrays):
    dls = arrays_dataloaders(shape_arrays, 9, "handwriting")
    dls.show_batch(unique=True)
    axes = [ax for ax in plt.gcf().axes if ax.images]
    assert len({ax.get_title() for ax in axes}) == 1
    assert len({np.asarray(ax.images[0].get_array()).tobytes() for ax in axes}) == 9


def test_summary_walks_through_every_step(shape_arrays, capsys):
    lab_block(shape_arrays).summary(shape_arrays)
    told = capsys.readouterr().out
    assert "Arrays(120 images of 28×28×1, 4 classes, train 72, develop 24, test 24)" in told
    for step in ("OpenPicture", "LabelOf", "Categorize", "ToTensor", "ToNetwork"):
        assert step in told
    assert "failed" not in told


def test_a_users_own_labels_are_taken_and_not_the_folders(shape_arrays):
    network = ToNetwork(*shape_arrays.statistics, Augmentation("none", 28))
    pictures = TransformBlock(OpenPicture(1, 28), ToTensor, network, dl_type=BatchLoader,
                              dls_kwargs={"arrays": shape_arrays})
    theirs = DataBlock(blocks=(pictures, CategoryBlock(vocab=list(shape_arrays.classes), sort=False)),
                       get_items=items_of, get_y=lambda path: "2", splitter=lambda found: (range(72), range(72, 96)))
    _, y = theirs.dataloaders(shape_arrays, bs=8).one_batch()
    assert y.tolist() == [1] * 8


def test_images_that_are_not_square_are_served_whole(shape_arrays):
    x, _ = arrays_dataloaders(rectangular(shape_arrays), 4).one_batch()
    assert x.shape == (4, 1, 20, 28)


def test_a_test_image_of_another_shape_is_an_error_where_none_can_be_scaled(shape_arrays):
    loader = arrays_dataloaders(rectangular(shape_arrays)).test_dl([np.zeros((28, 28), np.uint8)])
    with pytest.raises(ImageError, match="28×28 pixels, and the others have 28×20"):
        list(loader)


@pytest.mark.parametrize(("options", "told"), [
    ({"batch_size": 0}, "batch_size"), ({"batch_size": 2.5}, "batch_size"), ({"batch_size": True}, "batch_size"),
    ({"augment": "mirror"}, "augment"), ({"on": "trian"}, "Did you mean 'train'"), ({"crop_size": 29}, "crop_size"),
    ({"crop_size": 0}, "crop_size"), ({"crop_size": 2.0}, "crop_size")])
def test_an_option_outside_its_rule_is_an_error_that_names_it(shape_arrays, options, told):
    with pytest.raises(OptionError, match=told):
        arrays_dataloaders(shape_arrays, **options)


def test_augmentation_of_images_that_are_not_square_is_an_error_with_a_cure(shape_arrays):
    with pytest.raises(OptionError, match=r"augment: 'crop' needs square images.*Give a size"):
        arrays_dataloaders(rectangular(shape_arrays), augment="crop")


def test_a_crop_smaller_than_the_image_is_what_the_network_sees(shape_arrays):
    dls = arrays_dataloaders(shape_arrays, 8, "crop", crop_size=24)
    assert dls.train.one_batch()[0].shape == (8, 1, 24, 24)
    assert dls.valid.one_batch()[0].shape == (24, 1, 24, 24)


def test_fault_5_a_folder_without_validation_images_is_an_error(write_shapes, tmp_path):
    write_shapes(tmp_path / "train", 4)
    for name in ("1", "2", "3", "10"):
        (tmp_path / "develop" / name).mkdir(parents=True)
    with pytest.raises(FolderError, match="the class has no images"):
        folder_dataloaders(tmp_path)


def test_batches_of_a_memory_mapped_array_are_copies(split_shapes):
    arrays = Arrays.from_folder(split_shapes)
    x, _ = next(iter(arrays_dataloaders(arrays, 72).valid))
    before = x.clone()
    arrays.images[arrays.splits["develop"]] = 0
    assert torch.equal(x, before)
