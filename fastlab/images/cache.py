"""Every file is decoded once, in parallel, into one uint8 array on disk, which is then memory-mapped.

The key of a cache file is a digest of each file's path, size and times of change (modification and inode change, which
no ordinary write can leave as they were) and of the options: a changed, added or removed file gives another key.
Beside the array stands a small JSON with its shape, the digest of each block and the reasons of unreadable files; a cut
or damaged array is noticed and decoded again. Once all arrays together pass a bound, the least recently used go."""
import json
import math
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fastlab.errors import ImageError, OptionError
from fastlab.files import cache_home, digest, storage_problem, write_json
from fastlab.images.decode import open_image

FORM = 1                        # counts up when the same files would be decoded to other pixels
BLOCK = 1 << 24                 # bytes of the array under one digest
BOUND = 20 << 30                # bytes that all decoded arrays may take; $FASTLAB_CACHE_GB says otherwise
PARALLEL_FROM = 2000            # fewer files than this are decoded before a worker process has started


@dataclass(frozen=True)
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
    "Like `decoded`, but unreadable files are reported, not raised: a Decoded."
    files = [Path(file) for file in files]
    if not files:
        raise OptionError("files: no image was given to decode.")
    folder = Path(cache or cache_home()) / "decoded"
    path = folder / f"{cache_key(files, channels, size)}.u8"
    found = _whole(path)
    if found is None:
        found = _decode_to(path, files, channels, size, jobs, progress)
        _keep_within_bound(folder, path)
    with suppress(OSError):
        os.utime(path.with_suffix(".json"))  # when it was last used
    return found


def cache_key(files, channels, size):
    "The digest that stands for these files, as they are now, decoded with these options."
    witness = [f"{FORM} {channels} {size}"]
    for file in files:
        try:
            state = os.stat(file)
            witness.append(f"{os.path.abspath(file)}\0{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}")
        except OSError as error:
            witness.append(f"{os.path.abspath(file)}\0{error.errno}")
    return digest("\n".join(witness).encode("utf-8", "surrogateescape"))[:40]


def _whole(path):
    "The Decoded that lies at `path`, or None where it is missing, cut or damaged."
    note = path.with_suffix(".json")
    try:
        told = json.loads(note.read_text("utf-8"))
        shape, state = tuple(told["shape"]), os.stat(path)
        if state.st_size != math.prod(shape):
            return None
        if told["written"] != _witness(state) and told["blocks"] != _block_digests(path):
            return None
        images = np.memmap(path, np.uint8, mode="c", shape=shape)
        return Decoded(images, {int(row): reason for row, reason in told["unreadable"].items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _witness(state):
    "What the file system says of a file as it was written; a match makes reading all of it again needless."
    return [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]


def _block_digests(path):
    with open(path, "rb") as file:
        return [digest(block)[:32] for block in iter(lambda: file.read(BLOCK), b"")]


def _decode_to(path, files, channels, size, jobs, progress):
    "Decodes all files into a new array beside `path`, and gives it that name once it is whole."
    size_found = size or _common_size(files, channels)
    height, width = (size_found, size_found) if isinstance(size_found, int) else size_found
    shape = (len(files), height, width, channels)
    part = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
        os.posix_fallocate(handle, 0, math.prod(shape))  # a full disk is an error now, not a crash while mapped
        os.close(handle)
        unreadable = _fill(part, shape, files, size, jobs, progress)
        blocks = _block_digests(part)
        os.replace(part, path)
        note = {"shape": shape, "blocks": blocks, "unreadable": unreadable, "written": _witness(os.stat(path))}
        write_json(path.with_suffix(".json"), note)
    except OSError as error:
        problem = storage_problem(path.parent, error)
        raise type(problem)(f"{problem} Another place for decoded images: --cache DIR or $FASTLAB_CACHE.") from error
    finally:
        if part:
            Path(part).unlink(missing_ok=True)
    return Decoded(np.memmap(path, np.uint8, mode="c", shape=shape), unreadable)


def _common_size(files, channels):
    "(height, width) of the first image that can be read."
    for file in files:
        try:
            return open_image(file, channels).shape[:2]
        except ImageError:
            continue
    return (1, 1)  # none can be read: every row will carry its reason


def _fill(part, shape, files, size, jobs, progress):
    "Decodes into the array at `part`, in this process or several; {row: reason} of what could not be read."
    step = 256 if len(files) >= PARALLEL_FROM else 64
    tasks = [(part, shape, start, files[start:start + step], size) for start in range(0, len(files), step)]
    jobs = jobs or os.cpu_count() or 1
    large = len(files) >= PARALLEL_FROM or (size or 0) * len(files) > 64 * PARALLEL_FROM
    if jobs > 1 and large:
        from joblib import Parallel, delayed
        results = Parallel(jobs, return_as="generator", batch_size=1)(delayed(_decode_rows)(*task) for task in tasks)
    else:
        results = (_decode_rows(*task) for task in tasks)
    unreadable, done = {}, 0
    for task, reasons in zip(tasks, results):
        unreadable.update(reasons)
        done += len(task[3])
        if progress:
            progress(done, len(files))
    return unreadable


def _decode_rows(part, shape, start, files, size):
    "Writes the rows from `start` on; returns {row: reason}. Runs in a worker process, which needs no torch."
    images, reasons = np.memmap(part, np.uint8, mode="r+", shape=shape), {}
    for row, file in enumerate(files, start):
        try:
            pixels = open_image(file, shape[3], size)
        except ImageError as error:
            reasons[row] = str(error).removeprefix(f"{file}: ").rstrip(".")
            continue
        if pixels.shape[:2] != shape[1:3]:
            reasons[row] = (f"{pixels.shape[1]}×{pixels.shape[0]} pixels where the others have {shape[2]}×{shape[1]}; "
                            "give a size that all are brought to: --size N")
            continue
        images[row] = pixels.reshape(shape[1:])
    images.flush()
    return reasons


def _keep_within_bound(folder, newest):
    "Removes the least recently used arrays (never `newest`, never anything else) until all fit the bound."
    bound = float(os.environ.get("FASTLAB_CACHE_GB", BOUND / (1 << 30))) * (1 << 30)
    with suppress(OSError):
        arrays = [path for path in folder.glob("*.u8") if path != newest]
        used = {path: _last_used(path) for path in arrays}
        total = sum(path.stat().st_size for path in [*arrays, newest])
        for path in sorted(arrays, key=used.get):
            if total <= bound:
                break
            total -= path.stat().st_size
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)


def _last_used(path):
    note = path.with_suffix(".json")
    return note.stat().st_mtime if note.exists() else 0.0
