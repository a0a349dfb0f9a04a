"""Images moved, turned, scaled and blurred by noise: float tensors (N, C, H, W) in, the same shape out.

What comes in at the edges is the image's own background: the median of its border, colour by colour."""
import math

import torch
from torch.nn.functional import affine_grid, grid_sample


def background(images):
    "The median of each image's border, (N, C, 1, 1)."
    border = torch.cat([images[:, :, 0], images[:, :, -1], images[:, :, :, 0], images[:, :, :, -1]], 2)
    return border.median(2).values[:, :, None, None]


def shifted(images, down=0, right=0):
    "Moved by whole pixels; exact, nothing is interpolated."
    height, width = images.shape[2:]
    moved = background(images).expand_as(images).clone()
    if abs(down) < height and abs(right) < width:
        to_rows, from_rows = overlap(down, height)
        to_columns, from_columns = overlap(right, width)
        moved[:, :, to_rows, to_columns] = images[:, :, from_rows, from_columns]
    return moved


def overlap(by, length):
    "The slices (to, from) of a line of `length` that is moved by `by`."
    return slice(max(0, by), length + min(0, by)), slice(max(0, -by), length - max(0, by))


def rotated(images, degrees):
    "Turned about the middle, counter-clockwise as seen; bilinear."
    angle = math.radians(degrees)
    return affine(images, [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])


def scaled(images, factor):
    "Made larger (factor above 1) or smaller about the middle; bilinear."
    return affine(images, [[1 / factor, 0.0], [0.0, 1 / factor]])


def affine(images, matrix):
    "Each output place takes what lies at matrix · place, in pixels from the middle; outside lies the background."
    height, width = images.shape[2:]
    (a, b), (c, d) = matrix
    theta = torch.tensor([[a, b * height / width, 0.0], [c * width / height, d, 0.0]], dtype=images.dtype,
                         device=images.device).expand(len(images), 2, 3)
    ground = background(images)
    grid = affine_grid(theta, list(images.shape), align_corners=False)
    return grid_sample(images - ground, grid, align_corners=False) + ground


def noisy(images, share, generator):
    "With normal noise of deviation `share` of the span between the darkest and the lightest value of all images."
    span = images.max() - images.min()
    noise = torch.randn(images.shape, generator=generator, dtype=torch.float32).to(images)
    return images + noise * span * share
