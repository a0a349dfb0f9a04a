"""From a folder or arrays to fastai's DataLoaders, through fastai's own DataBlock: whole batches by index."""
import numpy as np
from fastai.data.block import CategoryBlock, DataBlock, TransformBlock
from fastai.data.transforms import ToTensor

from fastlab.errors import OptionError, one_of
from fastlab.images.arrays import Arrays
from fastlab.images.augment import Augmentation, at_once
from fastlab.images.items import LabelOf, OpenPicture, Picture, ToNetwork
from fastlab.images.loader import BatchLoader
from fastlab.seeds import kept_random_state

TRAINED_ON = ("train", "total_train")


def lab_block(arrays, crop_size=None, augment="none", item_tfms=None, batch_tfms=None):
    """The fastai DataBlock of a data set: opens, labels, splits into train and develop, normalises with the train
    split's mean and deviation. Its source is an Arrays. item_tfms, batch_tfms: a user's own, after ours."""
    height, width = arrays.size
    crop_size = _crop_size(crop_size, augment, height, width)
    to_network = ToNetwork(*arrays.statistics, Augmentation(augment, crop_size))
    picture = TransformBlock(type_tfms=OpenPicture(arrays.channels, height if height == width else None, arrays.size),
                             item_tfms=ToTensor, batch_tfms=to_network, dl_type=BatchLoader,
                             dls_kwargs={"drop_last": False, "arrays": arrays})
    return DataBlock(blocks=(picture, CategoryBlock(vocab=list(arrays.classes), sort=False)), get_items=items_of,
                     get_y=LabelOf(), splitter=_Splitter(arrays), item_tfms=item_tfms, batch_tfms=batch_tfms)


def _crop_size(crop_size, augment, height, width):
    "The side that the network sees; None for whole images that are not square. Raises OptionError."
    if augment != "none" and height != width:
        raise OptionError(f"augment: {augment!r} needs square images, and these have {width}×{height} pixels. Give a "
                          "size that all are brought to.")
    if crop_size is None:
        return height if height == width else None
    if isinstance(crop_size, bool) or not isinstance(crop_size, int) or not 1 <= crop_size <= min(height, width):
        raise OptionError(f"crop_size: {crop_size!r} is not a whole number from 1 to {min(height, width)}, the size of "
                          "the images.")
    return crop_size


def items_of(arrays):
    "Every image of an Arrays as an item: its path where it has one."
    return list(arrays.paths or (Picture(arrays, row) for row in range(len(arrays.labels))))


class _Splitter:
    "The rows to train on and to develop on; of the test split fastai sees nothing."

    def __init__(self, arrays):
        self.rows = arrays.splits["train"].tolist(), arrays.splits["develop"].tolist()

    def __call__(self, items):
        return self.rows


def arrays_dataloaders(arrays, batch_size=64, augment="none", crop_size=None, seed=0, on="train", device=None,
                       batch_tfms=None, item_tfms=None):
    """fastai DataLoaders (train and develop) of an Arrays. `on`: 'train', or 'total_train' = train and develop together
    (develop is then looked at, but no longer held back). `batch_tfms`, `item_tfms`: a user's own, after ours; with
    item transforms every image is opened and collated by itself in every epoch, as fastai does it. The loaders know
    their `arrays`, `names` and `on`. Raises OptionError."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise OptionError(f"batch_size: {batch_size!r} is not a whole number of at least 1.")
    if one_of("on", on, TRAINED_ON) == "total_train":
        arrays = arrays.with_splits(train=np.sort(np.concatenate([arrays.splits["train"], arrays.splits["develop"]])))
    block = lab_block(arrays, crop_size, augment, item_tfms, batch_tfms)
    with kept_random_state():
        return block.dataloaders(arrays, path=arrays.root or ".", bs=batch_size, seed=seed, on=on, device=device,
                                 val_bs=max(batch_size, at_once(crop_size or arrays.size[0], arrays.channels)))


def folder_dataloaders(folder, batch_size=64, augment="none", size=None, channels=None, crop_size=None, seed=0,
                       split_seed=0, on="train", group_by=None, cache=None, skip_unreadable=False, device=None,
                       batch_tfms=None, progress=None, item_tfms=None):
    """fastai DataLoaders of a folder `<split>/<class>/<image>` or `<class>/<image>`, each file decoded once.

    augment: 'none', 'crop', 'crop+mirror', 'handwriting'. size, channels: None looks at the images. `dls.arrays` holds
    the pixels and all three splits; `dls.test_dl(paths)` takes new images. Raises FolderError, ImageError, OptionError.
    """
    arrays = Arrays.from_folder(folder, channels, size, split_seed, group_by, cache, skip_unreadable, progress)
    return arrays_dataloaders(arrays, batch_size, augment, crop_size, seed, on, device, batch_tfms, item_tfms)


def array_loader(dls, rows, batch_size=None):
    "A loader without shuffling over the given rows of `dls.arrays`: images and labels, as evaluation sees them."
    arrays = dls.arrays
    chosen = [arrays.paths[int(row)] if arrays.paths else Picture(arrays, int(row)) for row in rows]
    return dls.test_dl(chosen, with_labels=True, bs=batch_size or dls.valid.bs)
