"""What the Learner costs a step over a loop of six lines: python tests/benchmarks/overhead.py [--rounds 30]

A network of one layer, so that nearly all of a step is the loop's own; one thread; time of processor, not of the wall.
Rounds alternate; the figure is the difference of the least times (noise only ever adds), over the training steps. The
bare loop has every image as a normalised float tensor in memory, so normalising, validation and all that a fit does
once count as fastlab's. fastai's own Learner on the same loader stands beside it. The mark: at most 0.15 ms."""
import argparse
import os
from time import process_time

os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # before torch is imported

import numpy as np
import torch
from fastai.learner import Learner
from fastai.losses import CrossEntropyLossFlat
from torch import nn
from torch.nn.functional import cross_entropy

from fastlab.images.arrays import Arrays
from fastlab.images.augment import normalised
from fastlab.images.batches import arrays_dataloaders
from fastlab.training.learner import LabLearner
from fastlab.training.optimizers import optimizer_for
from fastlab.training.recipe import Recipe

STEPS, BATCH, VALID, LIMIT = 200, 64, 256, 0.15


def drawn_arrays():
    "Random 8×8 images of two classes."
    rng = np.random.default_rng(0)
    count = STEPS * BATCH + VALID
    rows = np.arange(count)
    splits = {"train": rows[:-VALID], "develop": rows[-VALID:], "test": rows[:0]}
    images = rng.integers(0, 256, (count, 8, 8, 1), dtype=np.uint8)
    return Arrays(images, rng.integers(0, 2, count), splits, ("0", "1"), ("0", "1"))


def one_layer():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 2))


def bare_epoch(arrays):
    "A function that trains and validates one epoch without any framework."
    pixels = torch.from_numpy(arrays.images).permute(0, 3, 1, 2)
    numbers, labels = normalised(pixels, *arrays.statistics), torch.from_numpy(arrays.labels)
    train, valid = (torch.from_numpy(arrays.splits[split]) for split in ("train", "develop"))
    net = one_layer()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3, fused=True)

    def epoch():
        for rows in train[torch.randperm(len(train))].split(BATCH):
            loss = cross_entropy(net(numbers[rows]), labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            return (net(numbers[valid]).argmax(1) == labels[valid]).float().mean().item()
    return epoch


def learner_epoch(learn):
    def epoch():
        with learn.no_bar(), learn.no_logging():
            learn.fit(1, 1e-3)
    return epoch


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    arrays, recipe = drawn_arrays(), Recipe(precision="fp32")
    dls = arrays_dataloaders(arrays, BATCH)
    ours = LabLearner(dls, recipe.resolved(1, 8), one_layer())
    stock = Learner(dls, one_layer(), CrossEntropyLossFlat(), optimizer_for(recipe, "cpu"), lr=1e-3)
    epochs = {"bare loop": bare_epoch(arrays), "fastlab": learner_epoch(ours), "fastai's Learner": learner_epoch(stock)}
    least = dict.fromkeys(epochs, float("inf"))
    for number in range(rounds + 1):
        for name in list(epochs) if number % 2 else reversed(epochs):
            begun = process_time()
            epochs[name]()
            least[name] = min(least[name], process_time() - begun) if number else least[name]  # the first warms up
    for name, seconds in least.items():
        over = (seconds - least["bare loop"]) / STEPS * 1e3
        print(f"{name:<18} {seconds / STEPS * 1e3:.3f} ms a step, {over:.3f} over the bare loop")
    kept = (least["fastlab"] - least["bare loop"]) / STEPS * 1e3 <= LIMIT
    print(f"n = {rounds} rounds of {STEPS} steps; the mark of {LIMIT} ms is {'kept' if kept else 'missed'}")


if __name__ == "__main__":
    main()
