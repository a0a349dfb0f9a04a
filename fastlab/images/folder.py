"""A folder of images, read into classes and splits, in an order that no disk can change.

Layouts: `<split>/<class>/<image>` with splits named train, develop (or valid, val, validation, dev), test, total_train;
or `<class>/<image>`, then split 64/16/20, stratified and seeded. What was assumed is said in `Folder.notes`."""
import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastlab.errors import FolderError
from fastlab.files import natural_key
from fastlab.images.decode import SUFFIXES
from fastlab.seeds import numpy_generator

SPLITS = ("train", "develop", "test")
SPLIT_NAMES = {"train": "train", "training": "train", "develop": "develop", "valid": "develop", "val": "develop",
               "validation": "develop", "dev": "develop", "test": "test", "testing": "test",
               "total_train": "total_train"}
SHARES = {"train": 0.64, "develop": 0.16, "test": 0.20}
IGNORED = frozenset({"thumbs.db", "desktop.ini", "classes.json", "drawn.json", "__macosx"})


@dataclass(frozen=True)
class Folder:
    """A data set on disk. `classes`: folder names in natural order; `names`: {class: name to show}; `files`: paths;
    `labels`: int64, each file's class number; `splits`: {'train' | 'develop' | 'test': rows of `files`}, in natural
    order, 'test' empty where the folder has none; `notes`: what was assumed, one sentence each."""
    path: Path
    classes: tuple
    names: dict
    files: tuple
    labels: np.ndarray
    splits: dict
    notes: tuple = ()


def read_folder(path, seed=0, group_by=None):
    """Reads a folder's classes, files and splits; nothing is decoded. `group_by`: a regular expression on the relative
    path; files with the same match (its first group, if it has one) stay in one split. Raises FolderError."""
    path = Path(path)
    named = _split_folders(path)
    if named:
        return _from_splits(path, named, seed, group_by)
    classes = _classes(path)
    files, labels = _files(path, classes)
    shares = dict(SHARES)
    splits = split_rows(labels, shares, seed, group_keys(files, path, group_by))
    notes = [f"{path} has no train, develop or test folder: split 64/16/20 by class with seed {seed}"
             + (f", each group of {group_by!r} kept together." if group_by else ".")]
    return _folder(path, classes, files, labels, splits, notes)


def _folder(path, classes, files, labels, splits, notes):
    "A Folder whose splits each hold every class, or a FolderError that says what is missing where."
    for split, rows in splits.items():
        missing = sorted(set(range(len(classes))) - set(labels[rows].tolist()))
        if missing and (len(rows) or split != "test"):
            raise FolderError(f"{path}: no image of {_listed(classes[label] for label in missing)} is in the split "
                              f"{split!r}; every class needs images in every split. Add images"
                              + (", or take fewer, larger groups with --group-by." if "group" in " ".join(notes) else
                                 ", or remove the class."))
    return Folder(path, tuple(classes), class_names(path, classes), tuple(files), labels, splits, tuple(notes))


def _split_folders(path):
    "{split: folder} of a folder whose sub-folders are splits; {} where they are classes. Raises FolderError."
    if not path.exists():
        raise FolderError(f"{path}: there is no such folder. Give a folder with one sub-folder a class.")
    if not path.is_dir():
        raise FolderError(f"{path}: this is a file. Give a folder with one sub-folder a class.")
    folders = visible_folders(path)
    named = {}
    for folder in folders:
        split = SPLIT_NAMES.get(folder.name.lower())
        if split and visible_folders(folder):
            if split in named:
                raise FolderError(f"{path}: {named[split].name!r} and {folder.name!r} both mean the split {split!r}. "
                                  "Keep one of them.")
            named[split] = folder
    if not named or not ({"train", "total_train"} & set(named)):
        return {}
    others = [folder.name for folder in folders if folder not in named.values()]
    if others:
        raise FolderError(f"{path}: {_listed(others)} stand beside the splits {_listed(named)}. A data set has either "
                          "splits or classes at its top; move the others away.")
    return named


def _from_splits(path, named, seed, group_by):
    "A Folder from `<split>/<class>/<image>`; what is missing is held back from train, and said."
    notes = []
    if "train" not in named:
        named["train"] = named.pop("total_train")
        notes.append("The folder total_train is used as train.")
    elif named.pop("total_train", None):
        notes.append("The folder total_train is not read: it is train and develop together.")
    by_split = {split: _classes(folder) for split, folder in named.items()}
    classes = by_split["train"]
    for split, found in by_split.items():
        if found != classes:
            odd = sorted(set(found) ^ set(classes), key=natural_key)
            raise FolderError(f"{path}: train and {split} differ in the classes {_listed(odd)}. Every split needs the "
                              "same class folders.")
    files, labels, splits, start = [], [], {}, 0
    for split in SPLITS:
        if split in named:
            found, numbers = _files(named[split], classes)
            splits[split] = np.arange(start, start + len(found))
            files, labels, start = files + found, [*labels, numbers], start + len(found)
    labels = np.concatenate(labels)
    if "develop" not in splits:
        rows = splits["train"]
        keys = group_keys([files[row] for row in rows], named["train"], group_by)
        parts = split_rows(labels[rows], {"train": 0.8, "develop": 0.2}, seed, keys)
        splits = {"train": rows[parts["train"]], "develop": rows[parts["develop"]], **splits, }
        splits["train"] = rows[parts["train"]]
        notes.append(f"A fifth of train is held back as develop, by class, with seed {seed}.")
    if "test" not in splits:
        splits["test"] = np.arange(0)
        notes.append("There is no test split: figures can come from develop only.")
    return _folder(path, classes, files, labels, {split: splits[split] for split in SPLITS}, notes)


def visible_folders(path):
    "The sub-folders of a folder that count, in natural order: not hidden, not a system's own."
    return [child for child in _children(path) if child.is_dir()]


def _children(path):
    try:
        names = sorted(os.listdir(path), key=natural_key)
    except OSError as error:
        raise FolderError(f"{path}: the folder cannot be read ({error.strerror}). Change its permissions.") from error
    return [path / name for name in names if not name.startswith(".") and name.lower() not in IGNORED]


def _classes(path):
    "The class folders' names, at least two. Raises FolderError, also for images that lie beside the class folders."
    children = _children(path)
    classes = [child.name for child in children if child.is_dir()]
    loose = [child.name for child in children if not child.is_dir() and child.suffix.lower() in SUFFIXES]
    if loose:
        raise FolderError(f"{path}: images lie beside the class folders ({_listed(loose)}). Every image "
                          "belongs into the folder of its class.")
    if not classes:
        raise FolderError(f"{path}: the folder is empty. Put one sub-folder a class into it, with that class's images.")
    if len(classes) < 2:
        raise FolderError(f"{path}: only one class, {classes[0]!r}. Telling classes apart needs two or more.")
    return classes


def _files(path, classes):
    "All files below the class folders, with their class numbers. Raises FolderError for nested folders, empty classes."
    files, labels = [], []
    for label, name in enumerate(classes):
        children = _children(path / name)
        nested = [child.name for child in children if child.is_dir()]
        if nested:
            raise FolderError(f"{path / name}: folders inside a class ({_listed(nested)}). The layout is "
                              "<class>/<image>, or <split>/<class>/<image>; move the images up or the folders away.")
        if not children:
            raise FolderError(f"{path / name}: the class has no images. Add some, or remove the folder.")
        files += children
        labels += [label] * len(children)
    return files, np.array(labels, dtype=np.int64)


def group_keys(files, root, group_by):
    "Each file's group under the regular expression `group_by` (matched on the path below `root`), or None."
    if group_by is None:
        return None
    try:
        pattern = re.compile(group_by)
    except re.error as error:
        raise FolderError(f"--group-by {group_by!r}: not a regular expression ({error}).") from error
    found = [pattern.search(file.relative_to(root).as_posix()) for file in files]
    missing = [file for file, match in zip(files, found) if match is None]
    if missing:
        raise FolderError(f"--group-by {group_by!r}: no match in {len(missing)} file names, such as {missing[0]}. "
                          "The expression must match every file.")
    return [match.group(1) if pattern.groups else match.group(0) for match in found]


def split_rows(labels, shares, seed, groups=None):
    """Rows shared out by class with the given `shares` ({name: fraction}), seeded: {name: sorted rows}. Every class
    gets at least one row in each part where it has as many. With `groups`, whole groups are dealt out, largest first,
    each to the part that lacks most of the group's classes."""
    labels = np.asarray(labels)
    if groups is None:
        return _split_each_class(labels, shares, seed)
    rng, names = numpy_generator(seed, "split"), list(shares)
    keys, of = np.unique(np.asarray(groups), return_inverse=True)
    counts = np.zeros((len(keys), labels.max() + 1))
    np.add.at(counts, (of, labels), 1)
    want = np.array([[share] for share in shares.values()]) * counts.sum(0)
    order = rng.permutation(len(keys))
    order = order[np.argsort(-counts[order].sum(1), kind="stable")]
    part = np.zeros(len(keys), dtype=int)
    for key in order:
        lack = (want / np.maximum(want.sum(0), 1e-9)) * (counts[key] > 0)
        part[key] = int(np.argmax((lack / np.array(list(shares.values()))[:, None]).sum(1)))
        want[part[key]] = np.maximum(want[part[key]] - counts[key], 0)
    return {name: np.flatnonzero(part[of] == number) for number, name in enumerate(names)}


def _split_each_class(labels, shares, seed):
    parts = {name: [] for name in shares}
    for label in range(int(labels.max()) + 1):
        rows = np.flatnonzero(labels == label)
        rows = rows[numpy_generator(seed, "split", label).permutation(len(rows))]
        ends = np.rint(np.cumsum(list(shares.values())) / sum(shares.values()) * len(rows)).astype(int)
        if len(rows) >= len(shares):
            ends = np.maximum(ends, np.arange(1, len(shares) + 1))
            ends = np.minimum(ends, len(rows) - np.arange(len(shares) - 1, -1, -1))
        for name, chosen in zip(shares, np.split(rows, ends[:-1])):
            parts[name].append(chosen)
    return {name: np.sort(np.concatenate(chosen)) for name, chosen in parts.items()}


def class_names(path, classes):
    "{class: name to show}, from `classes.json` in the folder or its parent; without one, the folder's name."
    for place in (path / "classes.json", path.parent / "classes.json"):
        if place.is_file():
            try:
                told = json.loads(place.read_text("utf-8"))
                return {name: str(told.get(name, name)) for name in classes}
            except (OSError, ValueError, AttributeError) as error:
                raise FolderError(f"{place}: not a JSON object of class folders and their names ({error}).") from error
    return {name: name for name in classes}


def _listed(words, most=6):
    "'a', 'b' and 3 more"
    words = [repr(str(word)) for word in words]
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")
