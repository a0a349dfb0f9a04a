"""Memory that tensors free is kept for the next ones."""
import ctypes
import json
import os
import subprocess
import sys

import pytest

from fastlab.memory import HEAP_OF_THE_USER

GLIBC = sys.platform == "linux" and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")
STEPS = 20
FAULTS = f"""
import json, resource, torch
from fastlab.memory import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range({STEPS}):
        kept = [torch.zeros(2 << 20) for _ in range(8)]     # eight tensors of 8 MB, freed together: 16,384 pages
        del kept
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

before, told, _, after = faults(), keep_freed_memory(), faults(), faults()
print(json.dumps([before, told, after]))
"""


def faults_of(**environment):
    "Page faults of STEPS steps before and after, and whether the C library was told."
    kept = {name: value for name, value in os.environ.items() if name not in HEAP_OF_THE_USER}
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FAULTS], check=True, capture_output=True, text=True,
                          env={**kept, **environment})
    return json.loads(done.stdout)


@pytest.mark.skipif(not GLIBC, reason="only glibc can be told to keep freed memory")
def test_freed_memory_is_kept_for_the_next_step():
    before, told, after = faults_of()
    assert told is True
    assert before > STEPS * 16_384 / 2      # the pages of every step are fetched again
    assert after < STEPS * 16               # none of them


@pytest.mark.skipif(not GLIBC, reason="only glibc can be told to keep freed memory")
def test_what_the_user_told_the_c_library_stands():
    before, told, after = faults_of(MALLOC_TOP_PAD_="131072")
    assert told is False
    assert after > before / 2
