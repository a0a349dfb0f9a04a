"""Distances in feature space against the formula and against scipy, and what stands out of a class."""
import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis
from scipy.stats import median_abs_deviation

from fastlab.check.unlike import FAR, LEAST, SHRINK, class_distances, principal_space, standing_out


def clouds(seed, counts=(60, 80, 10), width=6):
    "(features float32, labels): one Gaussian cloud a class, each with its own place and shape."
    rng = np.random.default_rng(seed)
    features = [rng.normal(size=(count, width)) @ rng.normal(size=(width, width)) + rng.normal(size=width) * 3
                for count in counts]
    return np.concatenate(features).astype(np.float32), np.repeat(np.arange(len(counts)), counts)


def test_distances_are_mahalanobis_in_the_classes_own_covariance():
    known, labels = clouds(1)
    asked, asked_labels = clouds(2)
    found = class_distances(known, labels, asked, asked_labels)
    for label in (0, 1):
        own = known[labels == label].astype(np.float64)
        covariance = np.cov(own.T)
        covariance += np.eye(6) * np.trace(covariance) / 6 * SHRINK
        inverse = np.linalg.inv(covariance)
        expected = [mahalanobis(row, own.mean(axis=0), inverse) for row in asked[asked_labels == label]]
        assert found[asked_labels == label] == pytest.approx(expected, rel=1e-4)
    assert LEAST > 10
    assert np.isnan(found[asked_labels == 2]).all()


@pytest.mark.parametrize("shape", [(300, 40), (90, 400)])
def test_the_principal_space_is_that_of_the_singular_value_decomposition(shape):
    rng = np.random.default_rng(5)
    sample = (rng.normal(size=shape) * np.geomspace(9, 0.1, shape[1])).astype(np.float32)
    mean, directions = principal_space(sample, np.zeros(120, int))
    assert mean == pytest.approx(sample.mean(axis=0), abs=1e-5)
    assert directions.shape == (shape[1], 40)
    strongest = np.linalg.svd(sample - mean, full_matrices=False)[2][:10].T
    overlap = np.linalg.svd(strongest.T @ directions)[1]
    assert overlap == pytest.approx(np.ones(10), abs=1e-3)


def test_small_classes_narrow_the_space():
    sample = np.random.default_rng(0).normal(size=(200, 100)).astype(np.float32)
    labels = np.repeat([0, 1, 2], [150, 45, 5])
    assert principal_space(sample, labels)[1].shape == (100, 15)
    assert principal_space(sample, np.repeat([0, 1], 10))[1].shape == (100, 1)


def test_what_stands_out_is_far_by_median_and_median_deviation_of_the_logarithm():
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1], 200)
    distances = (np.exp(rng.normal(0, 0.2, 400)) * np.where(labels == 0, 1.0, 30.0)).astype(np.float32)
    distances[[5, 250, 399]] = 9, 400, np.nan
    rows, deviations = standing_out(distances, labels)
    expected = {}
    for label in (0, 1):
        own = np.flatnonzero((labels == label) & ~np.isnan(distances))
        logs = np.log(distances[own].astype(np.float64))
        away = (logs - np.median(logs)) / median_abs_deviation(logs, scale="normal")
        expected |= {int(row): value for row, value in zip(own, away) if value > FAR}
    assert set(rows.tolist()) == set(expected)
    assert deviations == pytest.approx([expected[row] for row in rows.tolist()], rel=1e-3)
    assert {5, 250} <= set(rows[:2].tolist())
    assert (np.diff(deviations) <= 0).all()
