"""A network that reads for the page: from one image to probabilities, feature maps, and where it looked."""
import base64
import re
import threading
from pathlib import Path
from time import perf_counter

import numpy as np

from fastlab.errors import FastlabError
from fastlab.inside.activations import feature_maps
from fastlab.inside.attention import grad_cam
from fastlab.inside.uses import used_steps
from fastlab.page.paper import paper_of

MOST_MAPS = 64      # of a layer are sent
MOST_SIDE = 56      # larger maps are thinned out
LAYERS = ("none", "blocks", "all")


class Reader:
    """One network of the page. `title`: its name there; `classes`, `names`: folder names and what is shown for them;
    `paper`: what its images look like. One reading at a time: a lock guards the network."""

    def __init__(self, model, title):
        self.model, self.title = model, title
        self.classes = tuple(str(name) for name in model.classes)
        self.names = tuple(str(name) for name in model.names)
        self.mean, self.std = model.input["mean"], model.input["deviation"]
        self.paper = paper_of(model.input["size"], model.input["channels"], self.mean, self.std, model.input["crop"])
        self.parameters = sum(weights.numel() for weights in model.net.parameters())
        self.steps = mapped_steps(model.net, self.paper.channels, self.paper.crop)
        self._lock = threading.Lock()

    def describe(self):
        "What the page needs to know before the first drawing."
        tested = self.model.tested
        figures = {"accuracy": tested["accuracy"], "n": tested["n"]} if {"accuracy", "n"} <= tested.keys() else None
        return {"title": self.title, "net": self.model.recipe.net, "parameters": self.parameters, "tested": figures,
                "classes": self.classes, "names": self.names, "paper": self.paper.as_dict()}

    def read(self, pixels, layers="blocks", looked=True):
        """The answer to one image, uint8 (size, size, channels), as plain values: probabilities (one a class),
        milliseconds, seen (what the network was given), layers (see LAYERS) and, if asked, looked."""
        with self._lock:
            start = perf_counter()
            seen = centre(pixels, self.paper.crop)
            answer = {"probabilities": self.probabilities(pixels), "seen": packed(seen),
                      "layers": self.layers(seen, layers), "looked": self.looked(seen) if looked else None}
            return {**answer, "milliseconds": round(1000 * (perf_counter() - start), 2)}

    def probabilities(self, pixels):
        "A number a class, as `fastlab predict` gives them."
        return [round(float(share), 6) for share in self.model.probabilities(pixels[None])[0]]

    def layers(self, seen, which):
        "The feature maps of the steps that were asked for, in order."
        wanted = [step for step in self.steps if which == "all" or (which == "blocks" and step["block"])]
        if not wanted:
            return []
        maps = feature_maps(self.model.net, seen, [step["name"] for step in wanted], MOST_MAPS, self.mean, self.std)
        return [{**step, **packed_maps(maps[step["name"]])} for step in wanted if step["name"] in maps]

    def looked(self, seen):
        "Grad-CAM for the class on top: values 0 … 255 a pixel; None for a network without maps."
        try:
            found = grad_cam(self.model.net, seen, mean=self.mean, std=self.std)
        except FastlabError:
            return None
        return packed(np.rint(255 * np.clip(found.maps[0], 0, 1)).astype(np.uint8)[:, :, None])


def mapped_steps(net, channels, size):
    """The steps of `net` that give maps, as {name, kind, shape, block}: `block` marks the last of those that share a
    number, such as conv1, norm1, pool1, relu1, so that a short view has one row a block."""
    found, last = {}, {}
    for step in used_steps(net, channels, size):
        if len(step.shape) == 3 and step.shape[1] > 1:
            found[step.name] = {"name": step.name, "kind": type(step.module).__name__, "shape": list(step.shape)}
            last[block_of(step.name)] = step.name
    ends = set(last.values())
    return [{**step, "block": name in ends} for name, step in found.items()]


def block_of(name):
    "'conv1' and 'relu1' → '1'; a name without a number at its end, or a dotted one, stands for itself."
    number = re.fullmatch(r"[A-Za-z_]+(\d+)", name)
    return number[1] if number else name


def centre(pixels, side):
    "The middle `side` × `side` of an image (H, W, C)."
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    return pixels[top:top + side, left:left + side]


def packed(pixels):
    "A uint8 image (H, W, C) for JSON."
    height, width, channels = pixels.shape
    return {"height": height, "width": width, "channels": channels, "pixels": base64_of(pixels)}


def packed_maps(maps):
    "Maps (M, H, W) as bytes, 0 and 255 being the layer's least and greatest value, which go along."
    maps = maps[:, ::-(-maps.shape[1] // MOST_SIDE), ::-(-maps.shape[2] // MOST_SIDE)]
    maps = np.nan_to_num(maps, posinf=0, neginf=0)
    low, high = float(maps.min()), float(maps.max())
    levels = np.rint((maps - low) * (255 / (high - low) if high > low else 0)).astype(np.uint8)
    count, height, width = maps.shape
    return {"count": count, "height": height, "width": width, "low": low, "high": high, "pixels": base64_of(levels)}


def base64_of(array):
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def titled(paths):
    "A short name a model file: its stem, with its folder before it, or a number after it, where two are alike."
    stems = [Path(path).stem for path in paths]
    names = [stem if stems.count(stem) == 1 else f"{Path(path).parent.name}/{stem}" for path, stem in zip(paths, stems)]
    return [name if names.count(name) == 1 else f"{name} ({place + 1})" for place, name in enumerate(names)]
