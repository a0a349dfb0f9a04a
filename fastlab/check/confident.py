"""Confident learning: which labels a network, tested on images it has not seen, contradicts with confidence.

Source: Northcutt, Jiang, Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels", section 3.1 and
equations 1 and 2. A class's threshold is the mean probability that its own images get; an image counts as confidently
of class j when its probability for j reaches j's threshold (the greatest such j, where several do). Images that count
as another class than their label, the off-diagonals of the paper's confident joint, are the suspects."""
import numpy as np

ODDS = 20.0     # at which another class is suggested though the network is not confident of it


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

    First those that count confidently as another class which the network also prefers; then, less certain, those where
    it prefers one by ODDS to 1. Within both by the normalised margin, log p(label) − log p(best other): in logarithms,
    so that certain mistakes keep an order."""
    guess = confident_class(np.exp(log_probabilities), labels)
    others = log_probabilities.astype(np.float64)
    own = others[np.arange(len(labels)), labels].copy()
    others[np.arange(len(labels)), labels] = -np.inf
    margin, preferred = own - others.max(axis=1), others.argmax(axis=1)
    confident = (guess == preferred) & (margin < 0)
    rows = np.flatnonzero(confident | (margin < -np.log(ODDS)))
    rows = rows[np.lexsort((margin[rows], ~confident[rows]))]
    return rows, preferred[rows], confident[rows]
