"""One seed per purpose, derived by counting, never by drawing: what ran before cannot change what is drawn next.

`seed_for(seed, purpose, *counters)` is a pure function. A training asks it for its initial weights, and anew at every
epoch for its data order, augmentation and dropout; so the same bits come out after a resume, in any order of runs and
for any number of processes."""
import hashlib
from contextlib import contextmanager

PURPOSES = ("weights", "order", "augment", "dropout", "printed", "split", "strokes", "resample", "search", "show")


def seed_for(seed, purpose, *counters):
    "A 63-bit seed for one `purpose` (one of PURPOSES) and its counters, such as the epoch: SHA-256 of their text."
    if purpose not in PURPOSES:
        raise ValueError(f"purpose {purpose!r} is not one of {PURPOSES}")
    text = "/".join(map(str, ("fastlab", int(seed), purpose, *counters)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_generator(seed, purpose, *counters):
    "A numpy Generator (Philox, counter-based: the same stream on every machine) for one purpose."
    import numpy as np
    return np.random.Generator(np.random.Philox(seed_for(seed, purpose, *counters)))


def torch_generator(seed, purpose, *counters):
    "A torch Generator on the CPU for one purpose; draws are moved to the device, so that devices see the same ones."
    import torch
    return torch.Generator().manual_seed(seed_for(seed, purpose, *counters))


@contextmanager
def kept_random_state():
    "Leaves Python's, numpy's and torch's global random numbers (on every device) as they were found."
    import random

    import numpy as np
    import torch
    python, legacy, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    apple = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(legacy)
        torch.set_rng_state(cpu)
        if devices is not None:
            torch.cuda.set_rng_state_all(devices)
        if apple is not None:
            torch.mps.set_rng_state(apple)


@contextmanager
def global_random_state_of(seed):
    "Inside, Python's, numpy's and torch's global random numbers begin at `seed`; afterwards they are as before."
    import random

    import numpy as np
    import torch
    with kept_random_state():
        random.seed(seed)
        np.random.seed(seed % (1 << 32))
        torch.manual_seed(seed)
        yield
