"""How time and memory grow with images, their size, the batch and the epochs, and a data set larger than its memory.

python tests/benchmarks/growth.py FOLDER [--rounds 3] [--threads 1] [--out growth.json]
FOLDER holds <split>/<class>/<image>, such as the 70,000 of MNIST. Each figure is a command `fastlab train` in a process
of its own, in turn over the rounds: the least seconds of an epoch, seconds of processor and peak memory of the whole
command, decoding included, medians over the rounds. The exponent is that of growth between the last two rows: 1 is
linear. Then memory's growth from 10,000 to 70,000 images over that of their bytes. Last, a training on 2 GB of pixels
in a process that may take half a gigabyte more than it begins with (RLIMIT_DATA)."""
import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from check_scale import linked
from fastai.callback.core import Callback
from measuring import machine, rounds_of
from photographs import LIMIT, bound_memory, own_memory

COUNTS, SIZES, BATCHES, EPOCHS = (1_000, 10_000, 70_000), (28, 64, 224), (16, 64, 256, 1024), (1, 2, 4)
MEASURED = "--measured"


def train(folder, threads, *options):
    return [sys.executable, "-m", "fastlab", "train", str(folder), "--json", "--precision", "fp32",
            "--threads", str(threads), *map(str, options)]


def series(folders, threads):
    "{name: {value: command}}: one thing grows, the others stay."
    small, middle = folders[1_000], folders[10_000]
    return {"images": {count: train(folders[count], threads, "--epochs", 1) for count in COUNTS},
            "pixels a side, 1,000 images": {size: train(small, threads, "--epochs", 1, "--size", size)
                                            for size in SIZES},
            "batch, 10,000 images": {size: train(middle, threads, "--epochs", 1, "--batch-size", size)
                                     for size in BATCHES},
            "epochs, 10,000 images": {count: train(middle, threads, "--epochs", count) for count in EPOCHS}}


def table(name, runs):
    "Prints a table a series, and gives its rows: (value, s an epoch, s of processor, bytes at most)."
    rows = [(value, median(one.told["seconds_per_epoch"] for one in found), median(one.cpu for one in found),
             median(one.peak for one in found)) for value, found in runs.items()]
    print(f"\n{name:<30}{'s an epoch':>12}{'s of processor':>16}{'MB at most':>12}")
    for value, epoch, cpu, peak in rows:
        print(f"{value:>30,}{epoch:>12.2f}{cpu:>16.1f}{peak / 1e6:>12.0f}")
    (before, was, *_), (after, now, *_) = rows[-2:]
    print(f"{'exponent of an epoch':<30}{math.log(now / was) / math.log(after / before):>12.2f}")
    return rows


class Watch(Callback):
    "The most memory of its own that the process had at the end of a batch, in bytes."
    most = 0

    def after_batch(self):
        self.most = max(self.most, own_memory()[1])


def large(folder):
    "Trains on 2 GB of pixels with a bound on the memory that is the process's own; prints what it had at most."
    import torch

    from fastlab import Recipe
    from fastlab.images.arrays import Arrays
    from fastlab.training.run import learner_for
    torch.set_num_threads(1)
    arrays = Arrays.from_folder(folder, 1, 224)
    learn = learner_for(arrays, Recipe(epochs=1, width=1 / 16, batch_size=64, precision="fp32"), 0)
    bound_memory()
    watch = Watch()
    with learn.no_bar(), learn.no_logging():
        learn.fit_recipe(cbs=[watch])
    print(json.dumps({"pixels": arrays.images.nbytes, "own": watch.most, "limit": LIMIT, "images": len(arrays.images),
                      "accuracy": learn.history[-1]["develop_accuracy"]}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("growth.json"))
    chosen = parser.parse_args()
    about, found = machine(), {}
    with tempfile.TemporaryDirectory() as place:
        folders = {count: linked(chosen.folder, count, Path(place) / str(count)) for count in COUNTS}
        for name, commands in series(folders, chosen.threads).items():
            found[name] = table(name, rounds_of(commands, chosen.rounds))
        linked(chosen.folder, 40_000, Path(place) / "large")
        kept = subprocess.run([sys.executable, __file__, MEASURED, f"{place}/large"], check=True, capture_output=True,
                              text=True, env={**os.environ, "FASTLAB_CACHE": f"{place}/cache"})
        limited = json.loads(kept.stdout.splitlines()[-1])
    peaks = {count: peak for count, *_, peak in found["images"]}
    grown = (peaks[70_000] - peaks[10_000]) / (60_000 * 28 * 28)
    print(f"\nmemory from 10,000 to 70,000 images: {grown:.2f} times the bytes of their pixels\n"
          f"trained on {limited['pixels'] / 1e9:.2f} GB of pixels with {limited['own'] / 1e9:.2f} GB of its own "
          f"(allowed beyond what it began with: {limited['limit'] / 1e9:.2f})")
    told = {"machine": about, "series": found, "memory": grown, "limited": limited}
    chosen.out.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    if sys.argv[1:2] == [MEASURED]:
        large(sys.argv[2])
    else:
        main()
