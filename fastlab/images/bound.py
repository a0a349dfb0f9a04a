"""How much room decoded images may take, and which of them go once they take more."""
import os
import time
from contextlib import suppress

from fastlab.errors import OptionError

GIGABYTES = 20.0                # that all decoded arrays may take; $FASTLAB_CACHE_GB says otherwise
LEFT_BEHIND = 24 * 3600         # seconds after which a half-written array belongs to a process that was killed


def bytes_allowed():
    "The bound in bytes. Raises OptionError where $FASTLAB_CACHE_GB is not a number of at least 0."
    told = os.environ.get("FASTLAB_CACHE_GB") or GIGABYTES
    try:
        allowed = float(told)
    except ValueError:
        allowed = -1.0
    if not allowed >= 0:
        raise OptionError(f"$FASTLAB_CACHE_GB: {told!r} is not a number of gigabytes of at least 0, such as 20 or 0.5.")
    return allowed * (1 << 30)


def keep_within(allowed, folder, newest):
    """Removes the least recently used arrays until all fit into `allowed` bytes: never `newest`, and nothing else but
    what a killed process left behind."""
    with suppress(OSError):
        for part in folder.glob(".*.part"):
            if time.time() - part.stat().st_mtime > LEFT_BEHIND:
                part.unlink(missing_ok=True)
        arrays = [path for path in folder.glob("*.u8") if path != newest]
        total = sum(path.stat().st_size for path in [*arrays, newest])
        for path in sorted(arrays, key=_last_used):
            if total <= allowed:
                break
            total -= path.stat().st_size
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)


def _last_used(path):
    note = path.with_suffix(".json")
    return note.stat().st_mtime if note.exists() else 0.0
