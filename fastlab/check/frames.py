"""Where the content of a thumbnail lies, and how it looks there: the frame in which two pictures are compared.

A frame is a centre and a half-width in pixels. The content frame is found by centred moments of the ink (Hu 1962:
first moments give the place, second the size), so that a drawing that was shifted or scaled fills its frame as before.
A photograph fills the whole picture and has no such moments; its frame is the middle of the picture."""
from typing import NamedTuple

import numpy as np

REACH = 1.75       # half-width of a content frame, in standard deviations of the ink
FAINT = 0.15       # ink weaker than this share of the strongest is not counted: what a JPEG leaves around strokes
FLAT = 0.08        # a border pixel belongs to the ground when it differs by less than this share of the range


class Frames(NamedTuple):
    "x, y: centres in pixels (pixel 0 has its centre at 0); half: half-widths in pixels; each float32 (N,)."
    x: np.ndarray
    y: np.ndarray
    half: np.ndarray


def ink(thumbs):
    "How far each pixel stands from the ground (the border's median), over the strongest: float32 (N, S, S) in -1…1."
    thumbs = thumbs.astype(np.float32)
    marks = thumbs - np.median(_border(thumbs), axis=1)[:, None, None]
    return marks / np.maximum(np.abs(marks).max(axis=(1, 2), keepdims=True), 1e-6)


def flat_border(thumbs):
    "Which thumbnails (N, S, S) have a plain ground, as drawings do: four fifths of the border are of one grey value."
    border = _border(thumbs).astype(np.float32)
    reach = FLAT * np.ptp(thumbs.reshape(len(thumbs), -1), axis=1).astype(np.float32)
    near = np.abs(border - np.median(border, axis=1, keepdims=True)) <= reach[:, None]
    return near.mean(axis=1) >= 0.8


def _border(thumbs):
    return np.concatenate([thumbs[:, 0], thumbs[:, -1], thumbs[:, 1:-1, 0], thumbs[:, 1:-1, -1]], axis=1)


def content_frames(marks):
    "The frames of what is drawn: centre of mass of the ink, REACH standard deviations wide. marks: from `ink`."
    weight = np.maximum(np.abs(marks) - FAINT, 0)
    mass = np.maximum(weight.sum(axis=(1, 2)), 1e-6)
    place = np.arange(marks.shape[1], dtype=np.float32)
    columns, rows = weight.sum(axis=1), weight.sum(axis=2)
    x, y = columns @ place / mass, rows @ place / mass
    spread = columns @ place**2 / mass - x**2 + rows @ place**2 / mass - y**2
    return Frames(x, y, (REACH * np.sqrt(np.maximum(spread, 0.25))).astype(np.float32))


def middle_frames(marks):
    "The frames of whole pictures: all of them."
    count, side = len(marks), marks.shape[1]
    middle = np.full(count, (side - 1) / 2, np.float32)
    return Frames(middle, middle, middle.copy())


def offsets(grid):
    "The `grid` sampling places across a frame, in half-widths: -1 … 1."
    return ((np.arange(grid) - (grid - 1) / 2) / (grid / 2)).astype(np.float32)


def sample(planes, frames, grid):
    """What stands in each frame, by bilinear interpolation on a grid × grid lattice; beyond the edge the edge goes on.
    planes: (N, S, S) or (N, S, S, C). Returns (N, grid·grid) or (N, grid·grid, C)."""
    count, side = planes.shape[:2]
    flat = planes.reshape(count * side * side, -1)
    u = offsets(grid)
    left, right, across = _between(frames.x[:, None] + frames.half[:, None] * u, side)
    top, bottom, down = _between(frames.y[:, None] + frames.half[:, None] * u, side)
    start = (np.arange(count) * side * side)[:, None]
    top, bottom = start + top * side, start + bottom * side
    across, down = across[:, None, :, None], down[:, :, None, None]

    def taken(rows, columns):
        return flat[rows[:, :, None] + columns[:, None, :]]
    upper = taken(top, left) * (1 - across) + taken(top, right) * across
    lower = taken(bottom, left) * (1 - across) + taken(bottom, right) * across
    found = upper * (1 - down) + lower * down
    return found.reshape(count, grid * grid, *planes.shape[3:])


def _between(places, side):
    "The two pixels that each place lies between, kept inside the picture, and how far it is from the first."
    low = np.floor(places)
    first = np.clip(low, 0, side - 1).astype(np.int64)
    return first, np.clip(low + 1, 0, side - 1).astype(np.int64), (places - low).astype(np.float32)


def covered(frames, side, grid):
    "Which lattice places of each frame lie on the picture: float32 (N, grid·grid) of 0 and 1."
    u = offsets(grid)
    places = np.stack([frames.y, frames.x])[:, :, None] + frames.half[:, None] * u
    down, across = (places >= -0.01) & (places <= side - 0.99)
    return (down[:, :, None] & across[:, None, :]).reshape(len(frames.x), -1).astype(np.float32)
