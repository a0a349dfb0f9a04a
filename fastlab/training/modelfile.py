"""A trained network in one file that cannot run code: safetensors, with all that is needed to use it in its metadata.

Loading reads bytes, holds them against their digest (see `wholefile`), checks bounds, shapes and finite weights, and
builds fastlab's own network by name."""
import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as tensors_from
from safetensors.torch import save as bytes_of

from fastlab.errors import FastlabError, ModelFileError, OptionError
from fastlab.files import write_bytes
from fastlab.nets import build
from fastlab.seeds import kept_random_state
from fastlab.training.evaluate import scores
from fastlab.training.machine import precision_on
from fastlab.training.recipe import OWN_SWITCHES, Recipe, crops_of
from fastlab.training.wholefile import DIGEST, FORM, ZEROS, checked_metadata, description, read_model_file


@dataclass
class Model:
    """A trained network, ready to predict. `net`: in evaluation mode; `classes`: folder names; `names`: to show;
    `input`: size and crop (pixels), channels, mean and deviation a channel; `history`: a dict an epoch; `tested`:
    the figures of its test with n, or {}; `path`: where it lies; `seen`: digests of some of its training images."""
    net: torch.nn.Module
    recipe: Recipe
    classes: tuple
    names: tuple
    input: dict
    history: list = field(default_factory=list)
    tested: dict = field(default_factory=dict)
    path: Path | None = None
    seen: tuple = ()

    @property
    def metadata(self):
        "All but the weights, as plain data."
        return {"recipe": self.recipe.to_dict(), "classes": [list(pair) for pair in zip(self.classes, self.names)],
                "input": self.input, "history": self.history, "tested": self.tested, "seen": list(self.seen)}

    @property
    def calculates_in(self):
        "'bf16' or 'fp32': what this network predicts in here, the Recipe's precision where the hardware has it."
        return precision_on(next(self.net.parameters()).device, self.recipe.precision)

    @property
    def crops(self):
        "How many crops ten-crop prediction takes: 10, 5 where the Recipe does not mirror, 1 where it does not crop."
        return crops_of(self.recipe.augment, self.input["crop"], self.input["size"])

    def probabilities(self, images, ten_crop=False, testing="eval", seed=0):
        """uint8 images (N, size, size, channels) → float32 array (N, classes), rows sum to 1, calculated as
        `calculates_in` says. Raises OptionError."""
        wanted = (self.input["size"], self.input["size"], self.input["channels"])
        if images.dtype not in (np.uint8, torch.uint8) or tuple(images.shape[1:]) != wanted:
            raise OptionError(f"images: {images.dtype} {tuple(images.shape)} is not uint8 {('N', *wanted)}, which this "
                              "network takes.")
        if len(images) == 0:
            return np.zeros((0, len(self.classes)), dtype=np.float32)
        found = scores(self.net, images, self.input["mean"], self.input["deviation"], self.input["crop"], testing, seed,
                       ten_crop=ten_crop and self.crops > 1, mirrored=self.crops == 10, precision=self.calculates_in)
        return found.softmax(1).cpu().numpy()


def save_model(path, model):
    "Writes a Model to `path`, whole or not at all, in place of what was there. Raises ModelFileError, StorageError."
    weights = {name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
               for name, tensor in model.net.state_dict().items()}
    for name, tensor in weights.items():
        _check_finite(f"{path}: not saved:", name, tensor)
    try:
        texts = {name: json.dumps(value, ensure_ascii=True, allow_nan=False) for name, value in model.metadata.items()}
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{path}: not saved: the network's description is not plain data ({error}).") from error
    content = _in_order(bytes_of(weights, {**texts, "fastlab": FORM, "sha256": ZEROS.decode()}))
    place = DIGEST.search(content)
    found = sha256(content).hexdigest().encode()
    write_bytes(path, content[:place.start(1)] + found + content[place.end(1):])
    model.path = Path(path)


def _in_order(content):
    "The same safetensors file with its header's entries in order: the same network gives the same bytes."
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[end:]


def load_model(path, net=None):
    """The Model in a file that `save_model` wrote. `net`: the function (or 'MODULE:FUNCTION') of a network that is not
    fastlab's own; it is never looked up from the file. Raises ModelFileError for anything that is not as written."""
    path = Path(path)
    content = read_model_file(path)
    recipe, classes, names, told = description(path, checked_metadata(path, content))
    try:
        tensors = tensors_from(content)
    except (SafetensorError, KeyError, ValueError, RuntimeError, OverflowError) as error:
        raise ModelFileError(f"{path}: its tensors cannot be read ({error}). Train the network again.") from error
    network = _network(path, recipe, len(classes), tensors, net)
    return Model(network, recipe, classes, names, told["input"], told["history"], told["tested"], path,
                 tuple(told["seen"]))


def _network(path, recipe, classes, tensors, net):
    "The Recipe's network with the file's weights; shapes are compared before any memory is taken for it."
    own = recipe.net in OWN_SWITCHES or recipe.net.startswith("torchvision:")
    if not own and net is None:
        raise ModelFileError(f"{path}: its network is {recipe.net!r}, code that fastlab does not run because a file "
                             f"names it. If you trust it, name it yourself: --net {recipe.net} (for test, "
                             "predict, show, explain, export and draw), or load_model(path, net=…).")
    if own:
        with torch.device("meta"):
            _compare(path, _built(path, recipe, classes, recipe.net).state_dict(), tensors)
    made = _built(path, recipe, classes, recipe.net if own else net)
    _compare(path, made.state_dict(), tensors)
    made.load_state_dict(tensors)
    return made.to(memory_format=torch.channels_last).eval()


def _built(path, recipe, classes, net):
    "A new network of the Recipe; the program's random numbers are left alone."
    try:
        with kept_random_state():
            return build(net, classes, recipe.channels, recipe.crop, recipe.norm, recipe.dropout, recipe.lrn,
                         recipe.width, **dict(recipe.switches))
    except (FastlabError, RuntimeError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise ModelFileError(f"{path}: its network cannot be built: {error}") from error


def _compare(path, wanted, tensors):
    "A ModelFileError for the first tensor that is missing, too many, of another kind or not finite."
    for name in sorted(set(wanted) | set(tensors)):
        if name not in tensors or name not in wanted:
            what = "missing" if name in wanted else "not of this network"
            raise ModelFileError(f"{path}: the tensor {name!r} is {what}.")
        has, needs = tensors[name], wanted[name]
        if (has.shape, has.dtype) != (needs.shape, needs.dtype):
            raise ModelFileError(f"{path}: the tensor {name!r} is {has.dtype} {tuple(has.shape)} and the network needs "
                                 f"{needs.dtype} {tuple(needs.shape)}.")
        _check_finite(f"{path}:", name, has)


def _check_finite(head, name, tensor):
    if not tensor.isfinite().all():
        raise ModelFileError(f"{head} the tensor {name!r} holds numbers that are not finite.")
