"""How far each unit sees: the receptive field in closed form, and the effective one by gradients.

Closed form (Araujo, Norris, Sim 2019, "Computing receptive fields of convolutional neural networks"): through a window
of size k, stride s, padding p a field f grows to f + (k - 1) j, the jump j between neighbouring units becomes j s, and
the first unit's field starts at start - p j."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from fastlab.inside.inputs import prepared
from fastlab.inside.uses import used_steps, watched
from fastlab.nets.steps import evaluating
from fastlab.seeds import torch_generator

FIXED_WINDOWS = (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)
ADAPTIVE_WINDOWS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)


@dataclass(frozen=True)
class Field:
    """The receptive field of one step's units. `size`, `jump` and `start` are (vertical, horizontal) in input pixels:
    the unit at row i sees rows start + i jump … start + i jump + size - 1, which may lie outside the image. (Where a
    stride does not fit a side, the last rows are dropped by some window, and the last units see a little less.)"""
    name: str
    shape: tuple
    size: tuple = (1, 1)
    jump: tuple = (1, 1)
    start: tuple = (0, 0)

    def box(self, row=0, column=0):
        "(top, left, bottom, right) of the unit at (row, column), bottom and right outside, not cut at the image."
        top, left = (begin + place * jump for begin, place, jump in zip(self.start, (row, column), self.jump))
        return top, left, top + self.size[0], left + self.size[1]

    def box_inside(self, image_size, row=0, column=0):
        "The same box, cut at the image of (height, width)."
        top, left, bottom, right = self.box(row, column)
        return max(0, top), max(0, left), min(image_size[0], bottom), min(image_size[1], right)


def window_of(step):
    "((kernel, stride, padding) vertical, the same horizontal) of a step; a kernel counts its dilation."
    module = step.module
    if isinstance(module, ADAPTIVE_WINDOWS):
        return [adaptive_window(before, after) for before, after in zip(step.input_shape[1:], step.shape[1:])]
    if isinstance(module, FIXED_WINDOWS):
        kernels, strides, paddings, dilations = (pair(getattr(module, option, 1)) for option in
                                                 ("kernel_size", "stride", "padding", "dilation"))
        return [((kernel - 1) * dilation + 1, stride, padding) for kernel, stride, padding, dilation in
                zip(kernels, strides, paddings, dilations)]
    if len(step.input_shape) == 3 and len(step.shape) == 1:  # flattening: from here on, every unit sees every place
        return [(side, side, 0) for side in step.input_shape[1:]]
    return [(1, 1, 0), (1, 1, 0)]


def adaptive_window(before, after):
    "The window that an adaptive pooling from `before` to `after` places comes down to, as nearly as one window can."
    stride = max(1, before // after)
    return before - (after - 1) * stride, stride, 0


def pair(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def field_after(before, step):
    "The field of `step`'s units from that of its input's."
    kernels, strides, paddings = zip(*window_of(step))
    return Field(step.name, step.shape,
                 tuple(size + (kernel - 1) * jump for size, kernel, jump in zip(before.size, kernels, before.jump)),
                 tuple(jump * stride for jump, stride in zip(before.jump, strides)),
                 tuple(start - padding * jump for start, padding, jump in zip(before.start, paddings, before.jump)))


def fields(net, channels, size):
    """The receptive field of every step of `net` for images of (channels, size, size), a list of Field in order.

    Where a function joins branches (a residual sum), its result takes the widest field of that many places; where a
    function moves windows (a pooling that is not a part), the window is taken as no larger than its stride."""
    image = Field("image", (channels, size, size))
    found, all_steps = [], used_steps(net, channels, size)
    for step in all_steps:
        if step.source is not None:
            before = image if step.source == -1 else found[step.source]
        else:
            before = guessed_source(step, [image, *found])
        found.append(field_after(before, step))
    return found


def guessed_source(step, known):
    "The field that an input of unknown origin has: the widest with as many places, else the last one, strided."
    places = step.input_shape[1:]
    alike = [field for field in known if field.shape[1:] == places and (places or len(field.shape) == 1)]
    if alike:
        return max(reversed(alike), key=lambda field: field.size)
    last = known[-1]
    ratios = [max(1, round(before / after)) for before, after in zip(last.shape[1:], places or (1, 1))]
    ratios = ratios or [1, 1]
    return Field("function", step.input_shape,
                 tuple(size + (ratio - 1) * jump for size, jump, ratio in zip(last.size, last.jump, ratios)),
                 tuple(jump * ratio for jump, ratio in zip(last.jump, ratios)), last.start)


@dataclass(frozen=True)
class EffectiveField:
    """Where the middle unit of a step really looks: `map` (H, W), the root mean square gradient over images and
    channels, 1 at its greatest; `size`, the side of a square of as many pixels as exceed 4.55 % of the greatest (the
    measure of Luo, Li, Urtasun, Zemel 2016); `n` images."""
    name: str
    map: np.ndarray
    size: float
    n: int

    @property
    def half(self):
        "The side of a square of as many pixels as hold half of the squared gradient, the greatest first."
        squares = np.sort(self.map.astype(np.float64).ravel() ** 2)[::-1].cumsum()
        return float(np.sqrt(1 + (squares < squares[-1] / 2).sum())) if squares[-1] > 0 else 0.0


def effective_fields(net, images, names=None, seed=0, chunk=32, mean=0.0, std=1.0):
    """{name: EffectiveField} of the steps `names` (all, when None) of `net` on `images`, see `prepared`.

    For each image the gradient of one weighing of all channels of the middle unit, with signs drawn from `seed`: its
    mean square over images is that over channels, in one backward pass an image, not one a channel."""
    images = prepared(images, net, mean, std)
    signs, totals = torch_generator(seed, "show"), {}
    with evaluating(net):
        for part in images.split(chunk):
            for name, squares in squared_gradients(net, part.detach().clone(), names, signs).items():
                totals[name] = totals.get(name, 0) + squares
    return {name: effective_field(name, np.sqrt(total / len(images)), len(images)) for name, total in totals.items()}


def squared_gradients(net, images, names, signs):
    "{step name: (H, W) float64 array} sum over `images` and colours of the squared gradient of the middle unit."
    outputs = {}
    images.requires_grad_()

    def keep(name, module, inputs, output):
        if (names is None or name in names) and output.ndim in (2, 4) and output.requires_grad:
            outputs[name] = middle(output)

    with watched(net, keep):
        net(images)
    found = {}
    for name, units in outputs.items():
        weighing = torch.randint(0, 2, units.shape, generator=signs).to(units) * 2 - 1
        gradient, = torch.autograd.grad((units * weighing).sum(), images, retain_graph=True, materialize_grads=True)
        found[name] = gradient.double().square().sum((0, 1)).cpu().numpy()
    return found


def middle(output):
    "The units (N, C) of the middle place; all units of a step without places."
    return output[:, :, output.shape[2] // 2, output.shape[3] // 2] if output.ndim == 4 else output


def effective_field(name, rms, n):
    greatest = rms.max()
    shares = rms / greatest if greatest > 0 else rms
    return EffectiveField(name, shares.astype(np.float32), float(np.sqrt((shares > 0.0455).sum())), n)
