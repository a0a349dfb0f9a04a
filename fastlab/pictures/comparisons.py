"""Comparisons of a study: paired differences with their intervals, one by one and all together."""
import numpy as np

from fastlab.errors import OptionError
from fastlab.pictures.fonts import shown
from fastlab.pictures.style import BLUE, COLOURS, GREY, INK, ORANGE, blank, counted, picture

# A verdict by its mark as well as its colour, so that a grey print tells them apart.
VERDICTS = {"holds": ("o", BLUE), "contradicted": ("X", ORANGE), "no difference that matters": ("s", GREY),
            "undecided": ("D", "white")}
LEVEL = "difference in accuracy (points)"


def _region(ax, region, quantity):
    "Zero, and the span of differences that do not matter, as a pale band that the axis names."
    ax.axvline(0, color=GREY, linewidth=0.9, zorder=1)
    if region:
        ax.axvspan(-region, region, color="#ECEFF2", linewidth=0, zorder=0)
        quantity += f"; band: ±{region:.2g}, too small to matter"
    ax.set_xlabel(quantity)


def _three(values, count, what):
    "An array of floats of length `count`, or an OptionError that names it."
    values = np.asarray(values, float)
    if values.shape != (count,):
        raise OptionError(f"{what}: shape {values.shape}; give one value for each of the {count} labels.")
    return values


@picture
def pairs(differences, intervals=None, ax=None, region=0.5, quantity=LEVEL,
          title="Variant minus baseline, seed by seed"):
    """Paired differences of comparisons: every seed a faint point, their mean a mark with its 95 % interval.

    `differences`: dict from labels to (K,) differences in points, one a seed; `intervals`: dict from labels to
    (low, high). The pale band is the region of differences that do not matter, ±`region` points."""
    ax = blank(ax, (7.6, 0.42 * len(differences) + 1.3), grid="x")
    _region(ax, region, quantity)
    for place, (label, values) in enumerate(differences.items()):
        values = np.asarray(values, float)
        lift = place + 0.18 + 0.07 * (np.arange(len(values)) % 3)     # in three rows, so that equal seeds stay apart
        ax.plot(values, lift, "o", color=BLUE, alpha=0.4, markersize=3.5, markeredgewidth=0, label="_seed")
        low, high = (intervals or {}).get(label, (np.nan, np.nan))
        ax.plot([low, high], [place, place], color=INK, linewidth=1.4, label="_interval")
        ax.plot([values.mean()], [place], "D", color=INK, markersize=5, label="_mean")
    ax.set_yticks(range(len(differences)), shown(list(differences), longest=48))
    ax.set(title=counted(title, [len(values) for values in differences.values()], "seeds"),
           ylim=(len(differences) - 0.3, -0.5))
    return ax


@picture
def forest(labels, means, lows, highs, n, verdicts=None, ax=None, region=0.5, quantity=LEVEL, title=None, unit="seeds"):
    """All comparisons at a glance: mean difference (L,) with its 95 % interval, from `lows` to `highs` (L,).

    `n`: seeds of each comparison, one number or (L,). `verdicts` (L,), words of VERDICTS, choose the mark and stand to
    the right with the figures. An empty label starts a gap."""
    means, lows, highs = (_three(row, len(labels), what) for row, what in
                          ((means, "means"), (lows, "lows"), (highs, "highs")))
    ax = blank(ax, (8.6, 0.3 * len(labels) + 1.2), grid="x")
    _region(ax, region, quantity)
    for place, (mean, low, high) in enumerate(zip(means, lows, highs)):
        verdict = None if verdicts is None else verdicts[place]
        marker, colour = VERDICTS.get(verdict, ("o", BLUE))
        ax.plot([low, high], [place, place], color=INK, linewidth=1.3, zorder=2, label="_interval")
        ax.plot([mean], [place], marker, color=colour, markeredgecolor=INK, markersize=6.5, zorder=3, label="_mean")
        if np.isfinite(mean):
            words = f"{_signed(mean)}  [{_signed(low)}, {_signed(high)}]" + (f"   {verdict}" if verdict else "")
            ax.text(1.015, place, words, transform=ax.get_yaxis_transform(), va="center", fontsize=7.5)
    ax.set_yticks(range(len(labels)), shown(labels, longest=56))
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.set(title=counted(title or "Mean paired difference, 95 % intervals", n, unit),
           ylim=(len(labels) - 0.4, -0.6))
    return ax


def _signed(value):
    "A difference with its sign; a typographic minus as on the axes."
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")


@picture
def powers(differences, powers, n, ax=None, title="What this study could have seen"):
    """Chance of finding a difference of each true size: `differences` (D,) in points, `powers` a dict from labels to
    (D,) fractions, `n` seeds; a line marks 80 %."""
    ax = blank(ax, (5.2, 3.6))
    for place, (label, row) in enumerate(powers.items()):
        ax.plot(differences, 100 * np.asarray(row, float), color=COLOURS[place % len(COLOURS)], label=label)
    ax.axhline(80, color=GREY, linewidth=0.9, linestyle="--", label="_eighty")
    ax.set(title=counted(title, n, "seeds"), xlabel="true difference (points)", ylabel="found (% of studies)",
           ylim=(0, 102))
    if len(powers) > 1:
        ax.legend()
    return ax
