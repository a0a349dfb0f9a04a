"""Which thumbnails look alike: a short descriptor of each, and every one's nearest others by blocked matrix products.

The descriptor is the low-frequency part of a discrete cosine transform of what stands in the frame: 44 numbers of unit
length, so that an inner product is a correlation. All pairs are compared, but as products of blocks of constant size:
10^10 comparisons take a minute on one core, and memory grows with the number of images only."""
import numpy as np

from fastlab.check.frames import sample

GRID = 12
NUMBERS = 44                              # of a descriptor
ROWS, COLUMNS, GROUP = 1024, 8192, 32     # a block of similarities is ROWS × COLUMNS; GROUP columns share a maximum


def cosine_basis(size):
    "The orthonormal DCT-II as a matrix: (size, size), row k is frequency k."
    place = (np.arange(size) + 0.5) * np.pi / size
    basis = np.cos(np.arange(size)[:, None] * place) * np.sqrt(2 / size)
    basis[0] /= np.sqrt(2)
    return basis.astype(np.float32)


def descriptors(marks, frames):
    "What stands in each frame, as unit vectors of its low frequencies: float32 (N, NUMBERS). marks: (N, S, S)."
    basis = cosine_basis(GRID)
    seen = sample(marks, frames, GRID).reshape(-1, GRID, GRID)
    waves = basis @ seen @ basis.T
    order = np.add.outer(np.arange(GRID), np.arange(GRID))
    low = waves[:, (order > 0) & (order < GRID - 3)]
    return low / np.maximum(np.linalg.norm(low, axis=1, keepdims=True), 1e-6)


def nearest(queries, index, count, own=True):
    """Each query's `count` most similar rows of `index`: (rows, similarities), most similar first. With `own`, query i
    is row i itself and is left out. Where there are fewer rows, -1 with similarity -2 fills up."""
    rows, similar = np.empty((len(queries), count), np.int32), np.empty((len(queries), count), np.float32)
    for start in range(0, len(queries), ROWS):
        part = slice(start, start + ROWS)
        rows[part], similar[part] = _nearest_block(queries[part], index, count, start if own else None)
    return rows, similar


def _nearest_block(queries, index, count, own):
    rows = np.full((len(queries), count), -1, np.int32)
    best = np.full((len(queries), count), -2, np.float32)
    for start in range(0, len(index), COLUMNS):
        similar = queries @ index[start:start + COLUMNS].T
        if own is not None:
            here = np.arange(max(own, start), min(own + len(queries), start + similar.shape[1]))
            similar[here - own, here - start] = -2
        columns, values = _largest(similar, count)
        rows, best = _merged(rows, best, columns + start, values, count)
        del similar, columns, values        # before the next block is made, not after
    order = np.argsort(-best, axis=1, kind="stable")
    return np.take_along_axis(rows, order, 1), np.take_along_axis(best, order, 1)


def _largest(similar, count):
    """The `count` largest of each row, unordered: (columns, values). They can only lie in the `count` groups of columns
    with the largest maxima, which leaves little to sort."""
    groups = similar.shape[1] // GROUP
    if groups <= count:
        return _partition(np.broadcast_to(np.arange(similar.shape[1]), similar.shape), similar, count)
    body = similar[:, :groups * GROUP]
    tops = body.reshape(len(body), groups, GROUP).max(axis=2)
    chosen = np.argpartition(-tops, count - 1, axis=1)[:, :count]
    columns = (chosen[:, :, None] * GROUP + np.arange(GROUP)).reshape(len(body), -1)
    rest = np.arange(groups * GROUP, similar.shape[1])
    columns = np.concatenate([columns, np.broadcast_to(rest, (len(body), len(rest)))], axis=1)
    return _partition(columns, np.take_along_axis(similar, columns, 1), count)


def _partition(columns, values, count):
    if values.shape[1] > count:
        chosen = np.argpartition(-values, count - 1, axis=1)[:, :count]
        return np.take_along_axis(columns, chosen, 1), np.take_along_axis(values, chosen, 1)
    return columns, values


def _merged(rows, best, columns, values, count):
    return _partition(np.concatenate([rows, columns], axis=1), np.concatenate([best, values], axis=1), count)
