import numpy as np
import pytest
from scipy import stats

from fastlab.errors import OptionError
from fastlab.pictures import calibration


def simulated(n, classes=4, seed=0, sureness=1.0):
    "Probabilities and labels drawn from them: calibrated at sureness 1, too sure above."
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(classes, 0.6), n)
    truth = (shares.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    sharp = shares ** sureness
    return truth, sharp / sharp.sum(axis=1, keepdims=True)


def test_points_are_accuracy_at_mean_confidence_of_each_bin():
    truth, shares = simulated(500)
    ax = calibration.reliability(truth, shares, bins=5)
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == truth
    points = next(line for line in ax.lines if line.get_marker() == "o")
    expected = [(confidence[inside].mean(), right[inside].mean()) for k in range(5)
                if (inside := (confidence >= k / 5) & (confidence < (k + 1) / 5 if k < 4 else True)).any()]
    np.testing.assert_allclose(np.transpose(points.get_data()), expected)
    assert sum(int(text.get_text().replace(",", "")) for text in ax.texts if text.get_text() != "images") == 500
    assert sum(bar.get_height() > 0 for bar in ax.patches) == len(expected)


def test_expected_error_is_near_zero_when_calibrated_and_grows_when_too_sure():
    errors = [calibration.calibration_error(calibration.reliability_table(*simulated(40_000, sureness=sure)))
              for sure in (1.0, 2.0)]
    assert errors[0] < 0.01
    assert errors[1] > 0.08


def test_expected_error_by_hand():
    shares = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4]])
    table = calibration.reliability_table(np.array([0, 1, 0]), shares)
    assert calibration.calibration_error(table) == pytest.approx((2 * abs(0.5 - 0.9) + abs(1 - 0.6)) / 3)
    assert "expected error 40.00 % (n = 3 images)" in \
        calibration.reliability([0, 1, 0], shares).get_title(loc="left")


def test_bins_of_equal_count_hold_equal_counts():
    table = calibration.reliability_table(*simulated(1000), bins=4, equal="count")
    assert list(table[:, 2]) == [250] * 4


def test_certain_answers_do_not_fall_out_of_the_last_bin():
    table = calibration.reliability_table(np.array([0, 1]), np.array([[1.0, 0.0], [1.0, 0.0]]), equal="count")
    assert table.tolist() == [[1.0, 1.0, 2.0]]
    assert calibration.reliability_table([0], np.array([[1.0, 0.0]])).tolist() == [[1.0, 1.0, 1.0]]


def test_nothing_to_calibrate_on_is_refused():
    with pytest.raises(OptionError, match="no image"):
        calibration.reliability([], np.zeros((0, 3)))
    with pytest.raises(OptionError, match="Did you mean 'width'"):
        calibration.reliability([0], [[1.0, 0.0]], equal="with")


def test_classes_stand_worst_first_with_wilson_intervals():
    truth = np.repeat([0, 1, 2], [10, 20, 40])
    said = truth.copy()
    said[:1], said[10:16] = 1, 0
    ax = calibration.per_class(truth, said, ["ant", "bee", "cat", "never"])
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["bee  (n = 20)", "ant  (n = 10)", "cat  (n = 40)"]
    points = next(line for line in ax.lines if line.get_marker() == "o")
    assert list(points.get_xdata()) == pytest.approx([14 / 20, 9 / 10, 1])
    bars = [segment[:, 0] for segment in ax.collections[0].get_segments()]
    for bar, (right, n) in zip(bars, ((14, 20), (9, 10), (40, 40))):
        assert bar == pytest.approx(stats.binomtest(right, n).proportion_ci(method="wilson"), abs=1e-9)
    assert ax.get_legend().get_texts()[0].get_text() == "all classes 90.00 %"


def test_ways_of_answering_are_held_against_the_first():
    truth = np.array([0, 0, 1, 1])
    one = np.eye(2)[[0, 1, 1, 1]]
    ten = np.eye(2)[[0, 0, 1, 0]]
    ax = calibration.against(truth, {"one crop": one, "ten crops": ten})
    assert [text.get_text() for text in ax.texts] == ["75.00 %", "75.00 %   1 newly right, 1 newly wrong"]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["one crop", "ten crops"]


def test_an_ensemble_is_the_mean_of_probabilities():
    truth = np.array([0, 0, 1])
    shares = np.array([[[0.9, 0.1], [0.4, 0.6], [0.3, 0.7]], [[0.3, 0.7], [0.9, 0.1], [0.6, 0.4]],
                       [[0.4, 0.6], [0.6, 0.4], [0.1, 0.9]]])
    ax = calibration.ensemble(truth, shares)
    alone, mean = ax.lines
    assert list(alone.get_ydata()) == pytest.approx([2 / 3, 1 / 3, 2 / 3])
    pairs = [(shares[[a, b]].mean(axis=0).argmax(axis=1) == truth).mean() for a, b in ((0, 1), (0, 2), (1, 2))]
    assert list(mean.get_ydata()) == pytest.approx([5 / 9, np.mean(pairs), 1])


def test_of_many_networks_subsets_are_drawn_and_every_network_counts_alike():
    assert calibration.subsets(4, 2) == [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)]
    drawn = calibration.subsets(14, 5)
    assert drawn == calibration.subsets(14, 5)
    assert len(drawn) == calibration.SUBSETS
    assert all(len(set(some)) == 5 for some in drawn)
    counts = np.bincount(np.ravel(drawn), minlength=14)
    assert stats.chisquare(counts).pvalue > 0.01
