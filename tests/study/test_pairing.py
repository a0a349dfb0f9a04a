"""Whose images a difference is of: variants trained on fewer images are tested on the same ones, image by image."""
import numpy as np
import pytest
from made_up_study import made_up_arrays
from scipy import stats

from fastlab.study.data import StudyData
from fastlab.study.planfile import plan_from
from fastlab.study.report.drawings import paired
from fastlab.study.runner import Runner
from fastlab.study.statistics import paired_interval
from fastlab.study.study import Study
from fastlab.study.tomllines import PlanText

PLAN = """
seeds = 6
[recipe]
norm = "none"
epochs = 8
[variants]
all = {}
few = { images_a_class = 5, l2 = 0.02 }
three = { classes = 3 }
[[comparison]]
name = "1"
baseline = "all"
variants = ["few"]
[[comparison.claim]]
says = "Fewer images are worse"
is = "less accurate"
[[comparison.claim]]
says = "With few it overfits more"
is = "overfits more"
[[comparison]]
name = "2"
baseline = "all"
variants = ["three"]
[[comparison.claim]]
says = "Fewer classes are easier"
is = "more accurate"
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    "A whole study, pictures too."
    return Study(plan_from(PlanText(PLAN)), made_up_arrays(), tmp_path_factory.mktemp("pairing") / "study",
                 runner=Runner("fake_runner:carry_out")).run(0, show=False)


def right(done, comparison, variant, split, truth):
    "Right or wrong, (seeds, images), from the predictions that the runs left."
    runs = [done.gathered.results[done.schedule.keys[comparison, variant, seed][0]] for seed in range(6)]
    return np.array([run.marks[8][split] == truth for run in runs]).astype(float)


def two_way(table):
    "(mean, low, high) of a table of paired differences over seeds and images, written out anew."
    seeds, images = table.shape
    rows, columns, mean = table.mean(1), table.mean(0), table.mean()
    rest = sum((table[seed, image] - rows[seed] - columns[image] + mean) ** 2 for seed in range(seeds)
               for image in range(images)) / ((seeds - 1) * (images - 1))
    by_seed, by_image = rows.var(ddof=1) / seeds, columns.var(ddof=1) * seeds
    variance = by_seed + max(by_image - rest, 0) / (seeds * images) + 0.25 / images ** 2
    spread = by_seed ** 2 / (seeds - 1) + (by_image ** 2 + rest ** 2 / (seeds - 1)) / (images - 1) / table.size ** 2
    half = stats.t.ppf(0.975, max(variance ** 2 / spread, seeds - 1)) * variance ** 0.5
    return mean, mean - half, mean + half


def test_a_variant_of_fewer_training_images_is_paired_by_test_image(done, arrays):
    truth = arrays.labels[arrays.splits["test"]]
    table = right(done, "1", "few", "test", truth) - right(done, "1", "all", "test", truth)
    main = done.verdicts[0].main
    assert main.images == len(truth) == 240
    assert (main.difference, main.low, main.high) == pytest.approx([100 * value for value in two_way(table)])


def test_training_images_are_paired_only_where_they_are_the_same(done, arrays):
    truth, main = arrays.labels[arrays.splits["test"]], done.verdicts[1].main
    trained = {name: done.data.truth(None, count)["train"] for name, count in (("few", 5), ("all", None))}
    tables = [right(done, "1", "few", "train", trained["few"]), -right(done, "1", "all", "train", trained["all"]),
              right(done, "1", "all", "test", truth) - right(done, "1", "few", "test", truth)]
    assert main.images == 20 + 80 + 240
    expected = paired_interval(tables)
    assert (main.difference, main.low, main.high) == pytest.approx(
        [100 * value for value in (expected.mean, expected.low, expected.high)])


def test_other_classes_are_other_images_in_the_figures_and_in_the_picture(done):
    assert done.verdicts[2].main.images == 240 + 180
    assert ">three</text>" in paired(done.gathered, done.plan.comparison("2"), ["eval"])


def test_the_labels_of_the_same_images_are_one_array(arrays):
    data = StudyData(arrays)
    whole, few, three = data.truth(), data.truth(None, 5), data.truth(3)
    assert whole["test"] is few["test"]
    assert whole["develop"] is few["develop"]
    assert whole["train"] is data.truth(None, 20)["train"]
    assert len({id(told["train"]) for told in (whole, few, three)}) == 3
    assert len(three["test"]) == 180
    assert not np.isin(three["test"], [3]).any()
