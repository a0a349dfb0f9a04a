"""Decodes many files into one array on disk, in this process or in several; the bytes are the same for any number."""
import errno
import math

from fastlab.errors import ImageError
from fastlab.images.decode import open_image

SECONDS_A_FILE = 1.5e-4         # of decoding, for the file itself …
SECONDS_A_BYTE = 2e-8           # … and for what is in it
WORTH_PROCESSES = 1.0           # seconds of decoding; less is done before worker processes have started
# what a disk, a network or a busy machine refuses now and may give the next time
PASSING = {getattr(errno, name, None) for name in ("EIO", "ESTALE", "EMFILE", "ENFILE", "ENOMEM", "ETIMEDOUT", "EAGAIN",
                                                   "EBUSY", "ENOTCONN", "EHOSTDOWN", "ENETDOWN")} - {None}
TASK = 0.2                      # seconds of decoding between two reports of progress


def fill(part, shape, files, weight, size=None, jobs=None, progress=None):
    """Decodes `files`, `weight` bytes together, into the rows of the array (N, H, W, C) of `shape` in the file `part`,
    which has its full length already. Returns ({row: reason} of what could not be read; whether one of the reasons may
    be gone the next time). Such rows stay blank."""
    seconds = len(files) * SECONDS_A_FILE + weight * SECONDS_A_BYTE
    step = min(max(int(TASK / seconds * len(files)), 1), 1024)
    tasks = [(part, shape, start, files[start:start + step], size) for start in range(0, len(files), step)]
    unreadable, passing, done = {}, False, 0
    for task, (reasons, may_pass) in zip(tasks, _results(tasks, seconds, jobs)):
        unreadable.update(reasons)
        passing = passing or may_pass
        done += len(task[3])
        if progress:
            progress(done, len(files))
    return unreadable, passing


def _results(tasks, seconds, jobs):
    "The results of decode_rows on each task, in order, as they are done. jobs: None uses every core where that pays."
    if jobs == 1 or (jobs is None and seconds < WORTH_PROCESSES):
        return (decode_rows(*task) for task in tasks)
    from joblib import Parallel, cpu_count, delayed
    return Parallel(jobs or cpu_count(), return_as="generator", batch_size=1)(delayed(decode_rows)(*task)
                                                                             for task in tasks)


def decode_rows(part, shape, start, files, size):
    "As `fill`, of the rows from `start` on. Runs in a worker process, which needs no torch."
    reasons, passing, row_bytes = {}, False, math.prod(shape[1:])
    with open(part, "r+b") as array:
        for row, file in enumerate(files, start):
            try:
                pixels = open_image(file, shape[3], size)
            except ImageError as error:
                reasons[row], cause = str(error).removeprefix(f"{file}: ").rstrip("."), error.__cause__
                passing = passing or isinstance(cause, MemoryError) or getattr(cause, "errno", None) in PASSING
                continue
            if pixels.shape[:2] != shape[1:3]:
                reasons[row] = (f"{pixels.shape[1]}×{pixels.shape[0]} pixels where the others have "
                                f"{shape[2]}×{shape[1]}; give a size that all are brought to: --size N")
                continue
            array.seek(row * row_bytes)
            array.write(pixels.data)
    return reasons, passing
