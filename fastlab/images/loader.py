"""A fastai data loader that serves whole batches by index.

`BatchLoader` is a TfmdDL that takes a batch's pixels out of one array with one index operation, instead of opening a
file an image and collating. What fastai users know (`show_batch`, `vocab`, `test_dl`, `new`, `get_idxs`, transforms of
their own) goes on working; images that a user's own item transforms must see one by one are opened one by one."""
from contextlib import nullcontext
from itertools import islice

import torch
from fastai.data.core import TfmdDL
from fastai.data.transforms import ToTensor
from fastai.torch_core import explode_types, to_device

from fastlab.errors import OptionError
from fastlab.images.items import TensorColour, TensorGrey, ToNetwork
from fastlab.images.stored import idle, opener_of, stored_for
from fastlab.seeds import global_random_state_of, kept_random_state, seed_for, torch_generator


class BatchLoader(TfmdDL):
    """Batches by index from one uint8 array. Order and augmentation come from `seed` and `turn`: a Learner sets `turn`
    to the number of epochs that it has trained; otherwise it counts the iterations. The last, shorter batch is used.
    `on`: what the loaders train on, 'train' or 'total_train', kept for whoever asks."""

    def __init__(self, dataset, bs=64, shuffle=False, num_workers=0, arrays=None, seed=0, on="train", drop_last=False,
                 **options):
        self.arrays, self.seed, self.on, self.turn, self.looks = arrays, seed, on, 0, 0
        self._store = self._stored_on = None
        with kept_random_state():  # fastai's loaders draw from Python's global random numbers when they are made
            super().__init__(dataset, bs=bs, shuffle=shuffle, num_workers=0, drop_last=drop_last, **options)

    def new(self, dataset=None, cls=None, **options):
        "A loader like this one with some options changed, on the same pixels."
        other = super().new(dataset, cls, **{"arrays": self.arrays, "seed": self.seed, "on": self.on, **options})
        other.looks, self.looks = self.looks, self.looks + 1  # so that each show_results looks at other images
        return other

    @property
    def names(self):
        "The classes' names to show, in the order of their numbers."
        return tuple(self.vocab) if self.arrays is None else self.arrays.names

    @property
    def by_index(self):
        "Whether images are only opened, so that no transform of a user's must see them one by one."
        return (opener_of(self.dataset) is not None and all(idle(tfm) for tfm in self.before_batch.fs)
                and all(idle(tfm) or type(tfm) is ToTensor for tfm in self.after_item.fs))

    def get_idxs(self):
        "Positions in the order in which they are served, int64: shuffled by (seed, turn), or as they stand."
        if not self.shuffle:
            return torch.arange(self.n)
        return torch.randperm(self.n, generator=torch_generator(self.seed, "order", self.turn))

    def __iter__(self):
        if self.bs is None:  # each item is a batch already
            yield from super().__iter__()
            return
        if len(self) == 0 and self.n:
            raise OptionError(f"batch size {self.bs}: the data has only {self.n} images, and with drop_last no batch "
                              "is left. Take a smaller batch size, or drop_last=False.")
        self.before_iter()
        turn, (order, uniforms) = self.turn, self._drawn()
        self.turn += 1
        by_index, ours = self.by_index, self._only_ours()
        for start in range(0, len(order) // self.bs * self.bs if self.drop_last else len(order), self.bs):
            yield self._batch_at(turn, start, order, uniforms, by_index, ours)
        self.after_iter()

    def one_batch(self):
        "A batch to look at; looking uses up no order and no draw of a training."
        if self.bs is None:
            return super().one_batch()
        if not self.n:
            raise OptionError("the loader holds no images, so there is no batch to take from it.")
        turn, self.turn = self.turn, f"look {self.looks}"
        self.looks += 1
        try:
            self.before_iter()
            return self._batch_at(self.turn, 0, *self._drawn(), self.by_index, self._only_ours())
        finally:
            self.turn = turn

    def _drawn(self):
        "(order, uniforms) of a pass: positions, and a row of numbers in [0, 1) for each; None where none are needed."
        order = self.get_idxs()
        if not isinstance(order, torch.Tensor):  # a user's own, or that of show_batch(unique=True), which is endless
            order = torch.tensor(list(islice(order, self.n)), dtype=torch.int64)
        order = order.to(self._stored().pixels.device) if self.by_index else order
        count = max((tfm.augmentation.uniforms for tfm in self.after_batch.fs if isinstance(tfm, ToNetwork)), default=0)
        if not count or self._split() == 1:
            return order, None
        uniforms = torch.rand(len(order), count, generator=torch_generator(self.seed, "augment", self.turn))
        return order, uniforms if self.device is None else uniforms.to(self.device)

    def _split(self):
        "0 in training, 1 in evaluation: what fastai's transforms ask for."
        return getattr(self.dataset, "split_idx", None)

    def _only_ours(self):
        "Whether no transform but ours touches a batch, so that nothing draws global random numbers."
        return self.by_index and all(idle(tfm) or isinstance(tfm, ToNetwork) for tfm in self.after_batch.fs)

    def _batch_at(self, turn, start, order, uniforms, by_index, ours):
        "The batch that begins at `start`. Transforms that are not ours draw global random numbers: they get a seed."
        part = slice(start, start + self.bs)
        with nullcontext() if ours else global_random_state_of(seed_for(self.seed, "augment", turn, start)):
            kinds, parts = self._taken(order[part], by_index)
            return self._transformed(kinds, parts, None if uniforms is None else uniforms[part])

    def batch(self, positions, uniforms=None):
        "The batch of the images at `positions` (int64): (x,) or (x, y), plain tensors on the device."
        kinds, parts = self._taken(positions, self.by_index)
        return self._transformed(kinds, parts, uniforms)

    def _taken(self, positions, by_index):
        "(fastai's type of each part, the parts as plain tensors) before batch transforms."
        if by_index:
            stored = self._stored()
            kinds = (TensorGrey if stored.pixels.shape[3] == 1 else TensorColour, stored.kind)
            parts = stored.take(positions)
            if self.device not in (None, stored.pixels.device):
                parts = tuple(part.to(self.device, non_blocking=True) for part in parts)
            return kinds, parts
        typed = self.do_batch([item for item in map(self.do_item, positions.tolist()) if item is not None])
        typed = typed if self.device is None else to_device(typed, self.device)
        return [type(part) for part in typed], _plain(typed)

    def _transformed(self, kinds, parts, uniforms=None):
        "Our transform on plain tensors; a user's own on fastai's types, which it may ask for; plain tensors out."
        for tfm in self.after_batch.fs:
            if not isinstance(tfm, ToNetwork):
                parts = _plain(tfm(_typed(kinds, parts), split_idx=self._split()))
            elif parts[0].dtype == torch.uint8:
                parts = (tfm.batch(parts[0], uniforms), *parts[1:])
        return parts

    def _one_pass(self):
        "fastai's look at what a batch is made of."
        if self.bs is None:
            super()._one_pass()
            return
        with kept_random_state():
            kinds, parts = self._taken(torch.zeros(1, dtype=torch.int64), self.by_index)
            parts = _typed(kinds, self._transformed(kinds, parts))
        self._n_inp, self._types = max(1, len(parts) - 1), explode_types(parts)

    def _stored(self):
        "Where the pixels and labels lie, found once a device."
        if self._store is None or self._stored_on != self.device:
            self._store, self._stored_on = stored_for(self.dataset, self.arrays, self.device), self.device
        return self._store

    def __getstate__(self):
        "Without pixels: a saved loader opens its files again."
        return {**self.__dict__, "arrays": None, "_store": None, "_stored_on": None}


def _plain(parts):
    return tuple(part.as_subclass(torch.Tensor) if isinstance(part, torch.Tensor) else part for part in parts)


def _typed(kinds, parts):
    return tuple(part.as_subclass(kind) if isinstance(part, torch.Tensor) else part
                 for part, kind in zip(parts, kinds))
