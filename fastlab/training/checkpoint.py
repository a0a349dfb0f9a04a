"""Going on after an interruption as if there had been none: the state after each epoch, whole or not there, no pickle.

A checkpoint's name is a digest of data, Recipe and seed, so the same command finds its own and no other does."""
import json
import time
from contextlib import suppress

import torch
from fastai.callback.core import Callback
from safetensors import SafetensorError
from safetensors.torch import load, save

from fastlab.files import cache_home, digest, write_bytes

SECONDS_BETWEEN = 2.0           # the least time between two checkpoints


def checkpoint_path(arrays, recipe, seed, cache=None):
    "Where the checkpoint of a training lies."
    what = json.dumps([recipe.to_dict(), seed, torch.__version__], sort_keys=True)
    return (cache or cache_home()) / "resume" / f"{digest(arrays.digest, what)[:40]}.safetensors"


class Checkpoint(Callback):
    "Saves the Learner's state after an epoch, at most every few seconds, and removes it when the fit is complete."
    order, while_searching = 80, False

    def __init__(self, path, seconds=SECONDS_BETWEEN):
        super().__init__()
        self.path, self.every, self.saved = path, seconds, float("-inf")

    def after_epoch(self):
        now = time.monotonic()
        if now - self.saved >= self.every and self.learn.epoch + 1 < self.learn.n_epoch:
            self.saved = now
            write_bytes(self.path, state_bytes(self.learn))

    def remove(self):
        "Takes the checkpoint away once the trained network is safe."
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def state_bytes(learn):
    "The Learner's weights, optimizer state, history and counters as one safetensors file."
    tensors = {f"net.{name}": tensor.contiguous() for name, tensor in learn.model.state_dict().items()}
    groups = learn.opt.opt.state_dict()
    for number, state in groups["state"].items():
        tensors |= {f"opt.{number}.{name}": tensor.contiguous() for name, tensor in state.items()
                    if isinstance(tensor, torch.Tensor)}
    plain = [{name: value for name, value in group.items() if name != "params"} for group in groups["param_groups"]]
    schedule = learn.divided_on_plateau.state() if hasattr(learn, "divided_on_plateau") else None
    told = {"epochs_trained": learn.epochs_trained, "history": learn.history, "schedule": schedule, "groups": plain}
    return save(tensors, {"state": json.dumps(told)})


def _laid_out_as(tensor, parameter):
    "The tensor in the parameter's memory layout: fused optimizers walk both in the order in which they lie."
    return torch.empty_like(parameter).copy_(tensor) if tensor.shape == parameter.shape else tensor


def restore(learn, path):
    """Puts the state at `path` into a Learner that is built alike; the epochs trained so far, 0 where there is no
    checkpoint or it is damaged. A DividedOnPlateau among the callbacks is restored too."""
    try:
        content = path.read_bytes()
        tensors = load(content)
        header = json.loads(content[8:8 + int.from_bytes(content[:8], "little")])
        told = json.loads(header["__metadata__"]["state"])
    except (OSError, SafetensorError, ValueError, KeyError):
        return 0
    learn.model.load_state_dict({name[4:]: tensor for name, tensor in tensors.items() if name.startswith("net.")})
    learn.create_opt()
    groups = learn.opt.opt.state_dict()
    parameters = [parameter for group in learn.opt.opt.param_groups for parameter in group["params"]]
    state = {}
    for name, tensor in tensors.items():
        if name.startswith("opt."):
            _, number, key = name.split(".", 2)
            state.setdefault(int(number), {})[key] = _laid_out_as(tensor, parameters[int(number)])
    for group, saved in zip(groups["param_groups"], told["groups"]):
        group.update({name: tuple(value) if isinstance(value, list) else value for name, value in saved.items()})
    learn.opt.opt.load_state_dict({"state": state, "param_groups": groups["param_groups"]})
    learn.epochs_trained, learn.history = told["epochs_trained"], told["history"]
    if told["schedule"] and hasattr(learn, "divided_on_plateau"):
        learn.divided_on_plateau.restore(told["schedule"])
    return told["epochs_trained"]
