"""Advice's rate, which was raced, against the rate that fastai's finder suggests for the same Recipe.

python tests/benchmarks/finder.py FOLDER --lr RATE [--images N] [--epochs 20] [--seeds 5] [--jobs 2] [--out DIR]
The Recipe is that of the README's section on advice: handwriting augmentation, one-cycle. The finder is asked on train
alone (seed 0; valley, which is fastai's own choice, and steep). Each rate is then trained with fresh seeds on train and
develop together and tested on the test split, as in advise.py. The last line is JSON."""
import argparse
import json
from pathlib import Path

from advise import FRESH, difference, part_of, retrained
from fastai.callback.schedule import steep, valley

from fastlab.images.arrays import Arrays
from fastlab.study.advise.bench import Bench
from fastlab.study.advise.trials import TrialRunner, Trials
from fastlab.study.store import Store
from fastlab.training.machine import threads_set
from fastlab.training.recipe import Recipe
from fastlab.training.run import learner_for


def found_rates(arrays, recipe):
    "{'valley': rate, 'steep': rate} that the finder suggests, in two figures."
    with threads_set(1):
        learn = learner_for(arrays, recipe, 0)
        with learn.no_bar(), learn.no_logging():
            told = learn.lr_find(show_plot=False, suggest_funcs=(valley, steep))
    return {name: float(f"{rate:.2g}") for name, rate in told._asdict().items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lr", type=float, required=True)
    for name, kind, default in (("images", int, None), ("epochs", int, 20), ("seeds", int, 5), ("jobs", int, 2),
                                ("out", Path, None), ("cache", Path, None)):
        parser.add_argument(f"--{name}", type=kind, default=default)
    asked = parser.parse_args()
    arrays = Arrays.from_folder(asked.folder, cache=asked.cache)
    arrays = part_of(arrays, asked.images) if asked.images else arrays
    raced = Recipe(augment="handwriting", schedule="one-cycle", lr=asked.lr, epochs=asked.epochs)
    rates = found_rates(arrays, raced)
    recipes = {"raced": raced} | {name: raced.changed(lr=rate) for name, rate in rates.items()}
    store = Store(asked.out or Path(f"benchmark-finder-{asked.folder.name}"))
    bench = Bench(Trials(arrays, TrialRunner.here("cpu"), FRESH), store, asked.jobs)
    right = retrained(dict.fromkeys(recipes.values()), bench, arrays, asked.seeds)
    bench.close()
    told = {"folder": asked.folder.name, "n": len(arrays.splits["test"]), "seeds": asked.seeds, "epochs": asked.epochs}
    for name, recipe in recipes.items():
        told[name] = {"lr": recipe.lr, "accuracy": float(right[recipe].mean())}
        print(f"{name:<8} {recipe.lr:g}: {100 * told[name]['accuracy']:.2f} %")
    for name in rates:
        told[f"raced - {name}"] = gap = difference(right[raced], right[recipes[name]])
        print(f"raced − {name}: {gap['points']:+.2f} points ({gap['interval'][0]:+.2f} to {gap['interval'][1]:+.2f})")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
