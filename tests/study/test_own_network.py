"""A plan of one's own with a network of one's own, MODULE:FUNCTION, really trained."""
import sys

import numpy as np
import pytest

from fastlab import Study
from fastlab.errors import OptionError
from fastlab.images.arrays import Arrays
from fastlab.strokes.dataset import draw_arrays
from fastlab.study.keys import _sources

MODULE = '''
"""Networks of a user's own."""
from torch import nn


def tiny(classes, channels, size, hidden=8):
    "One hidden layer."
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, hidden), nn.ReLU(), nn.Linear(hidden, classes))


def normalised(classes, channels, size):
    "One hidden layer with BatchNorm over its single values."
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * size * size, 8), nn.BatchNorm1d(8), nn.ReLU(),
                         nn.Linear(8, classes))


def broken(classes, channels, size):
    return nn.Linear(3, classes)
'''
PLAN = """
seeds = 2
[recipe]
net = "lenet"
norm = "none"
dropout = 0.0
epochs = 2
precision = "fp32"
[variants]
LeNet = {}
mine = { net = "own_networks:tiny", switches = { hidden = 12 } }
[[comparison]]
name = "nets"
baseline = "LeNet"
variants = ["mine"]
[[comparison.claim]]
says = "Mine is less accurate"
is = "less accurate"
"""


@pytest.fixture(scope="module")
def drawn():
    images, labels, splits, names = draw_arrays(train=8, develop=4, test=4)
    return Arrays(images, labels, splits, tuple(map(str, range(1, 13))), names)


@pytest.fixture
def study(drawn, tmp_path, monkeypatch):
    "A function: a plan's text -> its Study, where the current directory holds the module own_networks."
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_networks.py").write_text(MODULE)
    sys.modules.pop("own_networks", None)

    def made(text=PLAN):
        (tmp_path / "mine.toml").write_text(text)
        return Study.from_toml("mine.toml", drawn, tmp_path / "out")
    yield made
    sys.modules.pop("own_networks", None)


def test_a_study_of_an_own_network_is_carried_out_and_decided(study, no_pictures):
    done = study().run(0, show=False)
    assert not done.failed
    assert [one.n for one in done.verdicts] == [2]
    table = done.results.query("testing == 'eval'")
    assert sorted(set(table.variant)) == ["LeNet", "mine"]
    assert table.test_accuracy.between(0, 1).all()
    first = done.gathered.results[done.schedule.keys["nets", "mine", 0][0]]
    assert first.marks[2]["test_probabilities"].shape == (48, 12)
    assert np.allclose(first.marks[2]["test_probabilities"].astype(float).sum(1), 1, atol=0.01)
    before = (done.out / "results.csv").read_bytes()
    again = study().run(0, show=False)
    assert not again.gathered.missing
    assert (again.out / "results.csv").read_bytes() == before


def test_a_network_that_cannot_be_tested_as_printed_is_reported_all_the_same(study):
    text = PLAN.replace('own_networks:tiny", switches = { hidden = 12 }', 'own_networks:normalised"')
    done = study(text + 'testing = ["eval", "as-printed"]\n').run(0, show=False)
    assert [(one.n, one.note) for one in done.verdicts] == [(2, "2 seeds cannot carry 1 claims; 6 could"),
                                                            (0, "cannot be tested as printed")]
    assert (done.out / "report.html").is_file()
    assert set(done.results.query("testing == 'as-printed'").variant) == {"LeNet"}


def test_what_changes_in_an_own_network_s_code_makes_its_own_results_stale(study, tmp_path):
    def keys(module):
        (tmp_path / "own_networks.py").write_text(module)
        _sources.cache_clear()  # kept for as long as a process lasts
        made = study().schedule.keys
        return {name: made["nets", name, 0] for name in ("LeNet", "mine")}
    before = keys(MODULE)
    assert keys(MODULE + "# nothing\n") == keys(MODULE.replace("One hidden", "Just one hidden")) == before
    after = keys(MODULE.replace("hidden=8", "hidden=9"))
    assert after["LeNet"] == before["LeNet"]
    assert after["mine"] != before["mine"]
    _sources.cache_clear()


@pytest.mark.parametrize(("old", "new", "words"), [
    ("own_networks:tiny", "own_networks:tyni", r"the variant 'mine'.*'own_networks' has no function 'tyni'.*tiny"),
    ("own_networks:tiny", "own_network:tiny", r"the variant 'mine'.*'own_network' of.*cannot be imported"),
    ('own_networks:tiny", switches = { hidden = 12 }', 'own_networks:broken"', r"the variant 'mine'.*image of 1x28x28"),
    ('own_networks:tiny", switches = { hidden = 12 }', 'torchvision:resnet81"', r"the variant 'mine'.*resnet18"),
    ('own_networks:tiny", switches = { hidden = 12 }', 'lenet-classic", switches = { pool = "max" }',
     r"the variant 'mine'.*no such switch.*'pooling'")])
def test_a_mistake_in_a_network_is_told_before_the_first_run(study, old, new, words):
    made = study(PLAN.replace(old, new))
    with pytest.raises(OptionError, match=words):
        made.run(0, show=False)
    assert not made.out.exists()
