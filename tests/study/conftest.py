"""What the tests of the study share: made-up studies and a runner that imports no torch."""
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))

import pytest
from made_up_study import SMALL_PLAN, made_up_arrays, tables

from fastlab.study.planfile import plan_from
from fastlab.study.runner import Runner
from fastlab.study.study import Study
from fastlab.study.tomllines import PlanText


@pytest.fixture
def arrays():
    return made_up_arrays()


@pytest.fixture
def fake():
    return Runner("fake_runner:carry_out")


@pytest.fixture
def small_plan():
    return plan_from(PlanText(SMALL_PLAN, "small.toml"))


@pytest.fixture
def no_pictures(monkeypatch):
    "Reports without pictures, where a test looks at words and figures alone: drawing takes most of the time."
    monkeypatch.setattr("fastlab.study.report.write.pictures_of", lambda gathered, item, ids: [])


@pytest.fixture
def study(small_plan, arrays, fake, tmp_path, monkeypatch):
    "A function: name -> a Study of the small plan with two seeds, 8 runs, in a folder of that name; runs are logged."
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    return lambda name="study", seeds=2: Study(small_plan, arrays, tmp_path / name, seeds=seeds, runner=fake)


@pytest.fixture
def whole(study):
    "The tables of a study that nothing disturbed."
    return tables(study("whole").run(0, show=False))


@pytest.fixture
def log(tmp_path):
    def lines():
        path = tmp_path / "log"
        return path.read_text().splitlines() if path.exists() else []
    return lines
