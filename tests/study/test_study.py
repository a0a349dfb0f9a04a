"""A whole study with a fake runner: done once, written up, gone on with, and the same bytes whatever interrupts it."""
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from fastlab import Study
from fastlab.images.arrays import Arrays
from fastlab.strokes.dataset import draw_arrays
from fastlab.study.runner import Runner


@pytest.fixture(scope="module")
def arrays():
    images, labels, splits, names = draw_arrays(train=6, develop=4, test=8)
    return Arrays(images, labels, splits, tuple(map(str, range(1, 13))), names)


@pytest.fixture
def study(arrays, monkeypatch, tmp_path):
    "A function that makes the report's study into a folder, carried out by the fake runner, with a log of its runs."
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    sys.modules.pop("fake_runner", None)
    return lambda name: Study.from_toml("lab", arrays, tmp_path / name, seeds=2, runner=Runner("fake_runner:carry_out"))


def runs_done(tmp_path):
    log = tmp_path / "log"
    return len(log.read_text().splitlines()) if log.exists() else 0


def test_a_study_is_written_up_and_a_second_call_trains_nothing(study, tmp_path):
    first = study("a")
    first.run(jobs=0, show=False)
    done = runs_done(tmp_path)
    assert done > 0
    assert not len(first.failed)
    for name in ("report.html", "report.md", "results.csv", "costs.csv"):
        assert (tmp_path / "a" / name).stat().st_size > 200, name
    report = (tmp_path / "a" / "report.html").read_text("utf-8")
    loaded = re.findall(r"""(?:src|href)\s*=\s*["'](?!\#|data:)[^"']*|url\(\s*["']?(?!\#|data:)[^)]*|@import""", report)
    assert loaded == []         # one self-contained file: a browser fetches nothing for it
    assert len(first.verdicts) == len(study("a").verdicts) > 30
    before = (tmp_path / "a" / "results.csv").read_bytes()
    study("a").run(jobs=0, show=False)
    assert runs_done(tmp_path) == done
    assert (tmp_path / "a" / "results.csv").read_bytes() == before


def test_two_seeds_can_decide_nothing(study, no_pictures):
    told = study("a")
    told.run(jobs=0, show=False)
    verdicts = np.array([str(getattr(each, "verdict", each)) for each in
                         (told.verdicts["verdict"] if hasattr(told.verdicts, "columns") else told.verdicts)])
    assert not np.isin(verdicts, ["holds", "contradicted"]).any()
