"""Going on after an interruption as if there had been none: the state after an epoch, whole or not there, no pickle.

A checkpoint's name is a digest of data, Recipe, seed and device, and of fastlab's and torch's versions, so the same
command finds its own and no other does; what a Recipe only names (a file of weights, the module of a user's own
network) counts with its content. Its last 32 bytes are the SHA-256 of those before: a damaged one is ignored."""
import json
import time
import warnings
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import torch
from fastai.callback.core import Callback
from safetensors.torch import load, save

from fastlab import __version__
from fastlab.errors import StorageError
from fastlab.files import cache_home, digest, digest_file, write_bytes
from fastlab.nets.registry import source_of

SECONDS_BETWEEN = 2.0           # the least time between two checkpoints
SHARE_OF_TIME = 0.05            # the most time that saving them may take
KEPT_DAYS = 30                  # after which a training that nobody went on with is forgotten


def checkpoint_path(arrays, recipe, seed, device="cpu", cache=None):
    "Where the checkpoint of a training lies."
    named = [digest_file(file) for file in (recipe.weights, source_of(recipe.net)) if file]
    what = json.dumps([recipe.to_dict(), seed, torch.device(device or "cpu").type, __version__, torch.__version__,
                       *named], sort_keys=True)
    return Path(cache or cache_home()) / "resume" / f"{digest(arrays.digest, what)[:40]}.checkpoint"


class Checkpoint(Callback):
    """Saves the Learner's state after an epoch, at most every few seconds. Where it cannot be saved the training goes
    on, after a warning."""
    order, while_searching = 80, False

    def __init__(self, path, seconds=SECONDS_BETWEEN):
        super().__init__()
        self.path, self.every, self.due = path, seconds, float("-inf")

    def after_epoch(self):
        begun = time.monotonic()
        if begun < self.due:
            return
        if self.due == float("-inf"):
            forget_old(self.path.parent)
        try:
            write_bytes(self.path, state_bytes(self.learn, self.path.stem))
        except StorageError as error:
            self.every = float("inf")
            warnings.warn(f"{error} The training goes on; if it is interrupted, it will begin anew.", stacklevel=2)
        now = time.monotonic()
        self.due = now + max(self.every, (now - begun) / SHARE_OF_TIME)

    def remove(self):
        "Takes the checkpoint away once the trained network is safe."
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def forget_old(folder, days=KEPT_DAYS):
    "Removes checkpoints that have lain untouched for so many days, and what killed processes left half-written."
    for path in [*folder.glob("*.checkpoint"), *folder.glob(".*.part")]:
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > days * 86400:
                path.unlink()


def state_bytes(learn, name=""):
    "The Learner's weights, optimizer state, history and counters; `name` says which training's they are."
    tensors = {f"net.{key}": tensor.clone(memory_format=torch.contiguous_format)
               for key, tensor in learn.model.state_dict().items()}
    groups = learn.opt.opt.state_dict()
    for number, state in groups["state"].items():
        tensors |= {f"opt.{number}.{key}": tensor.contiguous() for key, tensor in state.items()
                    if isinstance(tensor, torch.Tensor)}
    plain = [{key: value for key, value in group.items() if key != "params"} for group in groups["param_groups"]]
    schedule = learn.divided_on_plateau.state() if hasattr(learn, "divided_on_plateau") else None
    told = {"training": name, "epochs_trained": learn.epochs_trained, "history": learn.history, "schedule": schedule,
            "groups": plain}
    content = save(tensors, {"state": json.dumps(told)})
    return content + sha256(content).digest()


def restore(learn, path):
    """Puts the state at `path` into a Learner that is built alike; the epochs trained so far, 0 where there is no
    checkpoint, or it is damaged or another training's. A DividedOnPlateau among the callbacks is restored too."""
    content = _whole(path)
    if content is None:
        return 0
    header = json.loads(content[8:8 + int.from_bytes(content[:8], "little")])
    told, tensors = json.loads(header["__metadata__"]["state"]), load(content)
    weights = {key[4:]: tensor for key, tensor in tensors.items() if key.startswith("net.")}
    if told["training"] != path.stem or not _of_this_net(learn.model, weights):
        return 0
    learn.model.to(learn.dls.device or "cpu")  # before the optimizer, whose state goes where the weights are
    learn.model.load_state_dict(weights)
    learn.create_opt()
    _restore_optimizer(learn.opt.opt, tensors, told["groups"])
    learn.epochs_trained, learn.history = told["epochs_trained"], told["history"]
    if told["schedule"] and hasattr(learn, "divided_on_plateau"):
        learn.divided_on_plateau.restore(told["schedule"])
    return told["epochs_trained"]


def _whole(path):
    "A checkpoint's content without its digest; None where there is none or the digest is not its own."
    try:
        content = path.read_bytes()
    except OSError:
        return None
    content, told = content[:-32], content[-32:]
    return content if sha256(content).digest() == told else None


def _of_this_net(net, weights):
    "Whether saved weights have the names and shapes of a network's, whose code may have been changed since."
    own = net.state_dict()
    return own.keys() == weights.keys() and all(own[name].shape == tensor.shape for name, tensor in weights.items())


def _restore_optimizer(optimizer, tensors, groups):
    "Puts saved state and figures into a torch optimizer over the same parameters in the same order."
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    fresh, state = optimizer.state_dict()["param_groups"], {}
    for name, tensor in tensors.items():
        if name.startswith("opt."):
            _, number, key = name.split(".", 2)
            state.setdefault(int(number), {})[key] = _laid_out_as(tensor, parameters[int(number)])
    for group, saved in zip(fresh, groups):
        group.update({name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()})
    optimizer.load_state_dict({"state": state, "param_groups": fresh})


def _laid_out_as(tensor, parameter):
    "The tensor in the parameter's memory layout: fused optimizers walk both in the order in which they lie."
    return torch.empty_like(parameter).copy_(tensor) if tensor.shape == parameter.shape else tensor
