"""A program of its own, which test_checkpoint starts: it trains RECIPE once for each of POINTS, each time in a child
process that kills itself there with SIGKILL, so that nothing can be tidied up.

    python kill_points.py FOLDER PLACE      leaves PLACE/<point>/resume, the cache, and PLACE/<point>/net.safetensors"""
import os
import signal
import sys
from functools import partial
from pathlib import Path

import torch
from fastai.callback.core import Callback

from fastlab.files import replacing
from fastlab.images.arrays import Arrays
from fastlab.training import checkpoint, train
from fastlab.training.recipe import Recipe

RECIPE = Recipe(epochs=3, batch_size=24, optimizer="adamw", decay=0.1, schedule="one-cycle", augment="crop",
                l1=1e-4, l1_form="proximal", precision="fp32")
# point -> the epochs that are left to train after it
POINTS = {"first step": 3, "half a checkpoint": 2, "checkpoint not renamed": 2, "validation": 1, "last step": 1,
          "before saving": 0, "model not renamed": 0, "after saving": 0}
STEPS = {"first step": ("after_step", 0, 0), "validation": ("after_pred", 2, 0, False),
         "last step": ("after_backward", 2, 2)}
OLD = b"an older network"


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


class DieAt(Callback):
    "Dies at an event of the epoch with number `epoch`, counted from 0, once `step` is reached."
    order = 1000

    def __init__(self, event, epoch, step=0, in_training=True):
        super().__init__()
        self.at = event, epoch, step, in_training
        setattr(self, event, self.look)

    def look(self):
        if (self.learn.epoch, self.learn.iter, self.learn.training) == self.at[1:]:
            die()


def half_written(path, content):
    "What the second checkpoint's writing does: it stops halfway."
    with replacing(path) as file:
        file.write(content[:len(content) // 2])
        file.flush()
        die()


def on_call(number, instead, original):
    "A function that is `original` until its call with that number, from 1, which is `instead`."
    calls = []

    def called(*arguments):
        calls.append(1)
        return (instead if len(calls) == number else original)(*arguments)
    return called


def killed_at(point, arrays, place):
    "One training that never returns. Every epoch leaves a checkpoint."
    checkpoint.SHARE_OF_TIME = float("inf")
    train.Checkpoint = partial(checkpoint.Checkpoint, seconds=0)
    if point == "half a checkpoint":
        checkpoint.write_bytes = on_call(2, half_written, checkpoint.write_bytes)
    elif point in ("checkpoint not renamed", "model not renamed"):
        os.replace = on_call(2 if point.startswith("checkpoint") else RECIPE.epochs + 1, die, os.replace)
    elif point == "before saving":
        train.save_model = die
    elif point == "after saving":
        checkpoint.Checkpoint.remove = die
    train.train(arrays, RECIPE, save=place / "net.safetensors", device="cpu", cache=place,
                cbs=[DieAt(*STEPS[point])] if point in STEPS else [])


def main(folder, place):
    arrays = Arrays.from_folder(folder)
    weight = torch.nn.Parameter(torch.zeros(1))
    weight.grad = torch.zeros(1)
    torch.optim.AdamW([weight]).step()  # what torch imports at its first step is imported once, for all children
    for point in POINTS:
        (place / point).mkdir()
        (place / point / "net.safetensors").write_bytes(OLD)
        child = os.fork()
        if child == 0:
            killed_at(point, arrays, place / point)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), point
        assert os.WTERMSIG(status) == signal.SIGKILL, point


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
