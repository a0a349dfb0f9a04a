"""Whole batches by index, through fastai's own DataBlock and DataLoaders.

`BatchLoader` is a TfmdDL that takes a batch's pixels out of one array with one index operation, instead of opening a
file an image and collating. What fastai users know (`show_batch`, `vocab`, `test_dl`, `new`, `get_idxs`, transforms of
their own) goes on working; items that a user's own item transforms must see one by one still go fastai's way."""
import random
from contextlib import contextmanager
from pathlib import Path

import fastai.vision.data  # noqa: F401 (registers how batches of images are shown)
import numpy as np
import torch
from fastai.data.block import CategoryBlock, DataBlock, TransformBlock
from fastai.data.core import TfmdDL
from fastai.data.transforms import ToTensor
from fastai.torch_core import TensorCategory, TensorImage, TensorImageBW, explode_types
from fastai.vision.core import PILImage, PILImageBW
from fasttransform import DisplayedTransform, Transform
from PIL import Image

from fastlab.errors import OptionError
from fastlab.images.arrays import Arrays
from fastlab.images.augment import VALIDATION_BATCH, Augmentation, normalised
from fastlab.images.cache import decoded
from fastlab.images.decode import open_image
from fastlab.seeds import torch_generator


class PILGrey(PILImageBW):
    "A grey image, shown as it is (fastai shows its own grey images inverted)."
    _show_args = {"cmap": "gray", "vmin": 0, "vmax": 255}


class TensorGrey(TensorImageBW):
    "Grey pixels, shown as they are."
    _show_args = {"cmap": "gray", "vmin": 0, "vmax": 1}


PILGrey._tensor_cls = TensorGrey


class Picture:
    "One image of an Arrays that has no file of its own: an item for fastai's pipelines."

    def __init__(self, arrays, row):
        self.pixels, self.label, self.row = arrays.images[row], arrays.classes[arrays.labels[row]], row


class OpenPicture(Transform):
    "Path, bytes, PIL image, array or Picture → PIL image, opened as training opens it."
    input_types = (Path, str, bytes, np.ndarray, Image.Image, torch.Tensor, Picture)

    def __init__(self, channels, size):
        self.channels, self.size = channels, size
        super().__init__()

    def encodes(self, source):
        if isinstance(source, torch.Tensor):
            source = source.cpu().numpy()
        pixels = open_image(source, self.channels, self.size)
        return (PILGrey if self.channels == 1 else PILImage)(Image.fromarray(pixels))


class ToNetwork(DisplayedTransform):
    """uint8 pixels → augmented, normalised float32, in one transform: (pixels / 255 − mean) / deviation a channel.
    It is called with the whole batch and that batch's uniforms; without them it does what evaluation does."""
    order = 10

    def __init__(self, mean, deviation, augmentation):
        self.mean, self.deviation, self.augmentation = tuple(mean), tuple(deviation), augmentation
        super().__init__()

    def batch(self, pixels, uniforms=None):
        "uint8 (N, C, H, W), plain tensor → float32 (N, C, S, S), plain tensor."
        numbers = normalised(self.augmentation.on_pixels(pixels, uniforms), self.mean, self.deviation)
        return self.augmentation.on_numbers(numbers, uniforms)

    def encodes(self, images: TensorImage):
        if images.dtype != torch.uint8:
            return images
        return self.batch(images.as_subclass(torch.Tensor)).as_subclass(type(images))

    def decodes(self, images: TensorImage):
        mean, deviation = (torch.tensor(values, device=images.device).view(-1, 1, 1)
                           for values in (self.mean, self.deviation))
        return (images * deviation + mean).clamp(0, 1)


@contextmanager
def _python_random_kept():
    "fastai's DataLoader draws from Python's global random numbers whenever it is made; ours leaves them alone."
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


class BatchLoader(TfmdDL):
    """Batches by index from one uint8 array. Order and augmentation come from `seed` and `turn`: a Learner sets `turn`
    to the number of epochs that it has trained; otherwise it counts the iterations. The last, shorter batch is used."""

    def __init__(self, dataset, bs=64, shuffle=False, num_workers=0, arrays=None, seed=0, drop_last=False, **options):
        self.arrays, self.seed, self.turn, self.looks = arrays, seed, 0, 0
        self._store = None
        with _python_random_kept():
            super().__init__(dataset, bs=bs, shuffle=shuffle, num_workers=0, drop_last=drop_last, **options)
        self.by_index = bs is not None and not [f for f in self.after_item.fs if type(f) is not ToTensor]

    def new(self, dataset=None, cls=None, **options):
        "A loader like this one with some options changed, on the same pixels."
        options = {"arrays": self.arrays, "seed": self.seed, **options}
        return super().new(dataset, cls, **options)

    def __iter__(self):
        if len(self) == 0 and self.n:
            raise OptionError(f"batch size {self.bs}: the data has only {self.n} images, and with drop_last no batch "
                              "is left. Take a smaller batch size, or drop_last=False.")
        if not self.by_index:
            yield from super().__iter__()
            return
        self.before_iter()
        order, uniforms = torch.as_tensor(self.get_idxs()), self._uniforms()
        self.turn += 1
        for start in range(0, len(self) * self.bs, self.bs):
            part = slice(start, start + self.bs)
            yield self.batch(order[part], None if uniforms is None else uniforms[part])
        self.after_iter()

    def get_idxs(self):
        "Positions in the order in which they are served, int64: shuffled by (seed, turn), or as they stand."
        if not self.by_index:
            return super().get_idxs()
        return torch.randperm(self.n, generator=self._generator("order")) if self.shuffle else torch.arange(self.n)

    def _generator(self, purpose):
        return torch_generator(self.seed, purpose, self.turn)

    def _uniforms(self):
        "One row of numbers in [0, 1) for every image of this epoch, in the order served; None in evaluation."
        count = max((tfm.augmentation.uniforms for tfm in self.after_batch.fs if isinstance(tfm, ToNetwork)), default=0)
        if not count or getattr(self.dataset, "split_idx", 0) == 1:
            return None
        return torch.rand(self.n, count, generator=self._generator("augment"))

    def batch(self, positions, uniforms=None):
        "The batch of the images at `positions` (int64): (x,) or (x, y), plain tensors on the device."
        store, rows, labels = self._stored()
        if rows is not None:
            rows = rows[positions]
        else:
            rows = positions
        x = store.index_select(0, rows.to(store.device, non_blocking=True)).permute(0, 3, 1, 2)
        batch = (x,) if labels is None else (x, labels[positions])
        if self.device is not None:
            batch = tuple(part.to(self.device, non_blocking=True) for part in batch)
            uniforms = None if uniforms is None else uniforms.to(self.device, non_blocking=True)
        return self._transformed(batch, uniforms)

    def _transformed(self, batch, uniforms):
        "Our transform on plain tensors; a user's own on fastai's types, which it may ask for; plain tensors out."
        for tfm in self.after_batch.fs:
            if isinstance(tfm, ToNetwork):
                batch = (tfm.batch(batch[0], uniforms), *batch[1:])
            else:
                typed = tuple(part.as_subclass(kind) for part, kind in zip(batch, self._kinds()))
                typed = tfm(typed, split_idx=self.after_batch.split_idx)
                batch = tuple(part.as_subclass(torch.Tensor) for part in typed)
        return batch

    def _kinds(self):
        return (TensorGrey if self._stored()[0].shape[3] == 1 else TensorImage, TensorCategory)

    def _one_pass(self):
        "fastai's look at what a batch is made of."
        if not self.by_index:
            super()._one_pass()
            return
        plain = self.batch(torch.zeros(1, dtype=torch.int64))
        batch = tuple(part.as_subclass(kind) for part, kind in zip(plain, self._kinds()))
        self._n_inp, self._types = 1, explode_types(batch)

    def one_batch(self):
        "A batch to look at; looking uses up no order and no draw of a training."
        turn, self.turn = self.turn, f"look {self.looks}"
        self.looks += 1
        try:
            return super().one_batch() if not self.by_index else self._first()
        finally:
            self.turn = turn

    def _first(self):
        if not self.n:
            raise OptionError("the loader holds no images, so there is no batch to take from it.")
        self.before_iter()
        uniforms = self._uniforms()
        return self.batch(torch.as_tensor(self.get_idxs())[:self.bs], None if uniforms is None else uniforms[:self.bs])

    def _stored(self):
        "(pixels (N, H, W, C), rows of them that are this data set's or None for all, labels or None), found once."
        if self._store is None:
            self._store = self._find_store()
        return self._store

    def _find_store(self):
        items, opener = list(self.dataset.items), _opener_of(self.dataset)
        rows = _rows_in(self.arrays, items)
        if rows is not None:
            store, rows = self.arrays.on(self.device or "cpu"), torch.from_numpy(rows)
        elif len(items) > 1 and all(isinstance(item, str | Path) for item in items):
            store, rows = torch.from_numpy(decoded(items, opener.channels, opener.size)), None
        else:
            images = [open_image(_as_source(item), opener.channels, opener.size) for item in items]
            store, rows = torch.from_numpy(np.stack(images)), None
            store = store[..., None] if store.dim() == 3 else store
        return store, rows, self._labels(rows)

    def _labels(self, rows):
        if len(self.dataset.tls) < 2:
            return None
        if rows is not None and tuple(self.dataset.tls[1].vocab) == self.arrays.classes:
            labels = torch.from_numpy(self.arrays.labels)[rows]
        else:
            labels = torch.tensor([int(label) for label in self.dataset.tls[1]])
        return labels if self.device is None else labels.to(self.device)

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name not in ("_store", "arrays")} | {
            "_store": None, "arrays": None}


def _opener_of(dataset):
    return next(tfm for tfm in dataset.tls[0].tfms.fs if isinstance(tfm, OpenPicture))


def _as_source(item):
    return item.cpu().numpy() if isinstance(item, torch.Tensor) else item


def _rows_in(arrays, items):
    "The rows of `items` in `arrays`, int64, or None when one of them is not there."
    if arrays is None or not items:
        return None
    if isinstance(items[0], Picture):
        return np.array([item.row for item in items])
    rows = [arrays.row_of.get(item, -1) if isinstance(item, Path) else -1 for item in items]
    return None if min(rows) < 0 else np.array(rows)


def label_of(item):
    "The class's folder name of an item."
    return item.label if isinstance(item, Picture) else Path(item).parent.name


def lab_block(arrays, crop_size=None, augment="none"):
    """The fastai DataBlock of a data set: opens, labels, splits into train and develop, normalises with the train
    split's mean and deviation. Its source is an Arrays."""
    size = arrays.size[0] if arrays.size[0] == arrays.size[1] else None
    mean, deviation = arrays.statistics
    to_network = ToNetwork(mean, deviation, Augmentation(augment, crop_size or arrays.size[0]))
    picture = TransformBlock(type_tfms=OpenPicture(arrays.channels, size), item_tfms=ToTensor, batch_tfms=to_network,
                             dl_type=BatchLoader, dls_kwargs={"drop_last": False})
    return DataBlock(blocks=(picture, CategoryBlock(vocab=list(arrays.classes), sort=False)), get_items=items_of,
                     get_y=label_of, splitter=_Splitter(arrays))


def items_of(arrays):
    "Every image of an Arrays as an item: its path where it has one."
    if arrays.root is not None:
        return [arrays.root / file for file in arrays.files]
    return [Picture(arrays, row) for row in range(len(arrays.labels))]


class _Splitter:
    "The rows to train on and to develop on; of the test split fastai sees nothing."

    def __init__(self, arrays):
        self.rows = arrays.splits["train"].tolist(), arrays.splits["develop"].tolist()

    def __call__(self, items):
        return self.rows


def arrays_dataloaders(arrays, batch_size=64, augment="none", crop_size=None, seed=0, on="train", device=None,
                       batch_tfms=None):
    """fastai DataLoaders (train and develop) of an Arrays. `on`: 'train', or 'total_train' = train and develop together
    (develop is then looked at, but no longer held back). `batch_tfms`: a user's own, after ours."""
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise OptionError(f"batch_size: {batch_size!r} is not a whole number of at least 1.")
    if on == "total_train":
        both = np.concatenate([arrays.splits["train"], arrays.splits["develop"]])
        arrays = arrays.with_splits(train=np.sort(both))
    block = lab_block(arrays, crop_size, augment)
    if batch_tfms:
        block = DataBlock(blocks=block.blocks, get_items=items_of, get_y=label_of, splitter=block.splitter,
                          batch_tfms=batch_tfms)
    with _python_random_kept():
        dls = block.dataloaders(arrays, path=arrays.root or ".", bs=batch_size, seed=seed, arrays=arrays, device=device,
                                val_bs=max(batch_size, VALIDATION_BATCH))
    dls.arrays, dls.names, dls.on = arrays, arrays.names, on
    return dls


def folder_dataloaders(folder, batch_size=64, augment="none", size=None, channels=None, crop_size=None, seed=0,
                       split_seed=0, on="train", group_by=None, cache=None, skip_unreadable=False, device=None,
                       batch_tfms=None, progress=None):
    """fastai DataLoaders of a folder `<split>/<class>/<image>` or `<class>/<image>`, each file decoded once.

    augment: 'none', 'crop', 'crop+mirror', 'handwriting'. size, channels: None looks at the images. `dls.arrays` holds
    the pixels and all three splits; `dls.test_dl(paths)` takes new images. Raises FolderError, ImageError."""
    arrays = Arrays.from_folder(folder, channels, size, split_seed, group_by, cache, skip_unreadable, progress)
    return arrays_dataloaders(arrays, batch_size, augment, crop_size, seed, on, device, batch_tfms)


def array_loader(dls, rows, batch_size=None):
    "A loader without shuffling over the given rows of `dls.arrays`: images and labels, as evaluation sees them."
    items = items_of(dls.arrays)
    chosen = [items[int(row)] for row in rows]
    return dls.test_dl(chosen, with_labels=True, bs=batch_size or dls.valid.bs)


