"""Testing saved networks on a folder: figures with their interval, and the predictions that they come from."""
import numpy as np
import torch

from fastlab.errors import FolderError, OptionError, one_of
from fastlab.images.arrays import Arrays
from fastlab.training.evaluate import TESTING, Rows
from fastlab.training.figures import Tested
from fastlab.training.predict import as_models, averaged, member_probabilities
from fastlab.training.seen import among

SPLITS = ("test", "develop", "train", "all")


def test(model, folder, testing="eval", split="test", ten_crop=False, seed=0, split_seed=0, group_by=None, cache=None,
         skip_unreadable=False, progress=None):
    """Tests a network (a Model, its path, or a list: an ensemble) on a folder; returns a Tested.

    testing: 'eval', or 'as-printed' = the report's way, which never calls eval() (dropout drawn from `seed`). split:
    'test', 'develop', 'train', or 'all' for a folder of which training saw nothing. Raises FolderError when the
    folder's classes are not the network's or the split is missing, ImageError, ModelFileError."""
    one_of("testing", testing, TESTING)
    one_of("split", split, SPLITS)
    models = as_models(model)
    first = models[0]
    arrays = folder if isinstance(folder, Arrays) else Arrays.from_folder(
        folder, first.input["channels"], first.input["size"], split_seed, group_by, cache, skip_unreadable, progress)
    check_classes(first, arrays)
    rows = rows_of(arrays, split)
    if len(rows) == 0:
        raise FolderError(f"{arrays.root or 'arrays'}: there is no {split} split. Give a folder with one, or test on "
                          "--split develop.")
    if ten_crop and testing == "as-printed":
        raise OptionError("ten-crop and testing as-printed cannot be together; choose one.")
    pixels = Rows(arrays.on("cpu"), torch.from_numpy(rows))
    truth, each = arrays.labels[rows], member_probabilities(models, pixels, ten_crop, testing, seed)
    return Tested(truth, averaged(each), first.classes, first.names, tuple(arrays.files[row] for row in rows),
                  split, testing, first.crops if ten_crop else 1, tuple(each) if len(each) > 1 else (),
                  trained_among(models, arrays, rows, split))


test.__test__ = False           # pytest must not take the public function for a test


def trained_among(models, arrays, rows, split):
    "Of the network with the most: (how many training images that it remembers are in `rows`, how many it remembers)."
    if split == "train":
        return 0, 0
    return max((among(model.seen, arrays.images, rows), len(model.seen)) for model in models)


def rows_of(arrays, split):
    "The rows of a split, or with 'all' those of every split; images that were left out as unreadable are in none."
    return np.unique(np.concatenate(list(arrays.splits.values()))) if split == "all" else arrays.splits[split]


def check_classes(model, arrays):
    "A FolderError where a folder's classes are not those that a network knows, in whatever order."
    if arrays.classes != model.classes:
        odd = sorted(set(arrays.classes) ^ set(model.classes))
        what = f"differ in {', '.join(map(repr, odd))}" if odd else "stand in another order"
        raise FolderError(f"{arrays.root or 'arrays'}: its classes and those of {model.path or 'the network'} {what}. "
                          "Test on the classes that the network was trained on.")
