"""Every file looked at once, in several processes where that pays; what is kept grows by some hundred bytes a file.

Thumbnails go to a temporary file that is read where it is needed and never mapped: memory holds digests and figures."""
import os
import tempfile
import time
from collections import Counter
from dataclasses import dataclass

import numpy as np

from fastlab.check.listing import Listing
from fastlab.check.looking import Look, look_at
from fastlab.images.decode import DECODER_ERRORS, opened

STEP = 128                  # files a task
WORTH_PROCESSES = 8.0       # seconds of work left, from which starting other processes pays
THUMB, SMALL = 32, 40       # side of a thumbnail; images no larger than SMALL, all alike, keep their own
FIGURES = (("width", np.int32), ("height", np.int32), ("low", np.uint8), ("high", np.uint8), ("ground", np.uint8),
           ("shows", np.float32))


class Thumbs:
    "Thumbnails uint8 (N, side, side) in a temporary file: `write` in order, `read(rows)` any of them."

    def __init__(self, side):
        self.side, self.size = side, side * side
        self.file = tempfile.TemporaryFile(prefix="fastlab-")  # noqa: SIM115 (kept open, closed by close)

    def write(self, thumbs):
        self.file.write(np.ascontiguousarray(thumbs).data)

    def read(self, rows):
        "uint8 (len(rows), side, side); rows that follow one another are read at once."
        self.file.flush()
        rows, found = np.asarray(rows), bytearray(len(rows) * self.size)
        starts = np.flatnonzero(np.diff(rows, prepend=-2) != 1)
        for start, end in zip(starts, [*starts[1:], len(rows)]):
            part = os.pread(self.file.fileno(), (end - start) * self.size, int(rows[start]) * self.size)
            found[start * self.size:end * self.size] = part
        return np.frombuffer(found, np.uint8).reshape(-1, self.side, self.side)

    def close(self):
        self.file.close()


@dataclass
class Scan:
    """What was seen of every file of a listing, by row. reasons: {row: why it cannot be read}; facts: {(reason,
    action): rows}; digests: uint64 (N, 2); figures: {name: array (N,)}; thumbs: Thumbs."""
    listing: Listing
    reasons: dict
    facts: dict
    digests: np.ndarray
    figures: dict
    thumbs: Thumbs

    @property
    def readable(self):
        "The rows that could be decoded."
        seen = np.ones(len(self.digests), bool)
        seen[list(self.reasons)] = False
        return np.flatnonzero(seen)


def scan(listing, jobs=None, progress=None):
    "Looks at every file of a Listing. progress(done, total) is called now and then."
    files, side = listing.files, natural_side(listing)
    result = Scan(listing, {}, {}, np.zeros((len(files), 2), np.uint64),
                  {name: np.zeros(len(files), kind) for name, kind in FIGURES}, Thumbs(side))
    tasks = [(str(listing.root), files[start:start + STEP], side) for start in range(0, len(files), STEP)]
    row = 0
    for looks in _carried_out(tasks, jobs or os.cpu_count() or 1):
        _keep(result, row, looks)
        row += len(looks[0])
        if progress:
            progress(row, len(files))
    return result


def natural_side(listing):
    "The thumbnail's side: the images' own where nearly all that are looked at are alike, square and small; else THUMB."
    sizes = Counter()
    for row in np.unique(np.linspace(0, len(listing.files) - 1, 48).round().astype(int)) if listing.files else ():
        try:
            with opened(listing.root / listing.files[row]) as image:
                sizes[image.size] += 1
        except DECODER_ERRORS:
            continue
    (width, height), count = (sizes.most_common(1) or [((0, 0), 0)])[0]
    alike = count >= 0.8 * sizes.total() and width == height and 8 <= width <= SMALL
    return width if alike else THUMB


def _carried_out(tasks, jobs):
    "The results of the tasks in order, here, or in several processes once the first has shown that it pays."
    if not tasks:
        return
    begun = time.perf_counter()
    yield look_at_all(*tasks[0])
    left = (time.perf_counter() - begun) * (len(tasks) - 1)
    if jobs > 1 and left > WORTH_PROCESSES:
        from joblib import Parallel, delayed
        yield from Parallel(jobs, return_as="generator")(delayed(look_at_all)(*task) for task in tasks[1:])
    else:
        yield from (look_at_all(*task) for task in tasks[1:])


def look_at_all(root, files, side):
    "Looks at some files: (digests, figures, thumbs, {place: reason}, {place: facts}) as small arrays."
    looks = [look_at(os.path.join(root, file), side) for file in files]
    digests = np.frombuffer(b"".join(look.digest for look in looks), np.uint64).reshape(-1, 2)
    figures = {name: np.array([getattr(look, name) for look in looks], kind) for name, kind in FIGURES}
    thumbs = np.stack([np.zeros((side, side), np.uint8) if look.thumb is None else look.thumb for look in looks])
    return (digests, figures, thumbs, _told(looks, "reason"), _told(looks, "facts"))


def _told(looks: list[Look], name):
    return {place: getattr(look, name) for place, look in enumerate(looks) if getattr(look, name)}


def _keep(result, row, looks):
    "Puts one task's looks in their place."
    digests, figures, thumbs, reasons, facts = looks
    rows = slice(row, row + len(digests))
    result.digests[rows] = digests
    for name, values in figures.items():
        result.figures[name][rows] = values
    result.thumbs.write(thumbs)
    result.reasons.update({row + place: reason for place, reason in reasons.items()})
    for place, told in facts.items():
        for fact in told:
            result.facts.setdefault(fact, []).append(row + place)
