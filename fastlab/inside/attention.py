"""Where the network looks: Grad-CAM (Selvaraju and others 2017, equations 1, 2) and occlusion (Zeiler, Fergus 2014)."""
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import interpolate

from fastlab.errors import OptionError
from fastlab.inside.inputs import in_chunks, prepared
from fastlab.inside.uses import used_steps, watched
from fastlab.inside.warping import background
from fastlab.nets.steps import evaluating


@dataclass(frozen=True)
class Attention:
    """Of N images: `maps` (N, H, W) float32, `classes` (N,), those that the maps speak for, and `probabilities` (N,),
    what the network gave them."""
    maps: np.ndarray
    classes: np.ndarray
    probabilities: np.ndarray


def targets_of(scores, classes):
    "The classes to explain: the predicted ones, or one for all, or one each. Raises OptionError."
    if classes is None:
        return scores.argmax(1)
    wanted = torch.as_tensor(classes, dtype=torch.int64, device=scores.device).expand(len(scores))
    if wanted.min() < 0 or wanted.max() >= scores.shape[1]:
        raise OptionError(f"classes: {classes!r} must be class numbers from 0 to {scores.shape[1] - 1}.")
    return wanted


def last_maps(net, channels, size):
    "The name of the last step that still has more than one place."
    named = [step.name for step in used_steps(net, channels, size) if len(step.shape) == 3 and step.shape[1] > 1]
    if not named:
        raise OptionError("layer: this network has no step with maps, so there is nothing to look at.")
    return named[-1]


def grad_cam(net, images, classes=None, layer=None, chunk=32, mean=0.0, std=1.0):
    """Grad-CAM of `images` (see `prepared`): the maps of `layer` (the last that has places, when None), each weighted
    by the mean gradient of the class's score, summed, cut at 0, and drawn out to the images' size.

    `classes` None explains the predicted class. Returns an Attention whose maps are 1 at their greatest; a map of
    zeros says that nothing there speaks for the class."""
    images, found = prepared(images, net, mean, std), []
    form = images.shape[1], images.shape[2]
    layer = layer or last_maps(net, *form)
    known = [step.name for step in used_steps(net, *form)]
    if layer not in known:
        raise OptionError(f"layer: {layer!r} is no step. Choose one of: {', '.join(known)}.")
    wanted = None if classes is None else torch.as_tensor(classes).expand(len(images))
    for start in range(0, len(images), chunk):
        part = None if wanted is None else wanted[start:start + chunk]
        found.append(cam_of(net, layer, images[start:start + chunk], part))
    return Attention(*(np.concatenate(arrays) for arrays in zip(*found)))


def cam_of(net, layer, images, classes):
    "Maps, classes and probabilities of some images."
    outputs = {}

    def keep(name, module, inputs, output):
        if name == layer:
            outputs["maps"] = output if output.requires_grad else output.requires_grad_()

    with evaluating(net), watched(net, keep), torch.enable_grad():
        scores = net(images)
        targets = targets_of(scores, classes)
        chosen = scores.gather(1, targets[:, None]).sum()
        gradient, = torch.autograd.grad(chosen, outputs["maps"])
    maps = (gradient.mean((2, 3), keepdim=True) * outputs["maps"].detach()).sum(1, keepdim=True).relu()
    maps = interpolate(maps, images.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    greatest = maps.amax((1, 2), keepdim=True)
    maps = torch.where(greatest > 0, maps / greatest.clamp_min(1e-30), maps)
    shares = scores.detach().float().softmax(1).gather(1, targets[:, None])[:, 0]
    return [tensor.float().cpu().numpy() if tensor.is_floating_point() else tensor.cpu().numpy()
            for tensor in (maps, targets, shares)]


def places(length, window, stride):
    "Where windows begin along a side: every `stride`, and the last one at the end, so that every pixel is covered."
    return sorted({*range(0, length - window, stride), length - window})


def occlusion(net, images, classes=None, window=None, stride=None, chunk=128, mean=0.0, std=1.0):
    """How far the class's probability falls when a square of background hides a part of the image.

    `window` is the side of the square (a seventh of the image, at least 3, when None), moved by `stride` (half of it).
    Returns an Attention; each pixel of its maps holds the mean fall over all squares that hid it: positive where the
    image speaks for the class, negative where it speaks against."""
    images = prepared(images, net, mean, std)
    side = min(images.shape[2:])
    window = max(3, side // 7) if window is None else window
    stride = max(1, window // 2) if stride is None else stride
    if not 1 <= window <= side or stride < 1:
        raise OptionError(f"window: {window} must be 1 to {side}, the image's side, and stride, {stride}, 1 or more.")
    with evaluating(net):
        scores = in_chunks(net, images, chunk).float()
        targets = targets_of(scores, classes)
        shares = scores.softmax(1).gather(1, targets[:, None])[:, 0]
        maps = [occluded(net, image, target, share, window, stride, chunk)
                for image, target, share in zip(images.split(1), targets, shares)]
    return Attention(np.stack(maps), targets.cpu().numpy(), shares.cpu().numpy())


def occluded(net, image, target, share, window, stride, chunk):
    "The (H, W) map of one image (1, C, H, W)."
    corners = [(top, left) for top in places(image.shape[2], window, stride)
               for left in places(image.shape[3], window, stride)]
    total, times, ground = np.zeros(image.shape[2:]), np.zeros(image.shape[2:]), background(image)
    for start in range(0, len(corners), chunk):
        some = corners[start:start + chunk]
        hidden = image.repeat(len(some), 1, 1, 1)
        for copy, (top, left) in zip(hidden, some):
            copy[:, top:top + window, left:left + window] = ground[0]
        falls = share - in_chunks(net, hidden, chunk).float().softmax(1)[:, target]
        for fall, (top, left) in zip(falls.tolist(), some):
            total[top:top + window, left:left + window] += fall
            times[top:top + window, left:left + window] += 1
    return (total / times).astype(np.float32)
