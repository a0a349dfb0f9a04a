"""The bytes of a model file, read and held against their digest before anything in them is believed.

The metadata hold a SHA-256 of the whole file, its own 64 characters taken as zeros; any changed bit is noticed."""
import json
import os
import re
from hashlib import sha256
from pathlib import Path

import numpy as np

from fastlab.errors import FastlabError, ModelFileError
from fastlab.files import storage_problem
from fastlab.training.recipe import Recipe

FORM = "1"
DIGEST = re.compile(rb'"sha256":"([0-9a-f]{64})"')
ZEROS = b"0" * 64
LONGEST_HEADER = 32 << 20       # bytes


def read_model_file(path):
    "The bytes of a file; of one that fastlab did not save no more than the header is read, however large it is."
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise ModelFileError(f"{path}: a device or a pipe, not a file. Name a model file.")
        with open(path, "rb") as file:
            start = file.read(8)
            header = file.read(_header_length(path, start, os.fstat(file.fileno()).st_size))
            _digest_place(path, header)
            return start + header + file.read()
    except FileNotFoundError as error:
        raise ModelFileError(f"{path}: no such file. Train one: fastlab train FOLDER --save {path}") from error
    except OSError as error:
        raise storage_problem(path, error) from error


def _header_length(path, start, size):
    "The bytes of the header, from the file's first eight and its size, within bounds."
    length = int.from_bytes(start, "little") if len(start) == 8 else 0
    if not 2 <= length <= min(LONGEST_HEADER, size - 8):
        raise ModelFileError(f"{path}: not a network that fastlab saved: the file is cut, damaged or of another kind.")
    return length


def _digest_place(path, header):
    place = DIGEST.search(header)
    if place is None:
        raise ModelFileError(f"{path}: it carries no digest, so fastlab did not save it, or it was changed. "
                             "Weights of other programs are taken by: fastlab train --weights FILE.")
    return place


def checked_metadata(path, content):
    "The metadata of a file (bytes) whose every byte is as it was written."
    length = _header_length(path, content[:8], len(content))
    header = bytes(content[8:8 + length])
    place = _digest_place(path, header)
    whole = memoryview(content)
    found = sha256(whole[:8 + place.start(1)])
    found.update(ZEROS)
    found.update(whole[8 + place.end(1):])
    if found.hexdigest().encode() != place.group(1):
        raise ModelFileError(f"{path}: the file is damaged or was changed after it was saved: its SHA-256 does not "
                             "match. Take a copy that is whole, or train the network again.")
    try:
        metadata = dict(json.loads(header)["__metadata__"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(f"{path}: its header cannot be read ({error}).") from error
    if metadata.get("fastlab") != FORM:
        raise ModelFileError(f"{path}: written in form {metadata.get('fastlab')!r}; this fastlab reads form {FORM!r}. "
                             "Update fastlab, or train the network again.")
    return metadata


def check_undamaged(path):
    "A ModelFileError where a file that fastlab saved is not as it was written; other programs' carry no digest."
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise storage_problem(path, error) from error
    if b'"fastlab":"' in content[:8 + int.from_bytes(content[:8], "little")]:
        checked_metadata(path, content)


def description(path, metadata):
    "(Recipe, classes, names, all metadata as plain data), each within its rules."
    try:
        told = {name: json.loads(metadata[name]) for name in ("recipe", "classes", "input", "history", "tested")}
        classes, names = zip(*told["classes"])
        _check_input(path, told["input"])
        recipe = Recipe.from_dict(told["recipe"]).resolved(told["input"]["channels"], told["input"]["size"])
        told["seen"] = json.loads(metadata.get("seen", "[]"))  # networks of earlier fastlabs remember none
        words, tables = (*classes, *names, *told["seen"]), (told["tested"], *told["history"])
        if not all(isinstance(word, str) for word in words) or not all(isinstance(table, dict) for table in tables):
            raise ModelFileError(f"{path}: its classes, history or digests are not what fastlab writes.")
        if len(set(classes)) < len(classes):
            raise ModelFileError(f"{path}: it names a class twice.")
        if (recipe.channels, recipe.crop) != (told["input"]["channels"], told["input"]["crop"]):
            raise ModelFileError(f"{path}: its recipe and its input do not take the same images.")
    except ModelFileError:
        raise
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError, FastlabError) as error:
        raise ModelFileError(f"{path}: its description cannot be used ({error}). Train the network again.") from error
    return recipe, tuple(classes), tuple(names), told


def _check_input(path, told):
    "The description of what the network takes, within bounds."
    size, crop, channels = told["size"], told["crop"], told["channels"]
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in (size, crop, channels))
    if not whole or not 1 <= crop <= size <= 4096 or channels not in (1, 3):
        raise ModelFileError(f"{path}: an input of size {size!r}, crop {crop!r}, channels {channels!r} is out of "
                             "bounds.")
    for name in ("mean", "deviation"):
        values = np.array(told[name], dtype=np.float64)
        positive = name == "mean" or (values > 0).all()
        if values.shape != (channels,) or not np.isfinite(values).all() or not positive:
            raise ModelFileError(f"{path}: the input's {name} {told[name]!r} does not fit {channels} channels.")
