"""Curves of training: loss, accuracy and error by epoch, one run or many; the rate finder and the schedule."""
import numpy as np
from matplotlib.ticker import MaxNLocator
from scipy.special import stdtrit

from fastlab.errors import OptionError
from fastlab.pictures.style import BLUE, COLOURS, DASHES, ORANGE, blank, blanks, counted, percent, picture

# Labels of faint seeds and of a mean without a name: legends leave out what starts with an underscore.
SEED, MEAN = "_seed", "_mean"


def as_runs(runs):
    "R runs of E epochs as a float array (R, E): from (E,), (R, E) or a list of uneven runs, padded with nan."
    if not np.iterable(runs):
        raise OptionError(f"runs: {runs!r} is no curve. Give an array (epochs,) or (runs, epochs).")
    rows = [runs] if np.ndim(runs[0]) == 0 else list(runs)
    whole = np.full((len(rows), max(len(row) for row in rows)), np.nan)
    for place, row in enumerate(rows):
        whole[place, :len(row)] = np.asarray(row, float)
    return whole


def band(runs):
    "Mean by epoch and half its 95 % interval (Student's t over runs), each (E,); nan where a run has no value."
    count = len(runs)
    mean = runs.mean(axis=0)
    if count < 2:
        return mean, np.zeros_like(mean)
    return mean, stdtrit(count - 1, 0.975) * runs.std(axis=0, ddof=1) / np.sqrt(count)


def counts(ax):
    "Runs behind each mean line of the Axes, read off the faint lines drawn before it."
    found, seeds = [], 0
    for line in ax.lines:
        if line.get_label() == SEED:
            seeds += 1
        elif line.get_label() == MEAN or not line.get_label().startswith("_"):
            found, seeds = [*found, max(seeds, 1)], 0
    return found


def one(ax, runs, label, place=None, times=None):
    """Draws runs (R, E) on an Axes: every seed faint, the band of the mean, and the mean on top, in the look of its
    `place` among the curves, the next when None. `times` (E,): when, 1 … E when None."""
    runs = as_runs(runs)
    epochs = np.arange(1, runs.shape[1] + 1) if times is None else np.asarray(times)
    place = len(counts(ax)) if place is None else place
    colour, dash = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
    mean, half = band(runs)
    if len(runs) > 1:
        ax.plot(epochs, runs.T, color=colour, alpha=0.25, linewidth=0.6, label=SEED)
        ax.fill_between(epochs, mean - half, mean + half, color=colour, alpha=0.18, linewidth=0)
    marker = "o" if len(epochs) == 1 else None
    ax.plot(epochs, mean, color=colour, linestyle=dash, marker=marker, label=label or MEAN)


def several(runs, ax, label, unit, title, quantity, places=None, times=None):
    """Draws `runs`, an array or a dict from labels to arrays, and words the Axes; the common part of all curves.
    `places`: dict from labels to the place whose look they have; `times` as in `one`."""
    ax = blank(ax)
    named = runs if isinstance(runs, dict) else {label: runs}
    for name, values in named.items():
        one(ax, values, name, (places or {}).get(name), times)
    n = counts(ax)
    if max(n) > 1:
        title = counted(f"{title}: mean of seeds, 95 % band", n, "seeds")
    ax.set(title=title, xlabel=f"time ({unit})", ylabel=quantity)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.margins(x=0.02)
    if any(ax.get_legend_handles_labels()[1]):
        ax.legend()
    return ax


@picture
def accuracy(runs, ax=None, label=None, unit="epochs", title="Accuracy"):
    """Accuracy by epoch. `runs`: fractions, (E,) for one run, (R, E) for R seeds (mean, 95 % band of the mean by
    Student's t, every seed faint), or a dict from labels to either. Called again on one `ax`, it adds a curve."""
    return accuracies(runs, ax, label, unit, title)


def accuracies(runs, ax, label, unit, title, places=None):
    "`accuracy`, with `places` as in `several`."
    ax = several(runs, ax, label, unit, title, "accuracy (%)", places)
    percent(ax.yaxis)
    ax.set_ylim(top=min(ax.get_ylim()[1], 1.005))     # a band may reach past what an accuracy can be
    return ax


@picture
def loss(runs, ax=None, label=None, unit="epochs", title="Loss"):
    "Cross-entropy by epoch; `runs` as in `accuracy`, in nats an image."
    return several(runs, ax, label, unit, title, "cross-entropy (nats per image)")


@picture
def error(runs, ax=None, label=None, unit="epochs", title="Error"):
    """Share of wrong answers by epoch on a logarithmic axis, where 99.0 and 99.6 % stand well apart; `runs` are
    accuracies as in `accuracy`. An epoch without a mistake has no place on this axis and leaves a gap."""
    named = runs if isinstance(runs, dict) else {label: runs}
    wrong = {name: np.where(as_runs(values) < 1, 1 - as_runs(values), np.nan) for name, values in named.items()}
    ax = several(wrong, ax, label, unit, title, "error (%)")
    ax.set_yscale("log")
    percent(ax.yaxis)
    return ax


@picture
def training(losses, shares, figure=None, unit="epochs"):
    """Loss and accuracy (`shares`) of a training side by side, an array of two Axes; each a dict from splits to runs. A
    split looks the same on both."""
    axes = blanks(1, 2, (8.6, 3.4), figure)[0]
    loss(losses, ax=axes[0], unit=unit)
    accuracies(shares, axes[1], None, unit, "Accuracy", {name: place for place, name in enumerate(losses)})
    return axes


@picture
def rate_finder(rates, losses, suggestions=None, ax=None):
    """Loss against a learning rate that grows step by step (Smith 2017), with marks at the `suggestions`.

    `rates` and `losses` (S,), one a step; `suggestions`: dict from a rule's name to its rate. The axis ends above the
    first loss: where the loss runs away, only that it does is worth seeing."""
    rates, losses = np.asarray(rates, float), np.asarray(losses, float)
    ax = blank(ax)
    ax.plot(rates, losses, color=BLUE, label="_loss")
    for (rule, rate), marker in zip((suggestions or {}).items(), "oDs^vP*X"):
        height = np.interp(np.log(rate), np.log(rates), losses)
        ax.plot([rate], [height], marker, color=ORANGE, markersize=7, markeredgecolor="white",
                label=f"{rule}  {rate:.2g}")
    ax.set(title=f"Learning-rate finder ({len(rates):,} steps)", xlabel="learning rate (logarithmic)", xscale="log",
           ylabel="cross-entropy (nats per image, smoothed)")
    finite = losses[np.isfinite(losses)]
    if len(finite) and finite.max() > finite[0] > finite.min():
        reach = finite[0] - finite.min()
        ax.set_ylim(finite.min() - 0.15 * reach, min(finite.max() + 0.1 * reach, finite[0] + 0.5 * reach))
    if suggestions:
        ax.legend(title="suggestions", loc="best")
    return ax


@picture
def schedule(rates, momenta=None, steps_per_epoch=None, ax=None):
    """The learning rate of every step (S,), and the momentum (S,) dashed on an axis of its own to the right; time in
    epochs where `steps_per_epoch` is given, else in steps."""
    rates = np.asarray(rates, float)
    time = np.arange(len(rates)) / (steps_per_epoch or 1)
    ax = blank(ax)
    ax.plot(time, rates, color=BLUE)
    ax.set(title="Schedule", xlabel=f"time ({'epochs' if steps_per_epoch else 'steps'})")
    ax.set_ylabel("learning rate", color=BLUE)
    ax.set_ylim(bottom=0)
    ax.margins(x=0.02)
    if momenta is not None:
        other = ax.twinx()
        other.plot(time, momenta, color=ORANGE, linestyle="--")
        other.set_ylabel("momentum (dashed)", color=ORANGE)
        other.spines["right"].set(visible=True)
    return ax
