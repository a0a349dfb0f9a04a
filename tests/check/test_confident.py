"""Confident learning against the published rule, written out image by image."""
import numpy as np
import pytest

from fastlab.check.confident import (
    HOTTEST,
    WRONG,
    agreement_where_sure,
    calibrated,
    chance_wrong,
    confident_class,
    suspects,
    temperature,
    thresholds,
    wrong_share,
)


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


def likeliest_share(own, classes):
    "By trying them all: the share e of wrong labels for which (1 − e) · own + e / classes is likeliest."
    shares = np.linspace(0, 0.2, 4001)
    return max(shares, key=lambda e: np.log((1 - e) * own + e / classes).sum())


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("wrong", [0.0, 0.08, 0.19])
def test_the_share_of_wrong_labels_is_the_likeliest(seed, wrong):
    probabilities, labels = made_up(seed, wrong=wrong, sharp=6.0)
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    assert wrong_share(own, 5) == pytest.approx(likeliest_share(own, 5), abs=1e-4)
    assert chance_wrong(np.log(probabilities), labels).mean() == pytest.approx(wrong_share(own, 5), abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_suspects_have_the_chance_of_being_wrong_and_are_confident_where_the_joint_says_so(seed):
    probabilities, labels = made_up(seed, sharp=7.0)
    _, counted = published_rule(probabilities, labels)
    own = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    share = likeliest_share(own, 5)
    wrong = share / 5 >= WRONG * (share / 5 + (1 - share) * own)
    rows, suggested, confident = suspects(np.log(probabilities), labels)
    assert set(rows.tolist()) == {row for row in np.flatnonzero(wrong) if probabilities[row].argmax() != labels[row]}
    assert {int(row) for row, sure in zip(rows, confident) if sure} == \
        {int(row) for row in rows if counted[row] == probabilities[row].argmax()}
    assert 3 < confident.sum() <= len(rows)
    assert (suggested != labels[rows]).all()
    assert (probabilities[rows, suggested] == probabilities[rows].max(axis=1)).all()


def test_the_worst_come_first_confident_ones_before_the_others():
    probabilities, labels = made_up(11, sharp=4.0)
    rows, _, confident = suspects(np.log(probabilities), labels)
    logs = np.log(probabilities.astype(np.float64))
    margins = np.array([logs[row, labels[row]] - np.delete(logs[row], labels[row]).max() for row in rows])
    assert confident.tolist() == sorted(confident.tolist(), reverse=True)
    for part in (margins[confident], margins[~confident]):
        assert (np.diff(part) >= 0).all()
        assert (part < 0).all()


def test_certain_mistakes_keep_their_order_where_probabilities_have_run_out_of_digits():
    logs = np.array([[0, -200, -9], [0, -300, -9], [0, -250, -9], *[[-9, 0, -9]] * 20], np.float32)
    labels = np.ones(23, int)
    assert suspects(logs, labels)[0].tolist() == [1, 2, 0]


def test_a_class_without_images_disturbs_nothing():
    probabilities, labels = made_up(3, classes=4)
    wider = np.concatenate([probabilities, np.zeros((len(labels), 1), np.float32)], axis=1)
    assert thresholds(wider, labels)[4] == 1
    with np.errstate(divide="ignore"):
        assert suspects(np.log(wider), labels)[0].tolist() == suspects(np.log(probabilities), labels)[0].tolist()


def calibrated_network(count=20_000, classes=4):
    "(log-probabilities, labels): labels drawn by the probabilities themselves: as sure as it is right."
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(count, classes)) * 2
    logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return logs, (np.exp(logs).cumsum(axis=1) < rng.random((count, 1))).sum(axis=1).clip(max=classes - 1)


@pytest.mark.parametrize(("sharpened", "heat"), [(1, 1), (3, 3), (0.5, 1)])
@pytest.mark.parametrize("wrong", [0, 0.05])
def test_a_network_that_is_too_sure_is_brought_to_be_as_sure_as_it_is_right(sharpened, heat, wrong):
    "Wrong labels are not taken for the network's mistakes."
    logs, labels = calibrated_network()
    labels[:int(wrong * len(labels))] = np.random.default_rng(8).integers(4, size=int(wrong * len(labels)))
    found = temperature(logs * sharpened, labels)
    assert found == pytest.approx(heat, rel=0.05)       # one that is too unsure stays as it is
    chances = np.exp(calibrated(logs * 50, 7.0))
    assert chances.sum(axis=1) == pytest.approx(np.ones(len(logs)))
    assert (chances.argmax(axis=1) == logs.argmax(axis=1)).all()


def test_a_network_that_guesses_with_confidence_makes_no_suspects():
    "Random answers at 0.99: taken at its word nine labels in ten would be suspect."
    rng = np.random.default_rng(6)
    logs = np.log(np.full((500, 10), 0.01 / 9))
    logs[np.arange(500), rng.integers(10, size=500)] = np.log(0.99)
    labels = rng.integers(10, size=500)
    assert len(suspects(logs, labels)[0]) > 400
    heat = temperature(logs, labels)
    assert heat > HOTTEST / 2
    assert len(suspects(calibrated(logs, heat), labels)[0]) == 0


def test_where_the_network_is_sure_it_is_said_how_often_labels_agree():
    logs = np.log([[0.96, 0.02, 0.02], [0.02, 0.96, 0.02], [0.90, 0.06, 0.04], [0.02, 0.02, 0.96], [0.96, 0.03, 0.01]])
    share, n = agreement_where_sure(logs, np.array([0, 0, 1, 2, 1]))
    assert (share, n) == (0.5, 4)
    assert agreement_where_sure(logs[2:3], np.array([0]))[1] == 0
