"""What a training sees of a data set: one array of pixels, labels, and the rows of each split."""
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from fastlab.errors import FolderError, ImageError, OptionError
from fastlab.files import digest
from fastlab.images.cache import decode_all, unreadable_error
from fastlab.images.decode import open_image
from fastlab.images.folder import SPLITS, read_folder

SMALL = 64                      # images up to this size, all alike and square, keep their own size
LOOKED_AT = 64                  # files that are opened to find a folder's size and channels


@dataclass(frozen=True)
class Arrays:
    """A data set in memory or memory-mapped. `images`: uint8 (N, H, W, C), 255 white; `labels`: int64 (N,);
    `splits`: {'train', 'develop', 'test': row numbers}; `classes`: folder names; `names`: names to show;
    `files`: names relative to `root`, or row numbers as text for data that never were files; `notes`: what was assumed;
    `unreadable`: {file: reason} of what was left out."""
    images: np.ndarray
    labels: np.ndarray
    splits: dict
    classes: tuple
    names: tuple
    files: tuple = ()
    root: Path | None = None
    notes: tuple = ()
    unreadable: dict = field(default_factory=dict)

    def __post_init__(self):
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or self.images.shape[3] not in (1, 3):
            raise OptionError(f"images: {self.images.dtype} {self.images.shape} is not uint8 (N, H, W, 1 or 3).")
        if len(self.labels) != len(self.images):
            raise OptionError(f"labels: {len(self.labels)} labels for {len(self.images)} images.")
        if not self.files:
            object.__setattr__(self, "files", tuple(map(str, range(len(self.images)))))

    @classmethod
    def from_folder(cls, path, channels=None, size=None, seed=0, group_by=None, cache=None, skip_unreadable=False,
                    progress=None):
        """Reads and decodes a folder. `channels`: 1 or 3, None looks whether the images have colour; `size`: int, the
        short side is scaled to it and its centre kept; None keeps small equal images as they are and brings others to
        64 × 64. Raises FolderError, ImageError (all unreadable files at once)."""
        folder = read_folder(path, seed, group_by)
        channels = channels or natural_channels(folder.files)
        size = size or natural_size(folder.files)
        found = decode_all(folder.files, channels, size, cache, progress=progress)
        reasons = {str(folder.files[row]): reason for row, reason in found.unreadable.items()}
        if reasons and not skip_unreadable:
            raise unreadable_error(reasons)
        splits, notes = folder.splits, folder.notes
        if reasons:
            splits = {split: rows[~np.isin(rows, list(found.unreadable))] for split, rows in splits.items()}
            notes += (f"{len(reasons)} unreadable image{'s' if len(reasons) > 1 else ''} left out.",)
            _every_class_left(path, folder, splits)
        files = tuple(file.relative_to(folder.path).as_posix() for file in folder.files)
        names = tuple(folder.names[name] for name in folder.classes)
        return cls(found.images, folder.labels, splits, folder.classes, names, files, folder.path, notes, reasons)

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
        rows = [np.ascontiguousarray(self.splits[split]).astype("<i8").tobytes() for split in SPLITS]
        return digest(repr(self.images.shape), np.ascontiguousarray(self.images).data.cast("B"),
                      self.labels.astype("<i8").tobytes(), *rows, *self.classes)

    @cached_property
    def statistics(self):
        "(mean, deviation) of the train split's pixels a channel, as fractions of white; computed in float64."
        rows, sums = self.splits["train"], np.zeros((2, self.channels))
        for start in range(0, len(rows), 4096):
            pixels = self.images[rows[start:start + 4096]].reshape(-1, self.channels)
            counts = np.stack([np.bincount(pixels[:, channel], minlength=256) for channel in range(self.channels)])
            values = np.arange(256) / 255
            sums += counts @ values, counts @ values ** 2
        mean, square = sums / (len(rows) * np.prod(self.size))
        deviation = np.sqrt(np.maximum(square - mean ** 2, 0))
        return tuple(mean.tolist()), tuple(np.where(deviation < 1e-6, 1.0, deviation).tolist())

    def on(self, device):
        "All pixels as one uint8 tensor (N, H, W, C) on a torch device; one copy a device, none on the CPU."
        kept = self.__dict__.setdefault("_on", {})
        if str(device) not in kept:
            import torch
            kept[str(device)] = torch.from_numpy(_writable(self.images)).to(device)
        return kept[str(device)]

    @cached_property
    def row_of(self):
        "{path: row} for every file."
        return {self.root / file: row for row, file in enumerate(self.files)} if self.root else {}

    def with_splits(self, **splits):
        "The same images with other rows in the named splits."
        return replace(self, splits={**self.splits, **{name: np.asarray(rows) for name, rows in splits.items()}})

    def __getstate__(self):
        return {name: value for name, value in self.__dict__.items() if name != "_on"}


def _writable(images):
    "The array itself where torch can wrap it without a warning; memory maps are opened copy-on-write, so they can be."
    return images if images.flags.writeable else np.array(images)


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
    sizes = set()
    for file in _some(files):
        try:
            with Image.open(file) as image:
                sizes.add(image.size)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
    (width, height), *others = sizes or {(SMALL, SMALL)}
    return width if not others and width == height and width <= SMALL else SMALL


def natural_channels(files):
    "3 when any looked-at image has colour, else 1."
    for file in _some(files):
        try:
            pixels = open_image(file, 3, None).astype(np.int16)
        except ImageError:
            continue
        if (pixels.max(2) - pixels.min(2)).max() > 24:
            return 3
    return 1
