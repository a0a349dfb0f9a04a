"""A folder of images, read into classes and splits, in an order that no disk can change.

Layouts: `<split>/<class>/<image>` with splits named train, develop (or valid, val, validation, dev), test, total_train;
or `<class>/<image>`, then split 64/16/20, stratified and seeded. What was assumed is said in `Folder.notes`."""
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastlab.errors import FolderError, listed
from fastlab.files import natural_key
from fastlab.images.decode import SUFFIXES
from fastlab.images.splitting import group_keys, split_rows, torn_group

SPLITS = ("train", "develop", "test")
SPLIT_NAMES = {"train": "train", "training": "train", "develop": "develop", "valid": "develop", "val": "develop",
               "validation": "develop", "dev": "develop", "test": "test", "testing": "test",
               "total_train": "total_train"}
SHARES = {"train": 0.64, "develop": 0.16, "test": 0.20}
HELD_BACK = {"train": 0.8, "develop": 0.2}
IGNORED = frozenset({"thumbs.db", "desktop.ini", "classes.json", "drawn.json", "__macosx"})


@dataclass(frozen=True, eq=False)
class Folder:
    """A data set on disk. `classes`: folder names in natural order; `names`: {class: name to show}; `files`: their
    paths as text; `labels`: int64, each file's class number; `splits`: {'train' | 'develop' | 'test': rows of `files`},
    in natural order, 'test' empty where the folder has none; `notes`: what was assumed, one sentence each."""
    path: Path
    classes: tuple
    names: dict
    files: tuple
    labels: np.ndarray
    splits: dict
    notes: tuple = ()


def read_folder(path, seed=0, group_by=None):
    """Reads a folder's classes, files and splits; nothing is decoded. `group_by`: a regular expression on the path
    below the folder, or below the split's folder where it has splits; files with the same match (its first group, if
    it has one) stay in one split. Raises FolderError; OptionError for a `group_by` that does not fit."""
    path = Path(path)
    named = _split_folders(path)
    read = _from_splits if named else _from_classes
    return read(path, named, seed, group_by)


def _from_classes(path, _, seed, group_by):
    "A Folder from `<class>/<image>`."
    classes = _classes(path)
    if all(name.lower() in SPLIT_NAMES for name in classes):
        raise FolderError(f"{path}: {listed(classes)} hold no class folders. The layout is <split>/<class>/<image>; "
                          "put each image into the folder of its class.")
    files, labels = _files(path, classes)
    splits = split_rows(labels, SHARES, seed, group_keys(files, path, group_by))
    note = (f"{path} has no train, develop or test folder: split 64/16/20 by class with seed {seed}"
            + (f", each group of {group_by!r} kept together." if group_by else "."))
    return _folder(path, classes, files, labels, splits, [note], group_by)


def _from_splits(path, named, seed, group_by):
    "A Folder from `<split>/<class>/<image>`; what is missing is held back from train, and said."
    named, notes = _with_train(path, named)
    classes = _same_classes(path, named)
    files, keys, labels, splits = [], [], [np.arange(0)], {}
    for split in [split for split in SPLITS if split in named]:
        found, numbers = _files(named[split], classes)
        splits[split] = np.arange(len(files), len(files) + len(found))
        files += found
        labels.append(numbers)
        keys += group_keys(found, named[split], group_by) or []
    labels = np.concatenate(labels)
    if group_by and (torn := torn_group(keys, splits)):
        raise FolderError(f"{path}: the group {torn[0]!r} of --group-by {group_by!r} is in {torn[1]} and in {torn[2]}. "
                          "Move its files into one split, or leave --group-by away: the splits stay as they are.")
    if "develop" not in splits:
        rows = splits["train"]
        parts = split_rows(labels[rows], HELD_BACK, seed, [keys[row] for row in rows] if group_by else None)
        splits |= {split: rows[part] for split, part in parts.items()}
        notes.append(f"A fifth of train is held back as develop, by class, with seed {seed}.")
    without_test = "test" not in splits
    if without_test:
        splits["test"] = np.arange(0)
        notes.append("There is no test split: figures can come from develop only.")
    splits = {split: splits[split] for split in SPLITS}
    return _folder(path, classes, files, labels, splits, notes, group_by, without_test)


def _folder(path, classes, files, labels, splits, notes, group_by, without_test=False):
    "A Folder whose splits each hold every class, or a FolderError that says what is missing where."
    for split, rows in splits.items():
        missing = sorted(set(range(len(classes))) - set(labels[rows].tolist()))
        if missing and not (split == "test" and without_test):
            raise FolderError(f"{path}: no image of {listed(classes[label] for label in missing)} is in the split "
                              f"{split!r}; every class needs images in every split. Add images, or "
                              + ("take smaller groups with --group-by." if group_by else "remove the class."))
    return Folder(path, tuple(classes), class_names(path, classes), tuple(files), labels, splits, tuple(notes))


def _split_folders(path):
    "{split: folder} of a folder whose sub-folders are splits; {} where they are classes. Raises FolderError."
    if not path.is_dir():
        wrong = "this is a file" if path.exists() else "there is no such folder"
        raise FolderError(f"{path}: {wrong}. Give a folder with one sub-folder a class.")
    folders, files = _entries(path)
    named, empty = {}, []
    for name in folders:
        split = SPLIT_NAMES.get(name.lower())
        if split and not _entries(path / name)[0]:
            empty.append(name)
        elif split in named:
            raise FolderError(f"{path}: {named[split].name!r} and {name!r} both mean the split {split!r}. Keep one of "
                              "them.")
        elif split:
            named[split] = path / name
    if named:
        _refuse_beside_splits(path, named, folders, empty)
        _refuse_loose_images(path, files)
    return named


def _refuse_beside_splits(path, named, folders, empty):
    "FolderError for what stands beside splits and would be passed over."
    splits = listed(folder.name for folder in named.values())
    others = [name for name in folders if path / name not in named.values()]
    if not {"train", "total_train"} & set(named):
        raise FolderError(f"{path}: {splits} holds class folders, as a split does, and no split is named 'train'. "
                          "Add it, or put the class folders straight into the folder.")
    if empty:
        raise FolderError(f"{path / empty[0]}: this split has no class folders. Fill it like {splits}, or remove it.")
    if others:
        raise FolderError(f"{path}: {listed(others)} stand beside the splits {splits}. A data set has either splits "
                          "or classes at its top; move the others away.")


def _with_train(path, named):
    "The splits with one named train, and a list of what was assumed."
    if "train" in named:
        rest = {split: folder for split, folder in named.items() if split != "total_train"}
        return rest, ["The folder total_train is not read: it is train and develop together."] * (rest != named)
    if "develop" in named:
        raise FolderError(f"{path}: total_train is train and develop together, so beside it 'develop' would be learned "
                          "by heart. Add 'train', or remove 'develop': a fifth of total_train is then held back.")
    return {"train": named["total_train"], **named}, ["The folder total_train is used as train."]


def _same_classes(path, named):
    "The classes that all splits have. Raises FolderError naming those that differ."
    by_split = {split: _classes(folder) for split, folder in named.items()}
    for split, found in by_split.items():
        if odd := set(found) ^ set(by_split["train"]):
            raise FolderError(f"{path}: train and {split} differ in the classes "
                              f"{listed(sorted(odd, key=natural_key))}. Every split needs the same class folders.")
    return by_split["train"]


def _entries(path):
    "(folders, files): the names in a folder that count, in natural order: not hidden, not a system's own."
    folders, files = [], []
    try:
        with os.scandir(path) as found:
            for entry in found:
                if not entry.name.startswith(".") and entry.name.lower() not in IGNORED:
                    (folders if _is_folder(entry) else files).append(entry.name)
    except OSError as error:
        raise FolderError(f"{path}: the folder cannot be read ({error.strerror}). Change its permissions.") from error
    return sorted(folders, key=natural_key), sorted(files, key=natural_key)


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a link that leads nowhere: opening the file will say so
        return False


def _classes(path):
    "The class folders' names, at least two. Raises FolderError, also for images that lie beside the class folders."
    classes, files = _entries(path)
    if not classes and any(os.path.splitext(name)[1].lower() in SUFFIXES for name in files):
        raise FolderError(f"{path}: images and no class folders lie in it. If it is one class itself, give the folder "
                          "above it; else put every image into the folder of its class.")
    _refuse_loose_images(path, files)
    if not classes:
        raise FolderError(f"{path}: the folder is empty. Put one sub-folder a class into it, with that class's images.")
    if len(classes) < 2:
        raise FolderError(f"{path}: only one class, {classes[0]!r}. Telling classes apart needs two or more.")
    return classes


def _refuse_loose_images(path, files):
    loose = [name for name in files if os.path.splitext(name)[1].lower() in SUFFIXES]
    if loose:
        raise FolderError(f"{path}: images lie beside the folders ({listed(loose)}). Every image belongs into the "
                          "folder of its class.")


def _files(path, classes):
    "All files below the class folders, with their class numbers. Raises FolderError for nested folders, empty classes."
    files, counts = [], []
    for name in classes:
        folder = path / name
        nested, found = _entries(folder)
        if nested:
            raise FolderError(f"{folder}: folders inside a class ({listed(nested)}). The layout is <class>/<image> or "
                              "<split>/<class>/<image>; move the images up or the folders away.")
        if not found:
            raise FolderError(f"{folder}: the class has no images. Add some, or remove the folder.")
        files += [os.path.join(folder, file) for file in found]
        counts.append(len(found))
    return files, np.repeat(np.arange(len(classes)), counts)


def class_names(path, classes):
    """{class: name to show}, from `classes.json` in the folder (or beside it, where the folder is one split of a data
    set); without one, the folder's name. Raises FolderError."""
    places = [path / "classes.json"] + [path.parent / "classes.json"] * (path.name.lower() in SPLIT_NAMES)
    for place in filter(Path.is_file, places):
        try:
            told = json.loads(place.read_text("utf-8"))
            return {name: str(told.get(name, name)) for name in classes}
        except (OSError, ValueError, AttributeError) as error:
            raise FolderError(f"{place}: not a JSON object of class folders and their names ({error}).") from error
    return {name: name for name in classes}
