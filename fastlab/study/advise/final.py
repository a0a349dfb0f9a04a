"""The end of a search: the network that is handed over, trained on train and develop, and the one reading of test."""
import json
from pathlib import Path

import numpy as np

from fastlab.files import digest, digest_file, write_bytes
from fastlab.study.statistics import paired_interval, share_ahead


def networks(arrays, recipe, seed, ensemble, path, device, cache, notes, tell):
    """Trains `ensemble` networks on train and develop together and saves them; returns their Models and paths. Those
    that an earlier start has finished are read again, or copied from where it was to save them. `arrays`: with the test
    labels hidden."""
    from fastlab.training.modelfile import load_model
    from fastlab.training.train import train
    models, paths = [], member_paths(path, ensemble)
    for number, place in enumerate(paths):
        kept = notes.get(network_name(recipe, number))
        if kept and unchanged(*kept):
            if Path(kept[0]) != place:
                write_bytes(place, Path(kept[0]).read_bytes())
            models.append(load_model(place))
        else:
            tell("training", None)
            models.append(train(arrays, recipe.changed(on="total_train"), 100 * seed + number, place, device,
                                cache=cache, threads=1, tested=False).model)
        notes.note(network_name(recipe, number), file_told(place))
    return models, paths


def member_paths(path, ensemble):
    "Where the networks lie: model.safetensors, or of an ensemble model-1.safetensors, model-2 …"
    return [path if ensemble == 1 else path.with_name(f"{path.stem}-{number + 1}{path.suffix}")
            for number in range(ensemble)]


def name_of(recipe):
    "What a Recipe is called in the notes."
    return digest(json.dumps(recipe.to_dict(), sort_keys=True))[:12]


def network_name(recipe, number):
    return f"network {number} of {name_of(recipe)}"


def file_told(path):
    "A file as the notes have it."
    return [str(path), digest_file(path)]


def unchanged(path, content):
    "Whether a file is there as the notes have it."
    return Path(path).is_file() and digest_file(path) == content


def say_tested(models, paths, told, recipe, notes):
    "Writes what the test said into the networks' files."
    from fastlab.training.modelfile import save_model
    figures, shares = {name: told[name] for name in ("accuracy", "interval", "n")}, told["alone"] or [told["accuracy"]]
    for number, (model, place, alone) in enumerate(zip(models, paths, shares)):
        model.tested = figures if len(models) == 1 else {"accuracy": alone, "n": told["n"]}
        save_model(place, model)
        notes.note(network_name(recipe, number), file_told(place))


def reading(models, arrays, found, bench):
    """The one time that the labels of the test split are looked at: the accuracy of what is handed over, and the gain
    over the plain Recipe, from predictions of networks that were trained on train alone, paired by round."""
    from fastlab.training.test import test
    tested = test(models, arrays)
    return {"accuracy": tested.accuracy, "interval": list(tested.interval), "n": tested.n,
            "balanced_accuracy": tested.balanced_accuracy, "macro_f1": tested.macro_f1,
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
