"""Every file is decoded once, in parallel, into one uint8 array on disk, which is then memory-mapped.

The key of a cache file is a digest of each file's path, size and times of change (modification and inode change, which
no ordinary write can leave as they were) and of the options: a changed, added or removed file gives another key.
Beside the array stands a small JSON with its shape, the digest of each block and the reasons of unreadable files; a cut
or damaged array is noticed and decoded again. Once all arrays together pass a bound, the least recently used go."""
import json
import math
import os
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastlab.errors import ImageError, OptionError, StorageError
from fastlab.files import cache_home, digest, storage_problem, write_json
from fastlab.images.bound import bytes_allowed, keep_within
from fastlab.images.decode import check_form, open_image
from fastlab.images.filling import fill
from fastlab.images.mapped import mapped

FORM = 2                        # counts up when the same files would be decoded to other pixels
BLOCK = 1 << 24                 # bytes of the array under one digest
TICK = 20_000_000               # ns; the clock of a file's times of change ticks at least this often


@dataclass(frozen=True, eq=False)
class Decoded:
    "images: uint8 (N, H, W, C), memory-mapped; unreadable: {row: reason} for rows that are blank."
    images: np.ndarray
    unreadable: dict


def decoded(files, channels=1, size=None, cache=None, skip_unreadable=False, jobs=None, progress=None):
    """The pixels of all `files`, uint8 (N, H, W, C), each decoded at most once for as long as the cache lives.

    size: see `decode.open_image`; None takes the first readable image's own, which all others must then share.
    cache: a folder, by default `files.cache_home()`. progress(done, total) is called now and then.
    Raises ImageError naming every unreadable file with its reason, unless `skip_unreadable` (then `.unreadable` of
    `decode_all` says which rows are blank)."""
    result = decode_all(files, channels, size, cache, jobs, progress)
    if result.unreadable and not skip_unreadable:
        raise unreadable_error({files[row]: reason for row, reason in result.unreadable.items()})
    return result.images


def unreadable_error(reasons, shown=20):
    "One ImageError for all unreadable files: each path with its reason, and the cure."
    lines = [f"  {path}: {reason}" for path, reason in list(reasons.items())[:shown]]
    if len(reasons) > shown:
        lines.append(f"  … and {len(reasons) - shown} more")
    count = "1 image cannot be read" if len(reasons) == 1 else f"{len(reasons)} images cannot be read"
    cure = "Mend or remove them, or go on without them: --skip-unreadable."
    return ImageError("\n".join([f"{count}:", *lines, cure]), reasons)


def decode_all(files, channels=1, size=None, cache=None, jobs=None, progress=None):
    """Like `decoded`, but unreadable files are reported, not raised: a Decoded. Raises StorageError where the cache
    cannot be written, OptionError for an argument outside its rule."""
    check_form(channels, size)
    if not len(files):
        raise OptionError("files: no image was given to decode.")
    allowed, files = bytes_allowed(), [os.fspath(file) for file in files]
    states = [_state(file) for file in files]
    folder = Path(cache or cache_home()) / "decoded"
    path = folder / f"{cache_key(files, states, channels, size)}.u8"
    found = _whole(path)
    if found is None:
        _settle(states)
        found = _decode_to(path, files, sum(max(state[0], 0) for state in states), channels, size, jobs, progress)
        keep_within(allowed, folder, path)
    with suppress(OSError):
        os.utime(path.with_suffix(".json"))  # when it was last used
    return found


def _state(file):
    "(bytes, time of modification, time of inode change) of a file, or minus an error's number and zeros."
    try:
        state = os.stat(file)
        return state.st_size, state.st_mtime_ns, state.st_ctime_ns
    except OSError as error:
        return -error.errno, 0, 0


def cache_key(files, states, channels, size):
    "The digest that stands for these files, in these states, decoded with these options."
    here = os.getcwd()
    witness = [f"{os.path.join(here, file)}\0{bytes_} {modified} {changed}"
               for file, (bytes_, modified, changed) in zip(files, states)]
    return digest("\n".join([f"{FORM} {channels} {size}", *witness]).encode("utf-8", "surrogateescape"))[:40]


def _settle(states):
    "Waits, where a file was written just now, until a later write must show in its times of change."
    if 0 <= time.time_ns() - max(changed for _, _, changed in states) < TICK:
        time.sleep(TICK / 1e9)


def _whole(path):
    "The Decoded that lies at `path`, or None where it is missing, cut or damaged."
    note = path.with_suffix(".json")
    try:
        told = json.loads(note.read_text("utf-8"))
        signed, shape, state = told.pop("signed"), tuple(told["shape"]), os.stat(path)
        if signed != _signed(told) or state.st_size != math.prod(shape):
            return None
        if told["written"] != _witness(state):
            if told["blocks"] != _block_digests(path):
                return None
            with suppress(StorageError):
                _write_note(path, told["shape"], told["blocks"], told["unreadable"])
        images = mapped(path, shape)
        return Decoded(images, {int(row): reason for row, reason in told["unreadable"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write_note(path, shape, blocks, unreadable):
    "Writes what `_whole` asks of an array, signed with its own digest."
    told = {"shape": list(shape), "blocks": blocks, "unreadable": {str(row): why for row, why in unreadable.items()},
            "written": _witness(os.stat(path))}
    write_json(path.with_suffix(".json"), {**told, "signed": _signed(told)})


def _signed(told):
    return digest(json.dumps(told, sort_keys=True))


def _witness(state):
    "What the file system says of a file as it was written; a match makes reading all of it again needless."
    return [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]


def _block_digests(path):
    with open(path, "rb") as file:
        return [digest(block)[:32] for block in iter(lambda: file.read(BLOCK), b"")]


def _decode_to(path, files, weight, channels, size, jobs, progress):
    "Decodes all files (`weight` bytes together) into a new array beside `path`, which gets that name once it is whole."
    height, width = (size, size) if size else _common_size(files, channels)
    shape = (len(files), height, width, channels)
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        with open(handle, "r+b") as file:
            _reserve(file.fileno(), math.prod(shape))
            unreadable, passing = fill(part, shape, files, weight, size, jobs, progress)
            os.fsync(file.fileno())
        blocks = _block_digests(part)
        os.replace(part, path)
        if not passing:  # without its note an array is decoded anew the next time
            _write_note(path, shape, blocks, unreadable)
    except OSError as error:
        problem = storage_problem(path.parent, error)
        raise type(problem)(f"{problem} Another place for decoded images: --cache DIR or $FASTLAB_CACHE.") from error
    finally:
        if part:
            Path(part).unlink(missing_ok=True)
    return Decoded(mapped(path, shape), unreadable)


def _reserve(handle, length):
    "Gives a file its length and its place on the disk: a full disk is an error now, not after an hour of decoding."
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, length)
    else:
        os.ftruncate(handle, length)


def _common_size(files, channels):
    "(height, width) of the first image that can be read."
    for file in files:
        try:
            return open_image(file, channels).shape[:2]
        except ImageError:
            continue
    return (1, 1)  # none can be read: every row will carry its reason
