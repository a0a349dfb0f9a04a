"""The advice as one page that needs no other file. Same results, same bytes but for the seconds that they took."""
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import fastlab
from fastlab.files import write_text
from fastlab.study.advise.drawings import best_so_far, changes, letter, parts_taken_away
from fastlab.study.advise.found import PUT_BACK
from fastlab.study.advise.race import FINAL, NOT_TRIED, SCREENING, SEMIFINAL, UNRACED
from fastlab.study.advise.space import PLAIN, described, said
from fastlab.study.advise.telling import headline
from fastlab.study.keys import installed
from fastlab.study.report.drawings import unique_ids
from fastlab.study.report.wording import duration, number, signed

HERE = Path(__file__).parent
CSS = HERE.parent / "report" / "page.css"
MARKS = {"pays": ("holds", "●"), "does not pay": ("no", "＝"), "undecided": ("undecided", "○"),
         "not tried": ("undecided", "–")}


def write_page(advice, name):
    "Writes report.html into the advice's folder."
    environment = Environment(loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined)
    text = environment.get_template("page.html").render(**content(advice, name), css=CSS.read_text("utf-8"))
    write_text(advice.page, text)


def content(advice, name):
    "All that the page says, as plain data."
    found, race = advice.found, advice.race
    drawn = {"best": best_so_far(race.moments), "parts": parts_taken_away(found)}
    return {"name": name, "headline": headline(advice), "stopped": advice.stopped,
            "looked": list(advice.looked.sentences()),
            "parts": [part_row(found, part) for part in found.parts], "region": number(found.region),
            "winner": described(found.winner, found.plain), "same": advice.recipe == found.plain,
            "raced": not any(fate.why == UNRACED for fate in race.fates.values()),
            "ran": sum(not fate.why.startswith(NOT_TRIED) for fate in race.fates.values()),
            "tried": tried(advice), "bests": bests(race.moments), "taken": taken(found),
            "stages": {**race.epochs, FINAL: found.winner.epochs},
            "costs": costs(advice), "fields": fields(advice.recipe), "unsure": list(unsure(advice)),
            "files": files(advice),
            "pictures": {what: [unique_ids(svg, what)] if svg else [] for what, svg in drawn.items()},
            "versions": {"fastlab": fastlab.__version__, **{name: installed(name) for name in ("torch", "fastai")}}}


def bests(moments):
    "One row for every change of the best Recipe so far, by the letters of the picture."
    chosen = [moments[number] for number in changes(moments)]
    return [{"letter": letter(place), "runs": one.runs, "stage": one.stage, "accuracy": share(one),
             "recipe": described(one.recipe.changed(epochs=PLAIN.epochs))} for place, one in enumerate(chosen)]


def share(moment):
    return f"{number(100 * moment.accuracy)} ({number(100 * moment.low)} to {number(100 * moment.high)})"


def span(standing):
    if standing is None:
        return "–"
    return f"{signed(standing.difference)} ({signed(standing.low)} to {signed(standing.high)})"


def part_row(found, part):
    kind, mark = MARKS[part.verdict]
    rests = f"{part.standing.rounds} × {part.standing.images:,}" if part.standing else ""
    return {"said": said(found.winner, part.name), "name": part.name, "verdict": part.verdict, "kind": kind,
            "mark": mark, "span": span(part.standing), "rests": rests, "kept": part.kept,
            "back": f", {PUT_BACK}" if part.why == PUT_BACK else ""}


def tried(advice):
    "One row a candidate, those that got furthest first."
    order = {FINAL: 0, SEMIFINAL: 1, SCREENING: 2}
    rows = []
    for recipe, fate in advice.race.fates.items():
        standing = fate.standing
        rows.append({"recipe": described(recipe), "stage": fate.stage, "why": fate.why, "span": span(standing),
                     "accuracy": number(100 * standing.accuracy) if standing else "–",
                     "rests": f"{standing.rounds} × {standing.images:,}" if standing else "",
                     "key": (order[fate.stage], -(standing.accuracy if standing else -1))})
    return sorted(rows, key=lambda row: row["key"])


def unsure(advice):
    "What could not be told apart, a sentence each."
    found = advice.found
    for part in found.parts:
        if part.verdict == "undecided":
            yield f"whether {said(found.winner, part.name)} pays: without it {span(part.standing)} points"
        elif part.verdict == "not tried" and len(found.parts) > 1:
            yield f"whether {said(found.winner, part.name)} pays: {part.why}"
    near = [row for row in tried(advice) if row["stage"] == SEMIFINAL and row["why"].startswith("not clearly")]
    if near:
        yield (f"whether the winner is better than {len(near)} other{'s' * (len(near) > 1)} that reached the end of "
               "the race: none of them was clearly worse than the best, and the simplest near it was taken")


def taken(found):
    "Whether its parts were taken away from the winner, in a sentence."
    untried = sum(part.verdict == "not tried" for part in found.parts)
    if untried == len(found.parts):
        why = dict.fromkeys(part.why for part in found.parts)
        return f"None of its parts was taken away alone ({'; '.join(why)}): all of them are in the answer."
    each = f"{len(found.parts) - untried} of its {len(found.parts)} parts were" if untried else "Each of its parts was"
    return f"{each} taken away once; what does not pay is left out of the answer."


def costs(advice):
    "What every stage took."
    rows, total = {}, 0.0
    names = {epochs: stage for stage, epochs in advice.race.epochs.items()}
    for trial, seconds in advice.race.bench.log.values():
        stage = FINAL if trial.tested else names.get(trial.recipe.epochs, SCREENING)
        runs, spent = rows.get(stage, (0, 0.0))
        rows[stage] = runs + 1, spent + seconds
        total += seconds
    return {"rows": [(stage, runs, duration(seconds)) for stage, (runs, seconds) in rows.items()],
            "total": duration(total), "wall": duration(advice.seconds)}


def fields(recipe):
    return {name: one for name, one in recipe.to_dict().items() if one not in (None, {}, "none", 0.0)}


def files(advice):
    found = [("the network, trained on train and develop", str(path)) for path in advice.models]
    return [*found, ("the Recipe, for fastlab train --recipe", str(advice.out / "recipe.toml")),
            ("the plan, for fastlab study", str(advice.out / "plan.toml"))]
