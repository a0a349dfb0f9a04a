"""Whether the paper's initial weights let the AlexNet of 2012 begin to learn from few photographs, and modern ones.

python tests/benchmarks/initialisation.py FOLDER [EPOCHS] [SEEDS] [WIDTH]
Trains both starts over the same seeds with the paper's optimizer (SGD 1e-2, momentum 0.9, L2 5e-4; batch 32, so that
some hundred photographs are some steps; constant rate) on images of 128 pixels cropped to 112, and prints a line a
start and epoch: mean training loss over the seeds with its range, and at the end develop accuracy. One JSON line
last. A network that tells nothing has the loss ln(classes), which heads the table."""
import json
import math
import sys

import numpy as np
import torch

from fastlab import Recipe
from fastlab.images.arrays import Arrays
from fastlab.training.figures import wilson
from fastlab.training.run import learner_for

STARTS = ("modern", "paper")


def curves(arrays, start, epochs, seeds, width):
    "(training losses, develop accuracies), both (seeds, epochs)."
    recipe = Recipe.for_net("alexnet2012", size=128, crop=112, batch_size=32, width=width, epochs=epochs,
                            schedule="constant", switches={"init": start}, precision="fp32")
    found = []
    for seed in range(seeds):
        learn = learner_for(arrays, recipe, seed)
        with learn.no_bar(), learn.no_logging():
            learn.fit_recipe()
        found.append([(epoch["train_loss"], epoch["develop_accuracy"]) for epoch in learn.history])
        print(f"  {start}, seed {seed}: {found[-1][-1][0]:.4f}", file=sys.stderr)
    return np.array(found).transpose(2, 0, 1)


def main(folder, epochs=20, seeds=3, width=0.25):
    arrays = Arrays.from_folder(folder, 3, 128)
    images, developed = len(arrays.splits["train"]), len(arrays.splits["develop"])
    print(f"{images} photographs to train on, {math.ceil(images / 32) * epochs} steps, n = {seeds} seeds; "
          f"ln({len(arrays.classes)}) = {math.log(len(arrays.classes)):.4f}")
    told = {"trained_on": images, "epochs": epochs, "seeds": seeds, "width": width}
    for start in STARTS:
        losses, accuracies = curves(arrays, start, epochs, seeds, width)
        for epoch in range(epochs):
            column = losses[:, epoch]
            print(f"{start:<7} {epoch + 1:>3}  {column.mean():.4f} ({column.min():.4f} to {column.max():.4f})")
        right = round(float(accuracies[:, -1].sum()) * developed)
        low, high = wilson(right, seeds * developed)
        print(f"{start:<7} develop accuracy {accuracies[:, -1].mean():.2%} (95 % interval of the pooled answers "
              f"{low:.2%} to {high:.2%}, n = {seeds} × {developed})")
        told[start] = {"losses": losses.mean(0).round(4).tolist(), "accuracy": float(accuracies[:, -1].mean()),
                       "interval": [low, high], "n": seeds * developed}
    print(json.dumps(told))


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder, *rest = sys.argv[1:]
    main(folder, *[kind(word) for kind, word in zip((int, int, float), rest)])
