"""How the memory of tensors is got and given back: asked of the C library once a process."""
import ctypes
import os
from functools import cache

# mallopt's options (malloc.h) and what they are set to: up to 32 MB, the most it allows, a tensor comes out of the
# heap; 64 MB more than asked for is fetched at once; the heap is cut back only where more than 1 GB of it is free.
HEAP = {-3: 32 << 20, -2: 64 << 20, -1: 1 << 30}
HEAP_OF_THE_USER = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")


@cache
def keep_freed_memory():
    """Has the C library keep the memory that tensors free for the next ones, instead of handing it back to the system
    and fetching it again page by page in every step (of a LeNet's, in two threads, that was a third). Says whether it
    does: glibc alone can be told, and is left as it is where the user has told it something."""
    if any(name in os.environ for name in HEAP_OF_THE_USER):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):    # another C library; Windows knows no CDLL(None)
        return False
    return all(mallopt(ctypes.c_int(option), ctypes.c_int(size)) == 1 for option, size in HEAP.items())
