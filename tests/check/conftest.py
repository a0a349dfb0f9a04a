"""Folders to check: a good one, and one in which everything is wrong once."""
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))      # for planted.py, beside this file

from planted import write_bad, write_good

from fastlab.check.folder import check


@pytest.fixture
def good(tmp_path):
    "A small good folder that one test may change as it likes."
    return write_good(tmp_path / "good")


@pytest.fixture(scope="session")
def bad(tmp_path_factory):
    "(folder, {name of planted: its file}, Findings) of the folder in which everything is wrong once. Read only."
    root = tmp_path_factory.mktemp("checked") / "bad"
    files = write_bad(root)
    return root, files, check(root, labels=False, jobs=1)
