"""The end of a search: the network that is handed over, trained on train and develop, and the one reading of test."""
import numpy as np

from fastlab.files import digest_file
from fastlab.study.statistics import paired_interval, share_ahead


def networks(arrays, recipe, seed, ensemble, path, device, cache, notes, tell):
    """Trains `ensemble` networks on train and develop together and saves them; returns their Models and paths. Those
    that an earlier start has finished are read again. `arrays`: with the test labels hidden."""
    from fastlab.training.modelfile import load_model
    from fastlab.training.train import train
    models, paths = [], [member_path(path, number, ensemble) for number in range(ensemble)]
    for number, place in enumerate(paths):
        kept = notes.told["settled"].get(f"network {number}")
        if kept and place.is_file() and digest_file(place) == kept:
            models.append(load_model(place))
            continue
        tell("training", None)
        done = train(arrays, recipe.changed(on="total_train"), 100 * seed + number, place, device, cache=cache,
                     threads=1, tested=False)
        notes.settle(f"network {number}", lambda place=place: digest_file(place))
        models.append(done.model)
    return models, paths


def member_path(path, number, ensemble):
    "Where a network of an ensemble lies: model.safetensors, or model-1.safetensors, model-2 …"
    return path if ensemble == 1 else path.with_name(f"{path.stem}-{number + 1}{path.suffix}")


def reading(models, paths, arrays, found, bench):
    """The one time that the labels of the test split are looked at: the accuracy of what is handed over, and the gain
    over the plain Recipe, from predictions of networks that were trained on train alone, paired by round."""
    from fastlab.training.modelfile import save_model
    from fastlab.training.test import test
    tested = test(models, arrays)
    told = {"accuracy": tested.accuracy, "interval": list(tested.interval), "n": tested.n}
    for model, place, alone in zip(models, paths, tested.alone or (tested.accuracy,)):
        model.tested = told if len(models) == 1 else {"accuracy": alone, "n": tested.n}
        save_model(place, model)
    return told | {"balanced_accuracy": tested.balanced_accuracy, "macro_f1": tested.macro_f1,
                   "alone": list(tested.alone)} | gain_of(arrays, found, bench)


def gain_of(arrays, found, bench):
    "The gain over the plain Recipe on test, in points, with its 95 % interval over rounds and images."
    if found.answer == found.plain or not found.rounds:
        return {"gain": 0.0, "gain_interval": [0.0, 0.0], "gain_rounds": 0, "ahead": None}
    truth, tables = arrays.labels[arrays.splits["test"]], {}
    for recipe in (found.answer, found.plain):
        tables[recipe] = np.stack([_right(bench, recipe, number, truth) for number in found.rounds])
    table = tables[found.answer] - tables[found.plain]
    interval = paired_interval(table)
    bounds = [float(100 * bound) if np.isfinite(bound) else None for bound in (interval.low, interval.high)]
    return {"gain": float(100 * interval.mean), "gain_interval": bounds, "gain_rounds": len(found.rounds),
            "ahead": float(share_ahead(table.mean(1)))}


def _right(bench, recipe, number, truth):
    trial = bench.trials.trial(recipe, number, tested=True)
    return (bench.store.get(trial.key)[0].marks[trial.recipe.epochs]["test"] == truth).astype(np.float64)
