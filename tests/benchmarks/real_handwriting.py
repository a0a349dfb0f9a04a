"""How well networks read real handwriting that they never saw.

python tests/benchmarks/real_handwriting.py FOLDER [lenet|alexnet] [EPOCHS] [SEED]
FOLDER holds <class>/<image>. Every fifth image of a class, in natural order, is held out; those whose pixels equal a
training image's are left out of the test. Of the rest a tenth is for development; nothing is chosen on the test.
python tests/benchmarks/real_handwriting.py FOLDER drawn MODEL tests a network trained on drawn strokes alone on the
second half of each class (images 311–620 of 620; the pen was tuned on the first half). Prints one JSON line."""
import json
import sys
import time

import numpy as np
import torch

from fastlab import Recipe, load_model, train
from fastlab.images.arrays import Arrays
from fastlab.training.figures import wilson


def held_out(arrays):
    "(train, develop, test) rows: every fifth image of a class is test, every tenth of the others develop; no doubles."
    parts = [[], [], []]
    for label in range(len(arrays.classes)):
        rows = np.flatnonzero(arrays.labels == label)
        test = rows[4::5]
        rest = np.setdiff1d(rows, test)
        parts[0].append(np.setdiff1d(rest, rest[9::10]))
        parts[1].append(rest[9::10])
        parts[2].append(test)
    training, develop, test = map(np.concatenate, parts)
    seen = {arrays.images[row].tobytes() for row in np.concatenate([training, develop])}
    return training, develop, np.array([row for row in test if arrays.images[row].tobytes() not in seen])


def trained(folder, net, epochs, seed):
    arrays = Arrays.from_folder(folder)
    training, develop, test = held_out(arrays)
    arrays = arrays.with_splits(train=training, develop=develop, test=test)
    rate = 3e-3 if net == "lenet" else 1e-3
    recipe = Recipe(net=net, epochs=epochs, augment="handwriting", schedule="one-cycle", lr=rate)
    begun = time.perf_counter()
    done = train(arrays, recipe, seed, threads=1)
    return {"net": net, "epochs": epochs, "seed": seed, "trained_on": len(training), "n": done.test.n,
            "accuracy": done.test.accuracy, "interval": done.test.interval, "develop": done.develop.accuracy,
            "wrong": [done.test.files[row] for row in np.flatnonzero(~done.test.right)],
            "seconds": time.perf_counter() - begun}


def drawn_only(folder, model):
    model, arrays = load_model(model), Arrays.from_folder(folder)
    second = np.concatenate([np.flatnonzero(arrays.labels == label)[310:] for label in range(len(arrays.classes))])
    right = model.probabilities(arrays.images).argmax(1) == arrays.labels
    chosen = right[second]
    return {"model": str(model.path), "n": len(second), "accuracy": float(chosen.mean()),
            "interval": wilson(int(chosen.sum()), len(chosen)), "first_half": float(np.delete(right, second).mean())}


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder, what, *rest = sys.argv[1:]
    if what == "drawn":
        print(json.dumps(drawn_only(folder, *rest)))
    else:
        epochs, seed = (int(word) for word in [*rest, "40", "0"][:2]) if len(rest) < 2 else map(int, rest)
        print(json.dumps(trained(folder, what, epochs, seed)))
