"""The confusion matrix: which class is taken for which, in counts or in shares, with confusions that cluster."""
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, PowerNorm

from fastlab.errors import OptionError, one_of
from fastlab.pictures.fonts import shown
from fastlab.pictures.order import cluster
from fastlab.pictures.style import INK, blank, counted, picture
from fastlab.pictures.tiles import width

# Mistakes from white to dark red-brown, lightness falling all the way: it reads the same in grey.
MISTAKES = LinearSegmentedColormap.from_list("mistakes", ["#FFFFFF", "#FBD9B9", "#F0954E", "#C24E00", "#5E2300"])
RIGHT, SOFT = "#E9EDF2", "#55595E"
DARK = 10            # per cent of a class: what takes the darkest colour, unless a share is larger
NUMBERED = 30        # classes up to which every cell holds its number


def counts(truth, predicted, classes):
    "Confusion matrix (C, C) of integer labels (N,): rows are true, columns predicted. OptionError for bad labels."
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    if truth.shape != predicted.shape or truth.ndim != 1:
        raise OptionError(f"truth and predicted: shapes {truth.shape} and {predicted.shape}; both must be (N,).")
    if len(truth) and not (min(truth.min(), predicted.min()) >= 0 and max(truth.max(), predicted.max()) < classes):
        raise OptionError(f"truth and predicted: labels must lie from 0 to {classes - 1}, one for each of the names.")
    return np.bincount(truth * classes + predicted, minlength=classes ** 2).reshape(classes, classes)


@picture
def matrix(truth, predicted, names, ax=None, shares=False, order="cluster", classes=None, title=None):
    """Confusion matrix of labels (N,) and (N,): each row a true class, each column what it was taken for.

    `shares`: per cent of the true class in place of counts; `order`: 'cluster' brings confused classes together,
    'given' keeps the order of `names`. Colour marks mistakes only: right answers are many and would drown them."""
    one_of("order", order, ("cluster", "given"))
    labels = shown(names, classes)
    table = counts(truth, predicted, len(labels))
    places = cluster(table) if order == "cluster" else np.arange(len(labels))
    table = table[np.ix_(places, places)]
    ax = blank(ax, _size(labels), grid=None)
    percents = 100 * table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    image = _paint(ax, percents)
    if len(labels) <= NUMBERED:
        _number(ax, percents if shares else table, image)
    else:
        ax.figure.colorbar(image, ax=ax, shrink=0.5, pad=0.01, label="mistakes (% of the true class)")
    _name(ax, [labels[place] for place in places])
    accuracy = 100 * np.trace(table) / max(table.sum(), 1)
    ax.set_title(f"{title or 'Confusion, ' + ('% of the true class' if shares else 'counts')}\n"
                 + counted(f"accuracy {accuracy:.2f} %", table.sum()))
    return ax


def _side(classes):
    "Inches that all cells take: a cell stays large enough for its number, or for its class's name at 100 classes."
    return max(2.6, classes * (0.36 if classes <= NUMBERED else 0.125))


def _longest(labels):
    "Inches that the longest name takes, and its font size."
    size = 9 if len(labels) <= NUMBERED else 5.5
    return width("\n".join(labels), size), size


def _size(labels):
    "Inches of the Figure: the cells, and beside and below them room for the names."
    side, (room, _) = _side(len(labels)), _longest(labels)
    return side + max(1.1, room + 0.55), side + (max(1.0, room + 0.85) if room > side / len(labels) else 1.0)


def _paint(ax, percents):
    """The cells: right answers in one pale tone, mistakes by the square root of their share of the true class, so that
    a single one shows; the darkest is the largest share, and at least DARK, so that few mistakes do not look grave."""
    right = np.eye(len(percents), dtype=bool)
    ax.imshow(right, cmap=LinearSegmentedColormap.from_list("right", ["#FFFFFF", RIGHT]))
    wrong = np.ma.masked_where(right, percents)
    return ax.imshow(wrong, cmap=MISTAKES, norm=PowerNorm(0.5, 0, max(wrong.max(), DARK)))


def _number(ax, cells, image):
    "A number in each cell that is not zero, in the ink that can be read on its colour."
    for row, column in np.argwhere(cells > 0):
        value = cells[row, column]
        text = f"{value}" if cells.dtype.kind == "i" else f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"
        white = row != column and image.norm(image.get_array()[row, column]) > 0.6
        ax.text(column, row, text, ha="center", va="center", fontsize=8 if len(text) < 4 else 6.5,
                color="white" if white else SOFT if row == column else INK)


def _name(ax, labels):
    "The classes along both axes, small enough that neighbours do not touch; names longer than a cell stand upright."
    room, size = _longest(labels)
    cell = min(_side(len(labels)), *(ax.bbox.size / ax.figure.dpi)) / len(labels)
    upright = room > 0.95 * cell
    ax.set_xticks(range(len(labels)), labels, fontsize=size, rotation=90 if upright else 0)
    ax.set_yticks(range(len(labels)), labels, fontsize=size)
    ax.set(xlabel="predicted class", ylabel="true class")
    ax.tick_params(length=0)
    ax.set_xticks(np.arange(len(labels) + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(len(labels) + 1) - 0.5, minor=True)
    ax.grid(True, which="minor", color="#EEEEEE", linewidth=0.4)
    ax.tick_params(which="minor", length=0)
    ax.spines[:].set_visible(False)
