"""The figures of a test, against scipy, scikit-learn and numbers worked out by hand."""
import json

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics

from fastlab.training import figures
from fastlab.training.figures import wilson


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (97, 100), (1488, 1488), (1, 3), (0, 1)])
@pytest.mark.parametrize("level", [0.95, 0.9])
def test_wilson_is_scipys(right, n, level):
    expected = binomtest(right, n).proportion_ci(level, method="wilson")
    assert wilson(right, n, level) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_of_no_images_nothing_is_known():
    assert wilson(0, 0) == (0.0, 1.0)


@pytest.fixture
def tested():
    "500 images of five classes, told with some skill; of the last class there is none, and none is told."
    rng = np.random.default_rng(3)
    truth = rng.integers(0, 4, 500)
    shares = rng.dirichlet(np.ones(5), 500) + np.eye(5)[truth] * rng.uniform(0, 1, (500, 1))
    shares[:, 4] = 0
    shares = (shares / shares.sum(1, keepdims=True)).astype(np.float32)
    return figures.Tested(truth, shares, tuple("abcde"), tuple("ABCDE"), tuple(map(str, range(500))))


def test_accuracy_confusion_balance_and_f1_are_scikit_learns(tested):
    truth, told = tested.truth, tested.probabilities.argmax(1)
    assert 0.3 < tested.accuracy < 1
    assert tested.accuracy == metrics.accuracy_score(truth, told)
    assert np.array_equal(tested.confusion, metrics.confusion_matrix(truth, told, labels=range(5)))
    assert tested.balanced_accuracy == pytest.approx(metrics.balanced_accuracy_score(truth, told))
    assert tested.macro_f1 == pytest.approx(metrics.f1_score(truth, told, labels=range(4), average="macro"))
    assert tested.interval == wilson(int((truth == told).sum()), 500)


def test_each_class_has_scikit_learns_figures_and_a_class_without_images_none(tested):
    truth, told = tested.truth, tested.predicted
    precision, recall, f1, count = metrics.precision_recall_fscore_support(truth, told, labels=range(4))
    for row, *wanted in zip(tested.per_class, precision, recall, f1, count):
        assert (row["precision"], row["accuracy"], row["f1"], row["n"]) == pytest.approx(tuple(wanted))
        assert row["interval"] == list(wilson(round(row["accuracy"] * row["n"]), row["n"]))
    assert [(row["class"], row["name"]) for row in tested.per_class] == list(zip("abcde", "ABCDE"))
    absent = tested.per_class[4]
    assert (absent["n"], absent["accuracy"], absent["precision"], absent["f1"]) == (0, None, None, None)


def test_a_class_that_is_only_told_wrongly_has_precision_0_and_f1_0():
    shares = np.array([[0.2, 0.8], [0.9, 0.1]])
    tested = figures.Tested(np.array([0, 0]), shares, ("a", "b"), ("a", "b"), ("x", "y"))
    told = tested.per_class[1]
    assert (told["precision"], told["f1"], told["accuracy"]) == (0, 0, None)
    assert tested.balanced_accuracy == 0.5


def test_the_summary_is_plain_data(tested):
    told = json.loads(json.dumps(tested.summary(), allow_nan=False))
    assert told["n"] == 500
    assert told["accuracy"] == tested.accuracy
    assert len(told["per_class"]) == 5
