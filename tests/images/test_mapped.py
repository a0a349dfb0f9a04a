import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from fastlab.images.mapped import mapped


@pytest.fixture
def stored(tmp_path):
    "A file of 7 bytes and then numbers, and those numbers as uint8 (5, 4, 3, 2)."
    numbers = np.random.default_rng(0).integers(0, 256, (5, 4, 3, 2), dtype=np.uint8)
    (tmp_path / "a.u8").write_bytes(b"ignored" + numbers.tobytes())
    return tmp_path / "a.u8", numbers


def test_it_is_the_memmap_that_numpy_makes(stored):
    path, numbers = stored
    ours, theirs = mapped(path, numbers.shape, 7), np.memmap(path, np.uint8, "c", 7, numbers.shape)
    assert np.array_equal(ours, numbers)
    assert type(ours) is type(theirs)
    assert all(getattr(ours, name) == getattr(theirs, name) for name in ("shape", "offset", "mode"))
    assert Path(ours.filename) == Path(theirs.filename)
    assert ours.flags.writeable
    assert ours[1:].filename == ours.filename   # also of a part


def test_what_is_written_never_reaches_the_file(stored):
    path, numbers = stored
    before = path.read_bytes()
    array = mapped(path, numbers.shape, 7)
    array[:] = 9
    torch.from_numpy(array)[0] = 8
    assert (array[0] == 8).all()
    del array
    assert path.read_bytes() == before
    assert np.array_equal(mapped(path, numbers.shape, 7), numbers)


def test_a_file_that_is_too_short_or_missing_is_an_error(stored, tmp_path):
    with pytest.raises(ValueError, match="length"):
        mapped(stored[0], (1000, 1), 7)
    with pytest.raises(OSError, match="nothing"):
        mapped(tmp_path / "nothing", (1,))


@pytest.mark.skipif(sys.platform != "linux", reason="how much may be mapped is each system's own rule; this is Linux's")
def test_more_than_all_memory_can_be_mapped(tmp_path):
    if Path("/proc/sys/vm/overcommit_memory").read_text().strip() == "2":
        pytest.skip("this machine sets memory aside for every map (vm.overcommit_memory = 2)")
    told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    rows = 2 * sum(int(told[name].split()[0]) for name in ("MemTotal", "SwapTotal"))    # kilobytes
    path = tmp_path / "large.u8"
    with open(path, "wb") as file:
        file.truncate(rows * 1024)      # a hole: it takes no place on the disk
        file.seek(-1, 2)
        file.write(b"\x07")
    array = mapped(path, (rows, 1024))
    assert array[-1, -1] == 7
    assert array[rows // 2, 0] == 0
    assert torch.from_numpy(array).index_select(0, torch.tensor([rows - 1]))[0, -1] == 7
