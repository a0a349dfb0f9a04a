"""Images with what they are and what the network says they are: a batch, results, mistakes, confused pairs."""
import numpy as np

from fastlab.errors import OptionError
from fastlab.pictures.confusion import counts
from fastlab.pictures.fonts import shown
from fastlab.pictures.style import GREY, INK, ORANGE, counted, picture
from fastlab.pictures.tiles import LEGIBLE, TILE, fitting, roomy, sheet, show, width

LEAST_ACROSS = 3        # examples of a pair for which there is room, so that its heading has some too


def _checked(images, truth, probabilities, names):
    "The arrays (N, H, W[, C]), (N,) and (N, C), or an OptionError that says which do not fit together."
    truth, probabilities = np.asarray(truth), np.asarray(probabilities, float)
    if probabilities.shape != (len(truth), len(names)) or len(images) != len(truth):
        raise OptionError(f"images, truth, probabilities: {len(images)} images, {len(truth)} labels and probabilities "
                          f"of shape {probabilities.shape} for {len(names)} names. Give N, N and (N, names).")
    return truth, probabilities


def chance(probability, digits=2):
    "A probability in few characters that never rounds to a certainty: '0.97', '> 0.99', '< 0.01'."
    text, least = f"{probability:.{digits}f}", 10.0 ** -digits
    if float(text) == 1 and probability < 1:
        return f"> {1 - least:.{digits}f}"
    return f"< {least:.{digits}f}" if float(text) == 0 else text


def _nothing(figure, text, title):
    "One Axes that says that there is nothing to show."
    axes = sheet(1, figure=figure, tile=3)
    axes[0].set_axis_off()
    axes[0].text(0.5, 0.5, text, ha="center", va="center", transform=axes[0].transAxes)
    _headed(axes, title)
    return axes


def _headed(axes, title):
    "A title over the whole sheet, on the left as on every picture."
    axes[0].figure.suptitle(title, x=0.01, ha="left", fontsize=10)


@picture
def batch(images, labels, names, count=24, figure=None, classes=None, title="A batch", rows=None):
    """The first `count` images (N, H, W[, C]), or those of the numbers `rows`, under the names of their labels (N,);
    returns an array of Axes."""
    names = shown(names, classes)
    rows = np.arange(len(images))[:count] if rows is None else np.asarray(rows, int)
    if not len(rows):
        return _nothing(figure, "no image", title)
    texts = [names[labels[row]] for row in rows]
    columns, tile, size = roomy(texts, 8)
    axes = sheet(len(rows), columns, figure=figure, tile=tile)
    for ax, row, text in zip(axes, rows, texts):
        show(ax, images[row])
        ax.set_title(text, loc="center", fontsize=size, pad=3)
    _headed(axes, f"{title} ({len(rows)} of {len(images):,} images)")
    return axes


@picture
def results(images, truth, probabilities, names, count=24, figure=None, classes=None, rows=None):
    """The first `count` images, or those of the numbers `rows`, and their answers: a tick, or a cross with the true
    class and the predicted one. `truth` (N,), `probabilities` (N, C); the heading's accuracy is over all N. Returns an
    array of Axes."""
    names = shown(names, classes)
    truth, probabilities = _checked(images, truth, probabilities, names)
    predicted = probabilities.argmax(axis=1)
    rows = np.arange(len(truth))[:count] if rows is None else np.asarray(rows, int)
    if not len(rows):
        return _nothing(figure, "no image", "Results")
    texts = [(f"✓ {names[said]}" if true == said else f"✗ {names[true]} → {names[said]}") + f"  {chance(shares[said])}"
             for true, said, shares in zip(truth[rows], predicted[rows], probabilities[rows])]
    broken = width("\n".join(texts), LEGIBLE) > TILE
    texts = [text.replace(" → ", "\n→ ") if broken else text for text in texts]
    columns, tile, size = roomy(texts, 8)
    axes = sheet(len(rows), columns, 1 + broken, figure, tile)
    for ax, row, text in zip(axes, rows, texts):
        right = truth[row] == predicted[row]
        show(ax, images[row], frame=GREY if right else ORANGE, width=0.5 if right else 2)
        ax.set_title(text, loc="center", fontsize=size, pad=3, color=INK if right else ORANGE)
    share = 100 * (truth == predicted).mean()
    _headed(axes, counted(f"Results: {len(rows)} images; accuracy {share:.2f} % of all", len(truth)))
    return axes


def worst(truth, probabilities, count):
    "Indices of the `count` worst mistakes: wrong, and the true class thought least likely; ties by the surer error."
    truth, probabilities = np.asarray(truth), np.asarray(probabilities, float)
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != truth)
    true, said = probabilities[wrong, truth[wrong]], probabilities[wrong].max(axis=1)
    return wrong[np.lexsort((wrong, -said, true))][:count]


@picture
def mistakes(images, truth, probabilities, names, count=12, figure=None, classes=None, files=None):
    """The worst mistakes, each with its true and its predicted class and both probabilities.

    `images` (N, H, W[, C]), `truth` (N,), `probabilities` (N, C); `files`: names (N,) to print below, so that the
    image can be found and looked at. Returns an array of Axes, one a mistake, the worst first."""
    names = shown(names, classes)
    truth, probabilities = _checked(images, truth, probabilities, names)
    total = int((probabilities.argmax(axis=1) != truth).sum())
    found = worst(truth, probabilities, count)
    if not len(found):
        return _nothing(figure, "no mistake", counted("Mistakes", len(truth)))
    texts = [f"true {names[truth[at]]}  {chance(probabilities[at, truth[at]])}\n"
             f"predicted {names[probabilities[at].argmax()]}  {chance(probabilities[at].max())}" for at in found]
    columns, tile, size = roomy(texts, 6)
    axes = sheet(len(found), columns, 2 + (files is not None), figure, tile)
    for ax, at, text in zip(axes, found, texts):
        show(ax, images[at])
        ax.set_title(text, fontsize=size, pad=3)
        if files is not None:
            ax.set_xlabel(_ending(shown([str(files[at])], longest=1000)[0]), fontsize=5.5, color=GREY, labelpad=2)
    _headed(axes, f"Worst {len(found)} of {counted(f'{total:,} mistakes', len(truth))}, with probabilities")
    return axes


def _ending(file, longest=26):
    "The end of a file's name, which tells files apart, with an ellipsis where its beginning is left out."
    return file if len(file) <= longest else f"…{file[1 - longest:]}"


def confused(truth, predicted, classes, pairs):
    "The `pairs` most frequent mistakes as (count, true, predicted), most frequent first; ties in class order."
    table = counts(truth, predicted, classes)
    np.fill_diagonal(table, 0)
    best = np.argsort(-table.ravel(), kind="stable")[:pairs]
    return [(int(table.flat[k]), int(k // classes), int(k % classes)) for k in best if table.flat[k]]


@picture
def pairs(images, truth, probabilities, names, count=5, examples=6, figure=None, classes=None):
    """The most confused pairs, a row each: how often the true class was taken for the other, with the surest examples.
    Arguments as for `mistakes`. Returns an array of Axes (pairs, examples)."""
    names = shown(names, classes)
    truth, probabilities = _checked(images, truth, probabilities, names)
    predicted = probabilities.argmax(axis=1)
    found = confused(truth, predicted, len(names), count)
    if not found:
        return _nothing(figure, "no mistake", counted("Most confused pairs", len(truth)))
    examples = min(examples, max(LEAST_ACROSS, found[0][0]))
    axes = sheet(len(found) * examples, columns=examples, figure=figure).reshape(len(found), examples)
    for row, (times, true, said) in zip(axes, found):
        these = np.flatnonzero((truth == true) & (predicted == said))
        these = these[np.argsort(-probabilities[these, said], kind="stable")][:examples]
        for ax, at in zip(row, these):
            show(ax, images[at])
        for ax in row[len(these):]:
            ax.set_axis_off()
        held = int((truth == true).sum())
        row[0].set_title(" ", loc="center", pad=3)      # keeps the height; the text itself may run over the next images
        told = f"{names[true]} taken for {names[said]}: {times} of {held} ({100 * times / held:.1f} %)"
        heading = row[0].annotate(told, (0, 1), (0, 3), "axes fraction", textcoords="offset points",
                                  fontsize=fitting(told, examples * 1.12 * TILE, size=10))
        heading.set_in_layout(False)
    _headed(axes.ravel(), counted("Most confused pairs", len(truth)))
    return axes
