"""A small plan and made-up images: all that a study with the fake runner needs. Imports no torch."""
import numpy as np

from fastlab.images.arrays import Arrays
from fastlab.study.planfile import plan_from
from fastlab.study.tomllines import PlanText

TABLES = ("results.csv", "curves.csv", "costs.csv", "verdicts.json", "report.md", "report.html")
SMALL_PLAN = """
title = "Small"
seeds = 6
[recipe]
net = "lenet"
norm = "none"
dropout = 0.0
epochs = 8
lr = 1e-3
[variants]
plain = {}
L1 = { l1 = 0.001 }
dropout = { dropout = 0.5 }
BatchNorm = { norm = "batch" }
[[comparison]]
name = "1"
baseline = "plain"
variants = ["L1"]
[[comparison.claim]]
says = "With L1 it is clearly less accurate"
variant = "L1"
is = "clearly less accurate"
[[comparison]]
name = "2"
baseline = "plain"
variants = ["dropout", "BatchNorm"]
testing = ["eval", "as-printed"]
[[comparison.claim]]
says = "Dropout converges more slowly"
variant = "dropout"
is = "converges more slowly"
[[comparison.claim]]
says = "BatchNorm is more accurate"
variant = "BatchNorm"
is = "more accurate"
[[comparison]]
name = "long"
baseline = "plain"
variants = ["BatchNorm"]
change = { epochs = 16 }
[[comparison.claim]]
says = "It still climbs"
variant = "plain"
is = "still climbs"
"""


def made_up_arrays(classes=4, train=20, develop=30, test=60):
    "Random 4 x 4 pixels: the fake runner looks at labels alone."
    counts = {"train": train, "develop": develop, "test": test}
    labels = np.concatenate([np.repeat(np.arange(classes), count) for count in counts.values()])
    splits, start = {}, 0
    for split, count in counts.items():
        splits[split] = np.arange(start, start + classes * count)
        start += classes * count
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 4, 4, 1), dtype=np.uint8)
    names = tuple(map(str, range(1, classes + 1)))
    return Arrays(images, labels.astype(np.int64), splits, names, names)


def small_plan():
    return plan_from(PlanText(SMALL_PLAN, "small.toml"))


def tables(done):
    "What a Study wrote for people: name -> bytes."
    return {name: (done.out / name).read_bytes() for name in TABLES}
