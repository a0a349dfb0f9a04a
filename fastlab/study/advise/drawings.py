"""The advice's two pictures: the best Recipe so far as the search went on, and what each part gives."""
import numpy as np

from fastlab.pictures.comparisons import pairs
from fastlab.pictures.style import BLUE, GREY, INK, blank, look
from fastlab.study.advise.space import said
from fastlab.study.report.drawings import WIDTH, as_svg

LABEL = 0.17                    # of the picture's width, for the name of a stage


def best_so_far(moments):
    "Accuracy of the best Recipe so far over processor time, stage by stage, with its interval; None before the first."
    if not moments:
        return None
    minutes = np.array([one.seconds for one in moments]) / 60
    accuracy, low, high = (100 * np.array([getattr(one, name) for one in moments])
                           for name in ("accuracy", "low", "high"))
    ends = np.append(minutes, minutes[-1])
    with look():
        ax = blank(None, (WIDTH, 3.2))
        above, before = 0, -np.inf     # lines up, so that no label lies on the one before it
        for place, stage in enumerate(dict.fromkeys(one.stage for one in moments)):
            own = [number for number, one in enumerate(moments) if one.stage == stage]
            start = minutes[own[0] - 1] if own[0] else 0.0
            middle = (start + ends[own[-1]]) / 2
            above = above + 1 if middle - before < LABEL * minutes[-1] else 0
            ax.axvspan(start, ends[own[-1]], color="#ECEFF2" if place % 2 else "#F8F9FA", linewidth=0, zorder=0)
            ax.text(middle, 1.01 + 0.06 * above, f"{stage}, {moments[own[-1]].recipe.epochs} epochs", ha="center",
                    va="bottom", fontsize=8, color=GREY, transform=ax.get_xaxis_transform())
            ax.plot(minutes[own], accuracy[own], color=BLUE, linewidth=1)
            before = middle
        ax.errorbar(minutes, accuracy, (accuracy - low, high - accuracy), fmt="o", color=BLUE, ecolor=BLUE, capsize=2.5,
                    elinewidth=1)
        for place, number in enumerate(changes(moments)):
            ax.annotate(letter(place), (minutes[number], high[number]), (0, 4), textcoords="offset points",
                        fontsize=8, color=INK, ha="center")
        ax.margins(x=0.03, y=0.2)
        ax.set(xlabel="minutes of processor time", ylabel="accuracy (%)", xlim=(0, None))
    return as_svg(ax.get_figure())


def changes(moments):
    "The numbers of the moments at which another Recipe became the best; its epochs do not count."
    alike = [one.recipe.changed(epochs=1) for one in moments]
    return [number for number, one in enumerate(alike) if not number or one != alike[number - 1]]


def letter(place):
    "How the picture and the lines below it name a change of the best: a, b, …"
    return chr(ord("a") + place) if place < 26 else str(place)


def parts_taken_away(found):
    "The winner without each of its parts, minus the winner: each round a point, mean and interval."
    there = [part for part in found.parts if part.standing is not None]
    if not there:
        return None
    means = {f"without {said(found.winner, part.name)}": np.array([part.standing.difference]) for part in there}
    bounds = {label: (part.standing.low, part.standing.high) for label, part in zip(means, there)}
    with look():
        ax = blank(None, (WIDTH, 0.36 * len(there) + 1.1), grid="x")
        pairs(means, bounds, ax, found.region)
        ax.set_title("The winner of the race without one of its parts, minus the winner", loc="left")
    return as_svg(ax.get_figure())
