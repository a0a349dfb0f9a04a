"""A runner that imports no torch: a deterministic function of Recipe and seed with plausible results. Images have their
difficulty, seeds their luck, variants their images, and a short run is the start of a longer one.

FAKE_SECONDS in the environment makes a run last; FAKE_FAILS names a penalty (l1) whose runs fail; FAKE_LOG is a file to
which every finished run adds a line; FAKE_DIES kills the process of runs with that l1."""
import hashlib
import json
import os
import time

import numpy as np

from fastlab.errors import TrainingError
from fastlab.training.recipe import crops_of
from fastlab.training.result import Result

BASE = {"none": 0.0, "batch": 0.3}


def generator(*parts):
    text = json.dumps(parts, sort_keys=True, default=str)
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))


def skill(recipe, printed):
    "Logits that a Recipe gains at the end, and how fast it gets there (epochs)."
    gain = BASE[recipe.norm or "none"] - 400 * recipe.l1 - 20 * recipe.l2 + 0.3 * (recipe.net == "alexnet")
    gain -= printed * (1.5 * (recipe.norm == "batch") + 0.8 * bool(recipe.dropout))
    return gain, 0.6 + 0.5 * bool(recipe.dropout) + 3 * (recipe.batch_size > 500)


def carry_out(arrays, recipe, seed, marks=()):
    if recipe.l1 and os.environ.get("FAKE_FAILS") == str(recipe.l1):
        raise TrainingError("the loss is not finite in epoch 3 (made up).")
    if recipe.l1 and os.environ.get("FAKE_DIES") == str(recipe.l1):
        os._exit(9)
    told = {key: value for key, value in recipe.to_dict().items() if key != "epochs"}
    classes, epochs = len(arrays.classes), recipe.epochs
    truth = {split: arrays.labels[rows] for split, rows in arrays.splits.items()}
    luck = generator("luck", told, seed).normal(0, 0.1) + generator("shared luck", seed).normal(0, 0.2)
    wanted, kept, curves = {*marks, epochs}, {}, {"develop_accuracy": [], "develop_accuracy_as_printed": []}
    for epoch in range(1, epochs + 1):
        predictions = {}
        for split in ("train", "develop", "test"):
            for testing in ("", "_as_printed")[:1 + (split != "train")]:
                gain, pace = skill(recipe, testing != "")
                level = (4 + gain + luck) * (1 - np.exp(-epoch / pace)) + (4 if split == "train" else 0)
                count = len(truth[split])
                hard = generator("hard", split).normal(0, 2, count)
                hard = hard + generator("taste", split, told).normal(0, 0.4, count)
                noise = generator("accident", told, seed, epoch, split, testing).logistic(0, 0.7, count)
                right = level + hard + noise > 0
                told_as = np.where(right, truth[split], (truth[split] + 1) % classes)
                predictions[split + testing] = told_as.astype(np.int16)
                if split == "develop":
                    curves["develop_accuracy" + testing].append(right.mean())
        if epoch in wanted:
            one_hot = np.eye(classes, dtype=np.float16)[predictions["test"]]
            kept[epoch] = {**predictions, "test_probabilities": one_hot}
            if crops_of(recipe.augment, recipe.crop, arrays.size[0]) > 1:
                lucky = generator("ten crops", told, seed, epoch).random(len(one_hot)) < 0.3
                better = np.where(lucky, truth["test"], predictions["test"]).astype(np.int16)
                kept[epoch] |= {"test_ten_crop": better,
                                "test_ten_crop_probabilities": np.eye(classes, dtype=np.float16)[better]}
    time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
    log = os.environ.get("FAKE_LOG")
    if log:
        with open(log, "a") as file:
            file.write(f"{os.getpid()} {json.dumps(told, sort_keys=True)} {seed}\n")
    time_axis = np.arange(1, epochs + 1)
    figures = {name: np.array(values) for name, values in curves.items()}
    loss = 2 * np.exp(-time_axis / 4)
    figures |= {"train_loss": loss, "develop_loss": loss + 0.002 * time_axis, "lr": np.full(epochs, recipe.lr),
                "seconds": np.full(epochs, 1.5), "zeros": np.full(epochs, 0.001),
                "output_size": 3.0 - bool(recipe.dropout) + 0.1 * time_axis,
                "update_norm": 1 / time_axis ** 0.5,
                "train_accuracy_while_training": np.minimum(1, 0.9 + 0.01 * time_axis)}
    machine = {"capability": "made up", "threads": 1, "torch": "none", "precision": recipe.precision, "device": "cpu"}
    return Result(figures, kept, machine, 1.5 * epochs)


def not_as_printed(arrays, recipe, seed, marks=()):
    "The same, of networks that with BatchNorm cannot be tested as printed, as over single values."
    result = carry_out(arrays, recipe, seed, marks)
    if recipe.norm != "batch":
        return result
    kept = {mark: {name: values for name, values in told.items() if not name.endswith("_as_printed")}
            for mark, told in result.marks.items()}
    unknown = {"develop_accuracy_as_printed": np.full(recipe.epochs, np.nan)}
    return Result(result.epochs | unknown, kept, result.machine, result.seconds)
