"""One look for every picture: restrained, colour-blind safe, good on a screen and in light print.

A picture is a function that takes arrays and returns Axes. `@picture` draws it in this look and leaves matplotlib's
global settings as they were; figures are made here and never by pyplot, so that no window opens and none leaks."""
import threading
from contextlib import contextmanager
from functools import wraps
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, Locator, MaxNLocator, NullLocator

from fastlab.errors import OptionError
from fastlab.files import replacing
from fastlab.pictures import fonts

# Okabe and Ito's colours, those that hold against white first; told apart by all common kinds of colour blindness.
BLUE, ORANGE, GREEN, PURPLE, SKY, AMBER = "#0072B2", "#D55E00", "#009E73", "#B5518C", "#56B4E9", "#C98A00"
INK, GREY, PALE = "#222222", "#767676", "#DDDDDD"
COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, AMBER)
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (6, 1.5, 1.5, 1.5)), (0, (3, 1)), (0, (1, 2)))

LOOK = {
    "font.family": ["DejaVu Sans"], "font.size": 9, "text.color": INK,
    "figure.facecolor": "white", "savefig.facecolor": "white", "savefig.dpi": 160,
    "axes.titlesize": 10, "axes.titlelocation": "left", "axes.titlepad": 8, "axes.labelsize": 9,
    "axes.edgecolor": GREY, "axes.labelcolor": INK, "axes.linewidth": 0.8, "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=COLOURS),
    "xtick.color": GREY, "ytick.color": GREY, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "xtick.labelsize": 8, "ytick.labelsize": 8, "xtick.major.size": 3, "ytick.major.size": 3,
    "grid.color": PALE, "grid.linewidth": 0.6,
    "lines.linewidth": 1.6, "lines.markersize": 5, "patch.linewidth": 0.6,
    "legend.fontsize": 8, "legend.borderaxespad": 0.3, "legend.fancybox": False, "legend.edgecolor": "none",
    "legend.facecolor": "white", "legend.framealpha": 0.85,
    "image.cmap": "gray", "image.interpolation": "nearest",
    "svg.fonttype": "path", "svg.hashsalt": "fastlab",
}
# settings of the program rather than of a picture are left as the user has them
_OF_THE_PROGRAM = ("backend", "interactive", "timezone", "toolbar", "webagg.", "savefig.directory", "tk.", "date.epoch",
                   "figure.max_open_warning", "docstring.", "keymap.")
_plain = {key: value for key, value in matplotlib.rcParamsDefault.items() if not key.startswith(_OF_THE_PROGRAM)}
_lock = threading.RLock()      # matplotlib's settings belong to the whole process


@contextmanager
def look():
    "The look, for as long as the block lasts; whatever the user has set is left out and put back afterwards."
    with _lock, matplotlib.rc_context({**_plain, **LOOK}):
        yield


def picture(draw):
    "Makes `draw`, a function that returns Axes or an array of Axes, draw in the look, with fonts for every character."
    @wraps(draw)
    def drawn(*args, **options):
        with look():
            axes = draw(*args, **options)
            for ax in np.ravel(axes):
                fonts.dress(ax)
            return axes
    return drawn


def blank(ax=None, size=(6.4, 4.0), grid="y"):
    "An Axes to draw on: `ax`, or one on a new Figure of `size` inches; `grid` is 'x', 'y', 'both' or None."
    ax = Figure(figsize=size, layout="constrained").subplots() if ax is None else ax
    if not isinstance(ax, Axes):
        raise OptionError(f"ax: {type(ax).__name__} is not a matplotlib Axes. Pass one Axes, or leave ax out.")
    ax.spines[["top", "right"]].set_visible(False)
    if grid:
        ax.grid(True, axis=grid)
    return ax


def blanks(rows, columns, size, figure=None, **options):
    "rows x columns Axes, as an array, on `figure` (a Figure or SubFigure) or on a new Figure of `size` inches."
    figure = Figure(figsize=size, layout="constrained") if figure is None else figure
    return figure.subplots(rows, columns, squeeze=False, **options)


def counted(title, n, unit="images"):
    "`title` with the count behind it: 'Accuracy (n = 1,488 images)'; n may be several counts, shown as their range."
    low, high = int(np.min(n)), int(np.max(n))
    unit = unit[:-1] if high == 1 and unit.endswith("s") else unit
    return f"{title} (n = {low:,} {unit})" if low == high else f"{title} (n = {low:,}–{high:,} {unit})"


def percent(axis):
    "Ticks of an Axis whose data are fractions, in per cent; the axis label must name the unit."
    if axis.get_scale() == "log":
        return plain_log(axis, 100)
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{round(100 * value, 6):g}"))


class FewRound(Locator):
    "Two to six round numbers on a logarithmic axis, however much it spans."
    STEPS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8), (1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)

    def __call__(self):
        return self.tick_values(*self.axis.get_view_interval())

    def tick_values(self, vmin, vmax):
        low, high = sorted((max(vmin, 1e-300), max(vmax, 1e-300)))
        decades = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        for steps in self.STEPS:
            found = np.outer(10.0 ** decades, steps).ravel()
            found = found[(found >= low * (1 - 1e-9)) & (found <= high * (1 + 1e-9))]
            if len(found) <= 6:
                break
        if len(found) < 2:
            found = MaxNLocator(5).tick_values(low, high)
            found = found[(found >= low) & (found <= high)]
        return found[::max(1, -(-len(found) // 6))]


def plain_log(axis, times=1):
    "Ticks of a logarithmic Axis as plain numbers, few of them; `times` 100 writes fractions in per cent."
    axis.set_major_locator(FewRound())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{float(f'{times * value:.3g}'):g}".replace("-", "−")))
    axis.set_minor_locator(NullLocator())


def kind_of(path):
    "'png' or 'svg', by a path's ending. Raises OptionError for another."
    kind = Path(path).suffix.lower().lstrip(".")
    if kind not in ("png", "svg"):
        raise OptionError(f"{path}: pictures are written as .png or .svg. Give the file one of these endings.")
    return kind


def save(figure, path):
    """Writes a Figure (or the Figure of Axes) as PNG or SVG, by `path`'s ending: whole or not at all, no date in it,
    the same picture to the same bytes. Raises OptionError for another ending, StorageError where it cannot write."""
    path, kind = Path(path), kind_of(path)
    metadata = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
    figure = np.ravel(figure)[0]
    figure = figure.figure.canvas.figure if isinstance(figure, Axes) else figure
    with look(), replacing(path) as file:
        figure.savefig(file, format=kind, metadata=metadata[kind])
    return path
