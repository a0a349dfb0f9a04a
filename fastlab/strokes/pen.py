"""A pen that imagines many hands: from a character's strokes to polylines as one writer would have placed them.

Everything about a writer is drawn once (`hands`) and holds for all that this writer writes; what differs from one
character to the next is drawn when it is written (`write`). All writers write a character at the same time: arrays."""
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from fastlab.strokes.table import PROPORTIONS, strokes_of

FAMILIES = ("heart", "bamboo", "walk", "inside")
STEP = 8.0                      # per cent of the square between two points of a drawn stroke


@dataclass(frozen=True)
class Hands:
    """The manner of n writers, one number each. slant: shear; turn: radians; high, wide: share of the frame; x, y: of
    the frame's free room, 0 left or top; thickness: of the pen, in 28ths of the frame; hard: how black and white the
    ink is; round: corners, 0 sharp; loose: how far strokes stray; bow, wobble: how strokes bend and tremble; join:
    chance that the pen stays down between strokes; drop: chance that a stroke is left out; run: by how much strokes
    run over or stop short; squeeze: of proportions; habits: (n, families), which forms are written."""
    slant: np.ndarray
    turn: np.ndarray
    high: np.ndarray
    wide: np.ndarray
    x: np.ndarray
    y: np.ndarray
    thickness: np.ndarray
    hard: np.ndarray
    round: np.ndarray
    loose: np.ndarray
    bow: np.ndarray
    wobble: np.ndarray
    join: np.ndarray
    drop: np.ndarray
    run: np.ndarray
    squeeze: np.ndarray
    habits: np.ndarray

    def __len__(self):
        return len(self.slant)

    def of(self, rows):
        "Some of the writers."
        return Hands(*(getattr(self, each.name)[rows] for each in fields(self)))


def hands(count, rng):
    "`count` writers, drawn from the numpy Generator `rng`."
    size = np.clip(rng.normal(0.71, 0.15, count), 0.36, 1.0)
    aspect = np.exp(rng.normal(0.0, 0.15, count))
    return Hands(
        slant=rng.normal(0.04, 0.09, count), turn=rng.normal(0.0, 0.05, count),
        high=np.clip(size / np.sqrt(aspect), 0.34, 1.0), wide=np.clip(size * np.sqrt(aspect), 0.3, 1.0),
        x=np.clip(rng.normal(0.45, 0.2, count), 0, 1), y=np.clip(rng.normal(0.42, 0.2, count), 0, 1),
        thickness=np.clip(rng.normal(1.15, 0.15, count), 0.9, 2.0),
        hard=rng.choice([1.5, 4.0, 40.0], count, p=[0.15, 0.25, 0.6]),
        round=rng.beta(1.2, 1.8, count), loose=np.exp(rng.normal(np.log(0.022), 0.45, count)),
        bow=np.abs(rng.normal(0, 0.045, count)), wobble=np.exp(rng.normal(np.log(0.010), 0.5, count)),
        join=np.where(rng.random(count) < 0.3, rng.beta(1.5, 4, count) * 0.6, 0.02),
        drop=np.where(rng.random(count) < 0.1, 0.03, 0.0), run=rng.normal(0.0, 0.05, count),
        squeeze=np.abs(rng.normal(0, 0.05, count)), habits=rng.random((count, len(FAMILIES))))


def write(character, writers, rng):
    """One of the twelve characters, written once by each of `writers` (Hands): a list, one a writer, of polylines,
    float arrays (points, 2) in the frame 0…1, x to the right and y down, in writing order. `rng`: a numpy Generator."""
    strokes = strokes_of(character)
    count = len(writers)
    placed = [_placed(stroke, writers, rng) for stroke in strokes]
    warp = rng.normal(0, 1, (count, 4)) * writers.squeeze[:, None]
    joined = rng.random((count, len(strokes))) < writers.join[:, None]
    dropped = rng.random((count, len(strokes))) < writers.drop[:, None]
    written = []
    for row in range(count):
        paths = []
        for number, stroke in enumerate(placed):
            path = _warped(stroke[row], warp[row])
            if dropped[row, number] and len(strokes) > 5:
                continue
            if paths and joined[row, number] and np.linalg.norm(paths[-1][-1] - path[0]) < 0.45:
                paths[-1] = np.concatenate([paths[-1], path])
            else:
                paths.append(path)
        written.append(paths)
    return [_framed(paths, writers, row, PROPORTIONS[character]) for row, paths in enumerate(written)]


def _placed(stroke, writers, rng):
    "One stroke as every writer places it: a list of (points, 2) arrays, in shares of the square."
    count = len(writers)
    habit = writers.habits[:, FAMILIES.index(stroke.family)] if stroke.family else rng.random(count)
    ends = np.cumsum([share for share, _ in stroke.forms])
    chosen = np.searchsorted(ends, habit, side="right")
    shapes = [points for _, points in stroke.forms] + [stroke.points]
    placed = [None] * count
    for number, points in enumerate(shapes):
        rows = np.flatnonzero(chosen == number)
        if len(rows):
            for row, path in zip(rows, _strayed(_dense(points), writers.of(rows), stroke.slack, rng)):
                placed[row] = path
    return placed


def _dense(points):
    "The polyline's points in shares of the square, with more between them, at most STEP per cent apart."
    points = np.array(points) / 100
    parts = [points[:1]]
    for start, end in pairwise(points):
        pieces = max(int(np.ceil(np.linalg.norm(end - start) * 100 / STEP)), 1)
        parts.append(start + (end - start) * (np.arange(1, pieces + 1) / pieces)[:, None])
    return np.concatenate(parts)


def _strayed(points, writers, slack, rng):
    "(writers, points, 2): rounded, bent, trembling, moved, turned, scaled and run over as each writer does."
    count, length = len(writers), len(points)
    path = np.repeat(points[None], count, 0)
    smooth = path.copy()
    for _ in range(3):
        smooth[:, 1:-1] = (smooth[:, :-2] + 2 * smooth[:, 1:-1] + smooth[:, 2:]) / 4
    path += (smooth - path) * writers.round[:, None, None]
    middle = path.mean(1, keepdims=True)
    turn = rng.normal(0, 2.2, count) * writers.loose
    scale = np.exp(rng.normal(0, 2.0, (count, 1, 2)) * writers.loose[:, None, None])
    away = (path - middle) * scale
    cosine, sine = np.cos(turn)[:, None], np.sin(turn)[:, None]
    away = np.stack([away[..., 0] * cosine - away[..., 1] * sine, away[..., 0] * sine + away[..., 1] * cosine], -1)
    path = middle + away + rng.normal(0, 1, (count, 1, 2)) * (writers.loose * slack)[:, None, None]
    along = path[:, -1:] - path[:, :1]
    across = np.stack([-along[..., 1], along[..., 0]], -1)
    time = np.linspace(0, 1, length)[None, :, None]
    path = path + across * (np.sin(np.pi * time) * rng.normal(0, 1, (count, 1, 1)) * writers.bow[:, None, None])
    run = (rng.normal(0, 0.05, (count, 2)) + writers.run[:, None])[:, :, None]
    if length > 1:
        path[:, 0] += (path[:, 0] - path[:, 1]) * run[:, 0] * length
        path[:, -1] += (path[:, -1] - path[:, -2]) * run[:, 1] * length
    tremble = rng.normal(0, 1, (count, length, 2)) * writers.wobble[:, None, None]
    return path + tremble


def _warped(path, warp):
    "Proportions as they come out: the middle of the square drawn to one side, along and across."
    x, y = path[:, 0], path[:, 1]
    bump_x, bump_y = np.sin(np.pi * np.clip(x, 0, 1)), np.sin(np.pi * np.clip(y, 0, 1))
    return np.stack([x + bump_x * (warp[0] + warp[1] * (y - 0.5)), y + bump_y * (warp[2] + warp[3] * (x - 0.5))], 1)


def _framed(paths, writers, row, proportions):
    "The polylines slanted, turned, sized and set into the frame, wholly inside it."
    points = np.concatenate(paths) - 0.5
    x = (points[:, 0] - writers.slant[row] * points[:, 1]) * writers.wide[row] * proportions[1]
    y = points[:, 1] * writers.high[row] * proportions[0]
    cosine, sine = np.cos(writers.turn[row]), np.sin(writers.turn[row])
    points = np.stack([x * cosine - y * sine, x * sine + y * cosine], 1)
    low, high = points.min(0), points.max(0)
    room, edge = high - low, writers.thickness[row] / 56
    points = (points - low) * np.minimum(1, (1 - 2 * edge) / room)
    free = 1 - 2 * edge - points.max(0)
    points = points + edge + free * np.array([writers.x[row], writers.y[row]])
    return np.split(points, np.cumsum([len(path) for path in paths])[:-1])
