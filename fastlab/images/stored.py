"""Where the pixels and labels of a loader's data set lie, so that a batch is one index operation."""
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from fastai.data.load import fa_collate
from fastai.data.transforms import Categorize
from fastai.torch_core import TensorCategory
from fasttransform import Transform

from fastlab.images.items import LabelOf, OpenPicture, Picture


@dataclass(frozen=True, eq=False)
class Stored:
    """pixels: uint8 (N, H, W, C), on a device or memory-mapped; rows: int64, the rows of them that are the data set's,
    or None for all in order; labels: one a row of the data set, or None; kind: fastai's type of the labels."""
    pixels: torch.Tensor
    rows: torch.Tensor | None
    labels: torch.Tensor | None
    kind: type = TensorCategory

    def take(self, positions):
        "((x,) or (x, y)) at `positions`, int64 on the pixels' device; x: uint8 (n, C, H, W), channels last."
        rows = positions if self.rows is None else self.rows[positions]
        pixels = self.pixels.index_select(0, rows).permute(0, 3, 1, 2)
        return (pixels,) if self.labels is None else (pixels, self.labels[positions])


def idle(tfm):
    "Whether a transform is fastai's `noop`, which stands where there is nothing to do."
    return type(tfm) is Transform and tfm.name == "noop"


def opener_of(dataset):
    "The OpenPicture that is all that fastai's Datasets do to an image, or None where more is done to it."
    tls = getattr(dataset, "tls", None)
    if tls is None or not 1 <= len(tls) <= 2:
        return None
    opening = [tfm for tfm in tls[0].tfms.fs if not idle(tfm)]
    return opening[0] if len(opening) == 1 and isinstance(opening[0], OpenPicture) else None


def stored_for(dataset, arrays, device):
    "The Stored of fastai's Datasets. Its pixels are those of `arrays` where all items come from there; else opened."
    items = list(dataset.items)
    rows = rows_of_split(dataset, arrays, items)
    rows = rows_in(arrays, items) if rows is None else rows
    if rows is None:
        pixels = torch.from_numpy(opener_of(dataset).all_pixels(items, getattr(arrays, "cache", None)))
        labels, kind = _labels(dataset)
    else:
        pixels = arrays.on(device or "cpu")
        labels, kind = _known_labels(dataset, arrays, rows) or _labels(dataset)
        rows = torch.from_numpy(rows).to(pixels.device)
    return Stored(pixels, rows, None if labels is None else labels.to(pixels.device), kind)


def rows_of_split(dataset, arrays, items):
    "The rows that fastai's train or develop set has in `arrays`, where its items are those of that split; else None."
    split = {0: "train", 1: "develop"}.get(getattr(dataset, "split_idx", None))
    paths, rows = getattr(arrays, "paths", None), getattr(arrays, "splits", {}).get(split)
    if not paths or rows is None or len(rows) != len(items):
        return None
    return rows if all(item is paths[row] for item, row in zip(items, rows.tolist())) else None


def rows_in(arrays, items):
    "The rows of `items` in `arrays`, int64, or None when one of them is not there."
    if arrays is None or not items:
        return None
    rows = np.array([_row_of(item, arrays) for item in items])
    return None if rows.min() < 0 else rows


def _row_of(item, arrays):
    if isinstance(item, Picture):
        return item.row if item.arrays is not None and item.arrays.images is arrays.images else -1
    return arrays.row_of.get(item, -1) if isinstance(item, Path) else -1


def _known_labels(dataset, arrays, rows):
    "(labels, kind) as the arrays have them, where the data set would find the same by asking each item; else None."
    if len(dataset.tls) < 2:
        return None
    steps = [tfm for tfm in dataset.tls[1].tfms.fs if not idle(tfm)]
    if [type(step) for step in steps] == [LabelOf, Categorize] and tuple(steps[1].vocab) == tuple(arrays.classes):
        return torch.from_numpy(arrays.labels[rows]), TensorCategory
    return None


def _labels(dataset):
    "(labels, kind) by asking the data set for each item's, or (None, …) where it has none."
    if len(dataset.tls) < 2:
        return None, TensorCategory
    labels = fa_collate(list(dataset.tls[1]))
    return labels.as_subclass(torch.Tensor), type(dataset.tls[1][0])
