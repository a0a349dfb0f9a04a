"""Nothing is lost and nothing done twice, whatever ends a study: killed at hundreds of random instants, and through the
command line; by Ctrl-C; by --minutes; beside another study in the same folder."""
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made_up_study import SMALL_PLAN

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1])])}
TABLES = ("results.csv", "curves.csv", "costs.csv", "verdicts.json", "report.md", "report.html")


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and the system's limits on files")
def test_two_hundred_deaths_at_random_instants_change_no_byte(tmp_path):
    told = subprocess.run([sys.executable, HERE / "lives.py", tmp_path, "200"], env=ENVIRONMENT, text=True,
                          capture_output=True, timeout=600)
    assert told.returncode == 0, told.stderr[-3000:]
    figures = json.loads(told.stdout)
    assert sum(figures["deaths"].values()) >= 200
    assert min(figures["deaths"].values()) >= 50
    assert figures["studies"] >= 10


class CommandLine:
    "Starts `fastlab study` with the fake runner in a process group of its own, and reads what it says."

    def __init__(self, place, folder):
        self.place, self.folder, self.log = place, folder, place / "log"
        (place / "plan.toml").write_text(SMALL_PLAN)

    def start(self, *options, seconds="0.05", out="study", **environment):
        command = [sys.executable, HERE / "fastlab_with_fake.py", "study", self.place / "plan.toml", self.folder,
                   "--out", self.place / out, *options]
        return subprocess.Popen(command, env={**ENVIRONMENT, "FAKE_SECONDS": seconds, "FAKE_LOG": str(self.log),
                                              **environment},
                                text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def finish(self, *options, **more):
        "(exit code, standard output, standard error) of a command that ends by itself."
        process = self.start(*options, **more)
        out, err = process.communicate(timeout=300)
        return process.returncode, out, err

    def stored(self, out="study"):
        return {path.stem for path in (self.place / out / "runs").glob("*.run")}

    def tables(self, out="study"):
        return {name: (self.place / out / name).read_bytes() for name in TABLES}

    def workers(self):
        return {int(line.split()[0]) for line in self.log.read_text().splitlines()}


@pytest.fixture
def command_line(tmp_path, split_shapes):
    return CommandLine(tmp_path, split_shapes)


def wait_for(stream, words):
    "Reads lines until one holds `words`; all that was read."
    read = []
    for line in stream:
        read.append(line)
        if words in line:
            return read
    raise AssertionError(f"{words!r} was not said: {''.join(read)}")


def gone(process_id):
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{process_id}/stat").read_text().split()[2] == "Z"


def test_three_kills_of_the_command_line_and_the_same_bytes_at_last(command_line):
    code, _, err = command_line.finish("--jobs", "0", out="whole")
    assert code == 0, err
    command_line.log.unlink()
    before = set()
    for count in ("3/24", "10/24", "16/24"):
        process = command_line.start("--jobs", "2")
        wait_for(process.stderr, count)
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL
        now = command_line.stored()
        assert before < now
        before = now
    code, _, err = command_line.finish("--jobs", "1")
    assert code == 0, err
    assert f"{len(before)} of 24 runs are there" in err
    assert command_line.tables() == command_line.tables("whole")
    done = [line.partition(" ")[2] for line in command_line.log.read_text().splitlines()]
    assert len(set(done)) == 24
    assert len(done) <= 24 + 3 * 2  # what two processes had under way at each kill
    deadline = time.monotonic() + 20
    while not all(map(gone, command_line.workers())) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert all(map(gone, command_line.workers())), "a worker outlived its study"


def test_ctrl_c_ends_with_130_without_a_traceback_and_the_same_command_goes_on(command_line):
    process = command_line.start("--jobs", "2", seconds="0.3")
    wait_for(process.stderr, "2/24")
    os.killpg(process.pid, signal.SIGINT)  # what a terminal does: every process of the command gets it
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in out + err
    assert err.rstrip().endswith("Stopped. The same command goes on where this one was stopped.")
    kept = command_line.stored()
    assert 2 <= len(kept) < 24
    code, out, err = command_line.finish("--jobs", "2", "--json", seconds="0")
    assert code == 0
    assert f"{len(kept)} of 24 runs are there" in err
    assert json.loads(out)["runs"] == 24


def test_two_commands_on_one_folder_share_the_work_and_one_may_die(command_line):
    first = command_line.start("--jobs", "0", seconds="1000")
    wait_for(first.stderr, "0 of 24 runs are there")
    locks = command_line.place / "study" / ".locks"
    while not list(locks.glob("*.lock")):  # it has taken its first run, and will never end it
        time.sleep(0.02)
    second, third = (command_line.start("--jobs", "1", seconds="0") for _ in range(2))
    while len(command_line.stored()) < 23:
        assert second.poll() is third.poll() is None
        time.sleep(0.02)
    first.kill()
    assert first.wait(60) == -signal.SIGKILL
    for process in (second, third):
        _, err = process.communicate(timeout=300)
        assert process.returncode == 0, err
    done = [line.partition(" ")[2] for line in command_line.log.read_text().splitlines()]
    assert len(done) == len(set(done)) == 24
    shared = command_line.tables()
    command_line.finish("--jobs", "0", seconds="0", out="alone")
    assert shared == command_line.tables("alone")


def test_minutes_stop_the_start_of_runs_and_say_what_is_left(command_line):
    code, out, err = command_line.finish("--jobs", "0", "--minutes", "0.01", "--json", seconds="0.2")
    assert code == 0
    told = json.loads(out.splitlines()[-1])
    assert 0 < told["runs"] < 24
    assert told["missing"] == 24 - told["runs"]
    assert "runs are still to be done: the same command goes on" in err
    assert {verdict["verdict"] for verdict in told["verdicts"]} <= {"undecided", "no difference that matters"}
    report = (command_line.place / "study" / "report.md").read_text()
    assert re.search(rf"\*\*{told['missing']} runs are still to be done", report)
    code, out, err = command_line.finish("--jobs", "0", "--json", seconds="0")
    assert json.loads(out)["missing"] == 0


def test_no_worker_warns_of_what_fastai_imports(command_line, tmp_path):
    (tmp_path / "noisy_runner.py").write_text(
        "import warnings\nfrom fake_runner import carry_out as done\n"
        "warnings.warn('`torch.jit.script` is deprecated. Please switch to `torch.compile`.', FutureWarning)\n"
        "warnings.warn('something else', FutureWarning)\n"
        "def carry_out(arrays, recipe, seed, marks=()):\n    return done(arrays, recipe, seed, marks)\n")
    script = tmp_path / "noisy.py"
    script.write_text((HERE / "fastlab_with_fake.py").read_text().replace("fake_runner:", "noisy_runner:"))
    environment = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(tmp_path), ENVIRONMENT["PYTHONPATH"]])}
    options = ("--jobs", "1", "--seeds", "1", "--out", tmp_path / "study")
    told = subprocess.run([sys.executable, script, "study", tmp_path / "plan.toml", command_line.folder, *options],
                          env=environment, text=True, capture_output=True)
    assert told.returncode == 0, told.stderr
    assert "something else" in told.stderr
    assert "torch.jit" not in told.stderr


@pytest.mark.parametrize(("parent", "ends"), [("os.getppid()", 0), ("os.getpid()", 1)])
def test_a_worker_leaves_ctrl_c_to_its_parent_and_ends_when_that_is_gone(parent, ends):
    code = ("import os, signal, time\nfrom fastlab.study.carry import _begin\n"
            f"_begin({parent})\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(1.2)\nprint('still here')")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (ends, "" if ends else "still here")
    assert "Traceback" not in done.stderr
