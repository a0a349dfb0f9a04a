"""A Recipe as TOML for `fastlab train --recipe`, and a plan for `fastlab study` that puts the advice to the test."""
import json

from fastlab.study.advise.space import described, parts_of, said, without
from fastlab.training.recipe import Recipe

PLAN_SEEDS = 10


def value(one):
    "A plain value in TOML."
    if isinstance(one, bool):
        return "true" if one else "false"
    return json.dumps(one, ensure_ascii=False) if isinstance(one, str) else repr(one)


def fields_of(recipe, base):
    "The fields of a Recipe that differ from another's, and are not left open."
    told, others = recipe.to_dict(), base.to_dict()
    return {name: one for name, one in told.items() if one != others[name] and one is not None}


def table(fields):
    "Fields as lines of TOML; switches as an inline table."
    return [f"{name} = {inline(one) if isinstance(one, dict) else value(one)}" for name, one in fields.items()]


def inline(fields):
    return "{ " + ", ".join(f"{name} = {inline(one) if isinstance(one, dict) else value(one)}"
                            for name, one in fields.items()) + " }" if fields else "{}"


def recipe_toml(recipe, words):
    "The text of recipe.toml: every field that is settled. `words`: lines of comment above it."
    fields = {name: one for name, one in recipe.to_dict().items() if one not in (None, {}, [])}
    return "\n".join([*(f"# {line}" for line in words), "[recipe]", *table(fields)]) + "\n"


def plan_toml(name, plain, answer, region, winner=None, seed=0):
    """The text of plan.toml: the answer against the plain Recipe and without each of its parts. Where the plain Recipe
    is the answer, it is held against the winner of the race. A study's seeds are the first ones from 0 on: they are the
    search's own where that had the seed 0."""
    better = answer if answer != plain else winner
    parts = parts_of(better, plain) if better else ()
    variants = {"plain": {}, "advised" if answer != plain else "challenger": fields_of(better, plain)}
    main = list(variants)[1]
    lines = [f"# {seeds_said(seed)}", f"title = {value(f'What was advised for {name}, put to the test')}",
             f"text = {value(f'The plain Recipe against {described(better, plain)}.')}", f"seeds = {PLAN_SEEDS}",
             f"region = {region}", "", "[recipe]", *table(fields_of(plain, Recipe())), "", "[variants]"]
    alone = {f"without {part}": without(better, [part], plain) for part in parts} if len(parts) > 1 else {}
    variants |= {title: fields_of(recipe, plain) for title, recipe in alone.items()}
    lines += [f"{value(title)} = {inline(fields)}" for title, fields in variants.items()]
    lines += ["", *_comparison("advice", "The advice against the plain Recipe", "plain", [main],
                               [(f"With {described(better, plain)} it is more accurate", main, "more accurate")])]
    if alone:
        claims = [(f"Without {said(better, part)} it is less accurate", f"without {part}", "less accurate")
                  for part in parts]
        lines += ["", *_comparison("parts", "What each part gives", main, list(alone), claims)]
    return "\n".join(lines) + "\n"


def seeds_said(seed):
    "Whether a study on the plan has seeds that the search has not had."
    study = f"The study's seeds, 0 to {PLAN_SEEDS - 1}, are"
    if seed:
        return f"{study} others than those of the search, which begin with {100 * seed}."
    return f"{study} among those of the search. Search with --seed 1 (100 and on) for an answer that has not seen them."


def _comparison(name, title, baseline, variants, claims):
    yield from ("[[comparison]]", f"name = {value(name)}", f"title = {value(title)}", f"baseline = {value(baseline)}",
                f"variants = [{', '.join(map(value, variants))}]", f"family = {value(name)}")
    for says, variant, word in claims:
        yield from ("[[comparison.claim]]", f"says = {value(says)}", f"variant = {value(variant)}",
                    f"is = {value(word)}")
