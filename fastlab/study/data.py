"""What is left of the data where a comparison asks for fewer classes or images; and how processes share the pixels."""
import json
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from fastlab.errors import OptionError
from fastlab.files import digest, storage_problem
from fastlab.images.arrays import Arrays
from fastlab.images.mapped import mapped
from fastlab.seeds import numpy_generator


def narrowed(arrays, classes=None, images_a_class=None):
    """Arrays with the first `classes` classes only, and at most `images_a_class` training images of each, the same ones
    whatever the seed; a smaller number takes a part of a larger one's. Raises OptionError where there are too few."""
    if classes is not None:
        if not 2 <= classes <= len(arrays.classes):
            raise OptionError(f"classes: {classes} of the {len(arrays.classes)} classes cannot be taken; at least 2.")
        splits = {split: rows[arrays.labels[rows] < classes] for split, rows in arrays.splits.items()}
        labels = np.where(arrays.labels < classes, arrays.labels, 0)  # those left out are in no split any more
        arrays = replace(arrays, labels=labels, splits=splits, classes=arrays.classes[:classes],
                         names=arrays.names[:classes])
    if images_a_class is not None:
        arrays = arrays.with_splits(train=_some_of_each(arrays, images_a_class))
    return arrays


def _some_of_each(arrays, count):
    rows, chosen = arrays.splits["train"], []
    for label in range(len(arrays.classes)):
        own = rows[arrays.labels[rows] == label]
        order = numpy_generator(0, "split", "images", label).permutation(len(own))
        chosen.append(own[order[:count]])
    return np.sort(np.concatenate(chosen))


def truth_of(arrays):
    "split -> the labels of its images, in the split's order."
    return {split: arrays.labels[rows] for split, rows in arrays.splits.items()}


class StudyData:
    "The arrays of a study with their narrower forms, each made once."

    def __init__(self, arrays):
        self.arrays, self._left, self._truth, self._labels = arrays, {}, {}, {}

    def left(self, classes=None, images_a_class=None):
        "The Arrays that are left of the data."
        asked = classes, images_a_class
        if asked not in self._left:
            self._left[asked] = narrowed(self.arrays, classes, images_a_class)
        return self._left[asked]

    def truth(self, classes=None, images_a_class=None):
        "split -> labels of what is left of the data: one and the same array wherever the images are the same."
        asked = classes, images_a_class
        if asked not in self._truth:
            left = self.left(*asked)
            self._truth[asked] = {split: self._labels.setdefault(digest(split, left.splits[split].tobytes()), labels)
                                  for split, labels in truth_of(left).items()}
        return self._truth[asked]


@contextmanager
def shared(arrays):
    "A folder from which any process of this machine opens the arrays (see `opened`), for as long as the block lasts."
    with tempfile.TemporaryDirectory(prefix="fastlab-study-") as place:
        folder = Path(place)
        try:
            told = {"classes": list(arrays.classes), "names": list(arrays.names), "splits": list(arrays.splits)}
            told["images"] = _place_of(arrays.images, folder)
            for name, rows in {"labels": arrays.labels, **arrays.splits}.items():
                np.save(folder / f"{name}.npy", np.asarray(rows), allow_pickle=False)
            (folder / "arrays.json").write_text(json.dumps(told), "utf-8")
        except OSError as error:
            raise storage_problem(folder, error) from error
        yield folder


def _place_of(images, folder):
    "Where the pixels lie on disk: a memory map's own file, else a copy in `folder`."
    filename = getattr(images, "filename", None)
    if filename and isinstance(images, np.memmap) and images.flags.c_contiguous:
        return {"file": str(filename), "shape": list(images.shape), "offset": int(images.offset)}
    np.save(folder / "images.npy", images, allow_pickle=False)
    return None


@lru_cache(maxsize=1)
def opened(folder):
    "The Arrays that `shared` laid down, their pixels memory-mapped; opened once a process."
    folder = Path(folder)
    told = json.loads((folder / "arrays.json").read_text("utf-8"))
    at = told["images"]
    if at is None:
        images = np.load(folder / "images.npy", mmap_mode="c", allow_pickle=False)
    else:
        images = mapped(at["file"], at["shape"], at["offset"])
    splits = {split: np.load(folder / f"{split}.npy", allow_pickle=False) for split in told["splits"]}
    labels = np.load(folder / "labels.npy", allow_pickle=False)
    return Arrays(images, labels, splits, tuple(told["classes"]), tuple(told["names"]))
