"""Pictures that are nearly the same: shifted, rescaled or recompressed copies, found without laying all pairs over
each other.

Three sieves, each finer and dearer than the one before: low-frequency descriptors find every picture's nearest others;
the nearest three stay when they stand out from the next dozen; those pairs are laid one over the other. A pair is
reported when the difference that remains is small by itself and also small against what the picture's ordinary
neighbours leave: ones of an even hand resemble each other far more than portraits do, and only the second test sees
that."""
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from fastlab.check.align import differences
from fastlab.check.frames import Frames, content_frames, flat_border, ink, middle_frames
from fastlab.check.neighbours import NUMBERS, descriptors, nearest

NEIGHBOURS = 16             # looked up for each picture
ORDINARY = slice(6, None)   # the neighbours beyond any likely copies: what a picture's surroundings are like
CLOSEST = 3                 # of them are candidates
STANDS_OUT = 0.65           # a candidate's distance over the ordinary neighbours', at most
SMALL = 0.015               # the difference that a copy may have
SHARE = 0.18                # … and at most this share of the ordinary neighbours' difference
NOTHING = 0.0005            # a difference that needs no comparison: the same pixels but for rounding
UNKNOWN = 0.1               # taken for the ordinary difference where a folder is too small to tell
BOTH_KINDS = 0.05           # a folder with more than this share of the other kind is searched in both ways
PLAIN = (1, 0, 0)           # a look at the frame as it stands
CHUNK, PAIRS = 4096, 512    # thumbnails and pairs in memory at once


@dataclass(frozen=True)
class Search:
    """One way to look. frames: marks → Frames; looks: (zoom, right, down) float32 (L, 3), over the frame's half-width,
    in which each picture is looked up, to meet copies that were scaled or shifted where the frame does not follow the
    content; steps: of the alignment."""
    frames: Callable
    looks: np.ndarray
    steps: int

    def framed(self, marks, look=PLAIN):
        "The frames of pictures, each moved by its look: look (3,) or (N, 3)."
        found, look = self.frames(marks), np.asarray(look, np.float32)
        return Frames(found.x + look[..., 1] * found.half, found.y + look[..., 2] * found.half,
                      found.half * look[..., 0])


DRAWINGS = Search(content_frames, np.array([PLAIN], np.float32), steps=2)
PHOTOGRAPHS = Search(middle_frames, np.array([PLAIN, (0.95, 0, 0), (0.905, 0, 0), (1, 0.08, 0.08), (1, 0.08, -0.08),
                                              (1, -0.08, 0.08), (1, -0.08, -0.08)], np.float32), steps=6)


@dataclass(frozen=True)
class Pairs:
    "first, second: rows with first < second; difference: 1 − correlation after alignment; ordinary: the neighbours'."
    first: np.ndarray
    second: np.ndarray
    difference: np.ndarray
    ordinary: np.ndarray


def near_pairs(count, read, progress=None):
    """All pairs that are nearly the same among `count` thumbnails, as Pairs. read(rows) → uint8 (n, S, S). Thumbnails
    that are identical should be given once. progress(done, total) is told of descriptors and comparisons."""
    if count < 2:
        return _united([])
    flat = np.concatenate([flat_border(read(rows)) for rows in _chunks(count)]).mean()
    searches = [DRAWINGS] if flat > BOTH_KINDS else []
    searches += [PHOTOGRAPHS] if 1 - flat > BOTH_KINDS else []
    return _united([_found(search, count, read, progress) for search in searches])


def joined(pairs, count):
    "The pairs joined into groups: a list of row arrays, each in order."
    if not len(pairs.first):
        return []
    links = coo_array((np.ones(len(pairs.first)), (pairs.first, pairs.second)), shape=(count, count))
    number = connected_components(links, directed=False)[1]
    rows = np.unique(np.concatenate([pairs.first, pairs.second]))
    order = rows[np.argsort(number[rows], kind="stable")]
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1)


def _chunks(count):
    return [np.arange(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]


def _found(search, count, read, progress):
    "The Pairs that one way to look finds."
    index = _descriptors(search, count, read, PLAIN)
    surroundings, first, second, look = _candidates(search, index, read)
    difference = _compared(search, read, first, second, search.looks[look], progress)
    keep = difference <= SMALL
    first, second, difference = first[keep], second[keep], difference[keep]
    level = _ordinary(search, read, np.unique(np.concatenate([first, second])), surroundings, progress)
    ordinary = np.minimum(level[first], level[second])
    copies = difference <= np.maximum(SHARE * ordinary, NOTHING)
    return Pairs(np.minimum(first, second)[copies], np.maximum(first, second)[copies], difference[copies],
                 ordinary[copies])


def _descriptors(search, count, read, look):
    found = np.empty((count, NUMBERS), np.float32)
    for rows in _chunks(count):
        marks = ink(read(rows))
        found[rows] = descriptors(marks, search.framed(marks, look))
    return found


def _candidates(search, index, read):
    "(every row's neighbours, the candidate pairs' first, second, number of the look that shows them most alike)."
    surroundings, found = None, []
    for number, look in enumerate(search.looks):
        queries = index if number == 0 else _descriptors(search, len(index), read, look)
        rows, similar = nearest(queries, index, NEIGHBOURS)
        surroundings = rows if surroundings is None else surroundings
        query, place = _standing_out(rows, similar)
        found.append((query, rows[query, place].astype(np.int64), np.full(len(query), number), -similar[query, place]))
    first, second, look, unlike = (np.concatenate(parts) for parts in zip(*found))
    pair = np.minimum(first, second) * len(index) + np.maximum(first, second)
    order = np.lexsort((unlike, pair))
    order = order[np.unique(pair[order], return_index=True)[1]]
    return surroundings, first[order], second[order], look[order]


def _standing_out(rows, similar):
    "Which of each query's closest neighbours are candidates: (query, place among the neighbours)."
    out = np.zeros((len(rows), CLOSEST), bool)
    for part in _chunks(len(rows)):
        distance = np.where(rows[part] >= 0, 1 - similar[part], np.nan)
        level = _median(distance[:, ORDINARY], np.inf)
        out[part] = (distance[:, :CLOSEST] <= STANDS_OUT * level[:, None]) & (rows[part, :CLOSEST] >= 0)
    return np.nonzero(out)


def _median(values, otherwise):
    "The median of each row's numbers, nan left out; `otherwise` for rows without any."
    level = np.full(len(values), otherwise, np.float32)
    some = np.isfinite(values).any(axis=1)
    level[some] = np.nanmedian(values[some], axis=1)
    return level


def _compared(search, read, first, second, look, progress):
    "The difference of each pair after alignment; the search begins with the first picture as its look (N, 3) shows it."
    left = np.full(len(first), 2, np.float32)
    for start in range(0, len(first), PAIRS):
        chunk = slice(start, start + PAIRS)
        one, other = ink(read(first[chunk])), ink(read(second[chunk]))
        left[chunk] = differences(one, other, search.framed(one, look[chunk]), search.framed(other), search.steps)
        if progress:
            progress(min(start + PAIRS, len(first)), len(first))
    return left


def _ordinary(search, read, rows, surroundings, progress):
    "What the rows' ordinary neighbours leave after alignment: float32 by row, UNKNOWN where there are none."
    level = np.full(len(surroundings), UNKNOWN, np.float32)
    known = surroundings[rows, ORDINARY][:, ::2].astype(np.int64)
    row, place = np.nonzero(known >= 0)
    left = np.full(known.shape, np.nan, np.float32)
    plain = np.tile(np.float32(PLAIN), (len(row), 1))
    left[row, place] = _compared(search, read, rows[row], known[row, place], plain, progress)
    level[rows] = _median(left, UNKNOWN)
    return level


def _united(found):
    "The pairs of several searches, each once, at its smallest difference."
    names = ("first", "second", "difference", "ordinary")
    first, second, difference, ordinary = (np.concatenate([getattr(pairs, name) for pairs in found] or [[]])
                                           for name in names)
    order = np.lexsort((difference, second, first))
    fresh = np.ones(len(order), bool)
    fresh[1:] = (np.diff(first[order]) != 0) | (np.diff(second[order]) != 0)
    order = order[fresh]
    return Pairs(first[order].astype(np.int64), second[order].astype(np.int64), difference[order], ordinary[order])
