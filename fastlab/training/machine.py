"""What the machine can do, asked of the hardware: device, precision, threads. Results record it: bits depend on it."""
import platform
from contextlib import contextmanager

import torch

from fastlab.errors import OptionError, one_of

DEVICES = ("auto", "cpu", "cuda", "mps")


def device_for(word="auto"):
    "The torch device that a word means; auto takes the fastest there is. Raises OptionError where it is not there."
    one_of("device", word, DEVICES)
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if word == "auto":
        word = next(kind for kind, available in there.items() if available)
    if not there[word]:
        raise OptionError(f"device: torch finds no {word} device on this machine. Take --device auto or cpu.")
    return torch.device(word)


@contextmanager
def threads_set(count):
    "So many threads of torch for a while (None: as they are); afterwards as many as before. Raises OptionError."
    if count is None:
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
