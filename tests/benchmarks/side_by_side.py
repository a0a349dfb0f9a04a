"""fastlab beside what users would pick instead: the same folder, each in a process of its own, in turn, several rounds.

python tests/benchmarks/side_by_side.py FOLDER BASELINES [--net lenet|alexnet] [--epochs N] [--rounds N] [--out FILE]
FOLDER holds train/<class>/* and valid/<class>/*: all train on the one and validate on the other after every epoch.
BASELINES is a folder with report_loop.py, vanilla_fastai.py and bare_loop.py, scripts that print one JSON line with
seconds_per_epoch. Nothing is extrapolated: the whole command is one process that trains all the epochs asked for and
ends with a tested network; fastlab's begins with an empty cache. Ratios are taken round by round; above 1, fastlab is
ahead. vanilla_fastai is the better of 0 and 2 workers in each round; the bare loop ends without a test of its own."""
import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from statistics import median

from measuring import machine, ratios, rounds_of

KERNELS = {"fp32": "best+channels_last", "bf16": "best+channels_last+bf16"}
WORKERS = (0, 2)
FIGURES = {"s an epoch": lambda one, steps: one.told["seconds_per_epoch"],
           "ms a step": lambda one, steps: 1e3 * one.told["seconds_per_epoch"] / steps,    # its validation included
           "s, whole": lambda one, steps: one.seconds,
           "s of processor": lambda one, steps: one.cpu,
           "MB at most": lambda one, steps: one.peak / 1e6}                # of its largest process
RATIOS = ("s an epoch", "s, whole", "s of processor", "MB at most")
STARTS = {"fastlab --help": ["-m", "fastlab", "--help"], "import fastlab": ["-c", "import fastlab"],
          "import torch": ["-c", "import torch"], "import fastai.vision.all": ["-c", "import fastai.vision.all"]}


def contestants(folder, baselines, net, epochs, precisions, threads):
    "{name: command}: fastlab and the bare loop with every precision and number of threads, the others as they are."
    def script(name, *options):
        return [sys.executable, str(baselines / f"{name}.py"), str(folder), net, str(epochs), *map(str, options)]
    fastlab = [sys.executable, "-m", "fastlab", "train", str(folder), "--net", net, "--epochs", str(epochs), "--json"]
    commands = {}
    for precision in precisions:
        for count in threads:
            commands[f"fastlab {precision}, threads {count}"] = [*fastlab, "--precision", precision,
                                                                 "--threads", str(count)]
            commands[f"bare_loop {precision}, threads {count}"] = script("bare_loop", KERNELS[precision], count)
    for workers in WORKERS:
        commands[f"vanilla_fastai, workers {workers}"] = script("vanilla_fastai", workers)
    return commands | {"report_loop": script("report_loop")}


def against(name, values):
    "[(whom fastlab's `name` is held against, their figures a round)]: the bare loop at the same threads, the others."
    bare = name.replace("fastlab", "bare_loop")
    vanilla = [values[each] for each in values if each.startswith("vanilla_fastai")]
    return [("vanilla_fastai", list(map(min, *vanilla))), ("report_loop", values["report_loop"]), (bare, values[bare])]


def table(found, steps):
    "Lines: every contestant's medians, then what others take in relation to fastlab, as median (least to greatest)."
    values = {title: {name: [figure(one, steps) for one in runs] for name, runs in found.items()}
              for title, figure in FIGURES.items()}
    yield f"{'median':<28}" + "".join(f"{title:>16}" for title in FIGURES)
    for name in found:
        yield f"{name:<28}" + "".join(f"{median(values[title][name]):>16.2f}" for title in FIGURES)
    for name in (name for name in found if name.startswith("fastlab")):
        yield f"\n{'times ' + name + ':':<28}" + "".join(f"{title:>24}" for title in RATIOS)
        others = {title: dict(against(name, values[title])) for title in RATIOS}
        for whom in others[RATIOS[0]]:
            spread = [ratios(others[title][whom], values[title][name]) for title in RATIOS]
            yield f"{whom:<28}" + "".join(f"{f'{middle:.2f} ({least:.2f} to {most:.2f})':>24}"
                                          for middle, least, most in spread)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("baselines", type=Path)
    parser.add_argument("--net", default="lenet", choices=["lenet", "alexnet"])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", nargs="+", choices=list(KERNELS), help="left out: fp32, and bf16 if it is fast")
    parser.add_argument("--threads", nargs="+", type=int, default=sorted({1, os.cpu_count()}, reverse=True))
    parser.add_argument("--out", type=Path, default=Path("side_by_side.json"))
    chosen = parser.parse_args()
    if not (chosen.baselines / "bare_loop.py").exists():
        raise SystemExit(f"{chosen.baselines}: there is no bare_loop.py; name the folder of the baselines.")
    if chosen.precision is None:
        from fastlab.training.machine import has_fast_bf16
        chosen.precision = ["bf16", "fp32"] if has_fast_bf16("cpu") else ["fp32"]
    about = machine()
    images = sum(1 for file in (chosen.folder / "train").glob("*/*"))
    steps = -(-images // 64)
    commands = contestants(chosen.folder, chosen.baselines, chosen.net, chosen.epochs, chosen.precision, chosen.threads)
    found = rounds_of(commands, chosen.rounds)
    starts = rounds_of({name: [sys.executable, *words] for name, words in STARTS.items()}, chosen.rounds)
    print(f"{chosen.net}, {images:,} images to train on, batch 64, {chosen.epochs} epochs, {chosen.rounds} rounds; "
          f"{about['processor']}, {about['cores']} cores, load {about['load']:.1f}, torch {about['torch']}")
    print("\n".join(table(found, steps)))
    print("\nstart-up, seconds")
    for name, runs in starts.items():
        print(f"  {name:<28} {min(one.seconds for one in runs):>9.2f} at best, {median(o.cpu for o in runs):.2f} of "
              "processor")
    told = {"machine": about, "net": chosen.net, "images": images, "steps": steps, "epochs": chosen.epochs,
            "runs": {name: [asdict(one) for one in runs] for name, runs in (found | starts).items()}}
    chosen.out.write_text(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
