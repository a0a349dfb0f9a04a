"""Results as tidy tables, sorted, the same bytes for the same results: results.csv (one row for each variant, seed,
epoch at which predictions were kept, and way of testing) and curves.csv (one row an epoch). Times are in costs.csv."""
import csv
import io
import json

import numpy as np

from fastlab.study.outcome import PRINTED
from fastlab.study.plan import TESTINGS

RESULTS = ("comparison", "variant", "seed", "epoch", "testing", "test_accuracy", "test_right", "test_images",
           "develop_accuracy", "develop_images", "train_accuracy", "train_loss", "develop_loss", "zeros", "run")
CURVES = ("train_loss", "develop_loss", "develop_accuracy", "develop_accuracy_as_printed",
          "train_accuracy_while_training", "lr", "zeros", "output_size", "update_norm")
COSTS = ("run", "label", "seed", "epochs", "seconds", "seconds_an_epoch", "device", "processor", "capability",
         "precision", "threads", "torch")


def result_rows(gathered):
    "One dict a row of results.csv, sorted."
    rows = []
    for comparison in gathered.plan.comparisons:
        marks = gathered.plan.marks_of(comparison)
        for variant in comparison.everyone:
            for seed, outcome in gathered.outcomes(comparison, variant).items():
                run = "+".join(gathered.schedule.keys[comparison.name, variant, seed])
                rows += [{"comparison": comparison.name, "variant": variant, "seed": seed, **row, "run": run}
                         for mark in marks[variant] for row in _at_mark(outcome, mark)]
    return sorted(rows, key=lambda row: tuple(row[name] for name in RESULTS[:5]))


def _at_mark(outcome, mark):
    kept = outcome.result.marks[mark]
    for testing in TESTINGS:
        suffix = PRINTED if testing == "as-printed" else ""
        if "test" + suffix not in kept and "develop" + suffix not in kept:
            continue
        row = {"epoch": mark, "testing": testing}
        for split in ("test", "develop", *(["train"] if not suffix else [])):
            if split + (suffix if split != "train" else "") in kept:
                right = outcome.tested(testing).right(split, mark)
                row |= {f"{split}_accuracy": float(right.mean()), f"{split}_images": len(right),
                        f"{split}_right": int(right.sum())}
        for name in ("train_loss", "develop_loss", "zeros"):
            row[name] = float(outcome.figures(name)[mark - 1])
        yield row


def curve_rows(gathered):
    "One dict a row of curves.csv, sorted: every epoch of every variant and seed."
    rows = []
    for comparison in gathered.plan.comparisons:
        for variant in comparison.everyone:
            for seed, outcome in gathered.outcomes(comparison, variant).items():
                curves = {name: outcome.figures(name) for name in CURVES}
                rows += [{"comparison": comparison.name, "variant": variant, "seed": seed, "epoch": epoch + 1,
                          **{name: float(values[epoch]) for name, values in curves.items()}}
                         for epoch in range(outcome.epochs)]
    return sorted(rows, key=lambda row: (row["comparison"], row["variant"], row["seed"], row["epoch"]))


def cost_rows(gathered):
    "One dict a finished run: what it took, on what machine."
    rows = []
    for key, result in sorted(gathered.results.items()):
        run, seconds = gathered.schedule.by_key[key], result.epochs.get("seconds")
        epochs = len(next(iter(result.epochs.values())))
        rows.append({"run": key, "label": run.label, "seed": run.seed, "epochs": epochs,
                     "seconds": round(result.seconds, 3),
                     "seconds_an_epoch": None if seconds is None else round(float(np.median(seconds)), 4),
                     **{name: result.machine.get(name, "") for name in COSTS[6:]}})
    return rows


def as_csv(columns, rows):
    "Rows as CSV text: shortest decimals that read back the same, nothing where there is no number."
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return text.getvalue()


def _cell(value):
    if isinstance(value, float):
        return repr(value) if np.isfinite(value) else ""
    return "" if value is None else value


def as_json(verdicts):
    "The verdicts as JSON text."
    return json.dumps([verdict.to_dict() for verdict in verdicts], ensure_ascii=False, indent=1) + "\n"
