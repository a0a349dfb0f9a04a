"""How long `fastlab explain` takes on a machine that does nothing else: the refined LeNet, and the 2012 AlexNet.

python tests/benchmarks/explain_time.py FOLDER PHOTOGRAPHS [--rounds N] [--threads N] [--out FILE]
FOLDER holds 28-pixel images for the LeNet, PHOTOGRAPHS anything for the AlexNet, which is explained with its initial
weights: what it costs does not depend on them. Each round is a process of its own, start and imports included; images
lie decoded in the cache, from the making of the model. Told: wall and CPU seconds (median, least and greatest) against
the bounds of 20 and 120 seconds, and the peak of memory."""
import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

BOUNDS = {"lenet": 20, "alexnet2012": 120}

UNTRAINED = """
import sys, torch
from fastlab.images.arrays import Arrays
from fastlab.nets import build
from fastlab.training.modelfile import Model, save_model
from fastlab.training.recipe import Recipe
net, folder, path = sys.argv[1:]
full = net == "alexnet2012"
arrays = Arrays.from_folder(folder, 3 if full else 1, 256 if full else 28)
recipe = Recipe.for_net(net).resolved(arrays.channels, arrays.size[0], "fp32")
recipe = recipe.changed(crop=227) if full else recipe
torch.manual_seed(0)
made = build(net, len(arrays.classes), recipe.channels, recipe.crop, recipe.norm, recipe.dropout, recipe.lrn).eval()
mean, deviation = arrays.statistics
told = {"size": arrays.size[0], "crop": recipe.crop, "channels": arrays.channels, "mean": list(mean),
        "deviation": list(deviation)}
save_model(path, Model(made, recipe, arrays.classes, arrays.names, told))
"""


def measured(model, folder, page, environment):
    "Wall seconds, CPU seconds and peak memory in MB of one process that explains."
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "fastlab", "explain", str(model), str(folder), "--out", str(page), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{model.name} failed:\n{done.stderr}")
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": wall, "cpu": spent, "megabytes": after.ru_maxrss / 1024, "n": json.loads(done.stdout)["n"],
            "page_megabytes": page.stat().st_size / 1e6}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--nets", nargs="*", default=list(BOUNDS))
    parser.add_argument("--out", type=Path, default=Path("explain_time.json"))
    chosen, found = parser.parse_args(), {}
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "FASTLAB_CACHE": home, "OMP_NUM_THREADS": str(chosen.threads),
                       "PYTHONWARNINGS": "ignore"}
        for net in chosen.nets:
            folder = chosen.photographs if net == "alexnet2012" else chosen.folder
            model, page = Path(home) / f"{net}.safetensors", Path(home) / f"{net}.html"
            subprocess.run([sys.executable, "-c", UNTRAINED, net, str(folder), str(model)], env=environment, check=True)
            found[net] = [measured(model, folder, page, environment) for _ in range(chosen.rounds)]
            wall, cpu = ([one[what] for one in found[net]] for what in ("wall", "cpu"))
            print(f"{net:<12} wall {median(wall):.1f} s ({min(wall):.1f} to {max(wall):.1f}; bound {BOUNDS[net]} s), "
                  f"CPU {median(cpu):.1f} s, peak {found[net][-1]['megabytes']:,.0f} MB, page "
                  f"{found[net][-1]['page_megabytes']:.1f} MB; {chosen.rounds} rounds, {chosen.threads} threads",
                  flush=True)
    chosen.out.write_text(json.dumps({"threads": chosen.threads, "rounds": found}, indent=1))


if __name__ == "__main__":
    main()
