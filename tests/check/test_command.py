"""fastlab check as it is called: what it prints and writes, where, its exit codes, and what stops it."""
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest
from planted import write_good

from fastlab.check import folder as checking
from fastlab.check.clean import WITHOUT
from fastlab.check.findings import KINDS
from fastlab.cli import run


@pytest.fixture
def leaking(tmp_path):
    "A folder with one leak, one unreadable file and a `label` of none."
    root = write_good(tmp_path / "leaking", {"train": 6, "test": 4})
    shutil.copy(root / "train/cat/1.png", root / "test/cat/leak.png")
    (root / "train/ant/2.png").write_bytes(b"")
    return root


@pytest.fixture
def called(leaking, tmp_path, capsys, monkeypatch):
    "called(*options) → (exit code, the JSON object, what was said), from a folder of its own."
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(*options, folder=leaking):
        code = run(["check", str(folder), "--no-labels", "--jobs", "1", "--json", *map(str, options)])
        told, said = capsys.readouterr()
        return code, json.loads(told.strip().splitlines()[-1]), said
    return call


def test_the_json_says_what_the_page_and_the_table_hold(called, tmp_path):
    code, told, said = called()
    assert code == told["exit_code"] == 1
    assert told["counts"]["leak"] == told["counts"]["identical"] == told["counts"]["unreadable"] == 1
    assert sum(told["counts"].values()) == len(told["findings"])
    assert set(told["counts"]) == set(KINDS)
    here = tmp_path / "here"
    assert sorted(path.name for path in here.rglob("*")) == ["check-leaking", "check.csv", "check.html"]
    assert told["page"] == os.path.join("check-leaking", "check.html")
    table = (here / told["csv"]).read_text("utf-8").splitlines()
    assert len(table) == 1 + sum(max(1, len(finding["files"])) for finding in told["findings"])
    assert "train/ant/2.png: the file is empty (0 bytes)" in said


@pytest.mark.parametrize(("options", "code"), [
    ((), 1), (("--fail-on", "leak,unreadable"), 1), (("--fail-on", "conflict"), 0), (("--fail-on", "unreadable"), 1),
    (("--fail-on", "label,near-identical"), 0), (("--fail-on", ""), 0)])
def test_fail_on_decides_the_exit_code(called, options, code):
    assert called(*options)[0] == code


@pytest.mark.parametrize(("options", "words"), [
    (("--fail-on", "leak,unredable"), ("--fail-on", "unredable", "Did you mean 'unreadable'?")),
    (("--without", "identcal"), ("--without", "identcal", "Did you mean 'identical'?")),
    (("--out", "{folder}/page"), ("--out", "beside it")),
    (("--out", "{folder}"), ("--out", "beside it")),
    (("--write-clean", "{folder}/clean"), ("--write-clean", "beside it")),
    (("--write-clean", "check-leaking"), ("--write-clean", "page")),
    (("--write-clean", "{folder}/.."), ("--write-clean", "around it"))])
def test_mistakes_are_told_before_anything_is_looked_at(called, leaking, monkeypatch, options, words):
    monkeypatch.setattr(checking, "scan", lambda *_: pytest.fail("the folder was looked at first"))
    before = sorted(leaking.rglob("*"))
    code, told, said = called(*(option.format(folder=leaking) for option in options))
    assert code == 2
    assert all(word in told["error"] and word in said for word in words)
    assert sorted(leaking.rglob("*")) == before


def test_a_folder_that_is_not_there_is_a_mistake(called, tmp_path):
    code, told, _ = called(folder=tmp_path / "nowhere")
    assert code == 2
    assert "no such folder" in told["error"]


def test_called_within_the_folder_the_page_goes_beside_it(called, leaking, monkeypatch):
    for place in (leaking, leaking / "train"):
        monkeypatch.chdir(place)
        before = sorted(leaking.rglob("*"))
        code, told, _ = called(folder=os.path.relpath(leaking))
        assert code == 1
        assert told["page"] == str(leaking.parent / "check-leaking" / "check.html")
        assert sorted(leaking.rglob("*")) == before


def test_a_clean_copy_is_told_with_its_counts(called, tmp_path):
    code, told, said = called("--write-clean", tmp_path / "clean", "--without", "leak")
    assert code == 1
    assert told["clean"] == {"folder": str(tmp_path / "clean"), "kept": 30, "left_out": 1, "without": ["leak"]}
    assert "30 files, 1 left out (leak)" in said
    assert called("--write-clean", tmp_path / "clean 2")[1]["clean"]["without"] == list(WITHOUT)


def test_names_cannot_command_a_terminal(called, leaking):
    (leaking / "train/ant/\x1b[2J\u202e.png").write_bytes(b"")
    _, told, said = called()
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "train/ant/\\x1b[2J\\u202e.png: the file is empty" in said
    assert any("\x1b[2J" in file for finding in told["findings"] for file in finding["files"])


def test_many_findings_of_a_kind_are_cut_short_for_people_and_not_for_scripts(called, leaking):
    for number in range(20):
        (leaking / f"train/ant/empty{number}.png").write_bytes(b"")
    _, told, said = called()
    assert "… and 9 more" in said
    assert told["counts"]["unreadable"] == 21


def test_a_good_folder_ends_with_0_and_says_so(tmp_path, capsys):
    write_good(tmp_path / "fine", {"train": 4, "test": 90}, ("a", "b", "c"))
    assert run(["check", str(tmp_path / "fine"), "--no-labels", "--jobs", "1", "--out", str(tmp_path / "out")]) == 0
    assert "nothing found" in capsys.readouterr().out


def test_ctrl_c_ends_with_130_and_leaves_nothing(called, leaking, tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt
    monkeypatch.setattr(checking, "near_groups", interrupted)
    assert run(["check", str(leaking), "--no-labels", "--write-clean", str(tmp_path / "clean")]) == 130
    assert list((tmp_path / "here").iterdir()) == []
    assert not (tmp_path / "clean").exists()
    monkeypatch.undo()
    assert "Stopped" in capsys.readouterr().err


def test_a_real_ctrl_c_ends_all_processes_without_a_traceback(tmp_path):
    "With --jobs 2 and enough files that other processes are started; the signal goes to all, as a terminal sends it."
    root = write_good(tmp_path / "data", {"train": 20}, ("a", "b"))
    code = ("import fastlab.check.scan as scan, time, sys\n"
            "scan.STEP, scan.WORTH_PROCESSES = 2, 0.0\n"
            "from fastlab.cli import run\n"
            "from fastlab.check import command\n"
            "command.Steps.__call__ = lambda self, *_: (print('looking', flush=True), time.sleep(1))\n"
            "sys.exit(run(['check', sys.argv[1], '--no-labels', '--jobs', '2', '--out', sys.argv[2]]))")
    process = subprocess.Popen([sys.executable, "-c", code, root, tmp_path / "out"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    for _ in range(2):                      # the second batch comes from another process
        assert process.stdout.readline().strip() == "looking"
    process.send_signal(signal.SIGINT)      # workers that are still starting would print what joblib's imports say
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert "Stopped" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["train", "study"])
def test_training_quotes_the_findings_first(leaking, tmp_path, capsys, monkeypatch, command):
    monkeypatch.setenv("FASTLAB_CACHE", str(tmp_path / "cache"))
    options = {"train": ["train", str(leaking), "--epochs", "1"],
               "study": ["study", "lab", str(leaking), "--quick", "--plan"]}[command]
    run([*options, "--check", "--skip-unreadable"])
    told = capsys.readouterr().out
    assert f"check: 1 unreadable, 1 leak, 1 identical, 1 split (fastlab check {leaking} shows the pictures)" in told


def test_a_studys_report_carries_what_was_found(leaking, monkeypatch, capsys):
    from fastlab.study import command
    seen = []
    monkeypatch.setattr(command.Study, "of", lambda told, arrays, *_: seen.append(arrays))
    with pytest.raises(AttributeError):
        run(["study", "lab", str(leaking), "--quick", "--plan", "--check", "--skip-unreadable"])
    assert seen[0].notes[-1] == "fastlab check found in its files: 1 unreadable, 1 leak, 1 identical, 1 split."


def test_the_help_names_what_a_clean_copy_leaves_out():
    from typing import get_type_hints

    from fastlab.cli import check as command
    assert ",".join(WITHOUT) in get_type_hints(command, include_extras=True)["without"].__metadata__[0].help
