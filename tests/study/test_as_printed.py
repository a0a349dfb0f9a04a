"""A network that cannot be tested as printed: the study is carried out all the same, and says so where it is asked."""
import json

import numpy as np
import pytest
from made_up_study import SMALL_PLAN

from fastlab.answer import Answer
from fastlab.study.command import _tell
from fastlab.study.measures import epochs_to
from fastlab.study.planfile import plan_from
from fastlab.study.runner import Runner
from fastlab.study.study import Study
from fastlab.study.tomllines import PlanText

MORE = """
[[comparison.claim]]
says = "BatchNorm converges sooner"
variant = "BatchNorm"
is = "converges sooner"
[[comparison.claim]]
says = "Plain converges more slowly"
variant = "plain"
than = "BatchNorm"
is = "converges more slowly"
[[comparison.claim]]
says = "BatchNorm is calmer"
variant = "BatchNorm"
is = "calmer"
[[comparison.claim]]
says = "Dropout is best"
variant = "dropout"
is = "best at the end"
[[comparison.claim]]
says = "BatchNorm suffers"
variant = "BatchNorm"
is = "less accurate as printed"
testing = "eval"
[[comparison]]
name = "long"
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    "A whole study, pictures too."
    from made_up_study import made_up_arrays
    plan = plan_from(PlanText(SMALL_PLAN.replace("[[comparison]]\nname = \"long\"\n", MORE), "more.toml"))
    place = tmp_path_factory.mktemp("as printed") / "study"
    return Study(plan, made_up_arrays(), place, runner=Runner("fake_runner:not_as_printed")).run(0, show=False)


def test_what_cannot_be_tested_as_printed_is_undecided_and_says_so_and_all_else_is_decided(done):
    for verdict in done.verdicts:
        claim = verdict.claim
        asked = {claim.variant, claim.than} if claim.word != "best at the end" else {"BatchNorm"}
        lacking = claim.word == "less accurate as printed" or (claim.testing == "as-printed" and "BatchNorm" in asked)
        assert bool(verdict.parts) is not lacking, claim
        if lacking:
            assert (verdict.verdict, verdict.n, verdict.note) == ("undecided", 0, "cannot be tested as printed")
    assert sum(not verdict.parts for verdict in done.verdicts) == 6


def test_the_report_and_the_json_line_are_written(done, capsys):
    page, text = ((done.out / name).read_text("utf-8") for name in ("report.html", "report.md"))
    assert "Undecided: cannot be tested as printed." in page
    assert "Undecided: cannot be tested as printed." in text
    _tell(Answer(True), done)
    told = json.loads(capsys.readouterr().out)
    shifts = {one["claim"]: (one["shift"], *one["interval"]) for one in told["explained"]}
    assert shifts["BatchNorm is more accurate"] == (None, None, None)
    assert all(isinstance(value, float) for value in shifts["Dropout converges more slowly"])


def test_a_curve_that_was_not_measured_reaches_no_level():
    assert np.isnan(epochs_to(np.full(8, np.nan), 0.9))
    assert np.isnan(epochs_to(np.full(8, np.nan), np.nan))
