"""Ctrl-C at the two ends of the command, where Python itself would answer it with a traceback."""
import os
import subprocess
import sys

import pytest

CTRL_C = "os.kill(os.getpid(), signal.SIGINT)"


def ended(tmp_path, *arguments):
    "The command in a process of its own, to which modules of `tmp_path` come first."
    return subprocess.run([sys.executable, "-m", "fastlab", *arguments], capture_output=True, text=True, check=False,
                          timeout=60, env={**os.environ, "PYTHONPATH": str(tmp_path)})


@pytest.mark.parametrize("module", ["typer", "starlette"])
def test_ctrl_c_while_modules_are_imported_ends_at_once_with_130(tmp_path, module):
    "Also where the exception is lost on its way, as it is when C++ code that is being loaded is what calls Python."
    (tmp_path / f"{module}.py").write_text(f"import os, signal\ntry:\n    {CTRL_C}\nexcept BaseException:\n    pass\n")
    done = ended(tmp_path, "draw", "--no-open", "--port", "0")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "\nStopped.\n")


def test_ctrl_c_once_all_is_done_changes_nothing(tmp_path):
    (tmp_path / "sitecustomize.py").write_text(f"import atexit, os, signal\natexit.register(lambda: {CTRL_C})\n")
    done = ended(tmp_path, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "lr-find" in done.stdout
