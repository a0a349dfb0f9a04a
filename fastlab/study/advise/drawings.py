"""The advice's two pictures: the best Recipe so far as the search went on, and what each part gives."""
import numpy as np

from fastlab.pictures.comparisons import pairs
from fastlab.pictures.style import BLUE, GREY, INK, blank, look
from fastlab.study.advise.space import described, said
from fastlab.study.advise.trials import REGION
from fastlab.study.report.drawings import WIDTH, as_svg

LONGEST = 70                    # characters of a label that a picture has room for


def best_so_far(moments, found):
    "Develop accuracy of the best Recipe so far over processor time, with its interval; None before the first."
    if not moments:
        return None
    minutes = np.array([one.seconds for one in moments]) / 60
    accuracy, low, high = (100 * np.array([getattr(one, name) for one in moments]) for name in ("accuracy", "low",
                                                                                               "high"))
    with look():
        ax = blank(None, (WIDTH, 3.0))
        ax.errorbar(minutes, accuracy, (accuracy - low, high - accuracy), fmt="o", color=BLUE, ecolor=GREY, capsize=2.5,
                    elinewidth=1)
        ax.step(minutes, accuracy, where="post", color=BLUE, linewidth=1)
        for place, one in enumerate(moments):
            if place == 0 or one.recipe.changed(epochs=1) != moments[place - 1].recipe.changed(epochs=1):
                words = described(one.recipe, found.plain.changed(epochs=one.recipe.epochs))[:LONGEST]
                ax.annotate(words, (minutes[place], low[place]), (4, -4), textcoords="offset points", fontsize=7,
                            color=INK, va="top", rotation=0)
        ax.margins(x=0.12, y=0.25)
        ax.set(xlabel="minutes of processor time", ylabel="accuracy (%)")
        ax.set_title("The best Recipe so far, on images held back from it, with 95 % interval", loc="left")
    return as_svg(ax.get_figure())


def parts_taken_away(found):
    "The winner without each of its parts, minus the winner: each round a point, mean and interval."
    there = [part for part in found.parts if part.standing is not None]
    if not there:
        return None
    means = {f"without {said(found.winner, part.name)}": np.array([part.standing.difference]) for part in there}
    bounds = {label: (part.standing.low, part.standing.high) for label, part in zip(means, there)}
    with look():
        ax = blank(None, (WIDTH, 0.36 * len(there) + 1.1), grid="x")
        pairs(means, bounds, ax, REGION)
        ax.set_title("The winner of the race without one of its parts, minus the winner", loc="left")
    return as_svg(ax.get_figure())
