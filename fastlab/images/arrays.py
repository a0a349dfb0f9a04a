"""What a training sees of a data set: one array of pixels, labels, and the rows of each split."""
import math
import os
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from fastlab.errors import FolderError, ImageError, OptionError
from fastlab.files import digest
from fastlab.images.cache import decode_all, unreadable_error
from fastlab.images.decode import check_form, image_size, open_image
from fastlab.images.folder import SPLITS, read_folder

SMALL = 64                      # images up to this size, all alike and square, keep their own size
LOOKED_AT = 64                  # files that are opened to find a folder's size and channels
COUNTED_AT_ONCE = 1 << 22       # pixel values; numpy counts them as eight bytes each
COLOURED = 24                   # channels this far apart in one pixel are colour, not a scanner's or JPEG's tint


@dataclass(frozen=True, eq=False)
class Arrays:
    """A data set in memory or memory-mapped. `images`: uint8 (N, H, W, C), 255 white; `labels`: int64 (N,);
    `splits`: {'train', 'develop', 'test': row numbers}; `classes`: folder names; `names`: names to show;
    `files`: names relative to `root`, or row numbers as text for data that never were files; `notes`: what was assumed;
    `unreadable`: {file: reason} of what was left out; `cache`: where decoded images are kept, None for the usual
    place."""
    images: np.ndarray
    labels: np.ndarray
    splits: dict
    classes: tuple
    names: tuple
    files: tuple = ()
    root: Path | None = None
    notes: tuple = ()
    unreadable: dict = field(default_factory=dict)
    cache: Path | None = None

    def __post_init__(self):
        count = len(self.images)
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.images.shape[3] not in (1, 3):
            raise OptionError(f"images: {self.images.dtype} {self.images.shape} is not uint8 (N, H, W, 1 or 3).")
        if len(self.labels) != count:
            raise OptionError(f"labels: {len(self.labels)} labels for {count} images.")
        if not 0 <= np.min(self.labels, initial=0) <= np.max(self.labels, initial=0) < len(self.classes):
            raise OptionError(f"labels: they go from {np.min(self.labels)} to {np.max(self.labels)}, and "
                              f"{len(self.classes)} classes are numbered from 0.")
        for split, rows in self.splits.items():
            if len(rows) and not 0 <= np.min(rows) <= np.max(rows) < count:
                raise OptionError(f"splits: {split!r} names a row that is not among the {count} images.")
        object.__setattr__(self, "labels", np.asarray(self.labels, np.int64))
        object.__setattr__(self, "splits", {split: np.asarray(rows, np.int64) for split, rows in self.splits.items()})
        object.__setattr__(self, "files", self.files or tuple(map(str, range(count))))

    @classmethod
    def from_folder(cls, path, channels=None, size=None, seed=0, group_by=None, cache=None, skip_unreadable=False,
                    progress=None):
        """Reads and decodes a folder. `channels`: 1 or 3, None looks whether the images have colour; `size`: int, the
        short side is scaled to it and its centre kept; None keeps small equal images as they are and brings others to
        64 × 64. Raises FolderError, ImageError (all unreadable files at once)."""
        check_form(1 if channels is None else channels, size)
        folder = read_folder(path, seed, group_by)
        channels, natural = channels or natural_channels(folder.files), size or natural_size(folder.files)
        scaled, size = () if size else scaling(folder.files, natural), natural
        found = decode_all(folder.files, channels, size, cache, progress=progress)
        reasons = {folder.files[row]: reason for row, reason in found.unreadable.items()}
        if reasons and not skip_unreadable:
            raise unreadable_error(reasons)
        splits, notes = folder.splits, folder.notes + scaled
        if reasons:
            splits = {split: rows[~np.isin(rows, list(found.unreadable))] for split, rows in splits.items()}
            notes += (f"{len(reasons)} unreadable image{'s' if len(reasons) > 1 else ''} left out.",)
            _every_class_left(path, folder, splits)
        names = tuple(folder.names[name] for name in folder.classes)
        return cls(found.images, folder.labels, splits, folder.classes, names, _below(folder.path, folder.files),
                   folder.path, notes, reasons, cache)

    def __repr__(self):
        shares = ", ".join(f"{split} {len(rows)}" for split, rows in self.splits.items())
        return (f"Arrays({len(self.images)} images of {self.size[1]}×{self.size[0]}×{self.channels}, "
                f"{len(self.classes)} classes, {shares})")

    @property
    def size(self):
        "(height, width) of every image, in pixels."
        return self.images.shape[1:3]

    @property
    def channels(self):
        "1 (grey) or 3 (RGB)."
        return self.images.shape[3]

    @cached_property
    def digest(self):
        "SHA-256 of all that a result depends on: pixels, labels, splits and classes, not where they lie."
        rows = [np.asarray(self.splits.get(split, ()), "<i8").tobytes() for split in SPLITS]
        pixels = np.ascontiguousarray(self.images).reshape(-1).data
        return digest(repr(self.images.shape), pixels, self.labels.astype("<i8").tobytes(), *rows, *self.classes)

    @cached_property
    def statistics(self):
        "(mean, deviation) of the train split's pixels a channel, as fractions of white; computed in float64."
        rows, counts = self.splits["train"], np.zeros((self.channels, 256), np.int64)
        step = max(COUNTED_AT_ONCE // max(math.prod(self.images.shape[1:]), 1), 1)
        for start in range(0, len(rows), step):
            pixels = self.images[rows[start:start + step]].reshape(-1, self.channels)
            counts += [np.bincount(pixels[:, channel], minlength=256) for channel in range(self.channels)]
        shares, values = counts / np.maximum(counts.sum(1, keepdims=True), 1), np.arange(256) / 255
        mean = shares @ values
        deviation = np.sqrt((shares * (values - mean[:, None]) ** 2).sum(1))
        return tuple(mean.tolist()), tuple(np.where(deviation < 1e-6, 1.0, deviation).tolist())

    def on(self, device):
        "All pixels as one uint8 tensor (N, H, W, C) on a torch device; one copy a device, none on the CPU."
        import torch
        kept, device = self.__dict__.setdefault("_on", {}), torch.empty(0, device=device).device  # cuda is cuda:0
        if device not in kept:
            kept[device] = torch.from_numpy(_writable(self.images)).to(device)
        return kept[device]

    @cached_property
    def paths(self):
        "The path of every file, or None where the images were never files."
        return tuple(self.root / file for file in self.files) if self.root is not None else None

    @cached_property
    def row_of(self):
        "{path: row} for every file that could be read."
        return {path: row for row, path in enumerate(self.paths or ()) if str(path) not in self.unreadable}

    def with_splits(self, **splits):
        "The same images, in the same memory, with other rows in the named splits."
        other = replace(self, splits={**self.splits, **splits})
        self.__dict__.setdefault("_on", {})
        other.__dict__.update({name: self.__dict__[name] for name in ("_on", "paths", "row_of") if name in
                               self.__dict__})
        return other

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name not in ("_on", "paths", "row_of")}


def _writable(images):
    "The array itself where torch can wrap it without a warning; memory maps are opened copy-on-write, so they can be."
    return images if images.flags.writeable else np.array(images)


def _below(root, files):
    "The names of files relative to the folder above them, with forward slashes."
    prefix = os.path.join(root, "")
    return tuple(file.removeprefix(prefix).replace(os.sep, "/") for file in files)


def _every_class_left(path, folder, splits):
    for split, rows in splits.items():
        gone = set(folder.labels[folder.splits[split]].tolist()) - set(folder.labels[rows].tolist())
        if gone:
            names = ", ".join(repr(folder.classes[label]) for label in sorted(gone))
            raise FolderError(f"{path}: without its unreadable images the class {names} is empty in the split "
                              f"{split!r}. Mend the files, or remove the class.")


def _some(files):
    "At most LOOKED_AT files, evenly spread, the same ones every time."
    return [files[int(row)] for row in np.unique(np.linspace(0, len(files) - 1, LOOKED_AT).round())]


def natural_size(files):
    "The int that all looked-at images have as height and width when that is at most SMALL; else SMALL."
    (height, width), *others = sizes(files) or {(SMALL, SMALL)}
    return height if not others and height == width <= SMALL else SMALL


def scaling(files, size):
    "What is said of images that are brought to `size` and have another: a tuple of one sentence, or of none."
    there = sizes(files)
    if there <= {(size, size)}:
        return ()
    least, most = (f"{width}×{height}" for height, width in (min(there, key=np.prod), max(there, key=np.prod)))
    have = f"Images have {least} pixels" if least == most else f"Images have {least} to {most} pixels"
    return (f"{have}: the short side is scaled to {size} and the middle square taken; another size: --size N.",)


def sizes(files):
    "The (height, width) that looked-at images have; those that cannot be read have none."
    found = set()
    for file in _some(files):
        try:
            found.add(image_size(file))
        except ImageError:
            continue
    return found


def natural_channels(files):
    "3 when any looked-at image has colour, else 1."
    for file in _some(files):
        try:
            pixels = open_image(file, 3, SMALL)  # small copies will do, and large photographs open quickly
        except ImageError:
            continue
        if (pixels.max(2) - pixels.min(2)).max() > COLOURED:
            return 3
    return 1
