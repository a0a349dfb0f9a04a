"""Advice held against luck: 30 random Recipes trained in full, the best of them by develop, and the plain Recipe.

python tests/benchmarks/advise.py FOLDER [--images N] [--minutes 20] [--jobs 2] [--random 30] [--seeds 5] [--epochs 30]
                                  [--out DIR]
1. `advise` has so many minutes. 2. Random Recipes, drawn from the same space, are each trained once on train; the best
on develop is chosen. 3. The advised, the chosen and the plain Recipe are trained with fresh seeds on train and develop
together, and tested on the test split, which nothing chose on. Printed: the accuracy of each over the seeds, and paired
differences with intervals over seeds and images. --images: so many of train and develop, the classes in proportion. It
goes on where it was stopped. The last line is JSON."""
import argparse
import json
import time
from pathlib import Path

import numpy as np

from fastlab.images.arrays import Arrays
from fastlab.images.splitting import split_rows
from fastlab.study.advise import advise
from fastlab.study.advise.bench import Bench
from fastlab.study.advise.look import UNEQUAL
from fastlab.study.advise.space import PLAIN, Space, described
from fastlab.study.advise.telling import headline
from fastlab.study.advise.trials import REGION, TrialRunner, Trials
from fastlab.study.statistics import paired_interval
from fastlab.study.store import Store
from fastlab.training.figures import wilson

FRESH = 7                       # trials of other seeds than the search's, whose are 0 to 99


def part_of(arrays, images):
    "The same data set with so many images to train and develop on, in the folder's own proportion of classes."
    rows = np.sort(np.concatenate([arrays.splits["train"], arrays.splits["develop"]]))
    share = images / len(rows)
    some = rows[split_rows(arrays.labels[rows], {"kept": share, "rest": 1 - share}, 0)["kept"]] if share < 1 else rows
    parts = split_rows(arrays.labels[some], {"train": 0.8, "develop": 0.2}, 0)
    return arrays.with_splits(**{split: some[part] for split, part in parts.items()})


def best_of_random(arrays, looked, bench, count, epochs):
    "(Recipe, its develop accuracy): the best by develop of `count` random ones, each trained once in full."
    space = Space(looked.size, looked.symmetric, looked.unequal >= UNEQUAL, looked.train)
    drawn = [space.drawn(1, number).changed(epochs=epochs) for number in range(count)]
    bench.run([(recipe, 0, False) for recipe in drawn], told=lambda done: print(
        f"random: {described(done.run.recipe)}: {done.reason or f'{done.seconds:.0f} s'}", flush=True))
    accuracies = {recipe: float(bench.right[recipe, 0].mean()) for recipe in drawn if (recipe, 0) in bench.right}
    best = max(accuracies, key=accuracies.get)
    return best, accuracies


def retrained(recipes, bench, arrays, seeds):
    "{Recipe: right answers on test, (seeds, n)}, trained on train and develop together."
    whole = {recipe: recipe.changed(on="total_train") for recipe in recipes}
    bench.run([(one, seed, True) for one in whole.values() for seed in range(seeds)],
              told=lambda done: print(f"again: seed {done.run.seed}: {done.seconds:.0f} s", flush=True))
    truth, found = arrays.labels[arrays.splits["test"]], {}
    for recipe, one in whole.items():
        kept = [bench.store.get(bench.trials.trial(one, seed, True).key)[0].marks[one.epochs]["test"]
                for seed in range(seeds)]
        found[recipe] = np.stack([(predicted == truth).astype(float) for predicted in kept])
    return found


def difference(one, other):
    found = paired_interval(one - other)
    return {"points": 100 * float(found.mean), "interval": [100 * float(found.low), 100 * float(found.high)]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    for name, kind, default in (("images", int, None), ("minutes", float, 20.0), ("jobs", int, 2), ("random", int, 30),
                                ("seeds", int, 5), ("epochs", int, 30), ("out", Path, None), ("cache", Path, None)):
        parser.add_argument(f"--{name}", type=kind, default=default)
    asked = parser.parse_args()
    out = asked.out or Path(f"benchmark-advice-{asked.folder.name}")
    arrays = Arrays.from_folder(asked.folder, cache=asked.cache)
    arrays = part_of(arrays, asked.images) if asked.images else arrays
    begun = time.monotonic()
    advice = advise(arrays, asked.minutes, jobs=asked.jobs, out=out / "advice", cache=asked.cache)
    wall = time.monotonic() - begun
    print(*headline(advice), sep="\n", flush=True)
    bench = Bench(Trials(arrays, TrialRunner.here("cpu"), FRESH), Store(out / "others"), asked.jobs)
    best, accuracies = best_of_random(arrays, advice.looked, bench, asked.random, asked.epochs)
    recipes = {"advised": advice.recipe, "best of random": best, "plain": PLAIN}
    right = retrained(dict.fromkeys(recipes.values()), bench, arrays, asked.seeds)
    bench.close()
    told = {"folder": asked.folder.name, "train": len(arrays.splits["train"]), "develop": len(arrays.splits["develop"]),
            "n": advice.n, "minutes": asked.minutes, "jobs": asked.jobs, "wall_seconds": wall, "seeds": asked.seeds,
            "handed_over": {"accuracy": advice.accuracy, "interval": advice.interval},
            "verdict": advice.found.verdict, "random": sorted(accuracies.values(), reverse=True)}
    for name, recipe in recipes.items():
        values = right[recipe]
        low, high = wilson(values.mean() * values.shape[1], values.shape[1])
        told[name] = {"recipe": described(recipe), "epochs": recipe.epochs, "accuracy": float(values.mean()),
                      "deviation": float(values.mean(1).std(ddof=1)) if len(values) > 1 else None}
        print(f"{name:<15} {100 * values.mean():.2f} % ({100 * low:.2f} to {100 * high:.2f} for one network), "
              f"{asked.seeds} seeds: {described(recipe)}")
    for name in ("best of random", "plain"):
        told[f"advised - {name}"] = gap = difference(right[advice.recipe], right[recipes[name]])
        low, high = gap["interval"]
        print(f"advised − {name}: {gap['points']:+.2f} points ({low:+.2f} to {high:+.2f}); "
              f"above −{REGION}: {'yes' if low > -REGION else 'no'}")
    print(json.dumps(told))


if __name__ == "__main__":
    main()
