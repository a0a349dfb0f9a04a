"""How unlike the rest of its class an image is, in the eyes of a network that may still be content with it.

The measure is Mahalanobis' distance of the features before the last layer from their class, after Lee et al. 2018, "A
Simple Unified Framework for Detecting Out-of-Distribution Samples", with each class's own covariance in the principal
directions of all classes. Another character that looks alike has strokes that its class never shows."""
import numpy as np
from scipy.linalg import eigh

DIRECTIONS = 64             # principal directions of all features, fewer where classes are small
IMAGES_A_DIRECTION = 3      # of the smallest class that is judged
LEAST = 24                  # images of a class that are needed to judge it
SHRINK = 0.05               # of the mean variance, added to every direction
FAR = 3.0                   # deviations of the log-distance above the class's median, robustly


def principal_space(sample, labels):
    """(mean (F,), directions (F, D)), float32, of most variance in a sample of features (n, F). D is DIRECTIONS, or
    less where the smallest class that is judged among all `labels` has few images. The smaller of n and F decides the
    work."""
    counts = np.bincount(labels)
    judged = counts[counts >= LEAST]
    count = min(DIRECTIONS, int(judged.min()) // IMAGES_A_DIRECTION if len(judged) else 1, *sample.shape)
    mean = sample.mean(axis=0)
    centred = sample - mean
    wide = centred.shape[1] > centred.shape[0]
    scatter = centred @ centred.T if wide else centred.T @ centred
    last = len(scatter) - 1
    vectors = eigh(scatter.astype(np.float64), subset_by_index=(last - count + 1, last))[1].astype(np.float32)
    directions = centred.T @ vectors if wide else vectors
    return mean, directions / np.maximum(np.linalg.norm(directions, axis=0), 1e-12)


def class_distances(known, known_labels, features, labels):
    """The distance of each of `features` (N, D) from its own class among `known` (M, D), float32 (N,); nan where the
    class has fewer than LEAST known images."""
    distances = np.full(len(features), np.nan, np.float32)
    for label in np.flatnonzero(np.bincount(known_labels) >= LEAST):
        rows, own = np.flatnonzero(labels == label), known[known_labels == label].astype(np.float64)
        covariance = np.atleast_2d(np.cov(own.T))
        covariance += np.eye(len(covariance)) * (np.trace(covariance) / len(covariance) * SHRINK + 1e-12)
        away = features[rows] - own.mean(axis=0)
        squares = np.einsum("nd,nd->n", away, np.linalg.solve(covariance, away.T).T)
        distances[rows] = np.sqrt(np.maximum(squares, 0))
    return distances


def standing_out(distances, labels):
    """Images far out in their class, the farthest first: (rows, deviations). Distances are compared within a class, as
    logarithms, by median and median absolute deviation."""
    deviations = np.full(len(labels), -np.inf)
    for label in np.unique(labels):
        rows = np.flatnonzero((labels == label) & np.isfinite(distances))
        if len(rows):
            logs = np.log(np.maximum(distances[rows], 1e-6))
            middle = np.median(logs)
            deviations[rows] = (logs - middle) / max(1.4826 * np.median(np.abs(logs - middle)), 1e-6)
    rows = np.flatnonzero(deviations > FAR)
    rows = rows[np.argsort(-deviations[rows], kind="stable")]
    return rows, deviations[rows]
