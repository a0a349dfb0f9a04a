"""The runs of fastlab's study `lab` beside the lab report's own loop doing them one by one, in wall time.

python tests/benchmarks/study_vs_report_loop.py FOLDER BASELINES [--seeds N] [--jobs N] [--precision fp32] [--nets NET]
FOLDER: <class>/<image>, or with splits. BASELINES: a folder with report_loop.py, a script that trains on
FOLDER/train/<class>, tests on FOLDER/valid/<class> after every epoch and prints a JSON line with seconds_per_epoch.
Both train on the same images: the loop gets the study's own split as links. It is timed for 3 epochs of each network,
before the study and after it, and multiplied by the epochs of all runs (extrapolated: doing them would take hours).
fastlab really does its runs, from an empty cache: each part is a command of its own, imports, decoding, every test
under both ways of testing, and tables included. The ratio is that of the better of the loop's two timings."""
import argparse
import json
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from measuring import machine, measured

EPOCHS = 3
PARTS = {"lenet": "LeNet runs", "alexnet": "AlexNet runs"}


def study_of(folder, seeds, precision, net, out):
    "The Study of those of lab.toml's runs that train `net`; shared runs are there once, as in the whole study."
    from fastlab.study.folder import study_arrays
    from fastlab.study.planfile import read_plan
    from fastlab.study.study import Study
    plan = read_plan("lab")
    plan = replace(plan, recipe=plan.recipe.changed(precision=precision))
    arrays, source = study_arrays(plan, folder)
    made = Study(plan, arrays, out, seeds, source=source)
    made.schedule = replace(made.schedule, runs=tuple(run for run in made.schedule.runs if run.recipe.net == net))
    return made


def part(folder, seeds, precision, net, jobs, out):
    "What the command of one part does: carries out the runs of one network; prints how many epochs they were."
    made = study_of(folder, seeds, precision, net, out)
    made.run(jobs, show=False)
    if made.failed:
        raise SystemExit(f"failed: {made.failed}")
    print(json.dumps({"runs": len(made.schedule.runs), "epochs": sum(run.recipe.epochs for run in made.schedule.runs),
                      "images": sum(run.recipe.epochs * run.images for run in made.schedule.runs)}))


def linked(folder, place):
    "The study's own train and develop images as place/train/<class> and place/valid/<class>; how many to train on."
    from fastlab.study.folder import study_arrays
    from fastlab.study.planfile import read_plan
    arrays, _ = study_arrays(read_plan("lab"), folder)
    for split, name in (("train", "train"), ("develop", "valid")):
        for row in arrays.splits[split]:
            path = Path(arrays.paths[row]).resolve()
            home = place / name / arrays.classes[arrays.labels[row]]
            home.mkdir(parents=True, exist_ok=True)
            (home / f"{row}{path.suffix}").symlink_to(path)
    return len(arrays.splits["train"])


def loop(script, place, net):
    "Seconds an epoch of the report's loop."
    return measured([sys.executable, script, place, net, str(EPOCHS)]).told["seconds_per_epoch"]


def main(options):
    script = options.baselines / "report_loop.py"
    if not script.is_file():
        raise SystemExit(f"{script} is not there: without the baseline there is nothing to compare with.")
    with tempfile.TemporaryDirectory() as place:
        os.environ["FASTLAB_CACHE"] = f"{place}/cache of the links"
        place = Path(place)
        images, found = linked(options.folder, place), {}
        for net in options.nets:
            before = loop(script, place, net)
            command = [sys.executable, __file__, str(options.folder), str(options.baselines), "--part", net, "--out",
                       str(place / net), "--seeds", str(options.seeds), "--precision", options.precision,
                       *(["--jobs", str(options.jobs)] if options.jobs else [])]
            mine = measured(command, FASTLAB_CACHE=str(place / f"cache of {net}"))
            after = loop(script, place, net)
            epochs = mine.told["images"] / images  # runs on fewer classes are counted by their images
            found[net] = {"runs": mine.told["runs"], "epochs": epochs, "seconds": mine.seconds, "cpu": mine.cpu,
                          "loop_seconds_per_epoch": [before, after], "loop_seconds": min(before, after) * epochs,
                          "ratio": min(before, after) * epochs / mine.seconds}
            print(f"{PARTS[net]}: {mine.told['runs']} runs, {epochs:.0f} epochs: fastlab {mine.seconds:.0f} s; the "
                  f"loop {before:.2f} and {after:.2f} s an epoch, {found[net]['loop_seconds']:.0f} s: "
                  f"{found[net]['ratio']:.1f} times", flush=True)
    print(json.dumps({"machine": machine(), "seeds": options.seeds, "precision": options.precision, "parts": found}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("baselines", type=Path)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--nets", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.part:
        part(chosen.folder, chosen.seeds, chosen.precision, chosen.part, chosen.jobs, chosen.out)
    else:
        main(chosen)
