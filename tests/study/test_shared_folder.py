"""Two plans that share runs of different lengths and one folder: neither takes away what the other needs."""
import pytest

from fastlab.study.planfile import plan_from
from fastlab.study.record import decode, encode
from fastlab.study.store import Store
from fastlab.study.study import Study
from fastlab.study.tomllines import PlanText
from fastlab.training.result import Result

PLAN = """
seeds = 2
[recipe]
norm = "none"
[variants]
plain = {}
L2 = { l2 = 0.01 }
[[comparison]]
name = "1"
baseline = "plain"
variants = ["L2"]
"""
SHORT = PLAN + """
change = { epochs = 8 }
[[comparison.claim]]
says = "It goes on"
is = "goes on improving"
since = 4
"""
LONG = PLAN + "change = { epochs = 20 }\n"


@pytest.fixture
def carried(arrays, fake, tmp_path, no_pictures, monkeypatch):
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    return lambda text, place: Study(plan_from(PlanText(text)), arrays, tmp_path / place, runner=fake).run(0,
                                                                                                          show=False)


@pytest.mark.parametrize("order", [(SHORT, LONG), (LONG, SHORT)], ids=["short first", "long first"])
def test_results_of_both_plans_stay_in_either_order(carried, log, order):
    alone = {text: (carried(text, str(number)).out / "results.csv").read_bytes() for number, text in enumerate(order)}
    for text in order:
        carried(text, "shared")
    before = len(log())
    for text in order * 2:
        done = carried(text, "shared")
        assert not done.gathered.missing
        assert (done.out / "results.csv").read_bytes() == alone[text]
    assert len(log()) == before
    long = carried(LONG, "shared")
    assert {(len(result.epochs["lr"]), tuple(sorted(result.marks))) for result in long.gathered.results.values()} == \
        {(20, (4, 8, 20))}
    assert {told["recipe"]["epochs"] for told in long.gathered.told.values()} == {20}


def made(epochs, marks, **machine):
    return Result({"lr": [0.1] * epochs}, {mark: {"test": [mark]} for mark in marks}, machine, float(epochs))


def test_results_of_two_machines_are_told_as_such(tmp_path):
    store = Store(tmp_path)
    store.keep("a" * 40, encode("a" * 40, made(20, [20], device="cpu", threads=1), {"label": "long"}))
    store.keep("a" * 40, encode("a" * 40, made(8, [4, 8], device="cuda", threads=1), {"label": "short"}))
    result, told = store.get("a" * 40)
    assert (result.seconds, told) == (20.0, {"label": "long"})
    assert result.machine == {"device": "cpu and cuda", "threads": 1}
    store.keep("a" * 40, encode("a" * 40, made(6, [6], device="cuda", threads=1), {"label": "shorter"}))
    assert store.get("a" * 40)[0].machine == {"device": "cpu and cuda", "threads": 1}      # each of them once


def test_what_covers_all_that_was_there_is_kept_as_it_came(tmp_path):
    store, content = Store(tmp_path), encode("a" * 40, made(20, [8, 20]), {"label": "new"})
    store.keep("a" * 40, encode("a" * 40, made(8, [8]), {}))
    store.keep("a" * 40, content)
    assert store.path("a" * 40).read_bytes() == content
    store.path("a" * 40).write_bytes(b"damaged")
    store.keep("a" * 40, content)
    assert decode(store.path("a" * 40).read_bytes())[1] == {"label": "new"}
    assert len(store.damaged) == 1
