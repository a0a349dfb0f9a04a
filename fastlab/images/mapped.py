"""Arrays that stay on disk: memory maps larger than memory."""
import math
import mmap
import sys
from pathlib import Path

import numpy as np

# Python names the flag from 3.13 on; the numbers are Linux's own (asm-generic/mman-common.h)
NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)


def mapped(path, shape, offset=0):
    """The uint8 array of `shape` that lies in a file from byte `offset` on, as a np.memmap; what is written to it stays
    in memory and never reaches the file (mode 'c'). No memory is set aside for that: np.memmap does, and so Linux
    refuses it maps larger than all of memory. Raises OSError, ValueError for a file that is too short."""
    if not NORESERVE:
        return np.memmap(path, np.uint8, "c", offset, tuple(shape))
    with open(path, "rb") as file:
        pages = mmap.mmap(file.fileno(), offset + math.prod(shape), flags=mmap.MAP_PRIVATE | NORESERVE,
                          prot=mmap.PROT_READ | mmap.PROT_WRITE)
    array = np.ndarray.__new__(np.memmap, tuple(shape), np.uint8, buffer=pages, offset=offset)
    array._mmap, array.filename, array.offset, array.mode = pages, str(Path(path).resolve()), offset, "c"
    return array
