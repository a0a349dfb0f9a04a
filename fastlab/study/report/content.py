"""What the report says, as plain data: the page and the markdown print the same figures."""
import platform

import numpy as np

import fastlab
from fastlab.study.keys import installed
from fastlab.study.report.wording import (
    MARKS,
    SHORT,
    SHORT_UNITS,
    digits_for,
    duration,
    number,
    p_value,
    sentence,
    signed,
    slight,
    span,
    who,
)
from fastlab.study.statistics import seeds_needed, share_ahead
from fastlab.study.words import WORDS
from fastlab.training.recipe import RATES

PARTS = {"early accuracy": "early", "late accuracy": "late", "gain since": "gain", "accuracy": "end"}
REACH = 46                      # half the width of a small interval picture, in its own units


def content(study):
    "Everything the templates need, from a Study."
    gathered, decided, shifts = study.gathered, study.verdicts, study.explained
    return {"plan": study.plan, "data": data(study), "families": families(decided), "glance": glance(decided),
            "comparisons": [comparison(gathered, one, decided) for one in study.plan.comparisons],
            "explained": [shift(one) for one in shifts], "state": state(study), "costs": costs(gathered),
            "settings": settings(study), "tally": tally(decided), "forgotten": forgotten(shifts)}


def tally(decided):
    "Verdict -> how many claims have it, with eval()."
    proper = [one.verdict for one in decided if one.claim.testing == "eval"]
    return {verdict: proper.count(verdict) for verdict in MARKS}


def forgotten(shifts):
    "How many conclusions the missing eval() explains: (yes, perhaps, no)."
    answers = [one.answer for one in shifts]
    return {answer: answers.count(answer) for answer in ("yes", "perhaps", "no")} if answers else None


def data(study):
    arrays = study.data.arrays
    return {"name": study.source.rstrip("/").rpartition("/")[2] or "arrays", "classes": len(arrays.classes),
            "names": arrays.names, "size": f"{arrays.size[1]} × {arrays.size[0]}",
            "colour": "colour" if arrays.channels == 3 else "grey", "digest": arrays.digest[:12],
            "splits": {split: len(rows) for split, rows in arrays.splits.items()}, "notes": arrays.notes,
            "reach": _reach_of(len(arrays.splits["test"]))}


def _reach_of(images):
    "Half of Wilson's interval for one network at 98 %, in points."
    from fastlab.training.figures import wilson
    low, high = wilson(0.98 * images, images)
    return number(50 * (high - low))


def glance(decided):
    "The first screen's columns: families decided under both ways of testing to the left, the others to the right."
    two = {one.claim.family.removesuffix(", as printed") for one in decided if one.claim.testing != "eval"}
    told = families(decided)
    left = {family: rows for family, rows in told.items() if family in two}
    right = {family: rows for family, rows in told.items() if family not in two}
    return [(left, True), (right, False)]


def families(decided):
    "Family -> its claims, each with its verdict under either way of testing."
    found = {}
    for one in decided:
        claim = one.claim
        family = claim.family.removesuffix(", as printed") if claim.testing != "eval" else claim.family
        same = claim.says, claim.comparison, claim.variant, claim.word, claim.than, claim.since, claim.elsewhere
        row = found.setdefault(family, {}).setdefault(same, {"claim": claim, "cells": {}})
        row["cells"][claim.testing] = cell(one)
    return {family: sorted(rows.values(), key=lambda row: row["claim"].source) for family, rows in found.items()}


def cell(verdict):
    main = verdict.main
    unit, several = main.unit if main else "", len({part.measure for part in verdict.parts}) > 1
    return {"verdict": verdict.verdict, "mark": MARKS[verdict.verdict], "slight": slight(verdict),
            "short": SHORT[verdict.verdict] + (", slightly" if slight(verdict) else ""),
            "kind": verdict.verdict.split()[0], "span": span(main) if main else "–", "unit": unit,
            "short_unit": SHORT_UNITS.get(unit, unit), "of": PARTS.get(main.measure, "") if several else "",
            "n": verdict.n, "images": main.images if main else 0,
            "p": p_value(verdict.p_holm), "note": verdict.note, "sentence": sentence(verdict),
            "glyph": glyph(main) if main else None}


def glyph(figures):
    """A small picture of an interval around 0: places on a line from -REACH to REACH, the region of what does not
    matter a quarter of it; what lies beyond is cut off."""
    def place(value):
        ratio = value / (4 * figures.region) if np.isfinite(value) else np.sign(value)
        return round(float(REACH * np.clip(ratio, -1, 1)), 1)
    return {"low": place(figures.low), "high": place(figures.high), "mean": place(figures.difference),
            "region": round(REACH / 4, 1)}


def comparison(gathered, one, decided):
    "A comparison's section: its table and its sentences."
    testings = sorted({verdict.claim.testing for verdict in decided if verdict.claim.comparison == one.name},
                      key=("eval", "as-printed").index) or ["eval"]
    base = gathered.outcomes(one, one.baseline)
    rows = [_row(gathered, one, variant, base, testings) for variant in one.everyone]
    claims = [{"says": verdict.claim.says, "source": verdict.claim.source, "testing": verdict.claim.testing,
               **cell(verdict)} for verdict in decided if verdict.claim.comparison == one.name]
    return {"comparison": one, "testings": testings, "rows": rows, "claims": claims, "setting": setting(gathered, one),
            "lead": next((claim["sentence"] for claim in claims), "")}


def setting(gathered, one):
    recipe = gathered.plan.recipe_of(one, one.baseline)
    change = gathered.plan.change_of(one, one.baseline)
    words = [f"batch {recipe.batch_size}", f"{recipe.epochs} epochs", f"{recipe.optimizer}",
             f"rate {recipe.lr or RATES[recipe.optimizer]:g}"]
    words += [f"the first {change.classes} classes"] if change.classes else []
    return ", ".join(words + ([f"{change.images_a_class} training images a class"] if change.images_a_class else []))


def _row(gathered, one, variant, base, testings):
    outcomes = gathered.outcomes(one, variant)
    row = {"name": variant, "title": gathered.plan.variants[variant].title, "n": len(outcomes),
           "baseline": variant == one.baseline, "accuracy": {}}
    for testing in testings:
        values = [100 * outcome.tested(testing).right("test").mean() for outcome in outcomes.values()
                  if testing == "eval" or "test_as_printed" in outcome.result.marks[outcome.epochs]]
        row["accuracy"][testing] = _spread(values)
    alone = gathered.plan.variants[variant].on_test_alone
    row["develop"] = "–" if alone else _spread([100 * outcome.curve[-1] for outcome in outcomes.values()])
    seeds = sorted(set(outcomes) & set(base))
    rows = np.array([outcomes[seed].right("test").mean() - base[seed].right("test").mean() for seed in seeds])
    row["ahead"] = "" if row["baseline"] or not seeds else f"{100 * share_ahead(rows):.0f} %"
    row["zeros"] = _spread([100 * outcome.figures("zeros")[-1] for outcome in outcomes.values()])
    return row


def _spread(values):
    "98.41 ± 0.12, mean and standard deviation over seeds."
    if not values:
        return "–"
    return number(np.mean(values)) + (f" ± {number(np.std(values, ddof=1))}" if len(values) > 1 else "")


def shift(one):
    measure = one.printed.main.unit if one.printed.main else ""
    digits = digits_for(measure)
    value = "–" if one.shift is None else \
        f"{signed(one.shift, digits)} ({signed(one.low, digits)} to {signed(one.high, digits)}) {measure}"
    return {"claim": one.proper.claim, "proper": cell(one.proper), "printed": cell(one.printed), "answer": one.answer,
            "reason": one.reason, "shift": value, "who": who(one.proper.claim)}


def state(study):
    "What is not as it should be: failed and missing runs, damaged files, several kinds of machine."
    gathered = study.gathered
    return {"runs": len(study.schedule.runs), "done": len(gathered.results), "missing": len(gathered.missing),
            "failed": study.failed, "machines": [", ".join(filter(None, kind)) for kind in gathered.machines],
            "seeds": len(gathered.seeds), "needed": max(map(seeds_needed, _family_sizes(study.plan)), default=1),
            "hurried": study.plan.hurried}


def _family_sizes(plan):
    families = [claim.family for claim in plan.claims]
    return {families.count(family) for family in families}


def costs(gathered):
    "Label -> runs, mean seconds, seconds an epoch; and the sum."
    groups, total = {}, 0.0
    for run in gathered.schedule.runs:
        result = gathered.results.get(run.key)
        if result is None:
            continue
        epochs = len(next(iter(result.epochs.values())))
        groups.setdefault(run.label, []).append((result.seconds, result.seconds / epochs, epochs))
        total += result.seconds
    rows = [{"label": label, "runs": len(each), "seconds": number(np.mean([one[0] for one in each]), 1),
             "epoch": number(np.mean([one[1] for one in each]), 2), "epochs": max(one[2] for one in each)}
            for label, each in sorted(groups.items())]
    return {"rows": rows, "total": duration(total)}


def settings(study):
    "The base Recipe's fields that differ from the defaults, every variant's changes, and versions."
    plan = study.plan
    changes = {name: _changes(variant) for name, variant in plan.variants.items()}
    first = next(iter(study.schedule.runs), None)
    versions = {"fastlab": fastlab.__version__, "Python": platform.python_version(),
                **{name: installed(name) for name in ("torch", "fastai", "numpy")}}
    return {"recipe": {name: value for name, value in plan.recipe.to_dict().items() if value not in (None, {}, "none")},
            "precision": first.recipe.precision if first else "", "variants": changes, "versions": versions,
            "region": number(plan.region), "words": len(WORDS)}


def _changes(variant):
    told = dict(variant.change.recipe)
    told |= {name: getattr(variant.change, name) for name in ("classes", "images_a_class")
             if getattr(variant.change, name)}
    if variant.ensemble > 1:
        told["ensemble"] = variant.ensemble
    if variant.ten_crop:
        told["ten_crop"] = "true"
    return ", ".join(f"{name} = {value}" for name, value in told.items()) or "the base Recipe"
