"""How different two pictures are once one is laid over the other as well as a shift, a scale and a change of sharpness
allow: the evidence that they are one picture.

The second picture's frame is moved by Gauss–Newton steps (Lucas & Kanade 1981) until what stands in it correlates best
with the first. Brightness and contrast drop out of a correlation. Resampling and recompression also change sharpness;
to first order that is a multiple of the Laplacian, and a small one is forgiven. Only places that lie on both pictures
count. What remains is 1 − correlation: 0 for the same picture."""
import numpy as np
from scipy.ndimage import gaussian_filter1d

from fastlab.check.frames import Frames, covered, offsets, sample

GRID = 24
BLUR = 0.7          # pixels; takes the edge off JPEG blocks and pixel lattices
SHARPNESS = 0.3     # the largest share of its Laplacian that may be added to a picture, both as unit vectors
OVERLAP = 0.25      # the least share of the lattice that must lie on both pictures


def differences(first, second, first_frames, second_frames, steps):
    """1 − correlation of each pair after the best alignment found, float32 (N,). first, second: `frames.ink` of N
    pictures each, (N, S, S); the frames are where the search begins, `steps` how often they are moved."""
    template = sample(_with_derivatives(blurred(first))[..., [0, 3]], first_frames, GRID)
    on_first = covered(first_frames, first.shape[1], GRID)
    planes = _with_derivatives(blurred(second))
    least = np.full(len(first), 2, np.float32)
    frames = second_frames
    for step in range(steps + 1):
        seen = sample(planes, frames, GRID)
        mask = on_first * covered(frames, second.shape[1], GRID)
        (target, _), (edges, _) = (_unit(template[:, :, part], mask) for part in (0, 1))
        (view, length), (laplace, _) = (_unit(seen[:, :, part], mask) for part in (0, 3))
        correlation = np.maximum(_correlation(target, view, laplace), _correlation(view, target, edges))
        least = np.minimum(least, np.where(mask.mean(axis=1) < OVERLAP, 2, 1 - correlation))
        if step < steps:
            frames = _moved(frames, seen, mask, target, view, laplace, length)
    return least


def blurred(marks):
    "Each picture (N, S, S) under a Gaussian of BLUR pixels."
    return gaussian_filter1d(gaussian_filter1d(marks, BLUR, 1, mode="nearest"), BLUR, 2, mode="nearest")


def _with_derivatives(planes):
    "The pictures with their slopes across and down and their Laplacian: (N, S, S, 4)."
    down, across = np.gradient(planes, axis=(1, 2))
    padded = np.pad(planes, ((0, 0), (1, 1), (1, 1)), mode="edge")
    laplace = (padded[:, 2:, 1:-1] + padded[:, :-2, 1:-1] + padded[:, 1:-1, 2:] + padded[:, 1:-1, :-2] - 4 * planes)
    return np.stack([planes, across, down, laplace], axis=3)


def _unit(values, mask):
    "Values with mean 0 and length 1 over the mask, and the length they had."
    mean = (values * mask).sum(axis=1, keepdims=True) / np.maximum(mask.sum(axis=1, keepdims=True), 1)
    centred = (values - mean) * mask
    length = np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-6)
    return centred / length, length


def _correlation(target, view, laplace):
    "The correlation of target and view, the view sharpened or softened within SHARPNESS as suits it best."
    along, slope, match = (np.einsum("np,np->n", a, b) for a, b in ((view, laplace), (target, laplace), (target, view)))
    share = (slope - along * match) / np.where(np.abs(match - along * slope) < 1e-6, 1e-6, match - along * slope)
    share = np.clip(share, -SHARPNESS, SHARPNESS)
    return (match + share * slope) / np.sqrt(1 + 2 * share * along + share**2)


def _moved(frames, seen, mask, target, view, laplace, length):
    "The frames after one Gauss–Newton step in place, size, contrast and sharpness."
    u = offsets(GRID)
    across, down = seen[:, :, 1], seen[:, :, 2]
    growth = (across * np.tile(u, GRID) + down * np.repeat(u, GRID)) * frames.half[:, None]
    slopes = np.stack([across, down, growth], axis=2) * mask[:, :, None]
    mean = slopes.sum(axis=1, keepdims=True) / np.maximum(mask.sum(axis=1), 1)[:, None, None]
    slopes = (slopes - mean) * mask[:, :, None]
    system = np.concatenate([slopes, view[:, :, None], laplace[:, :, None]], axis=2)
    normal = np.matmul(system.transpose(0, 2, 1), system) + 1e-5 * np.eye(5, dtype=np.float32)
    error = np.einsum("npk,np->nk", system, (target - view) * length)
    step = np.linalg.solve(normal, error[:, :, None])[:, :, 0]
    return Frames(frames.x + np.clip(step[:, 0], -2, 2), frames.y + np.clip(step[:, 1], -2, 2),
                  frames.half * np.exp(np.clip(step[:, 2], -0.1, 0.1)))
