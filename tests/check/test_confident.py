"""Confident learning against the published rule, written out image by image."""
import numpy as np
import pytest

from fastlab.check.confident import ODDS, confident_class, suspects, thresholds


def made_up(seed, count=400, classes=5, wrong=0.08, sharp=3.0):
    "(probabilities float32 (N, K), labels (N,)) of a network that is mostly right, and labels of which some are not."
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=count)
    scores = rng.normal(size=(count, classes)) + sharp * np.eye(classes)[truth] * rng.uniform(0, 1.4, (count, 1))
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    labels = np.where(rng.random(count) < wrong, rng.integers(classes, size=count), truth)
    return probabilities.astype(np.float32), labels


def published_rule(probabilities, labels):
    """(thresholds, class that each image counts as or None) by section 3.1 of Northcutt, Jiang, Chuang 2021: t_j is the
    mean of p̂(j; x) over the x labelled j (equation 2); an image counts for the j of largest p̂(j; x) among those with
    p̂(j; x) ≥ t_j (equation 1)."""
    means = []
    for j in range(probabilities.shape[1]):
        own = [float(row[j]) for row, label in zip(probabilities, labels) if label == j]
        means.append(sum(own) / len(own) if own else 1.0)
    counted = []
    for row in probabilities:
        reached = [j for j, share in enumerate(row) if share >= means[j]]
        counted.append(max(reached, key=lambda j: row[j]) if reached else None)
    return means, counted


@pytest.mark.parametrize("seed", range(8))
def test_thresholds_and_counts_are_those_of_the_paper(seed):
    probabilities, labels = made_up(seed)
    means, counted = published_rule(probabilities, labels)
    assert thresholds(probabilities, labels) == pytest.approx(means, abs=1e-7)
    assert confident_class(probabilities, labels).tolist() == [-1 if j is None else j for j in counted]


@pytest.mark.parametrize("seed", range(8))
def test_confident_suspects_are_off_the_diagonal_of_the_confident_joint(seed):
    "Of those the network prefers another class for: what is counted as j is most probable among those that reach."
    probabilities, labels = made_up(seed)
    _, counted = published_rule(probabilities, labels)
    expected = {row for row, j in enumerate(counted)
                if j is not None and j != labels[row] and probabilities[row].argmax() == j}
    rows, suggested, confident = suspects(np.log(probabilities), labels)
    assert set(rows[confident].tolist()) == expected
    assert all(counted[row] == label for row, label in zip(rows[confident], suggested[confident]))
    assert len(expected) > 3


@pytest.mark.parametrize("seed", range(4))
def test_the_rest_are_those_where_another_class_is_preferred_by_the_odds(seed):
    probabilities, labels = made_up(seed, sharp=2.0)
    rows, suggested, confident = suspects(np.log(probabilities), labels)
    for row in range(len(labels)):
        others = np.delete(probabilities[row].astype(np.float64), labels[row])
        by_odds = others.max() > ODDS * probabilities[row, labels[row]]
        assert not by_odds or row in rows
        if row in rows and not confident[rows.tolist().index(row)]:
            assert by_odds
    assert (suggested != labels[rows]).all()
    assert (probabilities[rows, suggested] == probabilities[rows].max(axis=1)).all()


def test_the_worst_come_first_confident_ones_before_the_others():
    probabilities, labels = made_up(11, sharp=2.0)
    rows, _, confident = suspects(np.log(probabilities), labels)
    logs = np.log(probabilities.astype(np.float64))
    margins = np.array([logs[row, labels[row]] - np.delete(logs[row], labels[row]).max() for row in rows])
    assert confident.tolist() == sorted(confident.tolist(), reverse=True)
    for part in (margins[confident], margins[~confident]):
        assert (np.diff(part) >= 0).all()
        assert (part < 0).all()


def test_certain_mistakes_keep_their_order_where_probabilities_have_run_out_of_digits():
    logs = np.array([[0, -200, -9], [0, -300, -9], [0, -250, -9], [-9, 0, -9], [0, -9, -9], [-9, -9, 0]], np.float32)
    labels = np.array([1, 1, 1, 1, 0, 2])
    assert suspects(logs, labels)[0].tolist() == [1, 2, 0]


def test_a_class_without_images_disturbs_nothing():
    probabilities, labels = made_up(3, classes=4)
    wider = np.concatenate([probabilities, np.zeros((len(labels), 1), np.float32)], axis=1)
    assert thresholds(wider, labels)[4] == 1
    with np.errstate(divide="ignore"):
        assert suspects(np.log(wider), labels)[0].tolist() == suspects(np.log(probabilities), labels)[0].tolist()
