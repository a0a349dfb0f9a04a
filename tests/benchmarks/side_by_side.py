"""fastlab beside what users would pick instead: the same folder, a process each, in turn, several rounds.

python tests/benchmarks/side_by_side.py FOLDER BASELINES [--net lenet|alexnet] [--epochs N] [--rounds N] [--out FILE]
FOLDER holds train/<class>/* and valid/<class>/*. BASELINES is a folder with report_loop.py, vanilla_fastai.py and
bare_loop.py, scripts that print one JSON line with seconds_per_epoch. The table gives the median of each and the ratio
to fastlab in the same round, as median with least and greatest; the JSON file holds every figure."""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median


def contestants(baselines, folder, net, epochs, cores):
    "{name: command line}, fastlab with one thread and with all cores, the baselines as they are."
    def script(name, *options):
        return [sys.executable, str(baselines / f"{name}.py"), str(folder), net, str(epochs), *map(str, options)]
    mine = [sys.executable, "-m", "fastlab", "train", str(folder), "--net", net, "--epochs", str(epochs), "--json"]
    return {"fastlab": [*mine, "--threads", str(cores)], "fastlab, 1 thread": [*mine, "--threads", "1"],
            "vanilla_fastai, 0 workers": script("vanilla_fastai", 0),
            "vanilla_fastai, 2 workers": script("vanilla_fastai", 2), "report_loop": script("report_loop"),
            "bare_loop, all cores": script("bare_loop", "best+channels_last", cores),
            "bare_loop, 1 thread": script("bare_loop", "best+channels_last", 1)}


def measured(command, home):
    "The JSON line of one process: seconds_per_epoch among its figures."
    environment = {**os.environ, "FASTLAB_CACHE": home, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("baselines", type=Path)
    parser.add_argument("--net", default="lenet")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("side_by_side.json"))
    chosen = parser.parse_args()
    if not (chosen.baselines / "bare_loop.py").exists():
        raise SystemExit(f"{chosen.baselines}: there is no bare_loop.py; name the folder of the baselines.")
    commands = contestants(chosen.baselines, chosen.folder, chosen.net, chosen.epochs, os.cpu_count())
    figures = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as home:
        for number in range(chosen.rounds):
            for name, command in commands.items():
                figures[name].append(measured(command, home)["seconds_per_epoch"])
                print(f"round {number + 1}: {name}: {figures[name][-1]:.2f} s an epoch", file=sys.stderr, flush=True)
    print(f"{chosen.net}, seconds an epoch, {chosen.rounds} rounds of {chosen.epochs} epochs")
    for name, seconds in figures.items():
        against = "fastlab, 1 thread" if name.endswith("1 thread") else "fastlab"
        ratios = [other / mine for other, mine in zip(seconds, figures[against])]
        print(f"{name:<28} {median(seconds):>8.2f} s   {median(ratios):>6.2f} × {against}'s "
              f"({min(ratios):.2f} to {max(ratios):.2f})")
    chosen.out.write_text(json.dumps({"net": chosen.net, "epochs": chosen.epochs, "seconds": figures}, indent=1))


if __name__ == "__main__":
    main()
