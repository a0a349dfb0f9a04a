"""What lies in a folder, told without stopping at the first mistake: image files by split and class, and all that has
no place there. The layout and the names that count are those of `images.folder`."""
import os
import stat
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from fastlab.check.findings import Finding
from fastlab.errors import FolderError
from fastlab.files import natural_key
from fastlab.images.decode import SUFFIXES
from fastlab.images.folder import IGNORED, SPLIT_NAMES, SPLITS, class_names

STOPS = "training refuses the folder until this is mended"
NOT_READ = "not read"
BAD_FILE = "training stops at it and names it; --skip-unreadable goes on without it"


@dataclass
class Listing:
    """files: names relative to root, in natural order by split and class; split, label: int32 (N,), numbers of `splits`
    and `classes`; splits: () where the folder has none; present: {split: classes with a folder there}; places: {split:
    its folder's name}; found: findings on what is not opened at all; names: {class: name to show}."""
    root: Path
    splits: tuple = ()
    classes: tuple = ()
    files: list = field(default_factory=list)
    split: np.ndarray = None
    label: np.ndarray = None
    present: dict = field(default_factory=dict)
    places: dict = field(default_factory=dict)
    found: list = field(default_factory=list)
    names: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    def class_of(self, row):
        return self.classes[self.label[row]]

    def split_of(self, row):
        return self.splits[self.split[row]] if self.splits else ""

    def place(self, file):
        "(split or '', row) of a file."
        row = self.rows[file]
        return self.split_of(row), row

    def class_name(self, file):
        return self.class_of(self.rows[file])

    @cached_property
    def rows(self):
        "{file: row}"
        return {file: row for row, file in enumerate(self.files)}


def list_folder(folder):
    "The Listing of a folder. Raises FolderError only where there is no folder to look at."
    root = Path(folder)
    if not root.is_dir():
        what = "this is a file" if root.exists() else "there is no such folder"
        raise FolderError(f"{root}: {what}. Give a folder with one sub-folder a class.")
    listing = Listing(root)
    top = _entries(listing, root)
    folders = [name for name in top if _counts(name) and (root / name).is_dir()]
    named = _split_folders(root, folders)
    _tell_loose(listing, "", [name for name in top if name not in folders])
    if named:
        _tell_layout(listing, named, [name for name in folders if name not in named])
    rows = []
    for place, split in (named or {"": ""}).items():
        inside = _entries(listing, root / place) if named else folders
        classes = [name for name in inside if _counts(name) and (root / place / name).is_dir()]
        listing.present[split], listing.places[split] = tuple(classes), place
        if named:
            _tell_loose(listing, place, [name for name in inside if name not in classes])
        rows += [(split, name, file) for name in classes for file in _images(listing, os.path.join(place, name))]
    _tell_names(listing)
    return _numbered(listing, rows)


def _tell_names(listing):
    "A finding on a classes.json that cannot be used; `names` has what it says of the classes."
    try:
        present = {name for names in listing.present.values() for name in names}
        listing.names = class_names(listing.root, sorted(present))
    except FolderError as error:
        file = next((name for name in ("classes.json",) if (listing.root / name).is_file()), "../classes.json")
        _tell(listing, "unreadable", [file], str(error).split(": ", 1)[1].rstrip("."), STOPS)


def _numbered(listing, rows):
    "The listing with its files and their split and class numbers, in order."
    listing.splits = tuple(split for split in SPLITS if split in listing.present)
    classes = {name for names in listing.present.values() for name in names}
    listing.classes = tuple(sorted(classes, key=natural_key))
    split_number = {split: number for number, split in enumerate(listing.splits)} | {"": 0}
    class_number = {name: number for number, name in enumerate(listing.classes)}
    rows.sort(key=lambda row: split_number[row[0]])
    listing.files = [file for _, _, file in rows]
    listing.split = np.array([split_number[split] for split, _, _ in rows], dtype=np.int32)
    listing.label = np.array([class_number[name] for _, name, _ in rows], dtype=np.int32)
    return listing


def _counts(name):
    return not name.startswith(".") and name.lower() not in IGNORED


def _entries(listing, path):
    "The names in a folder, in natural order; a folder that cannot be read is a finding."
    try:
        return sorted(os.listdir(path), key=natural_key)
    except OSError as error:
        if path == listing.root:
            raise FolderError(f"{path}: the folder cannot be read ({error.strerror}). Change its permissions."
                              ) from error
        _tell(listing, "unreadable", [os.path.relpath(path, listing.root)],
              f"the folder cannot be read ({error.strerror})", STOPS)
        return []


def _tell(listing, kind, files, reason, action):
    listing.found.append(Finding(kind, tuple(files), reason, action))


def _split_folders(root, folders):
    "{folder: split it stands for}, {} where the top folders are classes. total_train counts only without train."
    named = {name: SPLIT_NAMES[name.lower()] for name in folders if name.lower() in SPLIT_NAMES
             and any(_counts(inner.name) and inner.is_dir() for inner in _scanned(root / name))}
    if not named or not ({"train", "total_train"} & set(named.values()) or len(named) == len(folders)):
        return {}
    return named


def _scanned(path):
    try:
        return list(os.scandir(path))
    except OSError:
        return []


def _tell_layout(listing, named, others):
    "Findings on the folders at the top of a data set with splits; `named` keeps only those that are read."
    if "train" in named.values():
        for name in [name for name, split in named.items() if split == "total_train"]:
            listing.notes.append(f"The folder {name} is not looked at: it is train and develop together.")
            del named[name]
    for name, split in list(named.items()):
        if split == "total_train":
            listing.notes.append(f"The folder {name} is used as train.")
            named[name] = "train"
            if "develop" in named.values():
                _tell(listing, "split", [name], "it is train and develop together, and there is no train: the develop "
                      "beside it would be learned by heart", STOPS)
    for split in set(named.values()):
        same = [name for name, meant in named.items() if meant == split]
        if len(same) > 1:
            _tell(listing, "split", same, f"{' and '.join(map(repr, same))} both mean the split {split!r}", STOPS)
    if others:
        _tell(listing, "split", others, "stands beside the splits and belongs to none", STOPS)
    if "train" not in named.values():
        _tell(listing, "split", (), "there is no train split, only " + ", ".join(map(repr, named)), STOPS)


def _tell_loose(listing, place, names):
    "Findings on what lies beside the class folders. Other files there, such as a README, disturb nobody."
    loose = [os.path.join(place, name) for name in names
             if not name.startswith(".") and Path(name).suffix.lower() in SUFFIXES]
    if loose:
        _tell(listing, "split", loose, "lies beside the class folders and belongs to no class", STOPS)


def _images(listing, place):
    "The files of one class that are to be opened; what is none gets its finding."
    images = []
    for name in _entries(listing, listing.root / place):
        file = os.path.join(place, name)
        if not _counts(name):
            what = "a hidden file" if name.startswith(".") else "a system's own file"
            _tell(listing, "format", [file], f"{what}, not an image of this class", NOT_READ)
        else:
            problem = _not_a_file(listing.root / file)
            if problem is None:
                images.append(file)
            else:
                _tell(listing, *problem[:1], [file], *problem[1:])
    return images


def _not_a_file(path):
    "(kind, reason, action) for what is no ordinary file and must not be opened; None for files, also unreadable ones."
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return None         # a broken link, a loop, no permission: opening it tells the reason
    if stat.S_ISREG(mode):
        return None
    if stat.S_ISDIR(mode) and path.suffix.lower() in SUFFIXES:
        return "unreadable", "a folder, not an image", STOPS
    if stat.S_ISDIR(mode):
        inside = len(_scanned(path))
        return "split", f"a folder inside a class, with {inside} entr{'y' if inside == 1 else 'ies'}", STOPS
    return "unreadable", "not an ordinary file (a pipe, socket or device)", BAD_FILE


