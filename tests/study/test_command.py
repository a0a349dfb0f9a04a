"""`fastlab study` as a person and a script meet it: what it prints, its JSON line, exit codes, its live table."""
import io
import json
import re

import pytest
from made_up_study import SMALL_PLAN

from fastlab import cli
from fastlab.study.live import Live
from fastlab.study.pace import Pace
from fastlab.study.runner import Runner
from fastlab.study.study import Study

pytestmark = pytest.mark.usefixtures("no_pictures")
PROMISED = {"claim", "comparison", "testing", "verdict", "difference", "interval", "p", "p_holm", "n"}


@pytest.fixture
def fastlab(monkeypatch, fake, tmp_path, split_shapes, capsys):
    "A function: options -> (exit code, standard output, standard error) of `fastlab study` on a folder of shapes."
    monkeypatch.setattr(Runner, "here", classmethod(lambda cls, device="cpu": fake))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.toml").write_text(SMALL_PLAN)

    def called(*options, plan="plan.toml", folder=split_shapes):
        capsys.readouterr()
        code = cli.run(["study", plan, str(folder), "--jobs", "0", *options])
        return (code, *capsys.readouterr())
    return called


def test_json_is_one_object_on_the_last_line_with_all_that_is_promised(fastlab, tmp_path):
    code, out, err = fastlab("--json", "--out", "here")
    assert code == 0
    told = json.loads(out)
    assert out.count("\n") == 1
    assert (told["out"], told["runs"], told["failed"]) == ("here", 24, 0)
    assert told["seconds"] > 0
    assert len(told["verdicts"]) == 6
    for verdict in told["verdicts"]:
        assert set(verdict) >= PROMISED
        assert verdict["n"] == 6
        assert len(verdict["interval"]) == 2
        assert verdict["interval"][0] <= verdict["difference"] <= verdict["interval"][1]
        assert verdict["verdict"] in ("holds", "contradicted", "no difference that matters", "undecided")
        assert 0 <= verdict["p"] <= verdict["p_holm"] <= 1
    assert "With L1 it is clearly less accurate" in err  # the words for people
    assert told["verdicts"] == json.loads((tmp_path / "here" / "verdicts.json").read_text("utf-8"))


def test_the_terminal_gets_every_claim_with_its_verdict_and_figures(fastlab):
    code, out, _ = fastlab()
    assert code == 0
    assert re.search(r"\d+ runs; the report: study-plan-split shapes/report\.html", out)
    for words in ("Small: 3 comparisons, 6 claims", "With L1 it is clearly less accurate", "with eval()", "as printed"):
        assert words in out
    assert len(re.findall(r"(?:●|✕|＝|○) \w.*: [+−]?\d+\.\d\d \([+−]?\d.* to .*\) .*, n 6, p ", out)) == 6
    assert "\r" not in out


def test_results_never_go_into_the_folder_of_images(fastlab, tmp_path, new_data, monkeypatch):
    before = sorted(new_data.rglob("*"))
    monkeypatch.chdir(new_data)
    plan = tmp_path / "plan.toml"
    told = json.loads(fastlab("--seeds", "1", "--json", plan=str(plan), folder=".")[1])
    assert (tmp_path / "study-plan-new data" / "report.html").is_file()
    assert told["out"] == str(tmp_path / "study-plan-new data")
    code, _, err = fastlab("--seeds", "1", "--out", "results", plan=str(plan), folder=".")
    assert (code, sorted(new_data.rglob("*"))) == (2, before)
    assert "--out results: it lies in the folder of images" in err


def test_plan_only_says_what_a_study_needs_and_writes_nothing(fastlab, tmp_path):
    before = set(tmp_path.rglob("*"))
    code, out, _ = fastlab("--plan", "--json", "--seeds", "8", "--out", "not there")
    told = json.loads(out)
    assert code == 0
    assert (told["runs"], told["done"], told["missing"], told["failed"], told["seeds"]) == (32, 0, 32, 0, 8)
    assert told["test_images"] == 24
    assert told["seconds"] > 0
    assert told["bytes"] > 32 * 1000
    assert told["smallest_difference"] > 0.5
    assert set(tmp_path.rglob("*")) == before


def test_plan_says_where_seeds_are_too_few_and_how_many_would_do(fastlab):
    _, out, _ = fastlab("--plan", "--seeds", "3")
    assert "3 seeds cannot carry 4 claims: p cannot go below 1.00 after Holm" in out
    assert "Take --seeds 8 or more." in out


def test_plan_of_a_study_that_is_done_says_that_nothing_is_left(fastlab):
    fastlab("--out", "here")
    told = json.loads(fastlab("--plan", "--json", "--out", "here")[1])
    assert (told["done"], told["missing"], told["seconds"], told["bytes"]) == (24, 0, 0, 0)


@pytest.mark.parametrize(("plan", "options", "words"), [
    ("extra", (), "extra is neither a file nor one of fastlab's own plans"),
    ("plan.toml", ("--seeds", "0"), "seeds: 0"),
    ("plan.toml", ("--minutes", "-1"), "minutes: -1"), ("plan.toml", ("--out", "plan.toml"), "this is a file"),
    ("wrong.toml", (), r"wrong\.toml, line 8: 'epoch' is not known here. Did you mean 'epochs'\?")])
def test_a_mistake_ends_with_2_its_words_and_no_traceback(fastlab, tmp_path, plan, options, words):
    (tmp_path / "wrong.toml").write_text(SMALL_PLAN.replace("epochs = 8", "epoch = 8"))
    code, out, err = fastlab(*options, "--json", plan=plan)
    assert code == 2
    assert re.search(words, json.loads(out.splitlines()[-1])["error"])
    assert re.search(rf"fastlab: .*{words}", err)
    assert "Traceback" not in err


def test_a_folder_that_is_not_there_ends_with_2(fastlab, tmp_path):
    code, _, err = fastlab(folder=tmp_path / "nowhere")
    assert code == 2
    assert "nowhere" in err


def test_ctrl_c_ends_with_130_and_what_was_done_is_kept(fastlab, monkeypatch, tmp_path, fake):
    import fake_runner
    real, calls = fake_runner.carry_out, []

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(fake_runner, "carry_out", interrupted)
    fake.__dict__.pop("function", None)
    code, _, err = fastlab("--out", "here")
    assert code == 130
    assert err.endswith("Stopped. The same command goes on where this one was stopped.\n")
    assert len(list((tmp_path / "here" / "runs").glob("*.run"))) == 3
    code, out, _ = fastlab("--out", "here", "--json")
    assert code == 0
    assert json.loads(out)["runs"] == 24
    assert len(calls) == 4 + 21


def test_failed_runs_are_told_and_retried(fastlab, monkeypatch):
    monkeypatch.setenv("FAKE_FAILS", "0.001")
    code, out, _ = fastlab("--out", "here", "--seeds", "2")
    assert code == 0
    assert "FAILED: L1, seed 1: the loss is not finite in epoch 3 (made up). (--retry tries again)" in out
    assert json.loads(fastlab("--out", "here", "--seeds", "2", "--json")[1])["failed"] == 2
    monkeypatch.delenv("FAKE_FAILS")
    assert json.loads(fastlab("--out", "here", "--seeds", "2", "--json", "--retry")[1])["failed"] == 0


def test_what_a_check_found_is_carried_by_both_reports(fastlab, tmp_path):
    fastlab("--out", "here", "--seeds", "1", "--check")
    for name in ("report.html", "report.md"):
        assert "fastlab check found in its files: " in (tmp_path / "here" / name).read_text("utf-8")
    first = (tmp_path / "here" / "report.html").read_bytes()
    fastlab("--out", "here", "--seeds", "1", "--check")
    assert (tmp_path / "here" / "report.html").read_bytes() == first


class Terminal(io.StringIO):
    def isatty(self):
        return True


def screen(text):
    "What a terminal shows after `text`: lines, with cursor-up, carriage return and erase-line carried out."
    lines, row = [""], 0
    for part in re.findall(r"\x1b\[\d*[AK]|\r|\n|[^\x1b\r\n]+", text):
        if part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part.endswith("A") and part.startswith("\x1b"):
            row -= int(part[2:-1])
            assert row >= 0
        elif part.startswith("\x1b"):
            lines[row] = ""
        elif part != "\r":
            lines[row] = part
    return lines


@pytest.fixture
def carried(small_plan, arrays, fake, tmp_path, monkeypatch):
    "A function: a stream -> the Study of two seeds that was shown on it."
    def shown(stream):
        monkeypatch.setattr("sys.stderr", stream)
        return Study(small_plan, arrays, tmp_path / "live", seeds=2, runner=fake).run(0)
    return shown


def test_on_a_terminal_one_table_renews_itself(carried):
    stream = Terminal()
    carried(stream)
    lines = screen(stream.getvalue())
    assert lines[0] == "8 of 8 runs, 0:00 left"
    full = f"{'█' * 20} 2/2 seeds"
    assert [" ".join(line.split()) for line in lines[2:5]] == [
        f"1 {full} plain, L1", f"2 {full} plain, dropout, BatchNorm", f"long {full} plain, BatchNorm"]
    assert re.fullmatch(r"\w+, seed 1: \d+\.\d s", lines[6])
    assert len([line for line in lines if line]) == 5


def test_elsewhere_every_run_is_a_plain_line(carried, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setenv("FAKE_FAILS", "0.001")
    carried(stream)
    text = stream.getvalue()
    assert not re.search(r"[\r\x1b]", text)
    lines = text.splitlines()
    assert lines[0].startswith("0 of 8 runs are there; about 0:")
    assert len(lines) == 9
    assert [line.split()[0] for line in lines[1:]] == [f"{number}/8" for number in range(1, 9)]
    assert sum("L1, seed" in line and "FAILED, the loss is not finite" in line for line in lines) == 2


def test_time_left_is_what_the_runs_took(small_plan, arrays, fake, tmp_path):
    made = Study(small_plan, arrays, tmp_path / "out", seeds=4, runner=fake)
    pace = Pace()
    for run in made.schedule.runs:
        if run.seed < 2:
            pace.learn(run, 10.0 * run.recipe.epochs)
    left = [run for run in made.schedule.runs if run.seed >= 2]
    epochs = sum(run.recipe.epochs for run in left)
    assert pace.left(left, 1) == pytest.approx(10 * epochs)
    assert pace.left(left, 2) == pytest.approx(5 * epochs)
    assert pace.left(left[:1], 8) == pytest.approx(10 * left[0].recipe.epochs)  # one run is not done by eight
    assert Live(made.schedule, 2, pace, io.StringIO())._left() == pytest.approx(pace.left(made.schedule.runs, 2))
