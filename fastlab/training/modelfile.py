"""A trained network in one file that cannot run code: safetensors, with all that is needed to use it in its metadata.

The metadata hold a SHA-256 of the whole file, its own 64 characters taken as zeros; any changed bit is noticed. Loading
reads bytes, compares them, checks bounds, shapes and finite weights, and builds fastlab's own network by name."""
import json
import re
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load as tensors_from
from safetensors.torch import save as bytes_of

from fastlab.errors import FastlabError, ModelFileError
from fastlab.files import storage_problem, write_bytes
from fastlab.nets import build
from fastlab.training.evaluate import scores
from fastlab.training.recipe import OWN_SWITCHES, Recipe

FORM = "1"
DIGEST = re.compile(rb'"sha256":"([0-9a-f]{64})"')
ZEROS = b"0" * 64
LONGEST_HEADER = 32 << 20       # bytes


@dataclass
class Model:
    """A trained network, ready to predict. `net`: in evaluation mode; `classes`: folder names; `names`: to show;
    `input`: size and crop (pixels), channels, mean and deviation a channel; `history`: a dict an epoch; `tested`:
    the figures of its test with n, or {}; `path`: where it lies."""
    net: torch.nn.Module
    recipe: Recipe
    classes: tuple
    names: tuple
    input: dict
    history: list = field(default_factory=list)
    tested: dict = field(default_factory=dict)
    path: Path | None = None

    @property
    def metadata(self):
        "All but the weights, as plain data."
        return {"recipe": self.recipe.to_dict(), "classes": [list(pair) for pair in zip(self.classes, self.names)],
                "input": self.input, "history": self.history, "tested": self.tested}

    @property
    def crops(self):
        "How many crops ten-crop prediction takes: 10, 5 where the Recipe does not mirror, 1 where it does not crop."
        return {"crop": 5, "crop+mirror": 10}.get(self.recipe.augment, 1) if self.crops_fit else 1

    @property
    def crops_fit(self):
        return self.input["crop"] < self.input["size"]

    def probabilities(self, images, ten_crop=False, testing="eval", seed=0):
        "uint8 images (N, size, size, channels) → float32 array (N, classes), each row summing to 1."
        if len(images) == 0:
            return np.zeros((0, len(self.classes)), dtype=np.float32)
        found = scores(self.net, images, self.input["mean"], self.input["deviation"], self.input["crop"], testing, seed,
                       ten_crop=ten_crop and self.crops > 1, mirrored=self.crops == 10, precision=self.recipe.precision)
        return found.softmax(1).cpu().numpy()


def save_model(path, model):
    "Writes a Model to `path`, whole or not at all, in place of what was there. Raises StorageError."
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.net.state_dict().items()}
    texts = {name: json.dumps(value, ensure_ascii=True, allow_nan=False) for name, value in model.metadata.items()}
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
    """The Model in a file that `save_model` wrote. `net`: the function of a network that is not fastlab's own; it is
    never looked up from the file. Raises ModelFileError for anything that is not as it was written."""
    path = Path(path)
    content, metadata = _checked(path, _read(path))
    try:
        told = {name: json.loads(metadata[name]) for name in ("recipe", "classes", "input", "history", "tested")}
        recipe = Recipe.from_dict(told["recipe"])
        classes, names = zip(*told["classes"])
        _check_input(path, told["input"])
    except (KeyError, ValueError, TypeError, AttributeError, FastlabError) as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"{path}: its description cannot be used ({error}). Train the network again.") from error
    network = _network(path, recipe, len(classes), tensors_from(content), net)
    return Model(network, recipe, tuple(classes), tuple(names), told["input"], told["history"], told["tested"], path)


def _read(path):
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ModelFileError(f"{path}: no such file. Train one: fastlab train FOLDER --save {path}") from error
    except OSError as error:
        raise storage_problem(path, error) from error


def _checked(path, content):
    "(content, metadata) of a file whose every byte is as it was written."
    length = int.from_bytes(content[:8], "little") if len(content) >= 8 else 0
    if not 2 <= length <= min(LONGEST_HEADER, len(content) - 8) or content[8:9] != b"{":
        raise ModelFileError(f"{path}: not a network that fastlab saved: the file is cut, damaged or of another kind.")
    header = content[8:8 + length]
    place = DIGEST.search(header)
    if place is None:
        raise ModelFileError(f"{path}: it carries no digest, so fastlab did not save it, or it was changed. "
                             "Weights of other programs are taken by: fastlab train --weights FILE.")
    start, end = 8 + place.start(1), 8 + place.end(1)
    found = sha256(content[:start])
    found.update(ZEROS)
    found.update(memoryview(content)[end:])
    if found.hexdigest().encode() != place.group(1):
        raise ModelFileError(f"{path}: the file is damaged or was changed after it was saved: its SHA-256 does not "
                             "match. Take a copy that is whole, or train the network again.")
    try:
        metadata = json.loads(header)["__metadata__"]
    except (ValueError, KeyError) as error:
        raise ModelFileError(f"{path}: its header cannot be read ({error}).") from error
    if metadata.get("fastlab") != FORM:
        raise ModelFileError(f"{path}: written in form {metadata.get('fastlab')!r}; this fastlab reads form {FORM!r}. "
                             "Update fastlab, or train the network again.")
    return content, metadata


def _check_input(path, told):
    "The description of what the network takes, within bounds."
    size, crop, channels = told["size"], told["crop"], told["channels"]
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in (size, crop, channels))
    if not whole or not 1 <= crop <= size <= 4096 or channels not in (1, 3):
        raise ModelFileError(f"{path}: an input of size {size!r}, crop {crop!r}, channels {channels!r} is out of "
                             "bounds.")
    for name in ("mean", "deviation"):
        values = np.array(told[name], dtype=np.float64)
        positive = name == "mean" or (values > 0).all()
        if values.shape != (channels,) or not np.isfinite(values).all() or not positive:
            raise ModelFileError(f"{path}: the input's {name} {told[name]!r} does not fit {channels} channels.")


def _network(path, recipe, classes, tensors, net):
    "The Recipe's network with the file's weights; shapes are compared before any memory is taken for it."
    own = recipe.net in OWN_SWITCHES or recipe.net.startswith("torchvision:")
    if not own and net is None:
        raise ModelFileError(f"{path}: its network is {recipe.net!r}, code that fastlab does not run because a file "
                             f"names it. If you trust it, name it: --net {recipe.net}, or load_model(path, net=…).")
    try:
        def built():
            return build(net if not own else recipe.net, classes, recipe.channels, recipe.crop, recipe.norm,
                         recipe.dropout, recipe.lrn, recipe.width, **dict(recipe.switches))
        if own:
            with torch.device("meta"):
                _compare(path, built().state_dict(), tensors)
        made = built()
    except ModelFileError:
        raise
    except FastlabError as error:
        raise ModelFileError(f"{path}: its network cannot be built: {error}") from error
    _compare(path, made.state_dict(), tensors)
    made.load_state_dict(tensors)
    return made.to(memory_format=torch.channels_last).eval()


def _compare(path, wanted, tensors):
    for name in sorted(set(wanted) | set(tensors)):
        if name not in tensors or name not in wanted:
            what = "missing" if name in wanted else "not of this network"
            raise ModelFileError(f"{path}: the tensor {name!r} is {what}.")
        if wanted[name].shape != tensors[name].shape or wanted[name].dtype != tensors[name].dtype:
            raise ModelFileError(f"{path}: the tensor {name!r} has shape {tuple(tensors[name].shape)} and the network "
                                 f"needs {tuple(wanted[name].shape)}.")
        if tensors[name].is_floating_point() and not torch.isfinite(tensors[name]).all():
            raise ModelFileError(f"{path}: the tensor {name!r} holds numbers that are not finite.")
