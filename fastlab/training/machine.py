"""What the machine can do, asked of the hardware: device, precision, threads. Results record it: bits depend on it."""
import ctypes
import os
import platform
from contextlib import contextmanager
from functools import cache

import torch

from fastlab.errors import OptionError, one_of

DEVICES = ("auto", "cpu", "cuda", "mps")
# mallopt's options (malloc.h) and what they are set to: up to 32 MB, the most it allows, a tensor comes out of the
# heap; 64 MB more than asked for is fetched at once; the heap is cut back only where more than 1 GB of it is free.
HEAP = {-3: 32 << 20, -2: 64 << 20, -1: 1 << 30}
HEAP_OF_THE_USER = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES")


def device_for(word="auto"):
    "The torch device that a word means; auto takes the fastest there is. Raises OptionError where it is not there."
    one_of("device", word, DEVICES)
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if word == "auto":
        word = next(kind for kind, available in there.items() if available)
    if not there[word]:
        raise OptionError(f"device: torch finds no {word} device on this machine. Take --device auto or cpu.")
    return torch.device(word)


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


@contextmanager
def threads_set(count):
    "So many threads of torch for a while (None or 0: as they are); afterwards as many as before. Raises OptionError."
    if not count:
        yield
        return
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise OptionError(f"threads: {count!r} is not a whole number of at least 1.")
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def has_fast_bf16(device):
    "Whether bfloat16 is calculated in hardware: AVX512-BF16 or AMX on a CPU, compute capability 8 on a GPU."
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    if device.type != "cpu":
        return False
    flags = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(flags.get("avx512_bf16") or flags.get("amx_bf16"))


def precision_for(device):
    "What `precision = auto` means on a device: bf16 where the hardware has it, else fp32."
    return "bf16" if has_fast_bf16(device) else "fp32"


def precision_on(device, precision):
    """What a network that was trained in `precision` predicts in on a device, 'bf16' or 'fp32': fp32 in place of a bf16
    that the hardware would only imitate, which is slower, no more exact, and not the same bits either."""
    return "bf16" if precision == "bf16" and has_fast_bf16(device) else "fp32"


def described(device, precision):
    "What the bits of a result depend on besides arrays, Recipe and seed."
    capability = torch.backends.cpu.get_cpu_capability()
    name = torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else platform.machine()
    return {"device": torch.device(device).type, "processor": name, "capability": capability, "precision": precision,
            "threads": torch.get_num_threads(), "torch": torch.__version__}
