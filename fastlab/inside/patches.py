"""The patches of images that each unit answers to most, cut at its receptive field."""
from dataclasses import dataclass

import numpy as np
import torch

from fastlab.errors import OptionError
from fastlab.inside.fields import fields
from fastlab.inside.inputs import prepared
from fastlab.inside.uses import watched
from fastlab.inside.warping import background
from fastlab.nets.steps import evaluating


@dataclass(frozen=True)
class Patches:
    """Of one step, for each of its units (channels; U) the `count` images that it answers to most, best first.
    values (U, count): the greatest answer in the image; images (U, count): the image's index; boxes (U, count, 4):
    top, left, bottom, right of the receptive field there, not cut at the image; n: images looked at."""
    name: str
    values: np.ndarray
    images: np.ndarray
    boxes: np.ndarray
    n: int


def best_patches(net, images, name, count=9, chunk=128, mean=0.0, std=1.0):
    """The Patches of step `name` of `net` over all `images` (see `prepared`), each image at most once a unit. Streamed:
    memory grows with `chunk` and units · count, not with the images. Raises OptionError for a step without places."""
    images = prepared(images, net, mean, std)
    field = field_of(net, images, name)
    count, start, found = min(count, len(images)), 0, None

    def note(step, module, inputs, output):
        nonlocal found
        if step == name:
            found = merged(found, greatest(output, start), count)

    with evaluating(net), torch.no_grad(), watched(net, note):
        for start in range(0, len(images), chunk):
            net(images[start:start + chunk])
    values, indices, places = (tensor.T.cpu().numpy() for tensor in found)
    rows, columns = np.divmod(places, field.shape[2])
    boxes = np.stack([rows * field.jump[0] + field.start[0], columns * field.jump[1] + field.start[1]], -1)
    return Patches(name, values, indices, np.concatenate([boxes, boxes + np.array(field.size)], -1), len(images))


def field_of(net, images, name):
    "The Field of step `name`. Raises OptionError where there is none, or it has no places."
    known = {field.name: field for field in fields(net, images.shape[1], images.shape[2]) if len(field.shape) == 3}
    if name not in known:
        raise OptionError(f"name: {name!r} is no step with maps. Choose one of: {', '.join(known)}.")
    return known[name]


def greatest(output, start):
    "Each image's greatest value of each channel (N, U), the image's index and the place, counted row after row."
    values, places = output.flatten(2).max(2)
    indices = torch.arange(start, start + len(output), device=output.device)[:, None].expand_as(values)
    return values, indices, places


def merged(found, new, count):
    "The `count` greatest of two lots; on a tie the earlier image."
    if found is not None:
        new = [torch.cat(pair) for pair in zip(found, new)]
    order = new[0].argsort(dim=0, descending=True, stable=True)[:count]
    return [tensor.gather(0, order) for tensor in new]


def cut(patches, images, unit, mean=0.0, std=1.0):
    """The patches of one `unit` as float32 (count, C, height, width), cut out of `images`, those that `best_patches`
    got. What lies outside an image is its background; where a field is larger than the image, all of it is given."""
    images = prepared(images[patches.images[unit]], None, mean, std)
    height, width = images.shape[2:]
    pieces = []
    for image, (top, left, bottom, right) in zip(images.split(1), patches.boxes[unit]):
        if bottom - top >= height or right - left >= width:
            pieces.append(image)
            continue
        piece = background(image).expand(1, -1, bottom - top, right - left).clone()
        inside = image[:, :, max(0, top):max(0, bottom), max(0, left):max(0, right)]
        down, over = max(0, -top), max(0, -left)
        piece[:, :, down:down + inside.shape[2], over:over + inside.shape[3]] = inside
        pieces.append(piece)
    return torch.cat(pieces).float().cpu().numpy()
