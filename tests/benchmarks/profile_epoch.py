"""Where the time of an epoch goes, and how near its convolutions are to what the processor can do at all.

python tests/benchmarks/profile_epoch.py FOLDER [--net lenet] [--precision bf16] [--threads 1]
An epoch of training and validation under torch's profiler: the share of each kind of operation. Then the operations of
the convolutions (multiplications in closed form, two operations each; a training step passes three times through each
layer, twice through the first) over the time spent in them, beside what a product of two 2048 × 2048 matrices reaches
in the same precision: the most that this processor gives. Last, how many times faster the epoch would be if all that
is not a convolution took no time. The last line is JSON."""
import argparse
import json
import os
import time
from collections import Counter
from pathlib import Path
from statistics import median

KINDS = {"convolution": ("convolution", "mkldnn_linear"), "batch normalisation": ("batch_norm",),
         "pooling": ("pool",), "ReLU": ("threshold", "clamp_min", "relu"), "linear": ("addmm", "aten::mm"),
         "dropout": ("uniform", "ge_"), "optimizer": ("Adam", "adam", "sgd"), "copies": ("copy", "index")}


def kind_of(name):
    return next((kind for kind, words in KINDS.items() if any(word in name for word in words)), "the rest")


def epoch_profile(learn):
    "(seconds of an epoch without the profiler, least of three; {kind: seconds of its own} of one with it)."
    from torch.profiler import profile
    plain, shares = [], Counter()
    with learn.no_bar(), learn.no_logging():
        for _ in range(3):
            begun = time.perf_counter()
            learn.fit(1)
            plain.append(time.perf_counter() - begun)
        with profile() as found:
            learn.fit(1)
    for event in found.key_averages():
        shares[kind_of(event.key)] += event.self_cpu_time_total / 1e6
    return min(plain), dict(shares.most_common())


def multiplications(learn):
    "Of the convolutions in one epoch: forward, and backward for weights and for what comes in (not for the image)."
    from torch import nn

    from fastlab.inside.costs import cost_of
    from fastlab.nets.steps import steps
    counts = [cost_of(step).multiplications for step in steps(learn.model, learn.recipe.channels, learn.recipe.crop)
              if isinstance(step.module, nn.Conv2d)]
    training, validation = len(learn.dls.train.dataset), len(learn.dls.valid.dataset)
    return training * (3 * sum(counts) - counts[0]) + validation * sum(counts)


def peak_rate(precision):
    "Floating-point operations a second of a large product of matrices."
    import torch
    kind, side = {"bf16": torch.bfloat16, "fp32": torch.float32}[precision], 2048
    left, right, times = torch.randn(side, side).to(kind), torch.randn(side, side).to(kind), []
    for _ in range(8):
        begun = time.perf_counter()
        left @ right
        times.append(time.perf_counter() - begun)
    return 2 * side ** 3 / median(times[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--net", default="lenet")
    parser.add_argument("--precision", default="bf16", choices=["bf16", "fp32"])
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(chosen.threads)     # before torch is imported
    from fastlab import Recipe
    from fastlab.images.arrays import Arrays
    from fastlab.training.run import learner_for
    learn = learner_for(Arrays.from_folder(chosen.folder), Recipe(net=chosen.net, precision=chosen.precision), 0)
    seconds, shares = epoch_profile(learn)
    total = sum(shares.values())
    print(f"{chosen.net}, {chosen.precision}, {chosen.threads} thread{'s' * (chosen.threads > 1)}: {seconds:.2f} s an "
          f"epoch, {total:.2f} s under the profiler")
    for kind, took in shares.items():
        print(f"  {kind:<20}{took:>7.2f} s {took / total:>7.1%}")
    rate, peak = 2 * multiplications(learn) / shares["convolution"], peak_rate(chosen.precision)
    print(f"convolutions: {rate / 1e9:.0f} GFLOP/s, {rate / peak:.0%} of a large product of matrices "
          f"({peak / 1e9:.0f} GFLOP/s)\nif all else took no time, the epoch would be "
          f"{total / shares['convolution']:.2f} times as fast")
    print(json.dumps({"net": chosen.net, "precision": chosen.precision, "threads": chosen.threads, "seconds": seconds,
                      "shares": shares, "rate": rate, "peak": peak}))


if __name__ == "__main__":
    main()
