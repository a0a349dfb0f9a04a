"""The default data set: the twelve characters, each written once by every imagined writer; no writer in two splits."""
import json
import os
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from fastlab.errors import OptionError, StorageError
from fastlab.files import cache_home, fcntl, storage_problem, write_json
from fastlab.progress import Progress
from fastlab.seeds import numpy_generator
from fastlab.strokes.ink import render
from fastlab.strokes.pen import hands, write
from fastlab.strokes.table import NAMES

FORM = 2                        # counts up whenever the same options give other images
SIZES = {"train": 500, "develop": 120, "test": 240}
NOTE = "drawn.json"


def draw_split(split, count, size=28, seed=0, jobs=1):
    """uint8 (12, count, size, size): every character once by each of `count` writers of one split, and Hands' thickness
    and hardness in their ink. The writers depend on (seed, split), so no writer is in two splits."""
    writers = hands(count, numpy_generator(seed, "strokes", split))
    draw = partial(_draw_character, writers=writers, size=size, seed=seed, split=split)
    if jobs == 1:
        return np.stack([draw(number) for number in range(len(NAMES))])
    from joblib import Parallel, delayed
    return np.stack(Parallel(jobs)(delayed(draw)(number) for number in range(len(NAMES))))


def _draw_character(number, writers, size, seed, split):
    written = write(NAMES[number], writers, numpy_generator(seed, "strokes", split, NAMES[number]))
    return np.stack([render(paths, size, thickness, hard) for paths, thickness, hard
                     in zip(written, writers.thickness.tolist(), writers.hard.tolist())])


def pen_paths(character, seed=0, split="page", writer=0):
    "The polylines, in the frame 0…1, of one character by a hand that no data set holds (its split is another one)."
    writers = hands(writer + 1, numpy_generator(seed, "strokes", split))
    return write(character, writers, numpy_generator(seed, "strokes", split, character))[writer]


def draw_arrays(size=28, train=500, develop=120, test=240, seed=0):
    """(images uint8 (N, size, size, 1), labels int64 (N,), splits {name: rows}, names): the pixels of `draw_folder`,
    split by split and class by class, in memory."""
    images, labels, splits, start = [], [], {}, 0
    for split, count in _counts(train, develop, test, size).items():
        drawn = draw_split(split, count, size, seed)
        images.append(drawn.reshape(-1, size, size, 1))
        labels.append(np.repeat(np.arange(len(NAMES)), count))
        splits[split] = np.arange(start, start + len(labels[-1]))
        start += len(labels[-1])
    return np.concatenate(images), np.concatenate(labels).astype(np.int64), splits, NAMES


def draw_folder(out, size=28, train=500, develop=120, test=240, seed=0, progress=None):
    """Draws <out>/<split>/<class>/<n>.png with classes 1 … 12 and a classes.json of their names; returns the path.

    The same options give the same bytes, an unfinished drawing is completed, and while one process draws, others wait
    for it. progress(done, total). Raises StorageError for a folder that holds anything else: nothing of the user's is
    overwritten; OptionError."""
    out, counts = Path(out), _counts(train, develop, test, size)
    note = {"form": FORM, "size": size, **counts, "seed": seed}
    if _told(out) == note | {"complete": True}:
        return out
    if out.is_file():
        raise StorageError(f"{out}: this is a file. Name a new or empty folder.")
    try:
        out.mkdir(parents=True, exist_ok=True)
        with _alone(out):
            if _told(out) != note | {"complete": True}:
                _check_free(out, note)
                _draw_into(out, note, counts, progress)
    except OSError as error:
        raise storage_problem(out, error) from error
    return out


def _draw_into(out, note, counts, progress):
    "Draws what a `note` tells; the note itself is written first as of something unfinished, and last as complete."
    write_json(out / NOTE, note | {"complete": False})
    done, total, size = 0, len(NAMES) * sum(counts.values()), note["size"]
    for split, count in counts.items():
        drawn = draw_split(split, count, size, note["seed"], jobs=-1 if count * size >= 4000 else 1)
        for number, images in enumerate(drawn, 1):
            folder = out / split / str(number)
            folder.mkdir(parents=True, exist_ok=True)
            for place, pixels in enumerate(images, 1):
                Image.fromarray(pixels).save(folder / f"{place}.png", compress_level=1)
            done += count
            if progress:
                progress(done, total)
    write_json(out / "classes.json", {str(number): name for number, name in enumerate(NAMES, 1)})
    write_json(out / NOTE, note | {"complete": True})


@contextmanager
def _alone(folder):
    "One at a time in a folder, by the system's own lock, which goes with its process; without such locks nobody waits."
    if fcntl is None:
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):     # a file system without locks
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def default_folder(progress=None):
    "The default data set in the cache, drawn when it is not there; its path."
    return draw_folder(cache_home() / f"strokes-{FORM}", **SIZES, progress=progress)


def named_or_default(folder, say):
    "The folder, or where none was named the default data set, drawn when it is not there yet; `say` tells its place."
    if folder is not None:
        return folder
    progress = Progress("Drawing image")
    place = default_folder(progress=progress)
    progress.close()
    say(f"No folder was named: the default data set, 12 characters as strokes, lies in {place}")
    return place


def _counts(train, develop, test, size):
    for option, count in (("train", train), ("develop", develop), ("test", test)):
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            raise OptionError(f"{option}: {count!r} images a class; it must be a whole number of at least 1.")
    if isinstance(size, bool) or not isinstance(size, int) or not 12 <= size <= 1024:
        raise OptionError(f"size: {size!r} pixels a side; it must be a whole number from 12 to 1024.")
    return {"train": train, "develop": develop, "test": test}


def _told(out):
    "What an earlier drawing wrote about itself, or None."
    try:
        return json.loads((out / NOTE).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def _check_free(out, note):
    told = _told(out)
    if told is not None and {**told, "complete": None} == {**note, "complete": None}:
        return  # our own, cut short: the same bytes are drawn again
    if out.is_dir() and any(out.iterdir()):
        raise StorageError(f"{out}: this folder is not empty, and nothing in it will be overwritten. Name a new or "
                           "empty folder.")
