"""How far answers can be trusted: calibration, accuracy by class, and one way of answering against another."""
from itertools import combinations
from math import comb

import numpy as np

from fastlab.errors import OptionError, one_of
from fastlab.pictures.fonts import shown
from fastlab.pictures.style import BLUE, GREY, INK, ORANGE, PALE, blank, counted, percent, picture
from fastlab.seeds import numpy_generator
from fastlab.training.figures import wilson

FOOT = -0.18        # below accuracy 0 stand the counts
SUBSETS = 200       # ensembles of one size that are tried at most, drawn at random, to take their mean


def bins_of(confidence, bins, equal):
    "The bin of each confidence (N,): `bins` of equal width from 0 to 1, or of equal count; ties stay together."
    if one_of("equal", equal, ("width", "count")) == "width":
        return np.minimum((confidence * bins).astype(int), bins - 1)
    edges = np.quantile(confidence, np.arange(1, bins) / bins)
    return np.searchsorted(np.unique(edges), confidence, side="right")


def reliability_table(truth, probabilities, bins=10, equal="width"):
    "Rows (mean confidence, right, count) of the bins that hold images, shape (B, 3), lowest confidence first."
    probabilities = np.asarray(probabilities, float)
    right = probabilities.argmax(axis=1) == np.asarray(truth)
    confidence = probabilities.max(axis=1)
    places = bins_of(confidence, bins, equal)
    return np.array([(confidence[places == k].mean(), right[places == k].sum(), (places == k).sum())
                     for k in np.unique(places)]).reshape(-1, 3)


def calibration_error(table):
    """Expected calibration error: the mean gap between confidence and accuracy, weighted by the bins' counts (Guo and
    others 2017, equation 3); from `reliability_table`."""
    confidence, right, count = table.T
    return float((np.abs(right / count - confidence) * count).sum() / count.sum())


@picture
def reliability(truth, probabilities, bins=10, equal="width", ax=None):
    """Accuracy against confidence (the greatest probability), by bins: on the diagonal, a network is right as often as
    it says. `truth` (N,), `probabilities` (N, C). Points: accuracy with its 95 % Wilson interval; bars and figures
    below 0: images in the bin. The title gives the expected calibration error."""
    if not len(truth):
        raise OptionError("truth: no image, so there is nothing to be calibrated on.")
    table = reliability_table(truth, probabilities, bins, equal)
    confidence, right, count = table.T
    ax = blank(ax, (4.8, 4.8), grid="both")
    ax.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="as sure as right")
    ax.bar(confidence, 0.1 * count / count.max(), bottom=FOOT, width=0.035, color=PALE, label="_counts")
    for x, number in zip(confidence, count):
        ax.text(x, FOOT + 0.1 * number / count.max() + 0.01, f"{int(number):,}", ha="center", fontsize=6.5, color=GREY)
    _points(ax, confidence, right, count, BLUE, label="accuracy, 95 % interval")
    ax.text(-0.01, FOOT / 2, "images", fontsize=6.5, color=GREY, va="center")
    ax.set(title=counted(f"Calibration: expected error {100 * calibration_error(table):.2f} %", len(truth)),
           xlabel="confidence: greatest probability (%)", ylabel="accuracy (%)", xlim=(-0.02, 1.04), ylim=(FOOT, 1.04),
           yticks=np.arange(6) / 5)
    ax.axhline(0, color=GREY, linewidth=0.8, zorder=1)
    percent(ax.xaxis)
    percent(ax.yaxis)
    ax.set_title(ax.get_title(loc="left"), pad=22)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=2, columnspacing=1.2)     # bars may stand anywhere
    return ax


def _points(ax, places, right, count, colour, upright=True, label="_shares"):
    "Shares right / count with Wilson intervals, as points with bars, on an upright axis or a level one."
    shares = np.asarray(right, float) / np.maximum(count, 1)
    limits = np.array([wilson(int(r), int(c)) for r, c in zip(right, count)]).reshape(-1, 2)
    reach = np.abs(limits.T - shares)
    x, y, bars = (places, shares, {"yerr": reach}) if upright else (shares, places, {"xerr": reach})
    ax.errorbar(x, y, **bars, fmt="o", color=colour, elinewidth=1.2, label=label)
    return limits


@picture
def per_class(truth, predicted, names, ax=None, classes=None):
    """Accuracy of each class with its 95 % Wilson interval, worst at the top; the count of the class's images stands
    beside its name; a line marks the accuracy over all. Classes without images are left out."""
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    labels = shown(names, classes)
    count = np.bincount(truth, minlength=len(labels))
    right = np.bincount(truth[truth == predicted], minlength=len(labels))
    some = np.flatnonzero(count)
    order = some[np.lexsort((some, right[some] / count[some]))]
    ax = blank(ax, (5.6, max(2.2, 0.21 * len(order) + 1.1)), grid="x")
    limits = _points(ax, np.arange(len(order)), right[order], count[order], BLUE, upright=False)
    overall = (truth == predicted).mean()
    ax.axvline(overall, color=ORANGE, linewidth=1, linestyle="--", label=f"all classes {100 * overall:.2f} %")
    ax.set_yticks(range(len(order)), [f"{labels[k]}  (n = {count[k]:,})" for k in order],
                  fontsize=8 if len(order) <= 40 else 6)
    ax.set(title=counted("Accuracy of each class, 95 % intervals", len(truth)), xlabel="accuracy (%)",
           ylim=(len(order) + 0.5, -0.6), xlim=(max(0, limits.min() - 0.03), 1.005))
    percent(ax.xaxis)
    ax.legend(loc="lower left")
    return ax


@picture
def against(truth, answers, ax=None, title="Accuracy, 95 % intervals"):
    """Ways of answering on the same images, such as one crop against ten, or one network against an ensemble.

    `answers`: dict from labels to probabilities (N, C), the first being what the others are held against. To the right
    of each: how many images it newly gets right and how many it newly gets wrong."""
    truth = np.asarray(truth)
    right = {label: np.asarray(rows).argmax(axis=1) == truth for label, rows in answers.items()}
    base = next(iter(right.values()))
    ax = blank(ax, (7.6, 0.42 * len(right) + 1.2), grid="x")
    places = np.arange(len(right))
    _points(ax, places, [row.sum() for row in right.values()], [len(truth)] * len(right), BLUE, upright=False)
    for place, row in zip(places, right.values()):
        changes = f"   {(row & ~base).sum()} newly right, {(~row & base).sum()} newly wrong" if place else ""
        ax.text(1.01, place, f"{100 * row.mean():.2f} %{changes}", transform=ax.get_yaxis_transform(), va="center",
                fontsize=8, color=INK)
    ax.set_yticks(places, shown(list(right), longest=40))
    ax.set(title=counted(title, len(truth)), xlabel="accuracy (%)", ylim=(len(right) - 0.4, -0.6))
    percent(ax.xaxis)
    return ax


def subsets(members, size, most=SUBSETS):
    "Ensembles of `size` of so many `members`, as tuples: all of them, or where there are more than `most`, a sample."
    if comb(members, size) <= most:
        return list(combinations(range(members), size))
    draw = numpy_generator(0, "show", members, size)
    return [tuple(draw.choice(members, size, replace=False)) for _ in range(most)]


@picture
def ensemble(truth, probabilities, ax=None):
    """Accuracy of ensembles by their size: `probabilities` (M, N, C) of M networks; every network alone (points), and
    the mean over subsets of each size, all or SUBSETS drawn at random, of an ensemble's accuracy (line)."""
    truth, probabilities = np.asarray(truth), np.asarray(probabilities, float)
    many = range(1, len(probabilities) + 1)
    found = [[(probabilities[list(some)].mean(axis=0).argmax(axis=1) == truth).mean()
              for some in subsets(len(probabilities), size)] for size in many]
    ax = blank(ax, (4.8, 3.6))
    ax.plot([1] * len(found[0]), found[0], "o", color=GREY, markersize=4, alpha=0.7, label="each network alone")
    ax.plot(many, [np.mean(row) for row in found], "o-", color=BLUE, label="mean over ensembles of this size")
    ax.set(title=counted(f"Ensembles of {len(probabilities)} networks", len(truth)), xlabel="networks in the ensemble",
           ylabel="accuracy (%)", xticks=list(many))
    percent(ax.yaxis)
    ax.legend()
    return ax
