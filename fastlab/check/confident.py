"""Confident learning: which labels a network, tested on images it has not seen, contradicts with confidence.

Source: Northcutt, Jiang, Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels", section 3.1 and
equations 1 and 2. A class's threshold is the mean probability that its own images get; an image counts as confidently
of class j when its probability for j reaches j's threshold (the greatest such j, where several do). Images that count
as another class than their label are the off-diagonals of the paper's confident joint.

The paper takes a network at its word; one that is often wrong and still sure fills the joint with its own mistakes. So
its scores are first divided by a temperature (Guo and others 2017, "On Calibration of Modern Neural Networks"), fitted
together with the share of labels that are wrong, and a suspect is what is then wrong with a chance of WRONG."""
import numpy as np
from scipy.optimize import brentq, minimize_scalar

HOTTEST = 100.0             # temperature, at most; at least 1: no network is made surer than it says
MOST_WRONG = 0.2            # of all labels; where more would fit, the network and not the labels is at fault
WRONG = 0.25                # the chance of being wrong from which a label is a suspect: four looks for one find
SURE = 20.0                 # odds of the first class against the second


def calibrated(log_probabilities, heat):
    "The log-probabilities (N, classes), float64, of scores divided by the temperature `heat`."
    scores = log_probabilities.astype(np.float64) / heat
    scores -= scores.max(axis=1, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def wrong_share(own, classes):
    """The share e of labels that are wrong, 0 … MOST_WRONG, that is likeliest where a label's probability is
    (1 − e) · own + e / classes. own: what each image gives its label, (N,)."""
    def slope(share):
        return ((1 / classes - own) / ((1 - share) * own + share / classes)).mean()
    if slope(1e-9) <= 0:
        return 0.0
    return MOST_WRONG if slope(MOST_WRONG) >= 0 else brentq(slope, 1e-9, MOST_WRONG, xtol=1e-9)


def chance_wrong(log_probabilities, labels):
    "For each image the chance, float64 (N,), that its label is one of the wrong ones; from calibrated probabilities."
    classes, own = len(np.unique(labels)), np.exp(_own(log_probabilities, labels))
    by_chance = wrong_share(own, classes) / classes
    return by_chance / np.maximum((1 - by_chance * classes) * own + by_chance, 1e-300)


def temperature(log_probabilities, labels):
    "What the scores are divided by, 1 … HOTTEST, so that with some labels wrong all labels are likeliest."
    def loss(log_heat):
        own = np.exp(_own(calibrated(log_probabilities, np.exp(log_heat)), labels))
        share = wrong_share(own, classes)
        return -np.log(np.maximum((1 - share) * own + share / classes, 1e-300)).mean()
    classes, grid = len(np.unique(labels)), np.linspace(0, np.log(HOTTEST), 15)
    best = int(np.argmin([loss(place) for place in grid]))
    around = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    return float(np.exp(minimize_scalar(loss, bounds=around, method="bounded").x))


def _own(log_probabilities, labels):
    return log_probabilities[np.arange(len(labels)), labels].astype(np.float64)


def agreement_where_sure(log_probabilities, labels):
    "(share, n): of the n images where the first class is SURE times as likely as the second, how many are labelled so."
    second, first = np.sort(log_probabilities, axis=1)[:, -2:].T
    sure = first - second >= np.log(SURE)
    right = log_probabilities.argmax(axis=1) == labels
    return (float(right[sure].mean()) if sure.any() else float("nan")), int(sure.sum())


def thresholds(probabilities, labels):
    "The mean probability for each class over the images labelled so, float64 (classes,); 1 for a class without any."
    classes = probabilities.shape[1]
    counts = np.bincount(labels, minlength=classes)
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    sums = np.bincount(labels, weights=own, minlength=classes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), 1.0)


def confident_class(probabilities, labels):
    "The class that each image confidently is, int64 (N,); -1 where none reaches its threshold."
    reached = probabilities >= thresholds(probabilities, labels) - 1e-6
    best = np.where(reached, probabilities, -1.0).argmax(axis=1)
    return np.where(reached.any(axis=1), best, -1)


def suspects(log_probabilities, labels):
    """Images whose label looks wrong, the worst first: (rows, suggested classes, confident), bool the last.

    They are those where the network prefers another class and the label has a chance of WRONG to be wrong. First come
    the ones that count confidently as that class. Within both by the normalised margin, log p(label) − log p(best
    other): in logarithms, so that certain mistakes keep an order. log_probabilities: calibrated."""
    guess = confident_class(np.exp(log_probabilities), labels)
    others, own = log_probabilities.astype(np.float64), _own(log_probabilities, labels)
    others[np.arange(len(labels)), labels] = -np.inf
    margin, preferred = own - others.max(axis=1), others.argmax(axis=1)
    confident = guess == preferred
    rows = np.flatnonzero((margin < 0) & (chance_wrong(log_probabilities, labels) >= WRONG))
    rows = rows[np.lexsort((margin[rows], ~confident[rows]))]
    return rows, preferred[rows], confident[rows]
